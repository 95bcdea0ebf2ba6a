"""The status page, its data and events, metrics and status. The gate has checked key or session, except where said."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from aicc_hooks.adapter.observe import Observer
from aicc_hooks.adapter.runtime import get_runtime
from aicc_hooks.errors import SpoolError
from aicc_hooks.experiments.overview import overview
from aicc_hooks.record.alerts import store
from aicc_hooks.record.metrics import CONTENT_TYPE, MetricsUnavailable, exposition
from aicc_hooks.record.reader import Filters
from aicc_hooks.record.scorecard import scorecard
from aicc_hooks.resilience.stopping import stopping
from aicc_hooks.web import data, session, story
from aicc_hooks.wire import error_object

router = APIRouter(include_in_schema=False)

_STATIC: Final = Path(data.__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # `no-referrer` would make forms send `Origin: null`
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}  # fmt: skip
_FORM_LIMIT: Final = 4_096
_STREAMS: Final = 20  # open pages of one process
_STREAM_S: Final = 900.0  # a page then connects again, and its session is checked anew
_TRIES: Final = 10  # wrong keys a minute
_MEMO_S: Final = 1.5
_REST: Final = (
    20  # times its own cost: sums over a long record take seconds, and requests must be served meanwhile
)

_memo: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
_wrong: list[float] = []
_streams = 0


# --- pages, open without the key: they hold nothing ------------------------------------------


@router.get("/aicc")
async def get_page(request: Request) -> Response:
    """The shell, whose script asks for the data; the login when this browser has no session."""
    headers = {k.lower(): v for k, v in request.headers.raw}
    # A link on another site brings no SameSite=Strict cookie, so there the shell's own requests must find out.
    linked = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    if not linked and not session.admits(headers, "GET", get_runtime().master_key(), now=time.time()):
        return RedirectResponse("/aicc/login", 303, headers=_HEADERS)
    return _file("index.html")


@router.get("/aicc/login")
async def get_login() -> Response:
    """The form for the key."""
    return _file("login.html")


@router.get("/aicc/static/{name}")
async def get_static(name: str) -> Response:
    """Our own files, by exact name."""
    return _file(name)


@router.post("/aicc/login")
async def post_login(request: Request) -> Response:
    """The key once, a session cookie for it."""
    headers = {k.lower(): v for k, v in request.headers.raw}
    key = get_runtime().master_key()
    if not key:
        return _refused("unset")
    if not session.same_origin(headers, "POST"):
        return _refused("origin")
    now = time.monotonic()
    _wrong[:] = [at for at in _wrong if now - at < 60]
    if len(_wrong) >= _TRIES:
        return _refused("slow")
    sent = (await _form(request)).get("key", [""])[0].strip()
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), key.encode()):
        _wrong.append(now)
        return _refused("wrong")
    answer = RedirectResponse("/aicc", 303, headers=_HEADERS)
    secure = request.url.scheme == "https"
    answer.headers["set-cookie"] = session.set_cookie(session.issue(key, now=time.time()), secure=secure)
    return answer


@router.post("/aicc/logout")
async def post_logout(request: Request) -> Response:
    """End the session in this browser."""
    headers = {k.lower(): v for k, v in request.headers.raw}
    answer = RedirectResponse("/aicc/login", 303, headers=_HEADERS)
    if session.same_origin(headers, "POST"):
        answer.headers["set-cookie"] = session.set_cookie("", max_age=0)
    return answer


# --- data ------------------------------------------------------------------------------------


@router.get("/aicc/status")
async def get_status() -> Response:
    """What the page shows of the last hour, as one JSON object."""
    return await _json("status", lambda o: {**data.overview(o.reader, "1h"), **_state(o)})


@router.get("/aicc/api/overview")
async def get_overview(request: Request) -> Response:
    """Sums and charts of `range` (15m, 1h, 6h, 24h, 7d, 30d)."""
    span = request.query_params.get("range", "1h")
    if span not in data.RANGES:
        return _error(400, "aicc_invalid_request", f"range: allowed: {', '.join(data.RANGES)}", "range")
    return await _json(f"overview {span}", lambda o: data.overview(o.reader, span))


@router.get("/aicc/api/state")
async def get_state() -> Response:
    """Health, breakers, alerts, delivery: what is true now."""
    return await _json("state", _state)


@router.get("/aicc/api/scorecard")
async def get_scorecard() -> Response:
    """The success metrics over the last 7 days, without the injection recall (`aicc report` measures that)."""
    return await _json(
        "scorecard", lambda o: [s.to_dict() for s in scorecard(o.reader, since=time.time() - 604_800)]
    )


@router.get("/aicc/api/experiments")
async def get_experiments() -> Response:
    """Each experiment's report over the whole record, with the values of its charts."""
    held = get_runtime().experiments
    return await _json(
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
        return _error(400, "aicc_invalid_request", "limit, before, since and until must be plain numbers.")
    return await _json(None, lambda o: {"requests": o.reader.recent(limit, filters=filters, before=before)})


@router.get("/aicc/api/requests/{record_id}")
async def get_request(record_id: str) -> Response:
    """One record with its steps, timing and redacted texts."""

    def find(observer: Observer) -> dict[str, Any] | None:
        record = observer.reader.get(record_id[:200])
        return None if record is None else story.detail(record, observer.reader.feedback(record.id))

    return await _json(None, find)


@router.post("/aicc/api/silence")
async def post_silence(request: Request) -> Response:
    """{"what": rule or rule:subject, "minutes": 1 to 10080, or 0 to end the silence}."""
    try:
        body = orjson.loads(await _read(request))
        what, minutes = str(body["what"])[:200], float(body["minutes"])
        if not 0 <= minutes <= 10_080:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        return _error(400, "aicc_invalid_request", 'Send {"what": …, "minutes": 0 to 10080} as JSON.')

    def work(observer: Observer) -> dict[str, Any]:
        if minutes:
            store.silence(observer.writer, what, time.time() + minutes * 60, "from the status page")
        else:
            store.unsilence(observer.writer, what)
        return data.alerts(observer.reader)

    _memo.clear()
    return await _json(None, work)


@router.get("/aicc/metrics")
async def get_metrics() -> Response:
    """Prometheus text."""
    observer = get_runtime().observer
    try:
        text = await asyncio.to_thread(exposition, observer.reader, observer.writer)
    except MetricsUnavailable as error:
        return _error(501, "aicc_not_configured", str(error))
    except SpoolError as error:
        return _error(503, "aicc_not_configured", str(error))
    return Response(text, media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


# --- events ----------------------------------------------------------------------------------


@router.get("/aicc/events")
async def get_events() -> Response:
    """Server-sent events: `requests` (new ones, without texts) and `state`."""
    if _streams >= _STREAMS:
        return _error(429, "aicc_overloaded", f"{_STREAMS} pages are open already; close one.")
    headers = {**_HEADERS, "x-accel-buffering": "no"}
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
                    yield _event("state", await asyncio.to_thread(_state, observer))
            except SpoolError as error:
                yield _event("problem", {"message": str(error)})
                await asyncio.sleep(2)
            await asyncio.sleep(1)
    finally:
        _streams -= 1


def _event(name: str, value: Any) -> bytes:
    # JSON has no raw line breaks, so no value can forge a second event.
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(value, default=str) + b"\n\n"


# --- helpers ---------------------------------------------------------------------------------


def _state(observer: Observer) -> dict[str, Any]:
    picture = observer.picture()
    picture.pop("counters", None)
    return {
        "gateway": picture,
        "alerts": data.alerts(observer.reader),
        "delivery": data.delivery(observer.reader),
        "time": time.time(),
    }


async def _json(memo: str | None, work: Callable[[Observer], Any]) -> Response:
    """`work` in a thread as JSON. Several open pages share a fresh answer under `memo`; a costly one lasts longer."""
    now = time.monotonic()
    if memo is not None and (kept := _memo.get(memo)) is not None and now < kept[0]:
        return Response(kept[1], media_type="application/json", headers=_HEADERS)
    try:
        value = await asyncio.to_thread(work, get_runtime().observer)
    except SpoolError as error:
        return _error(503, "aicc_not_configured", str(error))
    if value is None:
        return _error(
            404, "aicc_invalid_request", "There is no such request; it may have left the record by now."
        )
    body = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    if memo is not None:
        done = time.monotonic()
        _memo[memo] = (done + max(_MEMO_S, _REST * (done - now)), body)
    return Response(body, media_type="application/json", headers=_HEADERS)


def _error(status: int, code: str, message: str, param: str | None = None) -> Response:
    body = orjson.dumps(error_object("own", code, message, status, param))
    return Response(body, status, media_type="application/json", headers={**_HEADERS, "x-aicc-error": code})


def _file(name: str) -> Response:
    path = _STATIC / name
    kind = _TYPES.get(path.suffix)
    if kind is None or path.parent != _STATIC or not path.is_file():
        return _error(404, "aicc_route_not_allowed", "There is no such file.")
    return FileResponse(path, media_type=kind, headers={**_HEADERS, "cache-control": "no-cache"})


def _refused(why: str) -> Response:
    return RedirectResponse(f"/aicc/login?problem={why}", 303, headers=_HEADERS)


async def _read(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT:
            raise ValueError
    return body


async def _form(request: Request) -> dict[str, list[str]]:
    try:
        return parse_qs((await _read(request)).decode("utf-8"), max_num_fields=5)
    except ValueError:
        return {}


def _filters(query: Any) -> Filters:
    names = ("route", "reason", "client", "variant", "tier", "cache", "session", "privacy")
    errors = {"1": True, "0": False}.get(query.get("errors", ""))
    numbers = {name: float(query[name]) for name in ("since", "until", "injection_min") if query.get(name)}
    if any(value != value or abs(value) > 1e12 for value in numbers.values()):
        raise ValueError("not a time")
    texts = {name: query.get(name, "")[:200] for name in names}
    return Filters(**texts, errors=errors, **numbers)  # type: ignore[arg-type]
