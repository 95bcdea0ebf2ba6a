"""Server-sent events of the status page. The gate has checked key or session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from aicc_hooks.adapter.observe import Observer
from aicc_hooks.adapter.page_answers import HEADERS, failed, state
from aicc_hooks.adapter.runtime import get_runtime
from aicc_hooks.errors import SpoolError
from aicc_hooks.resilience.stopping import stopping

router = APIRouter(include_in_schema=False)

_STREAMS: Final = 20  # open pages of one process
_STREAM_S: Final = 900.0  # a page then connects again, and its session is checked anew

_streams = 0


@router.get("/aicc/events")
async def get_events() -> Response:
    """Server-sent events: `requests` (new ones, without texts) and `state`."""
    if _streams >= _STREAMS:
        return failed(429, "aicc_overloaded", f"{_STREAMS} pages are open already; close one.")
    headers = {**HEADERS, "x-accel-buffering": "no"}
    return StreamingResponse(_events(get_runtime().observer), media_type="text/event-stream", headers=headers)


async def _events(observer: Observer) -> AsyncIterator[bytes]:
    global _streams
    _streams += 1
    try:
        seq: int | None = None
        next_state = 0.0
        ends = time.monotonic() + _STREAM_S
        yield b"retry: 2000\n\n"
        while time.monotonic() < ends and not stopping():
            try:
                latest = await asyncio.to_thread(observer.reader.latest)
                if seq is None or latest < seq:  # first look, or a new database
                    seq = latest
                elif latest > seq:
                    new = await asyncio.to_thread(observer.reader.since, seq, 200)
                    seq = int(new[-1]["seq"]) if new else latest
                    if new:
                        yield _event("requests", new)
                if time.monotonic() >= next_state:
                    next_state = time.monotonic() + 5
                    yield _event("state", await asyncio.to_thread(state, observer))
            except SpoolError as error:
                yield _event("problem", {"message": str(error)})
                await asyncio.sleep(2)
            await asyncio.sleep(1)
    finally:
        _streams -= 1


def _event(name: str, value: Any) -> bytes:
    # JSON has no raw line breaks, so no value can forge a second event.
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(value, default=str) + b"\n\n"
