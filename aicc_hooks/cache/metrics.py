"""Counters and latencies of the cache, cheap enough for every request."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

BUCKETS_MS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(slots=True)
class Latency:
    """A histogram of milliseconds; `counts` has one more place, for what is above the last bucket."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_MS) + 1))
    total_ms: float = 0.0
    count: int = 0

    def add(self, ms: float) -> None:
        """Note one measurement."""
        for place, bound in enumerate(BUCKETS_MS):
            if ms <= bound:
                self.counts[place] += 1
                break
        else:
            self.counts[-1] += 1
        self.total_ms += ms
        self.count += 1


@dataclass(slots=True)
class CacheMetrics:
    """Everything is a count since the start of this process."""

    hits: Counter[str] = field(default_factory=Counter)  # by tier: memory, redis, semantic
    misses: int = 0
    bypasses: Counter[str] = field(default_factory=Counter)  # by reason
    stores: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # answers not kept, by reason
    corrupt: int = 0
    foreign: int = 0  # entries of another version, left alone
    guard: Counter[str] = field(default_factory=Counter)  # what the guard said of candidates, by reason
    embed_failures: int = 0
    dropped_writes: int = 0
    latency: dict[str, Latency] = field(default_factory=dict)  # by tier of the answer, and "miss"

    def timed(self, tier: str, ms: float) -> None:
        """Note how long a lookup took."""
        self.latency.setdefault(tier, Latency()).add(ms)

    def counters(self) -> dict[str, int]:
        """Flat names for shared counters: `cache_hits_memory`, `cache_us_miss` (microseconds), `cache_le_miss_0.5` (lookups that fell into the bucket up to 0.5 ms) …"""
        found = {f"cache_hits_{tier}": count for tier, count in self.hits.items()}
        found |= {
            "cache_misses": self.misses,
            "cache_bypasses": sum(self.bypasses.values()),
            "cache_stores": self.stores,
            "cache_refused": sum(self.refused.values()),
            "cache_corrupt": self.corrupt,
            "cache_foreign": self.foreign,
            "cache_embed_failures": self.embed_failures,
            "cache_dropped_writes": self.dropped_writes,
            "cache_guard_refusals": sum(n for said, n in self.guard.items() if said != "pass"),
        }
        for tier, latency in self.latency.items():
            found[f"cache_us_{tier}"] = round(latency.total_ms * 1000)
            for bound, count in zip([*map(str, BUCKETS_MS), "inf"], latency.counts, strict=True):
                if count:
                    found[f"cache_le_{tier}_{bound}"] = count
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        asked = sum(self.hits.values()) + self.misses
        return {
            "hits": dict(self.hits),
            "misses": self.misses,
            "hit_rate": round(sum(self.hits.values()) / asked, 4) if asked else None,
            "bypasses": dict(self.bypasses),
            "stores": self.stores,
            "refused": dict(self.refused),
            "corrupt": self.corrupt,
            "foreign": self.foreign,
            "guard": dict(self.guard),
            "embed_failures": self.embed_failures,
            "dropped_writes": self.dropped_writes,
            "latency_ms": {
                name: {
                    "count": h.count,
                    "mean": round(h.total_ms / h.count, 3),
                    "buckets": dict(zip([*map(str, BUCKETS_MS), "inf"], h.counts, strict=True)),
                }
                for name, h in self.latency.items()
                if h.count
            },
        }
