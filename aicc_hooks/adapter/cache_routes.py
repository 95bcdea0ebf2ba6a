"""What the cache holds and does, and emptying it. The gate has checked the key; no answer here holds request text."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from aicc_hooks.adapter.runtime import get_runtime
from aicc_hooks.wire import error_object

router = APIRouter(include_in_schema=False)
_MOST = 500
_HEADERS = {"cache-control": "no-store"}


@router.get("/aicc/cache")
async def get_cache() -> JSONResponse:
    """Counters, bytes and latencies of the answering process, what Redis holds for all, and the semantic tier."""
    cached = get_runtime().cached
    cache = cached.cache
    found: dict[str, Any] = {"enabled": cached.enabled}
    if cache is not None:
        found |= await cache.describe()
    found["single_flight"] = {
        "under_way": len(cached.flights),
        "followers": cached.flights.counters.followed,
    }
    found["semantic"] = {**found.get("semantic", {}), **cached.switch.state()}
    return JSONResponse(found, headers=_HEADERS)


@router.get("/aicc/cache/entries")
async def get_entries(request: Request) -> JSONResponse:
    """The newest entries: key, age, ttl, bytes, model group, endpoint. Never their text."""
    wanted = request.query_params.get("limit", "20")
    if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted[:9]) <= _MOST:
        body = error_object("own", "aicc_invalid_request", f"limit: allowed: 1 to {_MOST}", 400, "limit")
        return JSONResponse(body, 400, headers={**_HEADERS, "x-aicc-error": "aicc_invalid_request"})
    cache = get_runtime().cached.cache
    rows = await cache.inspect(int(wanted)) if cache is not None else []
    return JSONResponse({"entries": rows}, headers=_HEADERS)


@router.post("/aicc/cache/clear")
async def post_clear() -> JSONResponse:
    """Forget every answer, here and in Redis; other gateways follow within two seconds.

    Turns of /v1/responses that this process keeps for references to them go too; they are not counted.
    """
    get_runtime().items.clear()
    cache = get_runtime().cached.cache
    return JSONResponse({"cleared": await cache.clear() if cache is not None else 0}, headers=_HEADERS)
