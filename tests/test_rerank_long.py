"""Reranking of long texts and many: what a model cannot read at once is read in windows, and what is not read is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.errors import Refusal
from aicc_hooks.rerank import parse
from aicc_hooks.rerank_windows import MAX_WINDOWS, apart, together, whole
from tests.harness import GatewayProcess, wait_until
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.reranker import RerankerStandIn

QUERY = "capital city of Nevada"
ANSWER = "The capital city of Nevada is Carson City."
PROSE = "Rye bread rises slowly in a warm kitchen and wants patience. "
# No part of them occurs twice.
TEXTS = {
    "prose": "".join(f"On day {n} the rye bread rose slowly in a warm kitchen. " for n in range(300)),
    "code": "".join(
        f"for (let i = {n}; i < rows.length; i++) {{ total += rows[i].price * 1.19; }}\n" for n in range(200)
    ),
    "Chinese": "".join(f"第{n}天，內華達州的首府是卡森城，位於該州西部。" for n in range(300)),
    "emoji": "".join(f"🌵{n}🏜️🎰" for n in range(700)),
    "no spaces": "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(256)),
}


def body(**more: Any) -> dict[str, Any]:
    return {"model": "rerank-local", "query": QUERY, "documents": [PROSE], **more}


# --- windows as plain data ------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [128, 512, 8192])
@pytest.mark.parametrize("name", TEXTS)
def test_windows_fit_and_together_are_the_text(name: str, limit: int) -> None:
    text = TEXTS[name]
    request = parse(body(documents=[text], max_chunks_per_doc=4000))
    found = together(request, limit)
    assert (found.cut, found.cut_query) == (0, False)
    for window in found.texts:
        assert estimate_tokens(QUERY) + estimate_tokens(window) <= limit
    end = 0
    for window in found.texts:
        start = text.find(window)
        assert 0 <= start <= end, "something between two windows is in neither"
        end = start + len(window)
    assert end == len(text)


def test_a_short_text_is_one_window_and_goes_as_it_is() -> None:
    request = parse(body(documents=["a", {"text": "b"}, " ", ""]))
    for found in (whole(request), together(request, 512), apart(request, 2048)):
        assert (found.texts, found.owners) == (("a", "b"), (0, 1))


def test_a_picture_goes_as_it_came_to_a_reranker() -> None:
    picture = {"image": "data:image/png;base64,AAAA"}
    assert together(parse(body(documents=[picture])), 512).texts == (picture,)


def test_what_is_not_read_is_told() -> None:
    long = TEXTS["prose"]
    found = together(parse(body(documents=[long, "short", long], max_chunks_per_doc=2)), 512)
    assert found.owners == (0, 0, 1, 2, 2)
    assert found.told == {"cut_documents": 2}
    found = together(parse(body(query=long, documents=["short"])), 512)
    assert found.told == {"cut_query": True}
    assert long.startswith(found.query)
    assert estimate_tokens(found.query) <= 256
    assert apart(parse(body(query=long)), 100_000).told == {}


def test_no_more_of_a_document_is_read_than_the_client_wants() -> None:
    request = parse(body(documents=[TEXTS["prose"], "short"], max_tokens_per_doc=100))
    for found in (together(request, 512), apart(request, 2048)):
        assert 60 <= estimate_tokens(found.texts[0]) <= 100
        assert found.owners == (0, 1)
        assert found.told == {"cut_documents": 1}


def test_too_many_windows_are_refused_by_name() -> None:
    with pytest.raises(Refusal, match="documents: together more than") as caught:
        together(parse(body(documents=["x" * 9000] * 1000)), 512)
    assert caught.value.status == 400
    assert len(together(parse(body(documents=["x" * 100] * 1000)), 512).texts) == 1000 <= MAX_WINDOWS


# --- through the proxy ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, RerankerStandIn]]:
    found = {
        "llama.cpp": RerankerStandIn("llama.cpp", says=512),
        "tei": RerankerStandIn("tei", says=512),
        "infinity": RerankerStandIn("infinity"),  # it says nothing of its context
        "small": RerankerStandIn("llama.cpp", says=8192),  # without -ub
        "dense": RerankerStandIn("tei", says=512, chars=2),  # more tokens than estimated
        "hopeless": RerankerStandIn("llama.cpp", says=512, tokens=8),
    }
    for server in found.values():
        server.start()
    yield found
    for server in found.values():
        server.stop()


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> None:
    if "servers" in request.fixturenames:
        for server in request.getfixturevalue("servers").values():
            server.reset()
            server.refused = 0


@pytest.fixture
def http(shared_gateway: Any, servers: dict[str, RerankerStandIn]) -> httpx.Client:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    base = {"api_base": "os.environ/OLLAMA_BASE_URL"}
    config["model_list"] += [
        {
            "model_name": f"rerank-{name}",
            "litellm_params": server.deployment_of_it,
            "model_info": {"mode": "rerank"},
        }
        for name, server in servers.items()
    ]
    config["model_list"] += [
        {"model_name": "rerank-few", "litellm_params": servers["infinity"].deployment_of_it,
         "model_info": {"mode": "rerank", "max_input_tokens": 128, "max_client_batch_size": 5}},
        {"model_name": "embed-short", "litellm_params": {"model": "ollama/nomic-embed-text", **base},
         "model_info": {"mode": "embedding", "max_input_tokens": 256}},
        {"model_name": "rerank-short", "litellm_params": {"model": "ollama/none", **base},
         "model_info": {"mode": "rerank", "embed_with": "embed-short"}},
    ]  # fmt: skip
    process: GatewayProcess = shared_gateway(config, policy={"cache": {"enabled": False}})
    return process.httpx()


def ranked(http: httpx.Client, model: str, **more: Any) -> dict[str, Any]:
    response = http.post("/v1/rerank", json=body(model=model, **more))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.live
@pytest.mark.parametrize("name", ["llama.cpp", "tei", "infinity"])
def test_long_documents_and_many_are_ranked_by_their_best_window(
    http: httpx.Client, servers: dict[str, RerankerStandIn], name: str
) -> None:
    server = servers[name]
    long = PROSE * 100 + ANSWER
    documents = [
        *(f"Document number {n}." for n in range(70)),
        {"text": long, "id": 7},
        "",
        "A city of bread.",
    ]
    answer = ranked(http, f"rerank-{name}", documents=documents, top_n=2, max_chunks_per_doc=1)
    assert [r["index"] for r in answer["results"]] == [72, 0], "the end of the long one is not read"
    assert answer["meta"]["aicc"] == {"method": "reranker", "model": "bge", "cut_documents": 1}
    answer = ranked(http, f"rerank-{name}", documents=documents)
    assert [r["index"] for r in answer["results"]][:2] == [70, 72]
    assert answer["results"][0] == {"index": 70, "relevance_score": 1.0, "document": documents[70]}
    assert answer["results"][-1] == {"index": 71, "relevance_score": 0.0, "document": {"text": ""}}
    assert len(answer["results"]) == len(documents)
    assert sorted(r["index"] for r in answer["results"]) == list(range(len(documents)))
    assert answer["meta"]["aicc"] == {"method": "reranker", "model": "bge"}
    assert server.refused == 0
    assert len(server.calls) == 6
    assert max(map(len, server.calls)) == 32
    if name != "tei":  # of which LiteLLM estimates the tokens
        assert answer["usage"]["total_tokens"] == 7 * 3


@pytest.mark.live
def test_config_yaml_says_how_much_a_server_takes(
    http: httpx.Client, servers: dict[str, RerankerStandIn]
) -> None:
    ranked(http, "rerank-few", documents=[PROSE * 10] * 3)
    texts = [text for call in servers["infinity"].calls for text in call]
    assert len(texts) > 3
    assert max(estimate_tokens(text) for text in texts) < 128
    assert max(map(len, servers["infinity"].calls)) == 5


@pytest.mark.live
@pytest.mark.parametrize("name", ["small", "dense"])
def test_a_server_that_takes_less_than_it_seems_is_asked_with_shorter_windows(
    http: httpx.Client, servers: dict[str, RerankerStandIn], name: str
) -> None:
    server = servers[name]
    documents = ["Cats sleep all day.", PROSE * 60 + ANSWER]
    # Until it has said what it reads, less is assumed.
    wait_until(lambda: ranked(http, f"rerank-{name}", documents=documents) and server.refused)
    server.refused = 0
    for _ in range(4):  # three failures in a row would open the circuit
        answer = ranked(http, f"rerank-{name}", documents=documents)
        assert [(r["index"], r["relevance_score"]) for r in answer["results"]] == [(1, 1.0), (0, 0.0)]
    assert server.refused == 4


@pytest.mark.live
def test_one_that_takes_nothing_says_that_the_text_is_too_long(
    http: httpx.Client, servers: dict[str, RerankerStandIn]
) -> None:
    for _ in range(4):
        response = http.post("/v1/rerank", json=body(model="rerank-hopeless"))
        assert response.status_code == 400, response.text
        assert response.json()["error"]["type"] == "aicc_context_too_long"
        assert PROSE[:20] not in response.text
    assert servers["hopeless"].refused == 12


@pytest.mark.live
def test_limits_of_the_client_hold_for_a_reranker_too(
    http: httpx.Client, servers: dict[str, RerankerStandIn]
) -> None:
    answer = ranked(
        http, "rerank-llama.cpp", documents=[PROSE * 100], max_tokens_per_doc=50, max_chunks_per_doc=3
    )
    assert answer["meta"]["aicc"]["cut_documents"] == 1
    [[text]] = servers["llama.cpp"].calls
    assert estimate_tokens(text) <= 50
    answer = ranked(http, "rerank-tei", query=PROSE * 100 + QUERY)
    assert answer["meta"]["aicc"]["cut_query"] is True


@pytest.mark.live
def test_an_embedder_is_sent_what_it_reads(http: httpx.Client, ollama: OllamaStub) -> None:
    documents = ["Cats sleep.", PROSE * 40 + ANSWER * 20, "", "  \n"]
    answer = ranked(http, "rerank-short", documents=documents)
    assert answer["results"][0]["index"] == 1
    assert [(r["index"], r["relevance_score"]) for r in answer["results"][2:]] == [(2, 0.0), (3, 0.0)]
    sent = [text for call in ollama.calls for text in call.json["input"]]
    assert sent[0] == "search_query: " + QUERY
    assert len(sent) > 4
    assert max(map(estimate_tokens, sent)) <= 256
    assert all(text.removeprefix("search_document:").strip() for text in sent)
    ollama.reset()
    answer = ranked(http, "rerank-short", query=PROSE * 40, documents=[PROSE * 40], max_tokens_per_doc=30)
    assert answer["meta"]["aicc"] == {
        "method": "embedding_cosine",
        "embedding_model": "embed-short",
        "cut_documents": 1,
        "cut_query": True,
    }
    [query, document] = [text for call in ollama.calls for text in call.json["input"]]
    assert estimate_tokens(query) <= 256
    assert estimate_tokens(document.removeprefix("search_document: ")) <= 30


@pytest.mark.live
def test_nothing_but_empty_documents_asks_nobody(http: httpx.Client, ollama: OllamaStub) -> None:
    answer = ranked(http, "rerank-local", documents=["", " "])
    assert [(r["index"], r["relevance_score"]) for r in answer["results"]] == [(0, 0.0), (1, 0.0)]
    assert ollama.calls == []


@pytest.mark.live
def test_fields_without_effect_are_named(http: httpx.Client) -> None:
    unused = {"truncate": True, "truncation": True, "raw_scores": True, "return_text": True, "texts": ["a"],
              "overlap_tokens": 9, "priority": 1}  # fmt: skip
    response = http.post("/v1/rerank", json=body(**unused, max_tokens_per_doc=99))
    assert response.status_code == 200, response.text
    assert sorted(response.headers["x-aicc-stripped"].split(",")) == sorted(unused)
