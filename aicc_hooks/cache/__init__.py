"""Exact and semantic response cache on a plain Redis. Start with `ResponseCache` (tiers.py).

`ResponseCache` is imported on first use: the policy needs this package's config, and `aicc scan` no Redis client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicc_hooks._lazy import lazy
from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.control import CacheControl
from aicc_hooks.cache.request import CacheHit, CacheRequest
from aicc_hooks.cache.singleflight import SingleFlight

if TYPE_CHECKING:
    from aicc_hooks.cache.tiers import ResponseCache

__all__ = ["CacheConfig", "CacheControl", "CacheHit", "CacheRequest", "ResponseCache", "SingleFlight"]


__getattr__ = lazy(__name__, {"ResponseCache": "tiers"})
