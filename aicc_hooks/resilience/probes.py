"""The probes: Ollama, a Redis round trip, injected checks, disk, spool. None of them calls a model."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aicc_hooks.resilience.classify import Outcome, classify
from aicc_hooks.resilience.config import HealthConfig
from aicc_hooks.resilience.crashes import read_crashes
from aicc_hooks.resilience.health_check import Probe, ProbeResult
from aicc_hooks.resilience.models_present import missing_models, not_served
from aicc_hooks.resilience.ollama import OllamaClient
from aicc_hooks.resilience.ollama_models import full_name
from aicc_hooks.resilience.openai_server import OpenAIServer, ServerError

_WHOLE_S = 60.0  # between two lists of what is on disk while all is well


def _usual_limit() -> float:
    return HealthConfig().timeout_s


class OllamaProbe:
    """Reachable, models there by name, what is loaded, what each can do. Several addresses are one dependency."""

    def __init__(
        self,
        clients: Sequence[OllamaClient],
        expected: Callable[[str], Iterable[str]],
        *,
        on_reachable: Callable[[str], None] | None = None,
        on_refused: Callable[[str], None] | None = None,
        limit_s: Callable[[], float] = _usual_limit,
    ) -> None:
        """`expected(base_url)`: names configured there. The two callbacks are the breaker's `reachable`/`unreachable`.

        `limit_s`: for each address, so that a frozen one hides nothing of the others.
        """
        self._clients = clients
        self._expected = expected
        self._on_reachable = on_reachable
        self._on_refused = on_refused
        self._limit_s = limit_s
        self._clock = time.monotonic
        self._versions: dict[str, str] = {}  # by address, of an Ollama that answered every time since
        self._next_whole: dict[str, float] = {}  # when to ask again what is on disk

    async def __call__(self) -> ProbeResult:
        """One look at every address, at the same time."""
        if not self._clients:
            return ProbeResult("off", "no Ollama model is configured")
        return await _together([(c.base_url, self._one(c)) for c in self._clients])

    async def _one(self, client: OllamaClient) -> ProbeResult:
        try:
            # A request costs about 2 ms of the loop: what is in memory changes all the time, what is on disk rarely.
            whole = self._clock() >= self._next_whole.get(client.base_url, 0.0)
            async with asyncio.timeout(self._limit_s()):
                version = self._versions.get(client.base_url) or await client.version()
                tags = await client.tags() if whole else client.sizes()
                loaded = await client.ps()
        except Exception as error:
            self._versions.pop(client.base_url, None)
            self._next_whole.pop(client.base_url, None)
            if classify(error) is Outcome.REFUSED:
                if self._on_refused is not None:
                    self._on_refused(client.base_url)
                return ProbeResult("down", f"nothing answers at {client.base_url}. Start it: ollama serve")
            if classify(error) is Outcome.TIMEOUT:
                return ProbeResult(
                    "down", f"no answer in time from {client.base_url}: is it frozen or overloaded?"
                )
            return ProbeResult(
                "down", f"{client.base_url} does not answer like Ollama ({type(error).__name__})"
            )
        if self._on_reachable is not None:
            self._on_reachable(client.base_url)
        expected = list(self._expected(client.base_url))
        missing = missing_models(expected, tags)
        self._versions[client.base_url] = version
        if missing:  # a pull is noticed at the next look
            self._next_whole.pop(client.base_url, None)
        elif whole:
            self._next_whole[client.base_url] = self._clock() + _WHOLE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limit_s() / 2):
                await self._learn(client, expected, lacking={m.name for m in missing})
        facts: dict[str, Any] = {
            "version": version,
            "models": sorted(tags),
            "loaded": [m.name for m in loaded],
            "missing": [{"name": m.name, "closest": list(m.closest), "command": m.command} for m in missing],
        }
        detail = "; ".join(m.sentence for m in missing)
        # Nothing this gateway is configured for is there: requests cannot be served from here.
        none_left = bool(expected) and len(missing) == len({full_name(e) for e in expected})
        return ProbeResult("down" if none_left else "up", detail, bool(missing), facts)

    @staticmethod
    async def _learn(client: OllamaClient, expected: Iterable[str], *, lacking: Collection[str]) -> None:
        for name in expected:
            if full_name(name) not in lacking and client.info(name) is None:
                with contextlib.suppress(Exception):  # limits stay unknown; the next round asks again
                    await client.show(name)


class ServersProbe:
    """OpenAI-compatible servers of this machine: reachable, and serving the models config.yaml names."""

    def __init__(
        self,
        servers: Mapping[str, OpenAIServer],
        expected: Callable[[str], Iterable[str]],
        *,
        on_reachable: Callable[[str], None] | None = None,
        on_refused: Callable[[str], None] | None = None,
        limit_s: Callable[[], float] = _usual_limit,
    ) -> None:
        """As OllamaProbe; `servers` by address, looked at anew each time (config.yaml may name more later)."""
        self._servers = servers
        self._expected = expected
        self._on_reachable = on_reachable
        self._on_refused = on_refused
        self._limit_s = limit_s

    async def __call__(self) -> ProbeResult:
        """One look at every server, at the same time."""
        servers = dict(self._servers)
        if not servers:
            return ProbeResult("off", "no OpenAI-compatible server on this machine is configured")
        return await _together([(address, self._one(address, server)) for address, server in servers.items()])

    async def _one(self, address: str, server: OpenAIServer) -> ProbeResult:
        try:
            async with asyncio.timeout(self._limit_s()):
                serves = await server.look()
        except Exception as error:
            return self._failed(address, error)
        self._told(self._on_reachable, address)
        lacking = not_served(self._expected(address), serves, address)
        facts = {"models": list(serves.names),
                 "missing": [{"name": m.name, "closest": list(m.closest)} for m in lacking]}  # fmt: skip
        return ProbeResult("up", "; ".join(m.sentence for m in lacking), bool(lacking), facts)

    def _failed(self, address: str, error: Exception) -> ProbeResult:
        if isinstance(error, ServerError):
            if error.status < 500:
                self._told(self._on_reachable, address)  # whatever it says of its models, it answers
            if error.status == 503:  # llama.cpp's "Loading model"
                return ProbeResult("up", f"{address} is still loading its model", True)
            if error.status in (401, 403):
                return ProbeResult("up", f"{address} refuses the key of config.yaml (api_key)", True)
            # It may answer requests all the same: a list of models is no duty.
            return ProbeResult("up", f"{address} tells nothing of its models: {error}", facts={"models": []})
        if classify(error) is Outcome.REFUSED:
            self._told(self._on_refused, address)
            return ProbeResult("down", f"nothing answers at {address}")
        if classify(error) is Outcome.TIMEOUT:
            return ProbeResult("down", f"no answer in time from {address}: is it frozen or overloaded?")
        return ProbeResult("down", f"{address} does not answer properly ({type(error).__name__})")

    @staticmethod
    def _told(whom: Callable[[str], None] | None, address: str) -> None:
        if whom is not None:
            whom(address)


async def _together(looks: Sequence[tuple[str, Awaitable[ProbeResult]]]) -> ProbeResult:
    """One result of several (address, look): up while one of them is, with a warning unless all are well."""
    found = await asyncio.gather(*(look for _, look in looks))
    up = [r for r in found if r.status == "up"]
    facts = {
        address: {"status": r.status, "detail": r.detail, **r.facts}
        for (address, _), r in zip(looks, found, strict=True)
    }
    details = "; ".join(dict.fromkeys(r.detail for r in found if r.detail))
    warning = len(up) < len(found) or any(r.warning for r in found)
    return ProbeResult("up" if up else "down", details, warning, facts)


def round_trip(
    call: Callable[[str], Awaitable[str | bytes | None]] | None, what: str = "Redis"
) -> Callable[[], Awaitable[ProbeResult]]:
    """`call(value)` writes `value` under a key of its own, reads it back and returns what it read. None: off."""

    async def run() -> ProbeResult:
        if call is None:
            return ProbeResult("off", f"{what} is not configured")
        sent = f"{time.time_ns():x}"
        got = await call(sent)
        if (got.decode("ascii", "replace") if isinstance(got, bytes) else got) != sent:
            return ProbeResult("down", f"{what} did not give back the value just written")
        return ProbeResult("up")

    return run


def injected(
    call: Callable[[], Awaitable[ProbeResult]] | None, off: str
) -> Callable[[], Awaitable[ProbeResult]]:
    """A check made elsewhere (LiteLLM's seams, Langfuse's keys); None shows `off` with the given words."""

    async def run() -> ProbeResult:
        return ProbeResult("off", off) if call is None else await call()

    return run


def disk(path: Path, free_mb: Callable[[], int]) -> Callable[[], Awaitable[ProbeResult]]:
    """Free space where the spool and the logs live."""

    async def run() -> ProbeResult:
        place = path
        while not place.exists() and place != place.parent:  # not made yet: its disk is what counts
            place = place.parent
        usage = await asyncio.to_thread(shutil.disk_usage, place)
        free = usage.free // 1_000_000
        short = free < free_mb()
        return ProbeResult(
            "up", f"only {free} MB free: records may be lost" if short else "", short, {"free_mb": free}
        )

    return run


def spool(
    backlog: Callable[[], Awaitable[int]], limit: Callable[[], int]
) -> Callable[[], Awaitable[ProbeResult]]:
    """Rows of the record that wait for delivery."""

    async def run() -> ProbeResult:
        rows = await backlog()
        late = rows > limit()
        return ProbeResult("up", f"{rows} records wait for delivery" if late else "", late, {"backlog": rows})

    return run


def crashes(directory: Path, within_s: float = 600) -> Callable[[], Awaitable[ProbeResult]]:
    """Crashes the supervisor wrote down lately."""

    async def run() -> ProbeResult:
        since = datetime.now(UTC) - timedelta(seconds=within_s)
        seen = await asyncio.to_thread(read_crashes, directory, since=since)
        if not seen:
            return ProbeResult("up", facts={"crashes": 0})
        last = seen[-1]
        what = last.get("signal") or f"exit code {last.get('exit_code')}"
        detail = f"the gateway died {len(seen)} time(s) within {within_s / 60:.0f} min, last of {what}"
        return ProbeResult("up", detail, True, {"crashes": len(seen), "last": last.get("time", "")})

    return run


def standard_probes(
    *,
    ollama: Callable[[], Awaitable[ProbeResult]],
    servers: Callable[[], Awaitable[ProbeResult]] | None = None,
    redis: Callable[[str], Awaitable[str | bytes | None]] | None,
    litellm: Callable[[], Awaitable[ProbeResult]] | None,
    langfuse: Callable[[], Awaitable[ProbeResult]] | None,
    home: Path,
    free_mb: Callable[[], int],
    backlog: Callable[[], Awaitable[int]] | None = None,
    backlog_limit: Callable[[], int] = lambda: 10_000,
    crash_dir: Path | None = None,
) -> tuple[Probe, ...]:
    """The usual set, in the order people read it."""
    probes = [
        Probe("ollama", ollama, several=True),
        Probe("redis", round_trip(redis)),
        Probe("litellm", injected(litellm, "not running here")),
        Probe("langfuse", injected(langfuse, "no Langfuse keys are set"), interval_s=30, timeout_s=5),
        Probe("disk", disk(home, free_mb), interval_s=30),
    ]
    if servers is not None:
        probes.append(Probe("model_servers", servers, several=True))
    if backlog is not None:
        probes.append(Probe("spool", spool(backlog, backlog_limit)))
    if crash_dir is not None:
        probes.append(Probe("crashes", crashes(crash_dir)))
    return tuple(probes)


async def litellm_probe(problems: Mapping[str, str], fatal: Callable[[], str]) -> ProbeResult:
    """LiteLLM's own health here: the seams self-test."""
    if fatal():
        return ProbeResult("down", fatal())
    seams = [f"{name}: {text}" for name, text in problems.items() if name.startswith("seam.")]
    return ProbeResult("up", "; ".join(seams), bool(seams))
