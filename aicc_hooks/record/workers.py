"""What each gateway process knows by itself (health, breakers, counters), shared through usage.db.

With several workers every one of them, and the command line, then shows the same picture.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aicc_hooks.record import rows
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.writer import Writer

STALE_S: Final = 60.0  # a worker that wrote nothing for so long is gone
COUNTER_PREFIX: Final = "worker_"
_RANK = {"down": 3, "unknown": 2, "up": 1, "off": 0}
_STATES = {"open": 2, "half_open": 1, "closed": 0}


def _nothing() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Sources:
    """What one process knows, as cheap calls without I/O; each may return {} while unknown.

    `health`: HealthChecker.details(); `breakers`: CircuitBreaker.snapshot(); `counters`: name → count since the
    process began (`failures_privacy`, `gate_failures` …); `problems`: self-test name → what is wrong;
    `extra`: anything else to show (`version`, `policy_version`, `models`, `experiments`, `cache`, `langfuse`).
    """

    health: Callable[[], Mapping[str, Any]] = _nothing
    breakers: Callable[[], Mapping[str, Any]] = _nothing
    counters: Callable[[], Mapping[str, int]] = _nothing
    problems: Callable[[], Mapping[str, str]] = _nothing
    extra: Callable[[], Mapping[str, Any]] = _nothing
    started: float = field(default_factory=time.time)

    def snapshot(self) -> dict[str, Any]:
        """JSON-able picture of this process."""
        return {
            "health": dict(self.health()),
            "breakers": dict(self.breakers()),
            "counters": {k: int(v) for k, v in self.counters().items()},
            "problems": dict(self.problems()),
            "started": self.started,
            **dict(self.extra()),
        }


def publish(
    writer: Writer, body: Mapping[str, Any], seen: Mapping[str, int], *, now: float
) -> dict[str, int]:
    """Write this process's picture; add what its counters grew by to the shared ones. Returns the new `seen`.

    Raises SpoolError; then nothing was added, and the next call adds it.
    """
    counters: Mapping[str, int] = body.get("counters", {})
    grown = {f"{COUNTER_PREFIX}{name}": value - seen.get(name, 0) for name, value in counters.items()}
    with writer.transaction() as connection:
        rows.bump(connection, {name: delta for name, delta in grown.items() if delta > 0})
        connection.execute(
            "INSERT INTO workers (owner, at, body) VALUES (?, ?, ?) "
            "ON CONFLICT (owner) DO UPDATE SET at = excluded.at, body = excluded.body",
            (writer.owner, now, json.dumps(body, default=str)),
        )
        # A picture of the future is a dead worker's, from before the clock was set back: the living write theirs anew.
        connection.execute(
            "DELETE FROM workers WHERE at < ? OR at > ?", (now - 10 * STALE_S, now + 10 * STALE_S)
        )
    return dict(counters)


def forget(writer: Writer) -> None:
    """This process ends."""
    with writer.transaction() as connection:
        connection.execute("DELETE FROM workers WHERE owner = ?", (writer.owner,))


def read_workers(reader: SpoolReader, *, now: float | None = None) -> list[dict[str, Any]]:
    """Pictures of the processes that live, newest first; [] from a file of an older release. Raises SpoolError."""
    if not has_table(reader, "workers"):
        return []
    moment = time.time() if now is None else now
    found = []
    for owner, at, body in reader.query(
        "SELECT owner, at, body FROM workers WHERE at BETWEEN ? AND ? ORDER BY at DESC",
        [moment - STALE_S, moment + STALE_S],
    ):
        try:
            picture = json.loads(body)
        except ValueError:
            continue
        if isinstance(picture, dict):
            found.append({"owner": owner, "at": at, **picture})
    return found


def has_table(reader: SpoolReader, name: str) -> bool:
    """A reader never migrates, so a table may be missing until the gateway has written once."""
    return bool(reader.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [name]))


def merge(workers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One picture of all processes: the worst health and breaker state of any, the sum of their counters."""
    health: dict[str, Any] = {}
    breakers: dict[str, dict[str, Any]] = {"address": {}, "deployment": {}}
    problems: dict[str, str] = {}
    counters: Counter[str] = Counter()
    merged: dict[str, Any] = {}
    for worker in workers:
        for name, value in worker.items():
            merged.setdefault(name, value)  # the newest worker's, for what cannot be merged
        for name, seen in worker.get("health", {}).items():
            if _worse(seen, health.get(name)):
                health[name] = seen
        for scope, circuits in worker.get("breakers", {}).items():
            for key, circuit in circuits.items():
                known = breakers.setdefault(scope, {}).get(key)
                if known is None or _STATES.get(circuit.get("state"), 0) > _STATES.get(known.get("state"), 0):
                    breakers[scope][key] = circuit
        problems.update(worker.get("problems", {}))
        counters.update(worker.get("counters", {}))
    merged |= {"health": health, "breakers": breakers, "problems": problems, "counters": dict(counters)}
    return merged | {
        "workers": len(workers),
        "at": max((w["at"] for w in workers if "at" in w), default=None),
    }


def _worse(seen: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    if known is None:
        return True

    def rank(one: Mapping[str, Any]) -> tuple[int, bool]:
        return _RANK.get(str(one.get("status")), 2), bool(one.get("warning"))

    return rank(seen) > rank(known)
