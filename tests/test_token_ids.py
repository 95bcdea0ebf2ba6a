"""Embeddings of token ids, as langchain-openai sends them by default: read, inspected, and answered as the text would be."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aicc_hooks.errors import Refusal
from aicc_hooks.payload.token_ids import as_texts, id_lists
from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn

TEXTS = ["Oslo in the rain, and Köln.", "Ein zweiter Text über Wetter 🌧."]
FOREIGN = [101, 7592, 2088, 102]  # "hello world" as BERT's tokenizer has it: [CLS] … [SEP]


@pytest.fixture(scope="module")
def encoding() -> Any:
    from litellm.litellm_core_utils.default_encoding import encoding

    return encoding


@given(text=st.text(min_size=1))
def test_every_text_comes_back(encoding: Any, text: str) -> None:
    read = as_texts([encoding.encode(text, disallowed_special=())], encoding)
    assert read == [text.strip("\ufffd")]


@given(text=st.text(min_size=200, max_size=2000), data=st.data())
def test_a_text_cut_anywhere_is_still_read(encoding: Any, text: str, data: st.DataObject) -> None:
    ids = encoding.encode("Some plain words come first. " * 12 + text, disallowed_special=())
    cut = data.draw(st.integers(min_value=70, max_value=len(ids) - 1))
    parts = [part for part in (ids[:cut], ids[cut:]) if len(part) >= 64]
    read = as_texts(parts, encoding)
    assert read is not None
    assert len(read) == len(parts)


@pytest.mark.parametrize("ids", [FOREIGN, [10**9], [-1], [2**70], [1, 2, 3], [100257], list(range(300, 500))])
def test_ids_of_another_tokenizer_are_told(encoding: Any, ids: list[int]) -> None:
    assert as_texts([ids], encoding) is None


@pytest.mark.parametrize("value", ["a", ["a", "b"], {"image": "x"}, [{"text": "a"}, "b"]])
def test_texts_are_no_ids(value: Any) -> None:
    assert id_lists(value) is None


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ([1, "a"], "input"),
        (["a", [1]], "input"),
        ([1.5], "input"),
        ([True], "input"),
        ([None], "input"),
        ([[1], []], "input[1]"),
        ([[1], ["a"]], "input[1]"),
        ([[1], [True]], "input[1]"),
    ],
)
def test_a_mixture_is_named(value: Any, param: str) -> None:
    with pytest.raises(Refusal) as refused:
        id_lists(value)
    assert refused.value.param == param


# --- through the gateway ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


def embed(http: httpx.Client, given: Any, model: str = "embed-local") -> httpx.Response:
    return http.post("/v1/embeddings", json={"model": model, "input": given, "encoding_format": "float"})


@pytest.mark.live
def test_ids_are_embedded_as_the_text_they_stand_for(
    http: httpx.Client, ollama: OllamaStub, encoding: Any
) -> None:
    lists = [encoding.encode(text) for text in TEXTS]
    expected = [row["embedding"] for row in embed(http, TEXTS).json()["data"]]
    for sent, texts in ((lists, TEXTS), (lists[0], TEXTS[:1])):
        response = embed(http, sent)
        assert response.status_code == 200, response.text
        assert ollama.calls[-1].json["input"] == texts
        assert [row["embedding"] for row in response.json()["data"]] == expected[: len(texts)]


@pytest.mark.live
def test_a_long_text_is_read_whole(http: httpx.Client, ollama: OllamaStub, encoding: Any) -> None:
    ids = encoding.encode("Words that go on and on, of Trondheim and elsewhere. " * 700)[:8191]
    assert embed(http, [ids]).status_code == 200
    assert ollama.calls[-1].json["input"] == [encoding.decode(ids)]


@pytest.mark.live
def test_what_the_ids_say_is_inspected(http: httpx.Client, encoding: Any) -> None:
    plain, private = embed(http, [encoding.encode("a harmless text")]), "my card is 4539 7281 6405 9378"
    assert plain.headers["x-aicc-privacy"] == "clean"
    assert embed(http, encoding.encode(private)).headers["x-aicc-privacy"] == "credit_card"


@pytest.mark.live
def test_ids_that_cannot_be_read_are_refused_with_the_way_out(http: httpx.Client, ollama: OllamaStub) -> None:
    for given_ids in (FOREIGN, [FOREIGN]):
        response = embed(http, given_ids)
        assert response.status_code == 400, response.text
        assert response.json()["error"]["param"] == "input"
        assert "check_embedding_ctx_length=False" in response.json()["error"]["message"]
    assert not ollama.calls


@pytest.mark.live
def test_other_servers_get_texts_and_never_ids_nobody_could_read(
    start_gateway: Any, cloud: CloudStandIn, encoding: Any
) -> None:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"].append(
        {**cloud.deployment("embed-cloud", "text-embedding-3-small"), "model_info": {"mode": "embedding"}}
    )
    http = start_gateway(config, policy=cloud.policy).httpx()
    assert embed(http, [encoding.encode(TEXTS[0])], "embed-cloud").status_code == 200
    asked = [r for r in cloud.requests if r.method == "POST"]
    assert asked[-1].json["input"] == TEXTS[:1]
    for unread in (FOREIGN, encoding.encode("my card is 4539 7281 6405 9378")):
        refused = embed(http, [unread], "embed-cloud")
        assert refused.status_code == 503, refused.text
        assert refused.headers["x-aicc-error"] == "aicc_private_no_local_model"
    assert [r for r in cloud.requests if r.method == "POST"] == asked
