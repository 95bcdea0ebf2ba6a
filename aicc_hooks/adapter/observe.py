"""What this process knows, as the record's watch, the metrics and the status page want it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aicc_hooks import __version__
from aicc_hooks.record.alerts.config import AlertsConfig
from aicc_hooks.record.alerts.watch import Watch
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.workers import Sources, merge, read_workers
from aicc_hooks.record.writer import Writer

if TYPE_CHECKING:
    from aicc_hooks.adapter.runtime import Runtime


class Observer:
    """One a process; `start` and `stop` with the runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._loop: asyncio.AbstractEventLoop | None = None
        self.sources = Sources(
            health=self._health,
            breakers=self._breakers,
            counters=self._counters,
            problems=self._problems,
            extra=self._extra,
            started=runtime.started,
        )
        database = runtime.recorder.database
        suspect = runtime.recorder.suspect
        self.watch = Watch(database, self._config, self.sources, env=runtime.env, on_damage=suspect)
        self.reader = SpoolReader(database, busy_ms=500, on_damage=suspect)
        self.writer = Writer(database, busy_ms=500, on_damage=suspect)

    def start(self) -> None:
        """Share what is known, evaluate alerts. Needs a running loop."""
        self._loop = asyncio.get_running_loop()
        self.watch.start()

    async def stop(self) -> None:
        """End the background work."""
        await self.watch.stop()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.reader.close()
        self.writer.close()

    def picture(self) -> dict[str, Any]:
        """All processes merged; this one as it is now. Blocking. Raises SpoolError."""
        others = [w for w in read_workers(self.reader) if w["owner"] != self.watch.owner]
        return merge([self.sources.snapshot(), *others])

    def _config(self) -> AlertsConfig:
        current = self._runtime.store.current
        return current.policy.alerts if current is not None else AlertsConfig()

    def _health(self) -> dict[str, Any]:
        checker = self._runtime.upstreams.health
        return checker.details() if checker is not None else {}

    def _breakers(self) -> dict[str, Any]:
        """By address and by deployment, whose ids are hashes that tell nobody which model is meant."""
        found, names = self._runtime.upstreams.breaker.snapshot(), self._runtime.catalog.deployment_names
        of_deployment = {names.get(key, key): state for key, state in found.get("deployment", {}).items()}
        return {**found, "deployment": of_deployment}

    def _counters(self) -> dict[str, int]:
        runtime = self._runtime
        found = dict(runtime.counters)
        if runtime.inspector is not None:
            found |= {f"failures_{name}": count for name, count in runtime.inspector.failures.items()}
        limiter = runtime.upstreams.limiter
        queue = {"refused": limiter.refused, "timed_out": limiter.timed_out, "lost": limiter.lost}
        return found | runtime.cached.counters() | {f"queue_{name}": count for name, count in queue.items()}

    def _problems(self) -> dict[str, str]:
        runtime = self._runtime
        found = dict(runtime.problems)
        if runtime.fatal:
            found["selftest"] = runtime.fatal
        if runtime.store.error:
            found["policy"] = runtime.store.error
        if trouble := runtime.recorder.trouble():
            found["spool"] = trouble
        return found

    def _extra(self) -> dict[str, Any]:
        runtime = self._runtime
        current = runtime.store.current
        spool = runtime.recorder.spool
        checker = runtime.upstreams.health
        return {
            "version": __version__,
            "policy_version": current.version if current else None,
            "status": checker.overall() if checker is not None else "degraded",
            "mode": "demo" if runtime.catalog.demo else "live",
            "cache": runtime.cached.picture(),
            "spool": spool.counters() if spool is not None else {},
            "queue": runtime.upstreams.limiter.snapshot()["addresses"],
            "loop_tasks": len(asyncio.all_tasks(self._loop)) if self._loop is not None else 0,
        }
