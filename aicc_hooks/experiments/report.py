"""What an experiment found: per variant sums, the difference to the first variant, a plain verdict."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from aicc_hooks.experiments.doubts import doubts
from aicc_hooks.experiments.rows import Row, comparable, value_of
from aicc_hooks.experiments.schema import ExperimentConfig, Metric
from aicc_hooks.experiments.stats import (
    MIN_UNITS,
    Difference,
    Mean,
    as_share,
    difference,
    interval,
    mean_of,
    needed,
)

ALPHA = 0.05
_WORDS: dict[Metric, str] = {
    "score": "score",
    "error_rate": "error rate",
    "latency_ms": "latency (ms, uncached)",
    "tokens": "answer tokens",
}
_HIGHER_IS_BETTER = {"score"}
_WITH: dict[Metric, str] = {"score": " with a score", "latency_ms": " with an uncached answer"}
_SHARE_EFFECT = 0.05  # of thumbs: five in a hundred
_SMALL_EFFECT = 0.2  # in standard deviations, where nobody said what the numbers mean (Cohen's "small")

# better, worse: than the first variant. early: too few units for a plan. flat: no spread at all. small: none worth having.
Outcome = Literal["better", "worse", "early", "waiting", "flat", "small", "none"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of one variant's units with its 95% interval; low and high are None where there is none yet."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class VariantSums:
    """Sums of one variant over its requests, the unnamed too. Rates in 0…1, times in milliseconds; None: nothing to tell.

    `units` and `estimates` are of what is compared.
    """

    name: str
    requests: int
    units: int
    errors: int
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    tokens: float | None
    cache_rate: float | None
    scores: int
    score: float | None
    estimates: dict[Metric, Estimate | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One variant against the first. `have`, `want`: units, of the smaller of the two."""

    variant: str
    metric: Metric
    control: float | None
    value: float | None
    low: float
    high: float
    sure: bool
    have: int
    want: int
    outcome: Outcome
    verdict: str

    @property
    def more(self) -> int:
        """Units still wanted in each variant."""
        return max(0, self.want - self.have)


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """A whole report. `unit`: what counts once, in the plural. `warnings` are sentences."""

    name: str
    metric: Metric
    unit: str
    variants: tuple[VariantSums, ...]
    comparisons: tuple[Comparison, ...]
    verdict: str
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; infinite bounds become null."""
        tree = asdict(self)
        for row in tree["comparisons"]:
            row |= {k: (row[k] if math.isfinite(row[k]) else None) for k in ("low", "high")}
        return tree


def build(config: ExperimentConfig, rows: Iterable[Row]) -> ExperimentReport:
    """The report of one experiment. The first variant of the file is what others are compared with."""
    whole, notes = comparable(config, rows)
    # Unnamed requests are one unit in one variant: they show in the table and decide nothing.
    named = {name: [row for row in found if row.named] for name, found in whole.items()}
    first, *others = named
    # Every further variant is one more chance to be wrong, so each gets its share of the allowance.
    alpha = ALPHA / len(others)
    comparisons = tuple(_compare(config, named, first, name, alpha) for name in others)
    sums = tuple(_sums(name, found, named[name]) for name, found in whole.items())
    return ExperimentReport(
        config.name,
        config.metric,
        f"{config.unit}s",
        sums,
        comparisons,
        _verdict(comparisons, first, _wanted(config)),
        (*doubts(config, whole, named, _turned(named, comparisons)), *notes),
    )


def measure(rows: Iterable[Row], metric: Metric) -> Mean:
    """Mean of a metric over units."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        value = value_of(row, metric)
        if value is not None:
            values[row.unit].append(value)
    return mean_of(values)


def _compare(
    config: ExperimentConfig, named: Mapping[str, list[Row]], first: str, name: str, alpha: float
) -> Comparison:
    metric = config.metric
    a, b = measure(named[first], metric), measure(named[name], metric)
    share = _is_share(metric, (*named[first], *named[name]))
    if share:
        a, b = as_share(a), as_share(b)
    effect = config.minimum_effect or _default_effect(metric, a, b, share=share)
    want = needed(a, b, effect, alpha=alpha)
    have = min(a.units, b.units)
    gap = (
        difference(a, b, alpha=alpha, looks=have / want)
        if have
        else Difference(0.0, -math.inf, math.inf, False)
    )
    outcome = _outcome(metric, a, b, gap, have, want, effect)
    return Comparison(
        name, metric, _number(a.value), _number(b.value), gap.low, gap.high, gap.sure, have, want, outcome,
        _sentence(outcome, config, first, name, gap, want - have, effect),
    )  # fmt: skip


def _turned(named: Mapping[str, list[Row]], comparisons: Iterable[Comparison]) -> list[str]:
    """Variants whose difference, counted by request, has the other sign."""

    def over_requests(name: str, metric: Metric) -> float:
        values = [value for row in named[name] if (value := value_of(row, metric)) is not None]
        return math.fsum(values) / len(values)

    first = next(iter(named))
    return [
        c.variant
        for c in comparisons
        if c.sure and c.value is not None and c.control is not None
        and (c.value - c.control) * (over_requests(c.variant, c.metric) - over_requests(first, c.metric)) < 0
    ]  # fmt: skip


def _is_share(metric: Metric, rows: Iterable[Row]) -> bool:
    """Whether the values are zeros and ones: failures, or thumbs."""
    return metric == "error_rate" or (metric == "score" and all(r.score in (None, 0.0, 1.0) for r in rows))


def _default_effect(metric: Metric, a: Mean, b: Mean, *, share: bool) -> float:
    """What is worth finding where the file does not say; 0 where nothing tells the scale yet."""
    if metric == "error_rate":
        return 0.02
    if metric == "score":
        pooled = math.sqrt((a.spread**2 + b.spread**2) / 2)
        return _SHARE_EFFECT if share else _SMALL_EFFECT * pooled if math.isfinite(pooled) else 0.0
    return max(1.0, 0.1 * a.value) if a.units else 1.0


def _outcome(
    metric: Metric, a: Mean, b: Mean, gap: Difference, have: int, want: int, effect: float
) -> Outcome:
    if gap.sure:
        return "better" if (gap.value > 0) == (metric in _HIGHER_IS_BETTER) else "worse"
    if have < MIN_UNITS:
        return "early"
    if a.se == b.se == 0.0:
        return "flat"
    if have < want:
        return "waiting"
    return "small" if max(abs(gap.low), abs(gap.high)) < effect else "none"


def _wanted(config: ExperimentConfig) -> str:
    """What is counted towards the plan."""
    return f"{config.unit}s{_WITH.get(config.metric, '')}"


def _sentence(
    outcome: Outcome, config: ExperimentConfig, first: str, name: str, gap: Difference, more: int, effect: float
) -> str:  # fmt: skip
    seen = f"{_WORDS[config.metric]} of {name} differs by {gap.value:+.3g}"
    bounds = f"{seen} ({gap.low:+.3g} to {gap.high:+.3g})"
    match outcome:
        case "better" | "worse":
            return f"{name if outcome == 'better' else first} is better: {bounds}"
        case "early":
            return f"no difference yet, at least {more:,} more {_wanted(config)} each before more can be said"
        case "waiting":
            return f"no difference yet, about {more:,} more {_wanted(config)} each to find {effect:.3g}"
        case "flat":
            return f"{seen}, but all {config.unit}s of a variant have the same value: nothing tells by how much it could be off"
        case "small":
            return f"no difference of {effect:.3g} or more: {bounds}"
        case "none":
            return f"no difference found: {bounds}"


def _verdict(comparisons: Sequence[Comparison], first: str, wanted: str) -> str:
    if winners := [c for c in comparisons if c.outcome == "better"]:
        best = max(winners, key=lambda c: abs((c.value or 0.0) - (c.control or 0.0)))
        return f"{best.variant} is better"
    if all(c.outcome == "worse" for c in comparisons):
        return f"{first} is better"
    if waiting := [c for c in comparisons if c.outcome in ("early", "waiting")]:
        about = "at least" if all(c.outcome == "early" for c in waiting) else "about"
        return f"no difference yet, {about} {max(c.more for c in waiting):,} more {wanted} in each variant"
    if any(c.outcome == "flat" for c in comparisons):
        return "no spread to judge by"
    told = all(c.outcome in ("worse", "small") for c in comparisons)
    return "no difference worth having" if told else "no difference found"


def _sums(name: str, rows: list[Row], named: list[Row]) -> VariantSums:
    count = len(rows)
    times = sorted(r.latency_ms for r in rows if r.latency_ms is not None and not r.failed)
    scores = [r.score for r in rows if r.score is not None]
    answered = [r.tokens for r in rows if not r.failed]
    errors = sum(r.failed for r in rows)
    return VariantSums(
        name, count, len({r.unit for r in named}), errors, errors / count if count else None, _quantile(times, 0.5), _quantile(times, 0.95),
        sum(answered) / len(answered) if answered else None, sum(r.cached for r in rows) / count if count else None,
        len(scores), math.fsum(scores) / len(scores) if scores else None, {metric: _estimate(named, metric) for metric in _WORDS},
    )  # fmt: skip


def _estimate(rows: list[Row], metric: Metric) -> Estimate | None:
    mean = measure(rows, metric)
    if not mean.units:
        return None
    bounds = interval(mean, share=_is_share(metric, rows))
    if bounds is not None and metric != "score":
        bounds = max(0.0, bounds[0]), bounds[1]  # times and tokens have no less
    return Estimate(mean.value, *(bounds or (None, None)))


def _quantile(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
