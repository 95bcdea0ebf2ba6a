"""Sums over records: what `aicc usage` shows, and percentiles for reports and alerts."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aicc_hooks.record.reader import Filters, SpoolReader

By = Literal["model", "route", "day", "client", "variant"]

_GROUP_COLUMN = {
    "model": "deployment",
    "route": "route",
    "day": "end",
    "client": "client",
    "variant": "variant",
}
_HITS = ("exact", "semantic")
_COLUMNS = (
    "status", "error", "cache", "prompt_tokens", "completion_tokens", "total_ms", "first_token_ms",
    "gate_ms", "hooks_ms", "cache_ms", "cold_start",
)  # fmt: skip


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile of unsorted values; None without any."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(slots=True)
class Sums:
    """Counts of one group of records. Latencies in milliseconds; `overhead` is gate + hooks + cache."""

    requests: int = 0
    errors: int = 0  # the client got an error
    failures: int = 0  # our or the upstream's fault: status 5xx
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cache_hits: int = 0
    cache_lookups: int = 0
    cold_starts: int = 0
    total: list[float] = field(default_factory=list)
    first_token: list[float] = field(default_factory=list)
    overhead: list[float] = field(default_factory=list)

    def add(self, row: Sequence[Any]) -> None:
        """Take in one row of _COLUMNS."""
        status, error, cache, prompt, completion, total, first, gate, hooks, cached, cold = row[
            : len(_COLUMNS)
        ]
        self.requests += 1
        self.errors += status >= 400 or error != ""
        self.failures += status >= 500
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.cold_starts += cold
        if cache in _HITS:
            self.cache_hits += 1
        if cache and cache != "bypass":
            self.cache_lookups += 1
        if total is not None:
            self.total.append(total)
        if first is not None:
            self.first_token.append(first)
        if hooks is not None:
            self.overhead.append((gate or 0.0) + hooks + (cached or 0.0))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; percentiles and rates are None where there is nothing to measure."""
        return {
            "requests": self.requests,
            "errors": self.errors,
            "failures": self.failures,
            "error_rate": self.errors / self.requests if self.requests else None,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "tokens": self.prompt_tokens + self.completion_tokens,
            "cache_hits": self.cache_hits,
            "cache_lookups": self.cache_lookups,
            "cache_hit_rate": self.cache_hits / self.cache_lookups if self.cache_lookups else None,
            "cold_starts": self.cold_starts,
            "p50_ms": percentile(self.total, 0.5),
            "p95_ms": percentile(self.total, 0.95),
            "first_token_p50_ms": percentile(self.first_token, 0.5),
            "first_token_p95_ms": percentile(self.first_token, 0.95),
            "overhead_p50_ms": percentile(self.overhead, 0.5),
            "overhead_p95_ms": percentile(self.overhead, 0.95),
        }


def usage(
    reader: SpoolReader, *, by: By = "route", since: float | None = None, until: float | None = None
) -> list[dict[str, Any]]:
    """One row a group: `key` and the sums; busiest first, days in order. Raises SpoolError."""
    groups: dict[str, Sums] = {}
    days: dict[int, str] = {}
    for row in reader.columns((*_COLUMNS, _GROUP_COLUMN[by]), Filters(since=since, until=until)):
        key = _day(row[-1], days) if by == "day" else row[-1] or "-"
        group = groups.get(key)
        if group is None:
            group = groups[key] = Sums()
        group.add(row)
    table = [{"key": key, **sums.to_dict()} for key, sums in groups.items()]
    return sorted(table, key=lambda r: r["key"] if by == "day" else (-r["requests"], r["key"]))


def parse_since(text: str, *, now: float | None = None) -> float:
    """`90m`, `24h`, `7d`, `2w` or an ISO date → epoch seconds. ValueError says what is allowed."""
    from datetime import datetime

    units = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    if text[:-1].isdigit() and text[-1] in units and int(text[:-1]) <= 100_000:
        return (time.time() if now is None else now) - int(text[:-1]) * units[text[-1]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"not a time: {text!r}; use 90m, 24h, 7d, 2w or a date like 2026-01-31") from None


def _day(end: float, cache: dict[int, str]) -> str:
    """Local date; asked of the C library once an hour of records, not once a record."""
    hour = int(end // 3600)
    if hour not in cache:
        cache[hour] = time.strftime("%Y-%m-%d", time.localtime(end))
    return cache[hour]


def rows_to_csv(table: Iterable[dict[str, Any]]) -> str:
    """CSV with a header; a cell that a spreadsheet would run as a formula is quoted with an apostrophe."""
    import csv
    import io

    table = list(table)
    out = io.StringIO()
    if table:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(table[0])
        for row in table:
            writer.writerow(
                [
                    f"'{v}" if isinstance(v, str) and v[:1] in "=+-@\t" and v != "-" else v
                    for v in row.values()
                ]
            )
    return out.getvalue()
