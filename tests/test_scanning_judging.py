"""Where the gateway scans a long text, and that a request gets its true verdict whatever becomes of the scan process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aicc_hooks.adapter import status
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.catalog import address_of, build_catalog
from aicc_hooks.inspection import Active
from aicc_hooks.payload import extract
from aicc_hooks.scanning import ScanPool
from tests.harness import GatewayProcess, make_canaries, search_bytes, wait_until
from tests.ollama_stub import OllamaStub
from tests.test_scanning import alive

CANARIES = make_canaries(11, only=("iban", "password", "github_token", "email"))
PLANTED = " ".join(c.text for c in CANARIES)
MIDDLE, LONG = 30_000, 600_000


@pytest.fixture
def runtime(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setattr(Runtime, "active", Active())
    (tmp_path / "policy.yaml").write_text("{}\n")
    made = Runtime({"AICC_HOME": str(tmp_path), "AICC_POLICY": str(tmp_path / "policy.yaml")})
    params = {"model": "ollama_chat/m", "api_base": "http://127.0.0.1:11434"}
    names = ("llama-fast", "qwen-local", "deepseek-local")
    info = {"mode": "chat", "max_input_tokens": 10_000_000}
    models = [{"model_name": n, "litellm_params": params, "model_info": {**info, "id": n}} for n in names]
    made.catalog = build_catalog(models, {address_of(params): True})
    yield made
    made.recorder.close()


def ask(size: int, planted: str = PLANTED) -> Call:
    """A chat of about `size` characters that ends with what is planted."""
    text = f"{'some words of a long letter. ' * (size // 29)}\n{planted}\n"
    found = extract("chat", {"messages": [{"role": "user", "content": text}]})
    return Call(endpoint="chat", requested="auto", extract=found)


def run(runtime: Runtime, work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await work()
        finally:
            await runtime.judging.stop()

    asyncio.run(whole())


def types(call: Call) -> tuple[str, ...]:
    assert call.verdict is not None
    return call.verdict.privacy.types


def test_only_long_texts_go_to_the_process(runtime: Runtime) -> None:
    async def work() -> None:
        for size in (100, MIDDLE):
            await runtime.judge(ask(size))
        assert runtime.counters["scan_process_starts"] == 0
        call = ask(LONG)
        await runtime.judge(call)
        assert runtime.counters["scan_process_texts"] == 1
        assert {"iban", "password"} <= set(types(call))
        assert call.decision is not None
        assert call.decision.local_only

    run(runtime, work)


def test_the_policy_can_do_without_the_process(runtime: Runtime) -> None:
    (runtime.home / "policy.yaml").write_text("speed: {scan_process: false}\n")

    async def work() -> None:
        assert runtime.store.poll(force=True)
        call = ask(LONG)
        await runtime.judge(call)
        assert "iban" in types(call)
        assert not any(name.startswith("scan_process") for name in runtime.counters)

    run(runtime, work)


def test_a_process_killed_in_the_middle_costs_no_verdict(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def work() -> None:
        await runtime.judge(ask(LONG, ""))
        process = runtime.judging.process.pid
        assert process is not None
        call = ask(3 * LONG)
        judging = asyncio.create_task(runtime.judge(call))
        await asyncio.sleep(0.15)
        os.kill(process, signal.SIGKILL)
        await judging
        assert {"iban", "password", "github_token"} <= set(types(call))
        assert call.verdict is not None
        assert not call.verdict.privacy.failed
        counted = (await status.health(runtime))["counters"]
        assert counted["scan_process_fallbacks"] == counted["scan_process_failures"] == 1

    run(runtime, work)
    assert not search_bytes(caplog.text.encode(), CANARIES)


def test_a_process_that_never_starts_is_in_health_and_costs_no_verdict(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    missing = ScanPool(runtime.counters, argv=["/nonexistent/python"])
    monkeypatch.setattr(runtime.judging, "process", missing)

    async def work() -> None:
        for _ in range(3):
            call = ask(LONG)
            await runtime.judge(call)
            assert "iban" in types(call)
        assert "FileNotFoundError" in (await status.health(runtime))["problems"]["scan_process"]

    run(runtime, work)
    assert not search_bytes(caplog.text.encode(), CANARIES)


def test_without_process_and_thread_the_request_counts_as_private(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.judging, "process", ScanPool(runtime.counters, argv=["/nonexistent/python"]))
    runtime.judging._threads.shutdown()

    async def work() -> None:
        call = ask(LONG, "")
        await runtime.judge(call)
        assert types(call) == ("detector_failed",)
        assert call.decision is not None
        assert call.decision.local_only
        assert (await status.health(runtime))["failures"]["privacy"] == 1

    run(runtime, work)


def test_a_changed_policy_counts_from_the_next_long_text(runtime: Runtime) -> None:
    async def work() -> None:
        before = ask(LONG, "the code is ZEBRA-4711")
        await runtime.judge(before)
        assert types(before) == ()
        (runtime.home / "policy.yaml").write_text("privacy: {pii_regexes: ['ZEBRA-\\d{4}']}\n")
        assert runtime.store.poll(force=True)
        after = ask(LONG, "the code is ZEBRA-4711")
        await runtime.judge(after)
        assert types(after) == ("custom",)
        assert runtime.counters["scan_process_texts"] == 2

    run(runtime, work)


def test_a_client_that_leaves_ends_its_scan_and_no_other(runtime: Runtime) -> None:
    async def work() -> None:
        await runtime.judge(ask(LONG, ""))
        gone = asyncio.create_task(runtime.judge(ask(8 * LONG)))
        await asyncio.sleep(0.1)
        gone.cancel()
        call = ask(LONG)
        await runtime.judge(call)
        assert "iban" in types(call)
        assert runtime.counters["scan_process_fallbacks"] == 0

    run(runtime, work)


def _scan_processes(gateway: GatewayProcess) -> list[int]:
    """Process ids of the gateway's scan processes."""
    found = []
    for task in Path(f"/proc/{gateway.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                if b"aicc_hooks.scanning.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
    return found


@pytest.mark.live
def test_through_the_gateway_with_the_process_killed(
    start_gateway: Callable[..., GatewayProcess], ollama: OllamaStub
) -> None:
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        pytest.skip("needs /proc with children")
    process = start_gateway()
    with process.httpx() as client:

        def send(number: int) -> None:
            text = f"letter {number}. {'some words of a long letter. ' * 2_600}\n{PLANTED}"
            body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
            answer = client.post("/v1/chat/completions", json=body, timeout=60)
            assert answer.status_code == 200
            assert {"iban", "password"} <= set(answer.headers["x-aicc-privacy"].split(","))

        def counters() -> dict[str, int]:
            found: dict[str, int] = client.get("/aicc/health").json()["counters"]
            return found

        send(0)  # scanned in a thread, and the process is started
        wait_until(lambda: _scan_processes(process), 30)
        for number in range(1, 20):
            send(number)
            if counters().get("scan_process_texts", 0) >= 2:
                break
        (scanner,) = _scan_processes(process)
        os.kill(scanner, signal.SIGKILL)
        send(100)
        assert counters()["scan_process_failures"] == 1
        send(101)
        wait_until(lambda: _scan_processes(process), 30)
        (scanner,) = _scan_processes(process)
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: not alive(scanner), 20)
    assert not search_bytes(process.output(), CANARIES)
