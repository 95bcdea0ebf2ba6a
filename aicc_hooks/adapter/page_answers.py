"""What the status page's routes answer with: JSON made in a thread, errors, and the headers of both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from aicc_hooks.adapter.observe import Observer
from aicc_hooks.adapter.runtime import get_runtime
from aicc_hooks.errors import SpoolError
from aicc_hooks.web import data
from aicc_hooks.wire import error_object

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # `no-referrer` would make forms send `Origin: null`
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}  # fmt: skip
_BODY_LIMIT: Final = 4_096
_MEMO_S: Final = 1.5
# Times its own cost: sums over a long record take seconds, and requests must be served meanwhile.
_REST: Final = 20

_memo: dict[str, tuple[float, bytes]] = {}


async def as_json(memo: str | None, work: Callable[[Observer], Any]) -> Response:
    """`work` in a thread as JSON. Several open pages share a fresh answer under `memo`; a costly one lasts longer."""
    now = time.monotonic()
    if memo is not None and (kept := _memo.get(memo)) is not None and now < kept[0]:
        return Response(kept[1], media_type="application/json", headers=HEADERS)
    try:
        value = await asyncio.to_thread(work, get_runtime().observer)
    except SpoolError as error:
        return failed(503, "aicc_not_configured", str(error))
    if value is None:
        return failed(
            404, "aicc_invalid_request", "There is no such request; it may have left the record by now."
        )
    body = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    if memo is not None:
        done = time.monotonic()
        _memo[memo] = (done + max(_MEMO_S, _REST * (done - now)), body)
    return Response(body, media_type="application/json", headers=HEADERS)


def forget() -> None:
    """Something changed: no answer in the memo is shown again."""
    _memo.clear()


def failed(status: int, code: str, message: str, param: str | None = None) -> Response:
    """An error in the shape of our own routes."""
    body = orjson.dumps(error_object("own", code, message, status, param))
    return Response(body, status, media_type="application/json", headers={**HEADERS, "x-aicc-error": code})


def state(observer: Observer) -> dict[str, Any]:
    """Health, breakers, alerts, delivery: what is true now."""
    picture = observer.picture()
    picture.pop("counters", None)
    return {
        "gateway": picture,
        "alerts": data.alerts(observer.reader),
        "delivery": data.delivery(observer.reader),
        "time": time.time(),
    }


async def read(request: Request) -> bytes:
    """A small body. Raises ValueError for a larger one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_LIMIT:
            raise ValueError
    return body
