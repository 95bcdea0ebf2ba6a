"""The background watch of one gateway process: shares what it knows, evaluates the rules, tells the sinks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from aicc_hooks.errors import SpoolError
from aicc_hooks.record.alerts import store
from aicc_hooks.record.alerts.blind import Blind
from aicc_hooks.record.alerts.config import AlertsConfig
from aicc_hooks.record.alerts.rules import Scene, readings, shared_counters
from aicc_hooks.record.alerts.sinks import Sink, build
from aicc_hooks.record.alerts.store import Event
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.totals import fold
from aicc_hooks.record.workers import Sources, forget, merge, publish, read_workers
from aicc_hooks.record.writer import Writer

log = logging.getLogger("aicc.alerts")

_LEASE = "alerts"


def free_mb(path: Path) -> float | None:
    """Free space where `path` is, or will be."""
    place = path.parent
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free / 1e6
    except OSError:
        return None


class Watch:
    """One a process; of several processes one evaluates, all publish. `start` needs a running loop.

    `config` is asked each round, so a changed policy holds at once.
    """

    def __init__(
        self,
        path: Path,
        config: Callable[[], AlertsConfig],
        sources: Sources,
        *,
        env: Mapping[str, str] = os.environ,
        sinks: Callable[[AlertsConfig], Mapping[str, Sink]] | None = None,
        disk: Callable[[], float | None] | None = None,
        clock: Callable[[], float] = time.time,
        on_damage: Callable[[], None] | None = None,
    ) -> None:
        self.path = path
        self.sources = sources
        self._config = config
        self._sinks = sinks or (lambda c: build(c, env))
        self._disk = disk or (lambda: free_mb(path))
        self._clock = clock
        self._writer = Writer(path, on_damage=on_damage)
        self._reader = SpoolReader(path, on_damage=on_damage)
        self._seen: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._last_error = ""
        self._blind = Blind(path)

    @property
    def owner(self) -> str:
        """This process, as the `workers` table names it."""
        return self._writer.owner

    def start(self) -> None:
        """Watch from now on."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="aicc-alerts")

    async def stop(self) -> None:
        """End; the next round is another worker's."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Give the lease back and close the files. Blocking."""
        with contextlib.suppress(SpoolError):
            forget(self._writer)
            self._writer.drop_lease(_LEASE)
        self._writer.close()
        self._reader.close()

    def round(self) -> list[Event]:
        """Publish, evaluate when it is our turn, tell. Blocking. Raises SpoolError.

        While usage.db cannot be written, that alone is told, from memory.
        """
        config, now = self._config(), self._clock()
        try:
            events = self._round(config, now)
        except SpoolError as error:
            # What the file has told while it could be written goes on there, and ends there.
            if self._blind.awake or not store.told(self._reader, "spool_failing"):
                trouble = str(self.sources.problems().get("spool") or error)
                self._blind.round(config, self._sinks(config), trouble, now)
            raise
        if self._blind.awake:
            trouble = str(
                self.sources.problems().get("spool") or ""
            )  # the spool may still be waiting to try again
            self._blind.round(config, self._sinks(config), trouble, now)
            self._blind.settle(self._writer)
        return events

    def _round(self, config: AlertsConfig, now: float) -> list[Event]:
        self._seen = publish(self._writer, self.sources.snapshot(), self._seen, now=now)
        if not self._writer.take_lease(_LEASE, 3 * config.every_s + 10):
            return []
        fold(self._writer)  # before retention takes records that no scrape has counted
        if not config.enabled:
            return []
        picture = merge(read_workers(self._reader, now=now))
        seen = readings(config, Scene(self._reader, now, picture, self._disk))
        if self._blind.awake:  # one alert, not one from memory and one from the file
            seen = [r for r in seen if r.rule != "spool_failing"]
        sinks = self._sinks(config)
        events = store.advance(
            self._writer, config, seen, now=now, sinks=tuple(sinks), counters=shared_counters(self._reader)
        )
        self.deliver(sinks, now)
        return events

    def deliver(self, sinks: Mapping[str, Sink], now: float) -> None:
        """Try every sink that lacks an event once; what fails is tried again in the next rounds."""
        broken: set[str] = set()
        for event in store.owed(self._writer, now=now):
            left = []
            for name in event.owed:
                tell = sinks.get(name)
                if tell is None:
                    continue  # the policy dropped this sink
                if name in broken:
                    left.append(name)  # one timeout a round is enough
                elif problem := tell(event):
                    log.warning("alert not delivered by %s: %s", name, problem)
                    broken.add(name)
                    left.append(name)
            store.settle(self._writer, event, left)

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.round)
                self._last_error = ""
            except Exception as error:
                # The task outlives locked files and bugs alike: without it nobody would be told anything.
                what = str(error) if isinstance(error, SpoolError) else type(error).__name__
                if what != self._last_error:
                    log.error("the alert round failed: %s", what)
                self._last_error = what
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        try:
            return self._config().every_s
        except Exception:
            return AlertsConfig().every_s
