"""Ollama fails in every way it can; the gateway goes on answering, and says when it cannot."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from aicc_hooks.record import SpoolReader
from tests.harness import GatewayProcess, wait_until
from tests.ollama_stub import OllamaStub

pytestmark = pytest.mark.live

QWEN, LLAMA = "qwen2.5:14b", "llama3.2:latest"


def chat(text: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **fields}


def ask(gateway: GatewayProcess, **fields: Any) -> httpx.Response:
    return gateway.httpx().post("/v1/chat/completions", json=chat(**fields))


def records(gateway: GatewayProcess, count: int) -> list[dict[str, Any]]:
    """The last `count` records, newest first, once they are written."""
    reader = SpoolReader(gateway.home / "usage.db")

    def there() -> bool:
        try:
            return len(reader.recent(count)) >= count
        except Exception:
            return False

    wait_until(there, 10)
    time.sleep(0.4)
    return list(reader.recent(count))


def test_a_failing_model_falls_back_quickly_and_the_record_tells(
    start_gateway: Any, ollama: OllamaStub
) -> None:
    gateway = start_gateway()
    ask(gateway, model="llama-fast")
    ollama.fail("status", model=QWEN)
    began = time.monotonic()
    response = ask(gateway, model="qwen-local")
    assert response.status_code == 200, response.text
    assert time.monotonic() - began < 3  # the bound is 1 s on a quiet machine; see benchmarks for the figure
    assert response.headers["x-aicc-reason"] == "fallback:upstream_down"
    assert response.headers["x-aicc-route"] in ("deepseek-local", "llama-fast")
    newest = records(gateway, 2)[0]
    assert newest["route"] == response.headers["x-aicc-route"]
    assert newest["attempts"] >= 1
    assert sum(1 for call in ollama.calls if call.json["model"] == QWEN) <= 3  # the plan: within 2 retries


def test_a_refused_connection_opens_the_address_and_is_answered_at_once(
    start_gateway: Any, ollama: OllamaStub
) -> None:
    gateway = start_gateway()
    assert ask(gateway).status_code == 200
    with ollama.refusing():
        first = ask(gateway)
        assert first.status_code == 503
        assert first.headers["x-aicc-error"] == "aicc_upstream_down"
        times = []
        for _ in range(5):
            began = time.monotonic()
            response = ask(gateway)
            times.append(time.monotonic() - began)
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1
            assert response.json()["error"]["type"] == "aicc_upstream_down"
        assert min(times) < 0.5  # 4.8 s each with LiteLLM alone
        health = httpx.get(gateway.url + "/aicc/health", timeout=10)
        wait_until(lambda: httpx.get(gateway.url + "/aicc/health", timeout=10).status_code == 503, 20)
        assert health.json()["dependencies"]["ollama"]["status"] in ("up", "down", "unknown")
    wait_until(lambda: ask(gateway).status_code == 200, 40)


def test_errors_of_the_request_do_not_open_the_circuit(start_gateway: Any, ollama: OllamaStub) -> None:
    gateway = start_gateway()
    with ollama.failing("status", status=400, text="invalid options", model=LLAMA):
        for _ in range(6):
            ask(gateway, model="llama-fast")
    response = ask(gateway, model="llama-fast")
    assert response.status_code == 200, response.text
    assert response.headers["x-aicc-route"] == "llama-fast"


def test_num_ctx_is_always_sent_and_grows_in_buckets(gateway: GatewayProcess, ollama: OllamaStub) -> None:
    ask(gateway, model="qwen-local")
    assert ollama.calls[-1].json["options"]["num_ctx"] == 8192
    ask(gateway, model="qwen-local", text="word " * 9000)
    assert ollama.calls[-1].json["options"]["num_ctx"] == 16384
    too_long = ask(gateway, model="qwen-local", text="word " * 200_000)
    assert too_long.status_code == 400
    assert too_long.headers["x-aicc-error"] == "aicc_context_too_long"
    assert any(character.isdigit() for character in too_long.json()["error"]["message"])


def test_streams_that_break_end_with_an_error_event(gateway: GatewayProcess, ollama: OllamaStub) -> None:
    for kind in ("half_close", "reset_mid", "garbage_mid", "error_mid"):
        with ollama.failing(kind, after=2):
            response = ask(gateway, model="qwen-local", stream=True, text="[[words: 40]]")
        body = response.text
        assert response.status_code == 200, (kind, body)
        events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]
        finished = any(c.get("finish_reason") for e in events for c in e.get("choices") or [])
        errors = [e["error"] for e in events if "error" in e]
        assert errors or finished, (kind, body[-500:])
        if errors:
            assert errors[-1]["type"].startswith("aicc_"), (kind, errors)


def test_a_client_that_leaves_ends_the_upstream_call(gateway: GatewayProcess, ollama: OllamaStub) -> None:
    ollama.models[LLAMA].token_delay = 0.05
    with gateway.httpx().stream(
        "POST", "/v1/chat/completions", json=chat("[[words: 400]]", model="llama-fast", stream=True)
    ) as response:
        next(response.iter_bytes())
    wait_until(lambda: bool(ollama.calls) and ollama.calls[-1].disconnected, 10)
    newest = records(gateway, 1)[0]
    assert newest["status"] == 499


def test_a_cold_model_is_waited_for_once_and_marked(start_gateway: Any, ollama: OllamaStub) -> None:
    gateway = start_gateway()
    ollama.models[LLAMA].load_delay = 2.0
    ollama.unload()
    wait_until(
        lambda: (
            httpx.get(gateway.url + "/aicc/health", timeout=10)
            .json()["dependencies"]
            .get("ollama", {})
            .get("status")
            == "up"
        ),
        20,
    )
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: ask(gateway, model="llama-fast", text=f"hello {n}"), range(4)))
    assert [a.status_code for a in answers] == [200] * 4
    assert (
        ollama.memory.loads.get(LLAMA, 0) == 1
        if isinstance(ollama.memory.loads, dict)
        else len(ollama.memory.loads) >= 1
    )
    assert any(a.headers.get("x-aicc-cold-start") == "true" for a in answers)


def test_more_requests_than_places_wait_in_line(start_gateway: Any, ollama: OllamaStub) -> None:
    gateway = start_gateway(
        policy={
            "resilience": {"limits": {"per_model": 2, "per_address": 2, "queue_length": 4, "max_wait_s": 30}}
        }
    )
    ask(gateway, model="llama-fast")
    ollama.models[LLAMA].token_delay = 0.02
    statuses: list[int] = []
    lock = threading.Lock()

    def one(number: int) -> None:
        response = ask(gateway, model="llama-fast", text=f"[[words: 40]] {number}")
        with lock:
            statuses.append(response.status_code)
            if response.status_code == 429:
                assert response.headers["x-aicc-error"] == "aicc_overloaded"
                assert response.headers["retry-after"]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses.count(200) >= 6
    assert statuses.count(429) >= 1
    assert len(statuses) == 16
    assert ollama.models[LLAMA].peak <= 2
    assert ask(gateway, model="llama-fast").status_code == 200  # every place was given back
