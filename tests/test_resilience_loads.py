"""A load takes 10-30 s: nothing ends one early, and nothing reloads a model that runs with enough."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.harness import GatewayProcess, wait_until
from tests.ollama_stub import OllamaStub
from tests.ollama_stub.models import Loaded
from tests.standins.wire import Request

pytestmark = pytest.mark.live

LLAMA, QWEN = "llama3.2:latest", "qwen2.5:14b"
LONG = "word " * 9000  # more than the smallest bucket holds


@pytest.fixture(scope="module")
def gateway(ollama: OllamaStub) -> Iterator[GatewayProcess]:
    policy = {
        "cache": {"enabled": False},
        "resilience": {
            "health": {"interval_s": 0.3},
            "breaker": {"consecutive_failures": 1000, "min_requests": 10_000},
            "cold_start": {
                "prefer_loaded": False,
                "warm_up": [
                    {"model": "qwen2.5:14b", "every_s": 0.5, "at_start": False},
                    {"model": "nomic-embed-text", "every_s": 0.5, "at_start": False},
                ],
            },
        },
    }
    with GatewayProcess(policy=policy, ollama_url=ollama.url) as process:
        yield process


@pytest.fixture
def cold(ollama: OllamaStub, gateway: GatewayProcess) -> Iterator[OllamaStub]:
    """Nothing in memory, and the gateway knows."""
    ollama.unload()
    gateway.wait_probed()
    yield ollama
    ollama.models[LLAMA].load_delay = ollama.models[LLAMA].token_delay = 0


def ask(gateway: GatewayProcess, text: str = "hello", timeout: float = 30, **fields: Any) -> httpx.Response:
    body = {"model": "llama-fast", "messages": [{"role": "user", "content": text}], **fields}
    return gateway.httpx(timeout=timeout).post("/v1/chat/completions", json=body)


def chats(ollama: OllamaStub, since: int) -> list[Request]:
    return [call for call in ollama.calls[since:] if call.path == "/api/chat"]


def sizes(ollama: OllamaStub, model: str, since: int) -> list[int]:
    return [num_ctx for name, num_ctx in ollama.memory.loads[since:] if name == model]


@pytest.mark.parametrize("stream", [False, True])
def test_a_load_goes_on_when_the_client_that_began_it_leaves(
    gateway: GatewayProcess, cold: OllamaStub, stream: bool
) -> None:
    cold.models[LLAMA].load_delay = 6.0
    cold.models[LLAMA].token_delay = 0.2
    loads, calls = len(cold.memory.loads), len(cold.calls)
    with pytest.raises(httpx.TimeoutException):
        ask(gateway, "[[words: 400]]", timeout=2.5, stream=stream)
    assert ask(gateway).status_code == 200
    assert len(sizes(cold, LLAMA, loads)) == 1
    assert cold.memory.cancelled_loads == 0
    # Once the model is there nobody needs the answer of who left.
    wait_until(lambda: chats(cold, calls)[0].disconnected, 30)


def test_a_client_less_patient_than_a_load_is_answered_in_the_end(
    gateway: GatewayProcess, cold: OllamaStub
) -> None:
    cold.models[LLAMA].load_delay = 4.0
    loads = len(cold.memory.loads)

    def tried() -> bool:
        try:
            return ask(gateway, timeout=1.0).status_code == 200
        except httpx.TimeoutException:
            return False

    wait_until(tried, 30)
    assert len(sizes(cold, LLAMA, loads)) == 1
    assert cold.memory.cancelled_loads == 0


def test_a_load_nobody_waits_for_does_not_hold_up_the_end(start_gateway: Any, ollama: OllamaStub) -> None:
    ollama.unload()
    gateway = start_gateway(policy={"resilience": {"health": {"interval_s": 0.3}}})
    gateway.wait_probed()
    ollama.models[LLAMA].load_delay = 60
    try:
        before = len(ollama.calls)
        with pytest.raises(httpx.TimeoutException):
            ask(gateway, timeout=1.0)
        wait_until(lambda: any(call.path == "/api/generate" for call in ollama.calls[before:]), 10)
        assert gateway.stop(40) == -signal.SIGTERM  # as uvicorn ends, not by force
    finally:
        ollama.models[LLAMA].load_delay = 0


def test_short_and_long_requests_that_meet_a_load_do_not_reload_in_turn(
    gateway: GatewayProcess, cold: OllamaStub
) -> None:
    cold.models[LLAMA].load_delay = 2.0
    loads, calls = len(cold.memory.loads), len(cold.calls)
    with ThreadPoolExecutor(3) as pool:
        pending = []
        for number, text in enumerate(("hello", LONG, "good evening"), 1):
            pending.append(pool.submit(ask, gateway, text))
            wait_until(lambda n=number: len(chats(cold, calls)) == n, 30)
        assert [each.result().status_code for each in pending] == [200] * 3
    assert sizes(cold, LLAMA, loads) == [8192, 16384]


def test_the_size_somebody_else_asked_for_is_kept(gateway: GatewayProcess, cold: OllamaStub) -> None:
    """Another worker, another gateway, or this one before its restart."""
    cold.memory.loaded[LLAMA] = Loaded(32768, float("inf"))
    gateway.wait_probed()
    loads, calls = len(cold.memory.loads), len(cold.calls)
    answer = ask(gateway)
    assert "x-aicc-cold-start" not in answer.headers
    assert chats(cold, calls)[-1].json["options"]["num_ctx"] == 32768
    assert sizes(cold, LLAMA, loads) == []


def test_a_size_that_was_too_much_is_not_asked_for_again(gateway: GatewayProcess, cold: OllamaStub) -> None:
    assert ask(gateway).status_code == 200
    calls = len(cold.calls)
    with cold.failing("oom", model=LLAMA):
        ask(gateway, LONG)
    assert ask(gateway).status_code == 200
    of_llama = [call for call in chats(cold, calls) if call.model == LLAMA]
    assert [call.json["options"]["num_ctx"] for call in of_llama] == [16384, 8192]


def test_a_reload_for_more_room_is_a_cold_start(gateway: GatewayProcess, cold: OllamaStub) -> None:
    assert ask(gateway).headers.get("x-aicc-cold-start") == "true"
    assert "x-aicc-cold-start" not in ask(gateway).headers
    assert ask(gateway, LONG).headers.get("x-aicc-cold-start") == "true"
    assert "x-aicc-cold-start" not in ask(gateway).headers


def test_a_warm_up_by_schedule_keeps_the_size_in_use(gateway: GatewayProcess, cold: OllamaStub) -> None:
    calls = len(cold.calls)

    def warmed(path: str) -> int:
        return sum(call.path == path for call in cold.calls[calls:])

    assert ask(gateway, LONG, model="qwen-local").status_code == 200
    seen = warmed("/api/generate")
    wait_until(lambda: warmed("/api/generate") >= seen + 3, 20)
    assert sizes(cold, QWEN, 0)[-1] == 16384  # maybe of a warm-up that an earlier test's size went into
    wait_until(lambda: warmed("/api/embed") >= 2, 20)
    assert gateway.httpx().post("/v1/embeddings", json={"model": "embed-local", "input": "hi"}).is_success
    embedded = [call for call in cold.calls[calls:] if call.path == "/api/embed"]
    assert {call.json["options"]["num_ctx"] for call in embedded} == {2048}  # as requests ask for it
