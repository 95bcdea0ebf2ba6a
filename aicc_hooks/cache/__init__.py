"""Exact and semantic response cache on a plain Redis. Start with `ResponseCache` (tiers.py)."""

from __future__ import annotations

from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.control import CacheControl
from aicc_hooks.cache.request import CacheHit, CacheRequest
from aicc_hooks.cache.singleflight import SingleFlight
from aicc_hooks.cache.tiers import ResponseCache

__all__ = ["CacheConfig", "CacheControl", "CacheHit", "CacheRequest", "ResponseCache", "SingleFlight"]
