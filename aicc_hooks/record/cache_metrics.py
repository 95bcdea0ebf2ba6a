"""The cache's numbers as Prometheus families, from the counters and pictures that every worker shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aicc_hooks.cache.metrics import BUCKETS_MS

PREFIX: Final = "cache_"
_HELD: Final = ("memory", "semantic")  # by process; Redis is the same for all
_PLAIN: Final = {
    "cache_misses": ("aicc_cache_misses", "Lookups that found nothing."),
    "cache_bypasses": ("aicc_cache_bypasses", "Requests the cache was not asked for: private, flagged, no-cache."),
    "cache_stores": ("aicc_cache_stores", "Answers kept."),
    "cache_followers": ("aicc_cache_followers", "Requests that shared the upstream call of another."),
    "cache_refused": ("aicc_cache_refused", "Answers not kept: cut, empty, with findings, too large."),
    "cache_corrupt": ("aicc_cache_corrupt", "Stored answers that were damaged and deleted."),
    "cache_embed_failures": ("aicc_cache_embed_failures", "Embeddings that failed or came too late."),
    "cache_guard_refusals": ("aicc_cache_guard_refusals", "Similar questions the guard found to be different."),
    "cache_dropped_writes": ("aicc_cache_dropped_writes", "Answers not written because Redis was behind."),
}  # fmt: skip


def families(counters: Mapping[str, int], workers: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """`counters`: shared ones by plain name (`cache_hits_memory`); `workers`: pictures of living processes."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    hits = CounterMetricFamily("aicc_cache_hits", "Answers from the cache, by tier.", labels=["tier"])
    evictions = CounterMetricFamily(
        "aicc_cache_evictions", "Answers that gave way to newer ones.", labels=["tier"]
    )
    for name, count in sorted(counters.items()):
        if name.startswith("cache_hits_"):
            hits.add_metric([name.removeprefix("cache_hits_")], count)
    evictions.add_metric(["memory"], counters.get("cache_evictions_memory", 0))
    yield hits
    for ours, (name, text) in _PLAIN.items():
        yield CounterMetricFamily(name, text, value=counters.get(ours, 0))

    held: dict[str, dict[str, float]] = {"bytes": defaultdict(float), "entries": defaultdict(float)}
    for worker in workers:
        for tier, seen in (worker.get("cache") or {}).items():
            for what, sums in held.items():
                value = float(seen.get(what) or 0)
                sums[tier] = sums[tier] + value if tier in _HELD else max(sums[tier], value)
            if tier == "redis" and worker is workers[0]:  # the newest picture
                evictions.add_metric(["redis"], float(seen.get("evictions") or 0))
    yield evictions
    for what, sums in held.items():
        family = GaugeMetricFamily(f"aicc_cache_{what}", f"What the cache holds, {what}.", labels=["tier"])
        for tier, value in sorted(sums.items()):
            family.add_metric([tier], value)
        yield family

    lookups = HistogramMetricFamily(
        "aicc_cache_lookup_seconds", "Time of a lookup, by the tier that answered.", labels=["tier"]
    )
    for name, micros in sorted(counters.items()):
        if name.startswith("cache_us_"):
            tier = name.removeprefix("cache_us_")
            lookups.add_metric([tier], _buckets(counters, tier), micros / 1e6)
    yield lookups


def _buckets(counters: Mapping[str, int], tier: str) -> list[tuple[str, float]]:
    running, out = 0.0, []
    for bound in BUCKETS_MS:
        running += counters.get(f"cache_le_{tier}_{bound}", 0)
        out.append((str(bound / 1000), running))
    return [*out, ("+Inf", running + counters.get(f"cache_le_{tier}_inf", 0))]
