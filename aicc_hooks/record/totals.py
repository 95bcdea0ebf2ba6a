"""Sums that only grow, for Prometheus: each record is added once, whatever the number of workers or scrapes.

Counting rows at each scrape would not do: retention deletes old records, and a counter that falls reads as a restart.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aicc_hooks.record.rows import unwrap
from aicc_hooks.record.writer import Writer

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)  # seconds
MAX_VALUES: Final = 40  # of one label; what comes later counts as `other`
_CURSOR: Final = "cursor"
_BATCH: Final = 2_000  # about 0.1 s of the write lock
_COLUMNS: Final = (
    "seq", "route", "reason", "status", "error", "cache", "client", "variant", "cold_start", "local_only",
    "prompt_tokens", "completion_tokens", "total_ms", "first_token_ms", "gate_ms", "hooks_ms", "cache_ms", "privacy",
    "injection_rules",
)  # fmt: skip

Key = tuple[str, tuple[str, ...]]


def fold(writer: Writer) -> int:
    """Add the records written since the last fold; returns how many. Raises SpoolError."""
    added = 0
    while True:
        with writer.transaction() as db:
            rows = _next(db)
            if not rows:
                return added
            sums: Counter[Key] = Counter()
            for row in rows:
                for key, value in _parts(dict(zip(_COLUMNS, row, strict=True))):
                    sums[key] += value  # type: ignore[assignment]
            _add(db, _bounded(db, sums))
            db.execute(
                "INSERT INTO metric_totals (metric, labels, value) VALUES (?, '', ?) "
                "ON CONFLICT (metric, labels) DO UPDATE SET value = excluded.value",
                (_CURSOR, rows[-1][0]),
            )
        added += len(rows)


def totals(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[tuple[str, ...], float]]:
    """{metric: {label values: sum}} from `SELECT metric, labels, value FROM metric_totals`."""
    out: dict[str, dict[tuple[str, ...], float]] = {}
    for metric, labels, value in rows:
        if metric != _CURSOR:
            out.setdefault(metric, {})[tuple(json.loads(labels))] = value
    return out


def _next(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    found = db.execute("SELECT value FROM metric_totals WHERE metric = ?", (_CURSOR,)).fetchone()
    return db.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM records WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608
        (found[0] if found else 0, _BATCH),
    ).fetchall()


def _parts(row: Mapping[str, Any]) -> Iterator[tuple[Key, float]]:
    route = row["route"] or "none"
    reason = row["reason"].split(":", 1)[0] or "none"
    yield ("requests", (route, reason, _outcome(row))), 1
    yield ("clients", (row["client"] or "none",)), 1
    if row["error"]:
        yield ("errors", (row["error"],)), 1
    if row["cache"]:
        yield ("cache", (row["cache"],)), 1
    if row["variant"]:
        yield ("variants", (row["variant"],)), 1
    if row["cold_start"]:
        yield ("cold_starts", (route,)), 1
    if row["local_only"]:
        yield ("kept_local", ()), 1
    yield ("tokens", (route, "prompt")), row["prompt_tokens"]
    yield ("tokens", (route, "completion")), row["completion_tokens"]
    for name in unwrap(row["privacy"]):
        yield ("privacy", (name,)), 1
    for name in unwrap(row["injection_rules"]):
        yield ("injection", (name,)), 1
    yield from _observe("duration", (route,), row["total_ms"])
    yield from _observe("first_token", (route,), row["first_token_ms"])
    if row["hooks_ms"] is not None:
        yield from _observe("overhead", (), (row["gate_ms"] or 0) + row["hooks_ms"] + (row["cache_ms"] or 0))


def _outcome(row: Mapping[str, Any]) -> str:
    status = row["status"]
    if status == 499:
        return "cancelled"
    if status >= 500:
        return "server_error"
    return "client_error" if status >= 400 or row["error"] else "ok"


def _observe(name: str, labels: tuple[str, ...], ms: float | None) -> Iterator[tuple[Key, float]]:
    if ms is None:
        return
    seconds = ms / 1000
    place = next((i for i, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
    yield (f"{name}_bucket", (*labels, str(place))), 1
    yield (f"{name}_sum", labels), seconds


def _bounded(db: sqlite3.Connection, sums: Mapping[Key, float]) -> Counter[Key]:
    """Label values beyond MAX_VALUES become `other`: a client must not be able to grow the exposition."""
    seen: dict[tuple[str, int], set[str]] = {}
    for metric, labels in db.execute(
        "SELECT metric, labels FROM metric_totals WHERE metric != ?", (_CURSOR,)
    ):
        for place, value in enumerate(json.loads(labels)):
            seen.setdefault((metric, place), set()).add(value)
    out: Counter[Key] = Counter()
    for (metric, labels), value in sums.items():
        kept = []
        for place, label in enumerate(labels):
            known = seen.setdefault((metric, place), set())
            shown = label[:80]
            if shown not in known and len(known) >= MAX_VALUES:
                shown = "other"
            known.add(shown)
            kept.append(shown)
        out[(metric, tuple(kept))] += value  # type: ignore[assignment]
    return out


def _add(db: sqlite3.Connection, sums: Mapping[Key, float]) -> None:
    db.executemany(
        "INSERT INTO metric_totals (metric, labels, value) VALUES (?, ?, ?) "
        "ON CONFLICT (metric, labels) DO UPDATE SET value = value + excluded.value",
        # One sum too large for SQLite's integers would stop metrics and alerts for good; records of old may hold 2**63 - 1.
        [
            (metric, json.dumps(labels), value if value < 2**62 else float(value))
            for (metric, labels), value in sums.items()
        ],
    )
