"""`aicc serve` keeps the real gateway running: crashes, stop signals, and what was acknowledged."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import SpoolReader
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
    return gateway.httpx().post("/v1/chat/completions", json={**BODY, **fields})


@pytest.fixture(scope="module")
def served(ollama: OllamaStub) -> Iterator[GatewayProcess]:
    with GatewayProcess(
        ollama_url=ollama.url,
        command=("aicc", "serve"),
        policy={"cache": {"enabled": False}, "resilience": {"health": {"interval_s": 0.5}}},
    ) as process:
        yield process


def test_a_crash_ends_its_requests_and_the_next_ones_are_answered(
    served: GatewayProcess, ollama: OllamaStub
) -> None:
    before = ask(served)
    assert before.status_code == 200
    reader = SpoolReader(served.home / "usage.db")

    def written() -> bool:
        with contextlib.suppress(SpoolError):  # the file is being made
            return reader.get(before.headers["x-aicc-request-id"]) is not None
        return False

    wait_until(written, 5)
    ollama.models["llama3.2:latest"].token_delay = 0.1
    child = child_of(served.pid)
    slow = {**BODY, "stream": True, "messages": [{"role": "user", "content": "[[words: 500]]"}]}
    with served.httpx().stream("POST", "/v1/chat/completions", json=slow) as response:
        lines = response.iter_bytes()
        next(lines)
        os.kill(child, signal.SIGSEGV)
        with pytest.raises(httpx.RemoteProtocolError):  # cut off, and told so: the chunked body has no end
            for _ in lines:
                pass
    ollama.models["llama3.2:latest"].token_delay = 0
    died = time.monotonic()
    wait_until(lambda: child_of(served.pid) not in (0, child), 5)
    assert time.monotonic() - died < 2
    served.wait_ready()
    assert ask(served).status_code == 200
    assert reader.get(before.headers["x-aicc-request-id"]) is not None

    def told() -> bool:
        body = httpx.get(served.url + "/aicc/health", timeout=10, trust_env=False).json()
        return body["status"] == "degraded" and "SIGSEGV" in body["problems"].get("crashes", "")

    wait_until(told, 20)
    lines_written = (served.home / "logs" / "crashes.jsonl").read_text().splitlines()
    assert json.loads(lines_written[-1])["signal"] == "SIGSEGV"


def test_a_stop_lets_requests_end_and_keeps_their_records(served: GatewayProcess, ollama: OllamaStub) -> None:
    ollama.models["llama3.2:latest"].token_delay = 0.05
    slow = {**BODY, "stream": True, "messages": [{"role": "user", "content": "[[words: 60]]"}]}
    with served.httpx().stream("POST", "/v1/chat/completions", json=slow) as response:
        chunks = response.iter_bytes()
        text = next(chunks)
        began = time.monotonic()
        served.terminate()
        text += b"".join(chunks)
    assert b"word59" in text
    assert b"[DONE]" in text
    wait_until(lambda: served.returncode is not None, 30)
    assert time.monotonic() - began < 30
    assert served.returncode == 0
    found = SpoolReader(served.home / "usage.db").get(response.headers["x-aicc-request-id"])
    assert found is not None
    assert found.status == 200
