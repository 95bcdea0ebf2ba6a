"""`aicc serve` keeps the real gateway running: crashes, stop signals, and what was acknowledged."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import SpoolReader
from benchmarks.chaos_world import workers_of
from tests.harness import GatewayProcess, wait_until
from tests.ollama_stub import OllamaStub

pytestmark = pytest.mark.live
BODY = {"model": "llama-fast", "messages": [{"role": "user", "content": "hello"}]}


def child_of(pid: int) -> int:
    found = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, timeout=10
    ).stdout.split()
    return int(found[0]) if found else 0


def ask(gateway: GatewayProcess, **fields: Any) -> httpx.Response:
    return gateway.httpx(timeout=120).post("/v1/chat/completions", json={**BODY, **fields})


@pytest.fixture(scope="module")
def served(ollama: OllamaStub) -> Iterator[GatewayProcess]:
    with GatewayProcess(
        ollama_url=ollama.url,
        command=("aicc", "serve"),
        policy={"cache": {"enabled": False}, "resilience": {"health": {"interval_s": 0.5}}},
    ) as process:
        yield process


SLOW = {"messages": [{"role": "user", "content": "[[words: 500]]"}]}
DIED = "aicc_upstream_down"


def test_a_crash_ends_its_requests_with_an_error_and_the_next_ones_are_answered(
    served: GatewayProcess, ollama: OllamaStub
) -> None:
    before = ask(served)
    assert before.status_code == 200
    reader = SpoolReader(served.home / "usage.db")

    def written() -> bool:
        with contextlib.suppress(SpoolError):  # the file is being made
            return reader.get(before.headers["x-aicc-request-id"]) is not None
        return False

    wait_until(written, 30)
    ollama.models["llama3.2:latest"].token_delay = 0.1
    child, calls = child_of(served.pid), len(ollama.calls)
    with (
        ThreadPoolExecutor() as pool,
        served.httpx().stream(
            "POST", "/v1/chat/completions", json={**BODY, **SLOW, "stream": True}
        ) as response,
    ):
        lines = response.iter_lines()
        assert "word" in next(line for line in lines if "word" in line)
        ollama.fail("freeze")
        waiting = pool.submit(ask, served, **SLOW)
        anthropic = pool.submit(
            served.httpx(timeout=120).post,
            "/v1/messages",
            json={**BODY, **SLOW, "max_tokens": 900, "stream": False},
        )
        retrying = pool.submit(
            served.client(max_retries=2, timeout=120).chat.completions.create,
            **BODY,  # type: ignore[call-overload]
        )
        wait_until(lambda: len(ollama.calls) == calls + 4, 30)
        os.kill(child, signal.SIGSEGV)
        ollama.heal()
        ollama.models["llama3.2:latest"].token_delay = 0
        last = [line for line in lines if line]  # no RemoteProtocolError: the stream has a proper end
        wait_until(lambda: child_of(served.pid) not in (0, child), 60)
        late = pool.submit(ask, served)  # while nothing answers yet: waits, and is not refused
        assert json.loads(last[-1].removeprefix("data: "))["error"]["type"] == DIED
        answer = waiting.result(120)
        assert (answer.status_code, answer.headers["x-aicc-error"]) == (503, DIED)
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["error"]["type"] == DIED
        assert anthropic.result(120).json()["type"] == "error"
        assert late.result(120).status_code == 200
        assert retrying.result(120).choices[0].message.content
    assert reader.get(before.headers["x-aicc-request-id"]) is not None

    def told() -> bool:
        body = httpx.get(served.url + "/aicc/health", timeout=10, trust_env=False).json()
        return body["status"] == "degraded" and "SIGSEGV" in body["problems"].get("crashes", "")

    wait_until(told, 30)
    crash = json.loads((served.home / "logs" / "crashes.jsonl").read_text().splitlines()[-1])
    assert crash["signal"] == "SIGSEGV"
    assert crash["restart_in_s"] <= 2


def refused(gateway: GatewayProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", gateway.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_stop_lets_requests_end_and_keeps_their_records(served: GatewayProcess, ollama: OllamaStub) -> None:
    ollama.fail("freeze_mid", after=5)
    slow = {**BODY, "stream": True, "messages": [{"role": "user", "content": "[[words: 100]]"}]}
    with served.httpx().stream("POST", "/v1/chat/completions", json=slow) as response:
        chunks = response.iter_bytes()
        text = next(chunks)
        served.terminate()
        wait_until(lambda: refused(served), 20)  # nobody waits for a gateway that goes away
        assert served.returncode is None
        ollama.heal()
        text += b"".join(chunks)
    assert b"word99" in text
    assert b"[DONE]" in text
    wait_until(lambda: served.returncode is not None, 60)
    assert served.returncode == 0  # one that drains for more than 30 s is killed
    found = SpoolReader(served.home / "usage.db").get(response.headers["x-aicc-request-id"])
    assert found is not None
    assert found.status == 200


def test_killed_workers_end_their_streams_with_an_error_and_others_wait(ollama: OllamaStub) -> None:
    ollama.models["llama3.2:latest"].token_delay = 0.1

    def words(gateway: GatewayProcess, under_way: Barrier) -> str:
        body = {**BODY, **SLOW, "stream": True}
        with gateway.httpx().stream("POST", "/v1/chat/completions", json=body) as response:
            lines = response.iter_lines()
            next(line for line in lines if "word" in line)
            under_way.wait(30)
            return [line for line in lines if line][-1]

    with (
        GatewayProcess(
            ollama_url=ollama.url,
            command=("aicc", "serve"),
            num_workers=2,
            policy={"cache": {"enabled": False}},
            start_timeout=240,
        ) as gateway,
        ThreadPoolExecutor() as pool,
    ):
        workers = workers_of(gateway.pid)
        assert len(workers) == 2
        under_way = Barrier(5)
        streams = [pool.submit(words, gateway, under_way) for _ in range(4)]  # what one worker takes at once
        under_way.wait(30)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        ollama.models["llama3.2:latest"].token_delay = 0
        late = pool.submit(gateway.httpx(timeout=120).post, "/v1/chat/completions", json=BODY)
        assert [json.loads(s.result(60)[6:])["error"]["type"] for s in streams] == [DIED] * 4
        assert late.result(120).status_code == 200
        assert gateway.returncode is None

        ollama.fail("freeze_mid", after=5)
        body = {**BODY, "stream": True, "messages": [{"role": "user", "content": "[[words: 100]]"}]}
        with gateway.httpx().stream("POST", "/v1/chat/completions", json=body) as response:
            chunks = response.iter_bytes()
            text = next(chunks)
            gateway.terminate()
            wait_until(lambda: refused(gateway), 20)
            assert gateway.returncode is None
            ollama.heal()
            text += b"".join(chunks)
        assert b"[DONE]" in text
