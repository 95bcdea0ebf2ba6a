"""Background probes of what the gateway needs. `snapshot()` answers at once, from the last results."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from aicc_hooks.resilience.config import HealthConfig

Status = Literal["up", "down", "off", "unknown"]
Overall = Literal["ok", "degraded", "down"]

DEPENDENCIES = ("ollama", "redis", "litellm", "langfuse")
"""The four names of the health contract, in its order. Other probes show under `checks`."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one probe found. `warning`: up, and something needs attention; `facts` are for doctor and the page."""

    status: Status
    detail: str = ""
    warning: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


class ProbeFailed(Exception):
    """Down, for the reason this says; it is shown, so it names no credentials."""


ProbeCall = Callable[[], Awaitable[ProbeResult]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to look at. `timeout_s` None: the policy's. `several`: it keeps that limit itself, for each of its servers."""

    name: str
    run: ProbeCall
    interval_s: float | None = None
    timeout_s: float | None = None
    several: bool = False


@dataclass(slots=True)
class _Seen:
    result: ProbeResult = field(default_factory=lambda: ProbeResult("unknown", "not checked yet"))
    latency_ms: float | None = None
    checked_at: float | None = None  # wall clock, for people
    at: float | None = None  # monotonic, for the age
    failures: int = 0


class HealthChecker:
    """Runs the probes, each on its own schedule with back-off, and remembers the last results."""

    def __init__(
        self,
        probes: Iterable[Probe],
        config: HealthConfig | None = None,
        *,
        can_serve: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        rng: Callable[[], float] = random.random,
    ) -> None:
        """`can_serve`: whether some model is usable although Ollama is down (a cloud one, MLX). Default: no."""
        self.config = config or HealthConfig()
        self._probes = {p.name: p for p in probes}
        self._seen = {name: _Seen() for name in self._probes}
        self._can_serve = can_serve or (lambda: False)
        self._clock = clock
        self._wall = wall
        self._rng = rng
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._nudges: dict[str, asyncio.Event] = {}

    def configure(self, config: HealthConfig) -> None:
        """Takes a reloaded policy; the next round of each probe uses it."""
        self.config = config

    def start(self) -> None:
        """Starts one task a probe on the running loop. Idempotent."""
        for name in self._probes:
            task = self._tasks.get(name)
            if task is None or task.done():
                self._nudges[name] = asyncio.Event()
                self._tasks[name] = asyncio.get_running_loop().create_task(
                    self._loop(name), name=f"aicc-health-{name}"
                )

    async def stop(self) -> None:
        """Ends the tasks."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def nudge(self, name: str) -> None:
        """Looks again soon, e.g. because the breaker opened. At most one probe at a time runs."""
        if (event := self._nudges.get(name)) is not None:
            event.set()

    async def check(self, *names: str) -> None:
        """Runs the named probes (default all) now and waits: for doctor."""
        await asyncio.gather(*(self._check(n) for n in names or tuple(self._probes)))

    def snapshot(self) -> dict[str, Any]:
        """{"status", "dependencies"} exactly as GET /aicc/health shows them. No await, no I/O."""
        return {"status": self.overall(), "dependencies": {name: self._public(name) for name in DEPENDENCIES}}

    def details(self) -> dict[str, Any]:
        """All probes with their age in seconds, warnings and facts: for doctor and the status page."""
        out: dict[str, Any] = {}
        for name, seen in self._seen.items():
            age = None if seen.at is None else round(self._clock() - seen.at, 1)
            extra = {"age_s": age, "warning": seen.result.warning, "facts": dict(seen.result.facts)}
            out[name] = self._public(name) | extra
        return out

    def overall(self) -> Overall:
        """`down`: no request can be served. `degraded`: served, but something is away, short or not known yet."""
        status = {name: seen.result.status for name, seen in self._seen.items()}
        # Without Ollama the other servers are all there is.
        away = status.get("ollama") == "down" or (
            status.get("ollama") == "off" and status.get("model_servers") == "down"
        )
        upstream_down = away and not self._can_serve()
        if upstream_down or status.get("litellm") == "down":
            return "down"
        troubled = any(s in ("down", "unknown") for s in status.values())
        return "degraded" if troubled or any(s.result.warning for s in self._seen.values()) else "ok"

    def _public(self, name: str) -> dict[str, Any]:
        seen = self._seen.get(name)
        if seen is None:
            return {"status": "off", "latency_ms": None, "checked_at": None, "detail": "not configured"}
        when = None if seen.checked_at is None else datetime.fromtimestamp(seen.checked_at, UTC)
        return {
            "status": seen.result.status,
            "latency_ms": seen.latency_ms,
            "checked_at": None
            if when is None
            else when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "detail": seen.result.detail,
        }

    async def _check(self, name: str) -> None:
        probe = self._probes[name]
        began = time.perf_counter()
        limit = (probe.timeout_s or self.config.timeout_s) * (2 if probe.several else 1)
        try:
            async with asyncio.timeout(limit):
                result = await probe.run()
        except TimeoutError:
            result = ProbeResult("down", f"no answer within {limit:g} s")
        except ProbeFailed as error:
            result = ProbeResult("down", str(error))
        except Exception as error:
            # The type only: messages of client libraries hold URLs with passwords.
            result = ProbeResult("down", f"{type(error).__name__} while probing")
        seen = self._seen[name]
        seen.result = result
        seen.latency_ms = (
            round((time.perf_counter() - began) * 1000, 1) if result.status in ("up", "down") else None
        )
        seen.checked_at = self._wall()
        seen.at = self._clock()
        seen.failures = seen.failures + 1 if result.status == "down" else 0

    def _pause(self, name: str) -> float:
        base = self._probes[name].interval_s or self.config.interval_s
        failures = self._seen[name].failures
        # The first failures are looked at sooner (a restart takes seconds), a long outage ever more rarely.
        pause = (
            base
            if failures == 0
            else min(self.config.max_backoff_s, max(1.0, base / 10) * 2 ** min(failures - 1, 20))
        )
        return float(pause * (0.9 + 0.2 * self._rng()))

    async def _loop(self, name: str) -> None:
        nudge = self._nudges[name]
        while True:
            nudge.clear()  # one that comes while the look is under way asks for another
            await self._check(name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause(name)):
                    await nudge.wait()
                    await asyncio.sleep(0.5)  # many openings at once are one look
