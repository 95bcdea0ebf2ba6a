"""POST /aicc/feedback: what a user thought of an answer, by its x-aicc-request-id."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from aicc_hooks.adapter.runtime import Runtime, get_runtime
from aicc_hooks.errors import Refusal, SpoolError, bad_field
from aicc_hooks.record import give_feedback
from aicc_hooks.wire import error_object

router = APIRouter(include_in_schema=False)
_THUMBS = {"up": 1.0, "down": 0.0, "👍": 1.0, "👎": 0.0}
_MAX_BODY = 64 * 1024
_MAX_COMMENT = 4000
_MAX_ID = 100
Kind = Literal["thumbs", "score"]


@router.post("/aicc/feedback")
async def post_feedback(request: Request) -> JSONResponse:
    """`{"request_id", "score": number}` or `{"request_id", "thumbs": "up"|"down"}`, and an optional `comment`."""
    runtime = get_runtime()
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _MAX_BODY:
            return _error("aicc_request_too_large", f"The body is larger than {_MAX_BODY} bytes.", 413)
    try:
        record_id, score, comment, kind = _read(bytes(raw))
    except Refusal as refusal:
        return _error(*refusal.told)
    if comment:
        redactor = runtime.recorder.redactor
        # Nothing a person wrote is stored unredacted; without a redactor the words are left out.
        comment = await asyncio.to_thread(redactor.text, comment) if redactor is not None else ""
    try:
        outcome = await _store(runtime, record_id, score, comment, kind)
    except SpoolError as error:
        return _error("aicc_not_configured", str(error), 503)
    if outcome == "unknown":
        return _error(
            "aicc_invalid_request",
            "request_id: no such request in the record; send the x-aicc-request-id of an answer.",
            404,
            "request_id",
        )
    if outcome == "duplicate":
        return _error(
            "aicc_invalid_request",
            "request_id: has feedback already; the first one counts.",
            409,
            "request_id",
        )
    return JSONResponse({"status": "stored", "request_id": record_id, "score": score})


async def _store(runtime: Runtime, record_id: str, score: float, comment: str, kind: Kind) -> str:
    recorder = runtime.recorder
    store = partial(give_feedback, recorder.database, record_id, score, comment, kind=kind)
    outcome = await asyncio.to_thread(store)
    if outcome == "unknown" and recorder.spool is not None:
        # The answer may have ended a moment ago: records are committed within 250 ms.
        await asyncio.sleep(0.3)
        await recorder.spool.aflush(2.0)
        outcome = await asyncio.to_thread(store)
    return outcome


def _read(raw: bytes) -> tuple[str, float, str, Kind]:
    """Id, score, comment and how the score was given. Raises Refusal."""
    import orjson

    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(
            "aicc_invalid_request", 'The body must be a JSON object: {"request_id": "…", "score": 1}.', 400
        )
    record_id, comment = body.get("request_id") or body.get("id"), body.get("comment")
    if not isinstance(record_id, str) or not 0 < len(record_id) <= _MAX_ID:
        raise bad_field("request_id", "send the x-aicc-request-id of an answer.")
    if comment is not None and (not isinstance(comment, str) or len(comment) > _MAX_COMMENT):
        raise bad_field("comment", f"allowed: a text of up to {_MAX_COMMENT} characters.")
    score, thumbs = body.get("score"), body.get("thumbs")
    if (score is None) == (thumbs is None):
        raise Refusal("aicc_invalid_request", "score, thumbs: send exactly one of them.", 400, param="score")
    if thumbs is not None:
        if not isinstance(thumbs, str) or thumbs not in _THUMBS:
            raise bad_field("thumbs", "allowed: 'up' or 'down'.")
        return record_id, _THUMBS[thumbs], comment or "", "thumbs"
    if (
        isinstance(score, bool)
        or not isinstance(score, (int, float))
        or not math.isfinite(score)
        or abs(score) > 1000
    ):
        raise bad_field("score", "allowed: a number from -1000 to 1000; thumbs count as 0 and 1.")
    return record_id, float(score), comment or "", "score"


def _error(code: str, message: str, status: int, param: str | None = None) -> JSONResponse:
    return JSONResponse(
        error_object("own", code, message, status, param), status_code=status, headers={"x-aicc-error": code}
    )
