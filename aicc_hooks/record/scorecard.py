"""The success metrics: target and actual, from the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.record.usage import percentile

_HITS = ("exact", "semantic")
_NOBODY = frozenset(("", "none", "other"))
Met = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Score:
    """One success metric. `actual` None: nothing to measure yet."""

    name: str
    target: str
    actual: float | None
    unit: str  # share, ms or count
    met: Met
    basis: str  # what it was measured on

    @property
    def shown(self) -> str:
        """`actual` for people."""
        if self.actual is None:
            return "-"
        if self.unit == "share":
            return f"{self.actual * 100:.1f} %"
        return f"{self.actual:.1f} ms" if self.unit == "ms" else f"{self.actual:g}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self) | {"shown": self.shown}


def scorecard(
    reader: SpoolReader,
    *,
    since: float,
    until: float | None = None,
    flagged: Callable[[str, str], bool] | None = None,
) -> list[Score]:
    """All rows, in their order. `flagged(role, text)`: whether the injection detector flags a text.

    Raises SpoolError.
    """
    total = failed = hits = lookups = 0
    own: list[float] = []
    host: list[float] = []
    clients: set[str] = set()
    for status, cache, gate, hooks, cached, upstream, whole, client in reader.columns(
        ("status", "cache", "gate_ms", "hooks_ms", "cache_ms", "upstream_ms", "total_ms", "client"),
        Filters(since=since, until=until),
    ):
        total += 1
        failed += status >= 500
        hits += cache in _HITS
        lookups += cache not in ("", "bypass")
        if client not in _NOBODY and status == 200:
            clients.add(client)
        if hooks is not None:
            own.append((gate or 0.0) + hooks)
            if upstream is not None and whole is not None:
                host.append(max(0.0, whole - upstream - (gate or 0.0) - hooks - (cached or 0.0)))
    counts = reader.counters()
    seen = counts.get("accepted", 0) + counts.get("dropped", 0)
    refused = int(reader.query("SELECT count(*) FROM outbox WHERE dead = 1")[0][0])
    lost = sum(counts.get(n, 0) for n in ("dropped", "failed", "expired_undelivered")) + refused
    requests = f"{total:,} requests"
    rows = [
        _row("Availability", "≥ 99 %", 1 - failed / total if total else None, "share", lambda v: v >= 0.99, f"{failed} of {requests} were 5xx"),
        _row("Router overhead p95", "< 30 ms", percentile(own, 0.95), "ms", lambda v: v < 30, f"gate and hooks, {len(own):,} requests"),
        _row("LiteLLM overhead p95", "< 50 ms", percentile(host, 0.95), "ms", lambda v: v < 50,
             f"total less upstream, cache and ours, {len(host):,} requests"),
        _row("Trace coverage", "≥ 95 %", max(0.0, 1 - lost / seen) if seen else None, "share", lambda v: v >= 0.95,
             f"{lost} of {seen:,} requests left no trace, since the database began"),
        _row("Cache hit rate", "15–35 %", hits / lookups if lookups else None, "share", lambda v: v >= 0.15, f"{lookups:,} lookups"),
    ]  # fmt: skip
    if flagged is not None:
        rows.append(_recall(flagged))
    basis = ", ".join(sorted(clients)) or "none yet"
    rows.append(_row("Consumers seen", "≥ 3", float(len(clients)), "count", lambda v: v >= 3, basis))
    return rows


def _recall(flagged: Callable[[str, str], bool]) -> Score:
    from aicc_hooks.record.known_injections import PATTERNS

    found = sum(flagged(role, text) for role, text in PATTERNS)
    return _row(
        "Injection recall", "> 90 %", found / len(PATTERNS), "share", lambda v: v > 0.9,
        f"{found} of {len(PATTERNS)} known patterns flagged by the policy in force",
    )  # fmt: skip


def _row(
    name: str, target: str, actual: float | None, unit: str, meets: Callable[[float], bool], basis: str
) -> Score:
    met: Met = "unknown" if actual is None else "yes" if meets(actual) else "no"
    return Score(name, target, actual, unit, met, basis)


def detector(policy: Any) -> Callable[[str, str], bool]:
    """`flagged` for the injection detector of a policy."""
    from aicc_hooks.inspection import Active, Inspector
    from aicc_hooks.verdict import Role, Segment

    inspector = Inspector.of(policy)
    active = Active(privacy=False, injection=True, complexity=False)

    def flagged(role: str, text: str) -> bool:
        return inspector.inspect([Segment(text, Role(role))], active=active).injection.flagged

    return flagged
