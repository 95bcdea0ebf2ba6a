"""The statistics of a comparison, without SciPy: units are what was dealt, looks before the end ask for more evidence.

A unit (a person, a conversation) counts once, by the mean of its own requests. A mean over requests is the mean of
whoever asks most: that unit has hardly a residual left, and the error of the mean, made of residuals, vanishes with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

_NORMAL = NormalDist()
MIN_UNITS = 10  # fewer units tell nothing about their spread
_LEAST_EXPECTED = 5  # below it chi-square's tail is too thin: Cochran's rule


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of the units' means with its standard error.

    `count`: requests that one and the same rate would have to be seen in for this precision (units² / Σ 1/requests).
    """

    value: float
    se: float
    units: int
    count: float

    @property
    def spread(self) -> float:
        """Standard deviation of a unit's mean."""
        return self.se * math.sqrt(self.units)


def mean_of(values: Mapping[str, Sequence[float]]) -> Mean:
    """Of each unit's values; units without any are left out."""
    return mean_of_sums((math.fsum(found), len(found)) for found in values.values())


def mean_of_sums(sums: Iterable[tuple[float, int]]) -> Mean:
    """Of each unit's sum and number of values."""
    pairs = [(total, n) for total, n in sums if n]
    units = len(pairs)
    if not units:
        return Mean(math.nan, math.nan, 0, 0.0)
    means = [total / n for total, n in pairs]
    value, count = math.fsum(means) / units, units * units / math.fsum(1 / n for _, n in pairs)
    if units < 2:
        return Mean(value, math.nan, units, count)
    squares = math.fsum((mean - value) ** 2 for mean in means)
    return Mean(value, math.sqrt(squares / (units - 1) / units), units, count)


def as_share(mean: Mean) -> Mean:
    """The mean of zeros and ones with no less error than such values can have.

    A rate near 0 or 1 shows less spread than it has, and one of no events none: twenty answers without a failure
    are no proof that none fails. One event more of each kind (Agresti and Caffo) keeps the error honest. Without
    any spread a unit counts once, for nothing tells how alike a unit's requests are.
    """
    if mean.units < MIN_UNITS or math.isnan(mean.se):
        return mean
    count = mean.count if mean.se > 0 else float(mean.units)
    rate = (mean.value * count + 1) / (count + 2)
    least = math.sqrt(rate * (1 - rate) / count)
    return replace(mean, se=max(mean.se, least))


@dataclass(frozen=True, slots=True)
class Difference:
    """`b - a` with its confidence interval. `sure`: the interval leaves out zero."""

    value: float
    low: float
    high: float
    sure: bool


def difference(a: Mean, b: Mean, *, alpha: float = 0.05, looks: float = 1.0) -> Difference:
    """Welch's interval over units. `looks`: share of the planned sample that is in (0…1).

    Without any spread, or with too few units, the interval is without end: nothing tells how far off the means are.

    The bound is O'Brien and Fleming's for looking all the time, z(1 - alpha/4) / sqrt(share): however often
    one looks until the planned end, a difference that is not there is reported at most `alpha` of the time.
    """
    gap = b.value - a.value
    if a.units < MIN_UNITS or b.units < MIN_UNITS or math.isnan(a.se) or math.isnan(b.se):
        return Difference(gap, -math.inf, math.inf, False)
    a, b = _no_narrower(a, b), _no_narrower(b, a)
    se = math.hypot(a.se, b.se)
    if se == 0.0:
        return Difference(gap, -math.inf, math.inf, False)
    freedom = se**4 / (a.se**4 / (a.units - 1) + b.se**4 / (b.units - 1))
    bound = t_quantile(1 - alpha / 4, freedom) / math.sqrt(min(1.0, max(looks, 0.01)))
    return Difference(gap, gap - bound * se, gap + bound * se, abs(gap) > bound * se)


def _no_narrower(mean: Mean, other: Mean) -> Mean:
    """Of the variant with fewer units, with no less spread than the other shows.

    Few units miss the rare large values (a model that had to load), and show neither them nor the spread they make:
    with a tenth of the units and lognormal times Welch's interval alone alarms in 8 to 12 % of A/A runs.
    """
    if mean.units >= other.units or mean.spread >= other.spread:
        return mean
    return replace(mean, se=other.spread / math.sqrt(mean.units))


def interval(mean: Mean, *, share: bool = False) -> tuple[float, float] | None:
    """The 95% interval of one mean; None for too few units, or without spread. `share`: of a rate in 0…1 (Wilson's).

    A rate of 0 or 1 has no spread to see; Wilson's interval with a unit counted once stays honest there.
    """
    if mean.units < MIN_UNITS or math.isnan(mean.se) or (mean.se == 0.0 and not share):
        return None
    bound = t_quantile(0.975, mean.units - 1)
    if not share:
        return mean.value - bound * mean.se, mean.value + bound * mean.se
    p = min(1.0, max(0.0, mean.value))
    count = p * (1 - p) / mean.se**2 if mean.se else float(mean.units)
    squared = bound * bound
    middle = (p + squared / (2 * count)) / (1 + squared / count)
    half = bound / (1 + squared / count) * math.sqrt(p * (1 - p) / count + squared / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def needed(a: Mean, b: Mean, effect: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Units in each variant to find `effect` with this power, from the spread seen so far; the least where none is."""
    z = _NORMAL.inv_cdf(1 - alpha / 4) + _NORMAL.inv_cdf(power)
    spread = a.spread**2 + b.spread**2
    if not math.isfinite(spread) or not effect > 0:
        return 2 * MIN_UNITS
    return max(2 * MIN_UNITS, math.ceil(z * z * spread / (effect * effect)))


def uneven(counts: Sequence[int], weights: Sequence[float]) -> float:
    """p-value of these counts under these weights (chi-square). Below 0.001 something assigns wrongly.

    1 while some variant can expect fewer than 5: the approximation then alarms too often.
    """
    pairs = [(n, w) for n, w in zip(counts, weights, strict=True) if w > 0]
    total, weight = sum(n for n, _ in pairs), sum(w for _, w in pairs)
    if len(pairs) < 2 or total * min(w for _, w in pairs) / weight < _LEAST_EXPECTED:
        return 1.0
    statistic = math.fsum((n - total * w / weight) ** 2 / (total * w / weight) for n, w in pairs)
    return chi_square_tail(statistic, len(pairs) - 1)


def chi_square_tail(x: float, freedom: int) -> float:
    """P(X > x) for whole degrees of freedom, exact."""
    if x <= 0:
        return 1.0
    half = x / 2
    if freedom % 2:
        tail, term, start = math.erfc(math.sqrt(half)), math.exp(-half) * math.sqrt(half) / math.gamma(1.5), 3
    else:
        tail, term, start = math.exp(-half), math.exp(-half) * half, 4
    for k in range(start, freedom + 1, 2):
        tail += term
        term *= half / (k / 2)
    return min(1.0, tail)


def t_quantile(p: float, freedom: float) -> float:
    """Student's t by Cornish and Fisher's expansion: within 0.5% from 5 degrees of freedom on."""
    z = _NORMAL.inv_cdf(p)
    v = max(freedom, 1.0)
    terms = (
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4),
    )
    return z + sum(terms)
