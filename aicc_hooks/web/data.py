"""What the status page, `GET /aicc/status` and `aicc status` show: plain dicts from usage.db."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from aicc_hooks.record.alerts.config import DEFAULTS
from aicc_hooks.record.alerts.store import read_alerts
from aicc_hooks.record.frame import Frame
from aicc_hooks.record.reader import SpoolReader

RANGES: Final[dict[str, tuple[float, float]]] = {  # name → (seconds, bucket seconds): 60 to 90 buckets each
    "15m": (900, 15),
    "1h": (3_600, 60),
    "6h": (21_600, 300),
    "24h": (86_400, 1_200),
    "7d": (604_800, 7_200),
    "30d": (2_592_000, 28_800),
}
_BUCKET_FIELDS: Final = (
    "start", "requests", "errors", "failures", "p50_ms", "p95_ms", "first_token_p50_ms", "first_token_p95_ms",
    "cache_hits", "cache_lookups", "tokens",
)  # fmt: skip
_SHOWN: Final = 12  # rows of a breakdown; the rest is summed


def overview(reader: SpoolReader, span: str, *, now: float | None = None) -> dict[str, Any]:
    """Sums, charts and breakdowns of one range. ValueError for an unknown one; SpoolError."""
    if span not in RANGES:
        raise ValueError(f"unknown range; allowed: {', '.join(RANGES)}")
    seconds, bucket = RANGES[span]
    moment = time.time() if now is None else now
    until = math.floor(moment / bucket + 1) * bucket
    since = until - seconds
    frame = Frame(reader, since=since, until=until)
    totals = frame.totals()
    flagged, blocked = (
        frame.number("reason", lambda r: r.startswith("injection:")),
        frame.number("error", lambda e: e == "aicc_blocked_injection"),
    )
    minutes = max(1.0, (min(moment, until) - since) / 60)
    return {
        "now": moment,
        "range": {"name": span, "since": since, "until": until, "bucket_s": bucket},
        "totals": {**totals, "per_minute": totals["requests"] / minutes},
        "buckets": [
            [row[name] for name in _BUCKET_FIELDS]
            for row in frame.over(since, bucket, round(seconds / bucket))
        ],
        "bucket_fields": list(_BUCKET_FIELDS),
        "routes": [
            {"route": route, "requests": sum(why.values()), "why": why}
            for route, why in list(frame.cross("route", "reason").items())[:_SHOWN]
        ],
        "cache": {"tiers": frame.counts("cache"), "hit_rate": totals["cache_hit_rate"], **frame.time_saved()},
        "privacy": {"kept_local": frame.number("local_only", bool), "types": _top(frame.counts("privacy"))},
        "injection": {"flagged": flagged, "blocked": blocked, "rules": _top(frame.counts("injection_rules"))},
        "clients": _top(frame.counts("client")),
        "tiers": frame.counts("tier"),
        "errors": _top(frame.counts("error")),
        "variants": _variants(frame),
        "latest": reader.latest(),
    }


def delivery(reader: SpoolReader) -> dict[str, Any]:
    """The spool: what waits, what was lost, how big it is."""
    waiting, dead = reader.query("SELECT coalesce(sum(1 - dead), 0), coalesce(sum(dead), 0) FROM outbox")[0]
    counts = reader.counters()
    names = (
        "accepted",
        "committed",
        "dropped",
        "failed",
        "expired_age",
        "expired_size",
        "expired_undelivered",
    )
    return {
        "waiting": waiting,
        "refused": dead,
        "delivered": counts.get("delivered_langfuse", 0),
        **{name: counts.get(name, 0) for name in names},
        "coverage": coverage(counts, dead),
        **reader.size(),
    }


def coverage(counts: Mapping[str, int], refused: int = 0) -> float:
    """Share of all requests whose trace exists or will: written, and not lost on the way to Langfuse."""
    seen = counts.get("accepted", 0) + counts.get("dropped", 0)
    lost = sum(counts.get(name, 0) for name in ("dropped", "failed", "expired_undelivered")) + refused
    return max(0.0, 1 - lost / seen) if seen else 1.0


def alerts(reader: SpoolReader, *, now: float | None = None, events: int = 30) -> dict[str, Any]:
    """What fires with what to do about it, the history, silences."""
    found: dict[str, Any] = read_alerts(reader, now=time.time() if now is None else now, events=events)
    for entry in (*found["alerts"], *found["events"]):
        rule = DEFAULTS.get(entry["rule"])
        entry["what"], entry["help"] = (rule.what, rule.help) if rule else ("", "")
        entry["severity"] = rule.severity if rule else "info"
        entry.pop("owed", None)
    found["firing"] = [a for a in found["alerts"] if a["status"] == "firing"]
    return found


def _variants(frame: Frame) -> list[dict[str, Any]]:
    names = ("key", "requests", "error_rate", "p50_ms", "p95_ms", "cache_hit_rate", "tokens")
    return [{name: row[name] for name in names} for row in frame.by("variant") if row["key"] != "-"][:_SHOWN]


def _top(counts: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    out = dict(ordered[:_SHOWN])
    if rest := sum(count for _, count in ordered[_SHOWN:]):
        out["other"] = out.get("other", 0) + rest
    return out
