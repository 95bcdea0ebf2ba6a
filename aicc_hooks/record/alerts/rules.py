"""From records and worker pictures to readings: what each rule sees."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aicc_hooks.record.alerts.config import AlertsConfig, Rule, RuleName
from aicc_hooks.record.alerts.state import Reading
from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.record.usage import percentile
from aicc_hooks.record.workers import COUNTER_PREFIX, has_table

_DETAIL: Final = 200
_NOBODY_ASKED_S: Final = 600.0
_LOST: Final = ("dropped", "failed")


@dataclass(frozen=True, slots=True)
class Scene:
    """All a round looks at. `picture`: merged worker pictures; None when no gateway is running."""

    reader: SpoolReader
    now: float
    picture: Mapping[str, Any] | None = None
    free_mb: Callable[[], float | None] = field(default=lambda: None)


def readings(config: AlertsConfig, scene: Scene) -> list[Reading]:
    """One reading or more of every enabled rule. Raises SpoolError."""
    out: list[Reading] = []
    for name, measure in _MEASURES.items():
        rule = config.rule(name)
        if rule.enabled:
            out += [r for r in measure(rule, scene) if r.subject not in rule.ignore]
    return out


def shared_counters(reader: SpoolReader) -> dict[str, int]:
    """Counters over all processes and restarts, with the number of records Langfuse refused for good."""
    counts = reader.counters()
    counts["rejected"] = int(reader.query("SELECT count(*) FROM outbox WHERE dead = 1")[0][0])
    return counts


def _records(rule: Rule, scene: Scene, *names: str) -> list[tuple[Any, ...]]:
    return scene.reader.columns(names, Filters(since=scene.now - rule.window_s))


def _error_rate(rule: Rule, scene: Scene) -> Iterator[Reading]:
    rows = _records(rule, scene, "status")
    # A 4xx is the request's own fault (a blocked injection, a wrong model name): no reason to wake anybody.
    failed = sum(1 for (status,) in rows if status >= 500 or status == 429)
    value = failed / len(rows) if rows else None
    yield Reading("error_rate", "", value, len(rows), f"{failed} of {len(rows)} requests failed")


def _slow_p95(rule: Rule, scene: Scene) -> Iterator[Reading]:
    times = [ms for (ms,) in _records(rule, scene, "total_ms") if ms is not None]
    value = percentile(times, 0.95)
    detail = "no requests" if value is None else f"p95 {value / 1000:.1f} s over {len(times)} requests"
    yield Reading("slow_p95", "", value, len(times), detail)


def _cache_hit_rate(rule: Rule, scene: Scene) -> Iterator[Reading]:
    looked = [tier for (tier,) in _records(rule, scene, "cache") if tier and tier != "bypass"]
    hits = sum(1 for tier in looked if tier in ("exact", "semantic"))
    value = hits / len(looked) if looked else None
    yield Reading("cache_hit_rate", "", value, len(looked), f"{hits} hits in {len(looked)} lookups")


def _dependency_down(rule: Rule, scene: Scene) -> Iterator[Reading]:
    for name, seen in ((scene.picture or {}).get("health") or {}).items():
        status = seen.get("status")
        value = None if status in (None, "unknown") else float(status == "down")
        yield Reading("dependency_down", _clip(name, 60), value, None, _clip(seen.get("detail") or status))


def _breaker_open(rule: Rule, scene: Scene) -> Iterator[Reading]:
    for circuits in ((scene.picture or {}).get("breakers") or {}).values():
        for key, circuit in circuits.items():
            state = circuit.get("state")
            # A trial that fails opens it anew: who might be tried for so long is a model that nobody asks for.
            idle = float(circuit.get("due_for_s") or 0) > _NOBODY_ASKED_S
            detail = f"{state}: {circuit.get('reason')}" if circuit.get("reason") else str(state)
            value = float(state != "closed" and not idle)
            yield Reading("breaker_open", _clip(key, 120), value, None, _clip(detail))


def _spool_backlog(rule: Rule, scene: Scene) -> Iterator[Reading]:
    owed = scene.reader.query("SELECT sink, count(*) FROM outbox WHERE dead = 0 GROUP BY sink")
    queued = int(((scene.picture or {}).get("spool") or {}).get("backlog") or 0)
    total = queued + sum(count for _, count in owed)
    parts = [f"{count} for {sink}" for sink, count in owed] + ([f"{queued} for the disk"] if queued else [])
    yield Reading(
        "spool_backlog",
        "",
        float(total),
        None,
        f"{total} records wait" + (f": {', '.join(parts)}" if parts else ""),
    )


def _spool_drops(rule: Rule, scene: Scene) -> Iterator[Reading]:
    delta = _delta(rule, scene)
    lost = sum(delta.get(name, 0) for name in _LOST)
    yield Reading(
        "spool_drops", "", float(lost), None, f"{lost} records lost in {rule.window_s / 60:.0f} min"
    )


def _spool_failing(rule: Rule, scene: Scene) -> Iterator[Reading]:
    if scene.picture is None:
        yield Reading("spool_failing")
        return
    trouble = str((scene.picture.get("problems") or {}).get("spool") or "")
    yield Reading("spool_failing", "", float(bool(trouble)), None, _clip(trouble or "records are written"))


def _disk_low(rule: Rule, scene: Scene) -> Iterator[Reading]:
    free = scene.free_mb()
    yield Reading("disk_low", "", free, None, "" if free is None else f"{free:,.0f} MB free")


def _failing(detector: str) -> Callable[[Rule, Scene], Iterator[Reading]]:
    name = f"{detector}_failing"

    def measure(rule: Rule, scene: Scene) -> Iterator[Reading]:
        failures = _delta(rule, scene).get(f"{COUNTER_PREFIX}failures_{detector}", 0)
        detail = f"{failures} failures in {rule.window_s / 60:.0f} min"
        yield Reading(name, "", float(failures), None, detail)

    return measure


def _selftest_failing(rule: Rule, scene: Scene) -> Iterator[Reading]:
    if scene.picture is None:
        yield Reading("selftest_failing")
        return
    # A refused policy is no self-test: the last good one stays in force, and the page says so. The spool has its own rule.
    problems = sorted(set(scene.picture.get("problems") or {}) - {"policy", "spool"})
    yield Reading(
        "selftest_failing", "", float(len(problems)), None, _clip(", ".join(problems) or "all pass")
    )


def _trace_coverage(rule: Rule, scene: Scene) -> Iterator[Reading]:
    delta = _delta(rule, scene)
    seen = delta.get("accepted", 0) + delta.get("dropped", 0)
    missing = sum(max(0, delta.get(name, 0)) for name in (*_LOST, "expired_undelivered", "rejected"))
    value = max(0.0, 1 - missing / seen) if seen else None
    yield Reading("trace_coverage", "", value, seen, f"{missing} of {seen} requests left no trace")


def _delta(rule: Rule, scene: Scene) -> dict[str, int]:
    """What the shared counters grew by within the window."""
    current = shared_counters(scene.reader)
    if not has_table(scene.reader, "samples"):
        return {}
    begin = scene.now - rule.window_s
    # The last sample before the window, else the first in it: a gateway that has just begun has no older one.
    found = scene.reader.query(
        "SELECT body FROM samples WHERE at = coalesce((SELECT max(at) FROM samples WHERE at <= ?), "
        "(SELECT min(at) FROM samples))",
        [begin],
    )
    if not found:
        return {}
    try:
        past = json.loads(found[0][0])
    except ValueError:
        return {}
    return {name: value - int(past.get(name, 0)) for name, value in current.items()}


def _clip(value: Any, limit: int = _DETAIL) -> str:
    """One printable line: some details come from other programs."""
    text = "".join(c if c.isprintable() else " " for c in str(value or ""))
    return text if len(text) <= limit else text[: limit - 1] + "…"


_MEASURES: Final[dict[RuleName, Callable[[Rule, Scene], Iterator[Reading]]]] = {
    "error_rate": _error_rate,
    "slow_p95": _slow_p95,
    "cache_hit_rate": _cache_hit_rate,
    "dependency_down": _dependency_down,
    "breaker_open": _breaker_open,
    "spool_backlog": _spool_backlog,
    "spool_drops": _spool_drops,
    "spool_failing": _spool_failing,
    "disk_low": _disk_low,
    "privacy_failing": _failing("privacy"),
    "injection_failing": _failing("injection"),
    "complexity_failing": _failing("complexity"),
    "selftest_failing": _selftest_failing,
    "trace_coverage": _trace_coverage,
}
