"""The status page's data and metrics. The gate has checked key or session."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from aicc_hooks.adapter.observe import Observer
from aicc_hooks.adapter.page_answers import as_json, failed, forget, read, state
from aicc_hooks.adapter.runtime import get_runtime
from aicc_hooks.errors import SpoolError
from aicc_hooks.experiments.overview import overview
from aicc_hooks.record.alerts import store
from aicc_hooks.record.metrics import CONTENT_TYPE, MetricsUnavailable, exposition
from aicc_hooks.record.reader import Filters
from aicc_hooks.record.scorecard import scorecard
from aicc_hooks.web import data, story

router = APIRouter(include_in_schema=False)


@router.get("/aicc/status")
async def get_status() -> Response:
    """What the page shows of the last hour, as one JSON object."""
    return await as_json("status", lambda o: {**data.overview(o.reader, "1h"), **state(o)})


@router.get("/aicc/api/overview")
async def get_overview(request: Request) -> Response:
    """Sums and charts of `range` (15m, 1h, 6h, 24h, 7d, 30d)."""
    span = request.query_params.get("range", "1h")
    if span not in data.RANGES:
        return failed(400, "aicc_invalid_request", f"range: allowed: {', '.join(data.RANGES)}", "range")
    return await as_json(f"overview {span}", lambda o: data.overview(o.reader, span))


@router.get("/aicc/api/state")
async def getstate() -> Response:
    """Health, breakers, alerts, delivery: what is true now."""
    return await as_json("state", state)


@router.get("/aicc/api/scorecard")
async def get_scorecard() -> Response:
    """The success metrics over the last 7 days, without the injection recall (`aicc report` measures that)."""
    return await as_json(
        "scorecard", lambda o: [s.to_dict() for s in scorecard(o.reader, since=time.time() - 604_800)]
    )


@router.get("/aicc/api/experiments")
async def get_experiments() -> Response:
    """Each experiment's report over the whole record, with the values of its charts."""
    held = get_runtime().experiments
    return await as_json(
        "experiments", lambda o: overview(o.reader, held.current, problem=held.error).as_dict()
    )


@router.get("/aicc/api/requests")
async def get_requests(request: Request) -> Response:
    """Newest first, without texts. Filters as query parameters; `before` pages on."""
    query = request.query_params
    try:
        filters = _filters(query)
        limit = max(1, min(500, int(query.get("limit") or 50)))
        before = int(query["before"]) if query.get("before") else None
        if before is not None and not 0 <= before < 2**62:
            raise ValueError("before")
    except ValueError:
        return failed(400, "aicc_invalid_request", "limit, before, since and until must be plain numbers.")
    return await as_json(None, lambda o: {"requests": o.reader.recent(limit, filters=filters, before=before)})


@router.get("/aicc/api/requests/{record_id}")
async def get_request(record_id: str) -> Response:
    """One record with its steps, timing and redacted texts."""

    def find(observer: Observer) -> dict[str, Any] | None:
        record = observer.reader.get(record_id[:200])
        return None if record is None else story.detail(record, observer.reader.feedback(record.id))

    return await as_json(None, find)


@router.post("/aicc/api/silence")
async def post_silence(request: Request) -> Response:
    """{"what": rule or rule:subject, "minutes": 1 to 10080, or 0 to end the silence}."""
    try:
        body = orjson.loads(await read(request))
        what, minutes = str(body["what"])[:200], float(body["minutes"])
        if not 0 <= minutes <= 10_080:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        return failed(400, "aicc_invalid_request", 'Send {"what": …, "minutes": 0 to 10080} as JSON.')

    def work(observer: Observer) -> dict[str, Any]:
        if minutes:
            store.silence(observer.writer, what, time.time() + minutes * 60, "from the status page")
        else:
            store.unsilence(observer.writer, what)
        return data.alerts(observer.reader)

    forget()
    return await as_json(None, work)


@router.get("/aicc/metrics")
async def get_metrics() -> Response:
    """Prometheus text."""
    observer = get_runtime().observer
    try:
        text = await asyncio.to_thread(exposition, observer.reader, observer.writer)
    except MetricsUnavailable as error:
        return failed(501, "aicc_not_configured", str(error))
    except SpoolError as error:
        return failed(503, "aicc_not_configured", str(error))
    return Response(text, media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


def _filters(query: Any) -> Filters:
    names = ("route", "reason", "client", "variant", "tier", "cache", "session", "privacy")
    errors = {"1": True, "0": False}.get(query.get("errors", ""))
    numbers = {name: float(query[name]) for name in ("since", "until", "injection_min") if query.get(name)}
    if any(value != value or abs(value) > 1e12 for value in numbers.values()):
        raise ValueError("not a time")
    texts = {name: query.get(name, "")[:200] for name in names}
    return Filters(**texts, errors=errors, **numbers)  # type: ignore[arg-type]
