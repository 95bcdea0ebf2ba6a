"""One embedding model on two servers: the other one answers when the first does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub

pytestmark = pytest.mark.live


POLICY: dict[str, Any] = {
    "cache": {"enabled": False},
    "resilience": {
        "breaker": {"consecutive_failures": 1000, "min_requests": 10_000},
        "embeddings": {"timeout_s": 1},
        "health": {"interval_s": 1},
    },
}


@pytest.fixture(scope="module")
def second() -> Iterator[OllamaStub]:
    with OllamaStub() as stub:
        yield stub


@pytest.fixture(scope="module")
def gateway(ollama: OllamaStub, second: OllamaStub) -> Iterator[GatewayProcess]:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())

    def embedder(group: str, model: str, base: str) -> dict[str, Any]:
        params = {"model": f"ollama/{model}", "api_base": base}
        return {"model_name": group, "litellm_params": params, "model_info": {"mode": "embedding"}}

    config["model_list"] += [
        embedder("twice", "nomic-embed-text", ollama.url),
        embedder("twice", "nomic-embed-text:latest", second.url),
        embedder("mixed", "nomic-embed-text", ollama.url),
        embedder("mixed", "bge-m3", second.url),
    ]
    with GatewayProcess(config, policy=POLICY, ollama_url=ollama.url) as process:
        yield process


def embed(gateway: GatewayProcess, group: str) -> Any:
    return gateway.httpx().post("/v1/embeddings", json={"model": group, "input": "hello"})


def asked(*stubs: OllamaStub) -> list[int]:
    return [sum("embed" in call.path for call in stub.calls) for stub in stubs]


@pytest.mark.parametrize("kind", ["freeze", "status", "reset"])
def test_the_other_server_of_the_same_model_answers(
    gateway: GatewayProcess, ollama: OllamaStub, second: OllamaStub, kind: str
) -> None:
    second.heal()
    before = asked(ollama, second)
    with ollama.failing(kind, path="/api/embed"):
        for _ in range(20):  # LiteLLM picks one at random: until the failing one was asked first
            answer = embed(gateway, "twice")
            assert answer.status_code == 200, answer.text
            if asked(ollama)[0] > before[0]:
                break
    assert asked(ollama)[0] > before[0]
    assert asked(second)[0] > before[1]
    assert answer.headers["x-aicc-route"] == "twice"
    assert "x-aicc-error" not in answer.headers
    record = gateway.record_of(answer)
    failed = record["attempts"]
    assert [a["error"] for a in failed] == ["timeout" if kind == "freeze" else failed[0]["error"]]
    assert record["error"] == ""


def test_each_server_is_asked_once(gateway: GatewayProcess, ollama: OllamaStub, second: OllamaStub) -> None:
    before = asked(ollama, second)
    with ollama.failing("status", path="/api/embed"), second.failing("status", path="/api/embed"):
        assert embed(gateway, "twice").status_code == 503
    assert [now - then for now, then in zip(asked(ollama, second), before, strict=True)] == [1, 1]


def test_another_model_in_the_group_is_not_asked(
    gateway: GatewayProcess, ollama: OllamaStub, second: OllamaStub
) -> None:
    with ollama.failing("status", path="/api/embed"), second.failing("status", path="/api/embed"):
        for _ in range(6):
            before = sum(asked(ollama, second))
            assert embed(gateway, "mixed").status_code == 503
            assert sum(asked(ollama, second)) == before + 1


def test_an_error_of_the_request_is_not_tried_elsewhere(
    gateway: GatewayProcess, ollama: OllamaStub, second: OllamaStub
) -> None:
    bad = {"status": 400, "text": "the input is not valid", "path": "/api/embed"}
    before = sum(asked(ollama, second))
    with ollama.failing("status", **bad), second.failing("status", **bad):
        assert embed(gateway, "twice").status_code == 400
    assert sum(asked(ollama, second)) == before + 1


LONG = "word " * 2500  # nomic-embed-text reads 2,048 tokens


def test_a_text_longer_than_the_model_reads_is_cut_and_said_so(
    gateway: GatewayProcess, ollama: OllamaStub
) -> None:
    body = {"model": "embed-local", "input": ["short", LONG]}
    before = len(ollama.calls)
    answer = gateway.httpx().post("/v1/embeddings", json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == 2
    assert answer.headers["x-aicc-cut"] == "prompt"
    first, second = ollama.calls[before:]
    assert first.json["truncate"] is False
    assert "truncate" not in second.json
    assert {call.json["options"]["num_ctx"] for call in (first, second)} == {2048}
    record = gateway.record_of(answer)
    assert (record["cut"], record["error"]) == ("prompt", "")

    several = {"model": "embed-local", "input": ["word " * 900] * 4}  # together more than one may have
    whole = gateway.httpx().post("/v1/embeddings", json=several)
    assert "x-aicc-cut" not in whole.headers
    assert gateway.record_of(whole)["cut"] == ""
    assert len(ollama.calls) == before + 3


def test_a_text_longer_than_the_model_reads_is_refused_where_the_policy_says_so(
    gateway: GatewayProcess, ollama: OllamaStub
) -> None:
    gateway.change_policy(
        {**POLICY, "resilience": {**POLICY["resilience"], "embeddings": {"too_long": "refuse"}}}
    )
    try:
        before = len(ollama.calls)
        answer = gateway.httpx().post("/v1/embeddings", json={"model": "embed-local", "input": LONG})
        assert answer.status_code == 400, answer.text
        assert answer.headers["x-aicc-error"] == "aicc_context_too_long"
        assert "2048 tokens 'nomic-embed-text'" in answer.text
        assert len(ollama.calls) == before + 1
        documents = {"model": "rerank-local", "query": "word", "documents": [LONG, "short"]}
        assert gateway.httpx().post("/v1/rerank", json=documents).status_code == 200
        assert all("truncate" not in call.json for call in ollama.calls[before + 1 :])  # windows are ours
    finally:
        gateway.change_policy(POLICY)
