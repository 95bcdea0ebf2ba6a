"""Health over real sockets: Ollama's API, outages, back-off, and an answer that never waits."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from aicc_hooks.adapter.cached import Cached
from aicc_hooks.resilience.circuit_breaker import CircuitBreaker
from aicc_hooks.resilience.config import HealthConfig
from aicc_hooks.resilience.crashes import CrashEvent, now_text, write_crash
from aicc_hooks.resilience.health_check import HealthChecker, Probe, ProbeResult
from aicc_hooks.resilience.models_present import missing_models
from aicc_hooks.resilience.ollama import OllamaClient, OllamaError, OllamaGarbage
from aicc_hooks.resilience.ollama_models import full_name, parse_show
from aicc_hooks.resilience.probes import (
    OllamaProbe,
    crashes,
    disk,
    round_trip,
    spool,
    standard_probes,
)

SHOW = {
    "details": {"family": "qwen2"},
    "capabilities": ["completion", "tools"],
    "model_info": {
        "general.architecture": "qwen2",
        "qwen2.context_length": 32768,
        "qwen2.block_count": 48,
        "qwen2.embedding_length": 5120,
        "qwen2.attention.head_count": 40,
        "qwen2.attention.head_count_kv": 8,
    },
}


class Ollama:
    """A server on a real socket that answers like Ollama, or misbehaves as `mode` says."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.models = {"qwen2.5:14b": 9_000_000_000, "llama3.2:latest": 2_000_000_000}
        self.loaded: list[str] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(h.split(":")[1]) for h in head.lower().splitlines() if h.startswith("content-length")), 0
            )
            raw = await reader.readexactly(length)
            path = head.split()[1]
            body = json.loads(raw) if raw else {}
            self.calls.append((path, body))
            if self.mode == "freeze":
                await asyncio.sleep(3)
            status, answer = (200, b"<html>") if self.mode == "garbage" else self._answer(path, body)
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-length: {len(answer)}\r\nconnection: close\r\n\r\n".encode()
                + answer
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        def ok(value: object) -> tuple[int, bytes]:
            return 200, json.dumps(value).encode()

        if path == "/api/version":
            return ok({"version": "0.40.1"})
        if path == "/api/tags":
            return ok({"models": [{"name": n, "size": s} for n, s in self.models.items()]})
        if path == "/api/ps":
            return ok({"models": [{"name": n, "size": 1, "context_length": 8192} for n in self.loaded]})
        if path == "/api/show":
            return ok(SHOW)
        if path == "/api/generate" and "embed" in body["model"]:
            return 400, b'{"error":"does not support generate"}'
        self.loaded.append(body["model"])
        return ok({"done": True})


def with_ollama(scenario: Callable[[Ollama, OllamaClient], Awaitable[None]], timeout_s: float = 5.0) -> None:
    async def main() -> None:
        server = Ollama()
        await server.start()
        client = OllamaClient(server.url, timeout_s=timeout_s)
        try:
            async with asyncio.timeout(60):
                await scenario(server, client)
        finally:
            await client.aclose()
            await server.stop()

    asyncio.run(main())


def probe_of(client: OllamaClient, *expected: str, breaker: CircuitBreaker | None = None) -> OllamaProbe:
    return OllamaProbe(
        [client],
        lambda _url: expected,
        on_reachable=breaker.reachable if breaker else None,
        on_refused=breaker.unreachable if breaker else None,
    )


def test_a_healthy_ollama_with_all_models() -> None:
    async def scenario(server: Ollama, client: OllamaClient) -> None:
        server.loaded = ["llama3.2:latest"]
        result = await probe_of(client, "qwen2.5:14b", "ollama_chat/llama3.2")()
        assert (result.status, result.warning, result.detail) == ("up", False, "")
        facts = result.facts[client.base_url]
        assert facts["version"] == "0.40.1"
        assert facts["loaded"] == ["llama3.2:latest"]
        assert client.is_loaded("llama3.2") is True
        assert client.is_loaded("qwen2.5:14b") is False
        info = client.info("qwen2.5:14b")
        assert info is not None
        assert (info.context_length, info.tools, info.vision) == (32768, True, False)
        assert info.kv_bytes_per_token == 2 * 48 * 8 * 128 * 2
        assert not any(path in ("/api/generate", "/api/chat") for path, _ in server.calls), (
            "no model was called"
        )

    with_ollama(scenario)


def test_a_missing_model_names_the_closest_and_the_command() -> None:
    async def scenario(_: Ollama, client: OllamaClient) -> None:
        result = await probe_of(client, "qwen2.5:7b", "llama3.2")()
        assert (result.status, result.warning) == ("up", True)
        assert "the closest here: qwen2.5:14b" in result.detail
        assert "ollama pull qwen2.5:7b" in result.detail
        none = await probe_of(client, "mistral", "phi4")()
        assert none.status == "down", "nothing this gateway is configured for is there"
        assert "ollama pull mistral" in none.detail

    with_ollama(scenario)


@pytest.mark.parametrize(
    ("mode", "words"),
    [("refuse", "ollama serve"), ("freeze", "frozen"), ("garbage", "does not answer like Ollama")],
)
def test_outages_are_told_apart(mode: str, words: str) -> None:
    async def scenario(server: Ollama, client: OllamaClient) -> None:
        await probe_of(client)()
        server.mode = mode
        if mode == "refuse":
            await server.stop()
        began = time.perf_counter()
        result = await probe_of(client)()
        assert result.status == "down"
        assert words in result.detail
        assert time.perf_counter() - began < 2.5  # a frozen one answers after 3 s

    with_ollama(scenario, timeout_s=0.3 if mode == "freeze" else 5.0)


def test_one_frozen_ollama_of_two_hides_nothing_of_the_other(tmp_path: Path) -> None:
    async def main() -> None:
        well, frozen = Ollama(), Ollama()
        frozen.mode = "freeze"
        await well.start()
        await frozen.start()
        clients = [OllamaClient(well.url), OllamaClient(frozen.url)]  # the limits a gateway has
        probes = standard_probes(
            ollama=OllamaProbe(clients, lambda _url: ["llama3.2"]), redis=None, litellm=None, langfuse=None, home=tmp_path, free_mb=lambda: 0,
        )  # fmt: skip
        checker = HealthChecker(probes)
        try:
            await checker.check("ollama")
        finally:
            for client in clients:
                await client.aclose()
            await well.stop()
            await frozen.stop()
        seen = checker.details()["ollama"]
        assert (seen["status"], seen["warning"]) == ("up", True), seen
        assert f"no answer in time from {frozen.url}" in seen["detail"]
        assert seen["facts"][well.url]["models"] == ["llama3.2:latest", "qwen2.5:14b"]
        assert checker.overall() != "down"

    asyncio.run(main())


def test_probes_open_and_close_the_breaker() -> None:
    async def scenario(server: Ollama, client: OllamaClient) -> None:
        breaker = CircuitBreaker()
        probe = probe_of(client, breaker=breaker)
        await server.stop()
        await probe()
        assert not breaker.allow(client.base_url, "m")
        await server.start()
        await probe()
        assert breaker.allow(client.base_url, "m")

    with_ollama(scenario)


def test_what_was_loaded_is_not_trusted_once_ollama_is_away() -> None:
    async def scenario(server: Ollama, client: OllamaClient) -> None:
        server.loaded = ["qwen2.5:14b"]
        assert client.is_loaded("qwen2.5:14b") is None
        await client.ps()
        assert client.is_loaded("qwen2.5:14b") is True
        assert client.is_loaded("qwen2.5:14b", max_age_s=0) is None
        await server.stop()
        with pytest.raises(httpx.ConnectError):
            await client.ps()
        assert client.is_loaded("qwen2.5:14b") is None

    with_ollama(scenario)


def test_warm_up_sends_no_text_and_the_size_requests_will_use() -> None:
    async def scenario(server: Ollama, client: OllamaClient) -> None:
        await client.warm_up("qwen2.5:14b", keep_alive="30m", num_ctx=8192)
        assert server.calls[-1] == (
            "/api/generate",
            {"model": "qwen2.5:14b", "stream": False, "keep_alive": "30m", "options": {"num_ctx": 8192}},
        )
        await client.warm_up("nomic-embed-text", keep_alive=-1)
        assert server.calls[-1] == (
            "/api/embed",
            {"model": "nomic-embed-text:latest", "keep_alive": -1, "input": ""},
        )

    with_ollama(scenario)


def test_a_tiny_generation_on_request() -> None:
    async def scenario(server: Ollama, client: OllamaClient) -> None:
        assert await client.generate("llama3.2") >= 0
        assert server.calls[-1][1]["options"] == {"num_predict": 1}

    with_ollama(scenario)


def test_client_errors_carry_the_status() -> None:
    async def scenario(server: Ollama, client: OllamaClient) -> None:
        with pytest.raises(OllamaError) as error:
            await client._call("POST", "/api/generate", {"model": "embed"})
        assert error.value.status == 400
        server.mode = "garbage"
        with pytest.raises(OllamaGarbage):
            await client.tags()

    with_ollama(scenario)


def test_show_of_odd_models() -> None:
    assert parse_show("m", {}).context_length == 0
    assert parse_show("m", {"model_info": None, "capabilities": None}).tools is False
    mixed = {"model_info": {"general.architecture": "g", "g.attention.head_count_kv": [0, 4, 8], "g.attention.key_length": 64, "g.block_count": 2}}  # fmt: skip
    assert parse_show("m", mixed).kv_bytes_per_token == 2 * 8 * 128 * 2


def test_names() -> None:
    assert full_name("ollama_chat/llama3.2") == "llama3.2:latest"
    assert full_name("hf.co/org/model") == "hf.co/org/model:latest"
    assert full_name("host:5000/org/model") == "host:5000/org/model:latest"
    (missing,) = missing_models(["deepseek-r1:14b", "a", "a:latest"], ["deepseek-r1:8b", "a:latest"])
    assert missing.closest == ("deepseek-r1:8b",)
    assert missing_models(["zzz"], ["llama3.2:latest"])[0].closest == ()


# -- the checker ----------------------------------------------------------------------------------------------


def fixed(status: str, **more: Any) -> Callable[[], Awaitable[ProbeResult]]:
    async def run() -> ProbeResult:
        return ProbeResult(status, **more)  # type: ignore[arg-type]

    return run


def checked(**status: str) -> HealthChecker:
    checker = HealthChecker([Probe(n, fixed(s)) for n, s in status.items()])
    asyncio.run(checker.check())
    return checker


@pytest.mark.parametrize(
    ("status", "overall"),
    [
        ({"ollama": "up", "redis": "up", "litellm": "up", "langfuse": "up"}, "ok"),
        ({"ollama": "up", "redis": "off", "litellm": "up", "langfuse": "off"}, "ok"),
        ({"ollama": "up", "redis": "down", "litellm": "up", "langfuse": "up"}, "degraded"),
        ({"ollama": "up", "redis": "up", "litellm": "up", "langfuse": "down"}, "degraded"),
        ({"ollama": "down", "redis": "up", "litellm": "up", "langfuse": "up"}, "down"),
        ({"ollama": "up", "redis": "up", "litellm": "down", "langfuse": "up"}, "down"),
        ({"ollama": "unknown", "litellm": "up"}, "degraded"),
        ({"ollama": "off", "litellm": "up"}, "ok"),
    ],
)
def test_overall(status: dict[str, str], overall: str) -> None:
    assert checked(**status).overall() == overall


def test_another_upstream_keeps_it_serving() -> None:
    checker = HealthChecker(
        [Probe("ollama", fixed("down")), Probe("litellm", fixed("up"))], can_serve=lambda: True
    )
    asyncio.run(checker.check())
    assert checker.overall() == "degraded"


def test_the_public_shape_is_the_contract() -> None:
    checker = HealthChecker(
        [Probe("ollama", fixed("up", detail="d")), Probe("disk", fixed("up", warning=True))]
    )
    before = checker.snapshot()
    assert before["status"] == "degraded"
    assert before["dependencies"]["ollama"] == {
        "status": "unknown", "latency_ms": None, "checked_at": None, "detail": "not checked yet",
    }  # fmt: skip
    asyncio.run(checker.check())
    after = checker.snapshot()
    assert after["status"] == "degraded", "a disk that runs full shows"
    assert list(after["dependencies"]) == ["ollama", "redis", "litellm", "langfuse"]
    assert set(after["dependencies"]["ollama"]) == {"status", "latency_ms", "checked_at", "detail"}
    assert after["dependencies"]["ollama"]["checked_at"].endswith("Z")
    assert after["dependencies"]["redis"]["status"] == "off"
    assert checker.details()["disk"]["warning"] is True
    assert checker.details()["ollama"]["age_s"] >= 0
    json.dumps(after)
    json.dumps(checker.details())


def test_a_hanging_probe_never_holds_up_the_answer_and_secrets_stay_out() -> None:
    async def hang() -> ProbeResult:
        await asyncio.sleep(60)
        raise AssertionError

    async def leaky() -> ProbeResult:
        raise ConnectionError("redis://:hunter2@localhost:6379 refused")

    async def main() -> None:
        config = HealthConfig(timeout_s=0.05)
        checker = HealthChecker([Probe("langfuse", hang), Probe("redis", leaky)], config)
        checker.start()
        async with asyncio.timeout(20):
            while any(checker.details()[name]["age_s"] is None for name in ("langfuse", "redis")):
                await asyncio.sleep(0.02)
        began = time.perf_counter()
        snapshot = checker.snapshot()
        assert time.perf_counter() - began < 1
        assert snapshot["dependencies"]["langfuse"]["detail"] == "no answer within 0.05 s"
        assert snapshot["dependencies"]["redis"]["detail"] == "ConnectionError while probing"
        assert "hunter2" not in json.dumps(checker.details())
        await checker.stop()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_back_off_looks_soon_then_ever_more_rarely() -> None:
    async def main() -> None:
        checker = HealthChecker(
            [Probe("ollama", fixed("down"))], HealthConfig(interval_s=10), rng=lambda: 0.5
        )
        pauses = []
        for _ in range(10):
            await checker.check("ollama")
            pauses.append(checker._pause("ollama"))
        assert pauses == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]

    asyncio.run(main())


def test_a_nudge_looks_again_before_the_interval() -> None:
    async def main() -> None:
        looks = 0

        async def count() -> ProbeResult:
            nonlocal looks
            looks += 1
            return ProbeResult("up")

        checker = HealthChecker([Probe("ollama", count)], HealthConfig(interval_s=60))
        checker.start()
        checker.start()
        await asyncio.sleep(0.05)
        for _ in range(20):
            checker.nudge("ollama")
        async with asyncio.timeout(20):
            while looks < 2:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.6)  # time for a third one
        assert looks == 2
        await checker.stop()

    asyncio.run(main())


def test_a_nudge_that_comes_during_a_look_asks_for_another() -> None:
    async def main() -> None:
        looks, under_way, go = 0, asyncio.Event(), asyncio.Event()

        async def look() -> ProbeResult:
            nonlocal looks
            looks += 1
            under_way.set()
            await go.wait()
            return ProbeResult("up")

        checker = HealthChecker([Probe("ollama", look)], HealthConfig(interval_s=3600, timeout_s=60))
        checker.start()
        await under_way.wait()
        checker.nudge("ollama")  # what it has seen so far may be old news
        go.set()
        async with asyncio.timeout(30):
            while looks < 2:
                await asyncio.sleep(0.01)
        await checker.stop()

    asyncio.run(main())


def test_a_redis_that_does_not_run_is_told_as_such(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(taken.getsockname()[1])}

        async def none(*_: str) -> Any:
            return None

        async def main() -> dict[str, Any]:
            cached = Cached(tmp_path, env, none, none)
            checker = HealthChecker([Probe("redis", round_trip(cached.ping))])
            try:
                await checker.check()
            finally:
                await cached.stop()
            return checker.details()["redis"]  # type: ignore[no-any-return]

        seen = asyncio.run(main())
    assert (seen["status"], seen["detail"]) == ("down", "Redis: connection failed")


def test_redis_round_trip() -> None:
    store: list[str] = []

    async def echo(value: str) -> bytes:
        store.append(value)
        return value.encode()

    async def stale(_: str) -> str:
        return "older"

    async def main() -> None:
        assert (await round_trip(echo)()).status == "up"
        assert (await round_trip(stale)()).status == "down"
        assert (await round_trip(None)()).status == "off"

    asyncio.run(main())
    assert store


def test_disk_spool_and_crashes_warn(tmp_path: Path) -> None:
    async def rows() -> int:
        return 12

    async def main() -> None:
        home = tmp_path / "not" / "there" / "yet"
        assert (await disk(home, lambda: 0)()).warning is False
        assert (await disk(home, lambda: 10**9)()).warning is True
        assert (await spool(rows, lambda: 10)()).detail == "12 records wait for delivery"
        assert (await spool(rows, lambda: 20)()).warning is False
        assert (await crashes(tmp_path)()).warning is False
        write_crash(tmp_path, CrashEvent(now_text(), 1, 139, "SIGSEGV", 3.0, 1, 0.2))
        crashed = await crashes(tmp_path)()
        assert (crashed.warning, crashed.status) == (True, "up")
        assert "1 time(s) within 10 min, last of SIGSEGV" in crashed.detail

    asyncio.run(main())


def test_the_standard_set(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"

    async def main() -> None:
        client = OllamaClient(url)
        probes = standard_probes(
            ollama=probe_of(client), redis=None, litellm=fixed("up"), langfuse=None, home=tmp_path, free_mb=lambda: 0,
            crash_dir=tmp_path,
        )  # fmt: skip
        checker = HealthChecker(probes)
        await checker.check()
        await client.aclose()
        status = {n: d["status"] for n, d in checker.snapshot()["dependencies"].items()}
        assert status == {"ollama": "down", "redis": "off", "litellm": "up", "langfuse": "off"}
        assert checker.overall() == "down"

    asyncio.run(main())
