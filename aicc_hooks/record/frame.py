"""Records of a stretch of time as numpy columns: one scan, then sums by any key in milliseconds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.record.rows import unwrap

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_COLUMNS: Final = (
    "end", "status", "error", "cache", "prompt_tokens", "completion_tokens", "total_ms", "first_token_ms", "gate_ms",
    "hooks_ms", "cache_ms", "cold_start", "local_only", "route", "reason", "deployment", "client", "variant", "tier",
    "privacy", "injection_rules",
)  # fmt: skip


class Frame:
    """Columns of all matching records. Rows of `by` and `over` have the fields of `usage.Sums.to_dict`."""

    def __init__(self, reader: SpoolReader, *, since: float, until: float | None = None) -> None:
        """Raises SpoolError."""
        rows = reader.columns(_COLUMNS, Filters(since=since, until=until))
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
        self._text = dict(zip(_COLUMNS, columns, strict=True))
        self.count = len(rows)
        self.end = _floats(self._text["end"])
        self.status = _floats(self._text["status"])
        self.error = np.array([bool(e) for e in self._text["error"]], bool) | (self.status >= 400)
        self.hit = np.array([c in ("exact", "semantic") for c in self._text["cache"]], bool)
        self.lookup = np.array([c not in ("", "bypass") for c in self._text["cache"]], bool)
        self.total = _floats(self._text["total_ms"])
        self.first_token = _floats(self._text["first_token_ms"])
        hooks = _floats(self._text["hooks_ms"])
        self.overhead = (
            hooks
            + np.nan_to_num(_floats(self._text["gate_ms"]))
            + np.nan_to_num(_floats(self._text["cache_ms"]))
        )

    def by(self, column: str) -> list[dict[str, Any]]:
        """One row a value of `column` ("" as "-"; `day`: local date), busiest first, days in order."""
        if column == "day":
            codes, names = _factorize(self._text["end"], _day_namer())
        else:
            codes, names = _factorize(self._text[column], lambda v: v or "-")
        table = [{"key": name, **row} for name, row in zip(names, self._sums(codes, len(names)), strict=True)]
        return sorted(table, key=lambda r: r["key"] if column == "day" else (-r["requests"], r["key"]))

    def over(self, since: float, bucket_s: float, count: int) -> list[dict[str, Any]]:
        """`count` rows in order of time, each with `start`; empty ones have zeros."""
        codes = np.clip(((self.end - since) / bucket_s).astype(np.int64), 0, max(0, count - 1))
        return [{"start": since + i * bucket_s, **row} for i, row in enumerate(self._sums(codes, count))]

    def totals(self) -> dict[str, Any]:
        """All of it in one row."""
        return self._sums(np.zeros(self.count, np.int64), 1)[0]

    def counts(self, column: str) -> dict[str, int]:
        """How often each value occurs, most frequent first, "" left out; reasons by kind, lists by member."""
        raw: Counter[str] = Counter(map(str, self._text[column]))
        found: Counter[str] = Counter()
        for value, times in raw.items():
            if column in ("privacy", "injection_rules"):
                members = unwrap(value)
            else:
                members = [value.split(":", 1)[0] if column == "reason" else value]
            for member in members:
                if member:
                    found[member] += times
        return dict(found.most_common())

    def cross(self, first: str, second: str) -> dict[str, dict[str, int]]:
        """{value of `first`: {value of `second` (reasons by kind): count}}, busiest first."""
        pairs = Counter(zip(self._text[first], self._text[second], strict=True))
        table: dict[str, Counter[str]] = {}
        for (one, two), times in pairs.items():
            if one:
                table.setdefault(one, Counter())[two.split(":", 1)[0] or "-"] += times
        order = sorted(table, key=lambda one: -table[one].total())
        return {one: dict(table[one].most_common()) for one in order}

    def time_saved(self) -> dict[str, Any]:
        """What hits saved against the median uncached answer of the same route: `saved_ms` (None: nothing to compare), `hits`."""
        hits = self.hit & ~np.isnan(self.total)
        plain = ~self.hit & (self.status == 200) & ~np.isnan(self.total)
        count = int(hits.sum())
        if not count or not plain.any():
            return {"saved_ms": None if count else 0.0, "hits": count}
        codes, names = _factorize(self._text["route"], str)
        everywhere = float(np.median(self.total[plain]))
        saved = 0.0
        for code in range(len(names)):
            here = self.total[plain & (codes == code)]
            median = float(np.median(here)) if here.size else everywhere
            saved += float(np.maximum(0.0, median - self.total[hits & (codes == code)]).sum())
        return {"saved_ms": saved, "hits": count}

    def number(self, column: str, test: Callable[[Any], bool]) -> int:
        """How many records' `column` passes a test."""
        return sum(times for value, times in Counter(self._text[column]).items() if test(value))

    def _sums(self, codes: Codes, count: int) -> list[dict[str, Any]]:
        def add(weights: Any = None) -> list[int]:
            return [int(x) for x in np.bincount(codes, weights=weights, minlength=count)]

        requests, errors, failures = add(), add(self.error), add(self.status >= 500)
        prompt, completion = (
            add(_floats(self._text["prompt_tokens"])),
            add(_floats(self._text["completion_tokens"])),
        )
        hits, lookups, cold = add(self.hit), add(self.lookup), add(_floats(self._text["cold_start"]))
        total = _percentiles(self.total, codes, count)
        first = _percentiles(self.first_token, codes, count)
        overhead = _percentiles(self.overhead, codes, count)
        return [
            {
                "requests": requests[i], "errors": errors[i], "failures": failures[i],
                "error_rate": errors[i] / requests[i] if requests[i] else None,
                "prompt_tokens": prompt[i], "completion_tokens": completion[i], "tokens": prompt[i] + completion[i],
                "cache_hits": hits[i], "cache_lookups": lookups[i],
                "cache_hit_rate": hits[i] / lookups[i] if lookups[i] else None,
                "cold_starts": cold[i],
                "p50_ms": total[i][0], "p95_ms": total[i][1],
                "first_token_p50_ms": first[i][0], "first_token_p95_ms": first[i][1],
                "overhead_p50_ms": overhead[i][0], "overhead_p95_ms": overhead[i][1],
            }
            for i in range(count)
        ]  # fmt: skip


def _floats(values: Iterable[Any]) -> Floats:
    """None becomes NaN."""
    return np.array(list(values), dtype=np.float64)


def _percentiles(values: Floats, codes: Codes, count: int) -> list[tuple[float | None, float | None]]:
    """Nearest-rank p50 and p95 of each group; None without values."""
    known = ~np.isnan(values)
    values, codes = values[known], codes[known]
    order = np.lexsort((values, codes))
    ordered = values[order]
    edges = np.searchsorted(codes[order], np.arange(count + 1))
    out: list[tuple[float | None, float | None]] = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        size = end - start
        if not size:
            out.append((None, None))
            continue
        p50, p95 = (float(ordered[start + max(0, -(-size * q // 100) - 1)]) for q in (50, 95))
        out.append((p50, p95))
    return out


def _factorize(values: Iterable[Any], name: Callable[[Any], Hashable]) -> tuple[Codes, list[str]]:
    seen: dict[Any, int] = {}
    names: dict[Hashable, int] = {}
    codes = []
    for value in values:
        code = seen.get(value)
        if code is None:
            code = seen[value] = names.setdefault(name(value), len(names))
        codes.append(code)
    return np.array(codes, np.int64), [str(n) for n in names]


def _day_namer() -> Callable[[float], str]:
    hours: dict[int, str] = {}

    def name(end: float) -> str:
        hour = int(end // 3600)
        if hour not in hours:  # the C library is asked once an hour of records
            hours[hour] = time.strftime("%Y-%m-%d", time.localtime(end))
        return hours[hour]

    return name
