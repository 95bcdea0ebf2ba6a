"""What an experiment found: per variant sums, the difference to the first variant, a plain verdict."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

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
    uneven,
)
from aicc_hooks.record.reader import SpoolReader

ALPHA = 0.05
_WORDS: dict[Metric, str] = {
    "score": "score",
    "error_rate": "error rate",
    "latency_ms": "latency (ms, uncached)",
    "tokens": "answer tokens",
}
_HIGHER_IS_BETTER = {"score"}
_TOO_EARLY = "no difference yet, at least "
_UNIT: dict[Metric, str] = {
    "score": "scored requests",
    "error_rate": "requests",
    "latency_ms": "uncached requests",
    "tokens": "requests",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded request of an experiment."""

    variant: str
    unit: str
    failed: bool
    latency_ms: float | None
    tokens: int
    cached: bool
    score: float | None
    prompt: str = ""  # name@version of a managed prompt


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of one variant with its 95% interval over users; low and high are None for too few users."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class VariantSums:
    """Sums of one variant. Rates in 0…1, times in milliseconds; None: nothing to tell."""

    name: str
    requests: int
    users: int
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
    """One variant against the first. `more`: requests still wanted in the smaller of the two."""

    variant: str
    metric: Metric
    control: float | None
    value: float | None
    low: float
    high: float
    sure: bool
    have: int
    want: int
    verdict: str

    @property
    def more(self) -> int:
        """Requests still wanted in each variant."""
        return max(0, self.want - self.have)


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """A whole report. `warnings` are sentences."""

    name: str
    metric: Metric
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


def load_rows(reader: SpoolReader, *, since: float | None = None) -> dict[str, list[Row]]:
    """Recorded requests by experiment name. Raises SpoolError."""
    found: dict[str, list[Row]] = defaultdict(list)
    for label, user, session, status, error, total_ms, tokens, cache, score, prompt, version in reader.query(
        "SELECT variant, user, session, status, error, total_ms, completion_tokens, cache, score, prompt_name, prompt_version "
        "FROM records LEFT JOIN feedback USING (id) WHERE variant != '' AND end >= ? ORDER BY seq",
        [since or 0.0],
    ):
        experiment, _, variant = str(label).partition(":")
        if variant and status != 499:  # the client went away: says nothing about the variant
            unit = f"user {user}" if user else f"session {session}" if session else "key"
            found[experiment].append(
                Row(
                    variant,
                    unit,
                    bool(error) or status >= 400,
                    total_ms,
                    int(tokens),
                    cache in ("exact", "semantic"),
                    score,
                    f"{prompt}@{version or 'fallback'}" if prompt else "",
                )
            )
    return dict(found)


def build(config: ExperimentConfig, rows: Iterable[Row]) -> ExperimentReport:
    """The report of one experiment. The first variant of the file is what others are compared with."""
    by_variant: dict[str, list[Row]] = {variant.name: [] for variant in config.variants}
    strangers = 0
    for row in rows:
        if row.variant in by_variant:
            by_variant[row.variant].append(row)
        else:
            strangers += 1
    first = config.variants[0].name
    others = [v.name for v in config.variants[1:]]
    # Every further variant is one more chance to be wrong, so each gets its share of the allowance.
    alpha = ALPHA / len(others)
    comparisons = tuple(_compare(config, by_variant, first, name, alpha) for name in others)
    sums = tuple(_sums(name, found) for name, found in by_variant.items())
    return ExperimentReport(
        config.name,
        config.metric,
        sums,
        comparisons,
        _verdict(comparisons, first),
        tuple(_warnings(config, by_variant, strangers)),
    )


def measure(rows: Iterable[Row], metric: Metric) -> Mean:
    """Mean of a metric over requests, its error over units."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        value = _value(row, metric)
        if value is not None:
            values[row.unit].append(value)
    return mean_of(values)


def _value(row: Row, metric: Metric) -> float | None:
    if metric == "score":
        return row.score
    if metric == "error_rate":
        return 1.0 if row.failed else 0.0
    if row.failed or (metric == "latency_ms" and row.cached):
        return None
    return row.latency_ms if metric == "latency_ms" else float(row.tokens)


def _compare(
    config: ExperimentConfig, by_variant: dict[str, list[Row]], first: str, name: str, alpha: float
) -> Comparison:
    metric = config.metric
    a, b = measure(by_variant[first], metric), measure(by_variant[name], metric)
    if _is_share(metric, (*by_variant[first], *by_variant[name])):
        a, b = as_share(a), as_share(b)
    effect = config.minimum_effect or _default_effect(metric, a)
    want = needed(a, b, effect, alpha=alpha)
    have = min(a.requests, b.requests)
    gap = (
        difference(a, b, alpha=alpha, looks=have / want)
        if a.requests and b.requests
        else Difference(0.0, -math.inf, math.inf, False)
    )
    return Comparison(
        name, metric, _number(a.value), _number(b.value), gap.low, gap.high, gap.sure, have, want,
        _sentence(first, name, metric, gap, have, want, effect, planned=min(a.units, b.units) >= MIN_UNITS),
    )  # fmt: skip


def _is_share(metric: Metric, rows: Iterable[Row]) -> bool:
    """Whether the values are zeros and ones: failures, or thumbs."""
    return metric == "error_rate" or (metric == "score" and all(r.score in (None, 0.0, 1.0) for r in rows))


def _default_effect(metric: Metric, a: Mean) -> float:
    if metric in ("score", "error_rate"):
        return 0.05 if metric == "score" else 0.02
    return max(1.0, 0.1 * a.value) if a.requests else 1.0


def _sentence(
    first: str,
    name: str,
    metric: Metric,
    gap: Difference,
    have: int,
    want: int,
    effect: float,
    *,
    planned: bool,
) -> str:
    """`planned`: there are users enough to see the spread that `want` rests on."""
    if gap.sure:
        better = name if (gap.value > 0) == (metric in _HIGHER_IS_BETTER) else first
        return f"{better} is better: {_WORDS[metric]} of {name} differs by {gap.value:+.3g} ({gap.low:+.3g} to {gap.high:+.3g})"
    if have < want:
        if not planned:
            return f"{_TOO_EARLY}{want - have:,} more {_UNIT[metric]} each before more can be said"
        return f"no difference yet, about {want - have:,} more {_UNIT[metric]} each to find {effect:.3g}"
    if not math.isfinite(gap.low) or not math.isfinite(gap.high):
        return f"too few users to tell: at least {MIN_UNITS} in each variant"
    seen = f"{_WORDS[metric]} of {name} differs by {gap.value:+.3g} ({gap.low:+.3g} to {gap.high:+.3g})"
    within = max(abs(gap.low), abs(gap.high)) < effect
    return f"no difference of {effect:.3g} or more: {seen}" if within else f"no difference found: {seen}"


def _verdict(comparisons: Sequence[Comparison], first: str) -> str:
    sure = [c for c in comparisons if c.sure]
    winners = [c for c in sure if c.verdict.startswith(f"{c.variant} is better")]
    if winners:
        best = max(winners, key=lambda c: abs((c.value or 0.0) - (c.control or 0.0)))
        return f"{best.variant} is better"
    if sure and len(sure) == len(comparisons):
        return f"{first} is better"
    waiting = [c for c in comparisons if not c.sure and c.more]
    if waiting:
        most = max(c.more for c in waiting)
        early = all(c.verdict.startswith(_TOO_EARLY) for c in waiting)
        return f"{_TOO_EARLY if early else 'no difference yet, about '}{most:,} more {_UNIT[comparisons[0].metric]} in each variant"
    if any(not math.isfinite(c.low) or not math.isfinite(c.high) for c in comparisons):
        return "too few users to tell"
    told = all(c.sure or c.verdict.startswith("no difference of") for c in comparisons)
    return "no difference worth having" if told else "no difference found"


def _sums(name: str, rows: list[Row]) -> VariantSums:
    count = len(rows)
    times = sorted(r.latency_ms for r in rows if r.latency_ms is not None and not r.failed)
    scores = [r.score for r in rows if r.score is not None]
    answered = [r.tokens for r in rows if not r.failed]
    errors = sum(r.failed for r in rows)
    return VariantSums(
        name, count, len({r.unit for r in rows}), errors, errors / count if count else None, _quantile(times, 0.5), _quantile(times, 0.95),
        sum(answered) / len(answered) if answered else None, sum(r.cached for r in rows) / count if count else None,
        len(scores), math.fsum(scores) / len(scores) if scores else None, {metric: _estimate(rows, metric) for metric in _WORDS},
    )  # fmt: skip


def _estimate(rows: list[Row], metric: Metric) -> Estimate | None:
    mean = measure(rows, metric)
    if not mean.requests:
        return None
    bounds = interval(mean, share=_is_share(metric, rows))
    if bounds is not None and metric != "score":
        bounds = max(0.0, bounds[0]), bounds[1]  # times and tokens have no less
    return Estimate(mean.value, *(bounds or (None, None)))


def _warnings(config: ExperimentConfig, by_variant: dict[str, list[Row]], strangers: int) -> Iterable[str]:
    units = [len({r.unit for r in rows}) for rows in by_variant.values()]
    weights = [v.weight for v in config.variants]
    if sum(units) >= 50 and (p := uneven(units, weights)) < 0.001:
        yield f"users are not spread as the weights say (p = {p:.1g}): weights changed during the run, or some requests are lost"
    alone = sum(r.unit == "key" for rows in by_variant.values() for r in rows)
    if alone:
        yield f"{alone:,} requests name no user or session: they all belong to one variant; send `user` or x-session-id"
    seen: dict[str, set[str]] = defaultdict(set)
    for name, rows in by_variant.items():
        for row in rows:
            seen[row.unit].add(name)
    moved = sum(len(names) > 1 for names in seen.values())
    if moved:
        yield f"{moved:,} users saw more than one variant: weights or the salt changed during the run"
    for name, rows in by_variant.items():
        prompts = sorted({r.prompt for r in rows if r.prompt})
        if len(prompts) > 1:
            yield f"{name} was answered with {', '.join(prompts)}: it is not one prompt but {len(prompts)}"
        elif prompts and prompts[0].endswith("@fallback"):
            yield f"{name} used the fallback text only: Langfuse never gave {prompts[0].removesuffix('@fallback')}"
    if strangers:
        yield f"{strangers:,} requests had a variant that the file no longer has"


def _quantile(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
