"""The status page's shell, its static files, and the login: open without the key, because they hold nothing."""

from __future__ import annotations

import hmac
import time
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from aicc_hooks.adapter.page_answers import HEADERS, failed, read
from aicc_hooks.adapter.runtime import get_runtime
from aicc_hooks.web import data, session

router = APIRouter(include_in_schema=False)

_STATIC: Final = Path(data.__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}
_TRIES: Final = 10  # wrong keys a minute

_wrong: list[float] = []


@router.get("/aicc")
async def get_page(request: Request) -> Response:
    """The shell, whose script asks for the data; the login when this browser has no session."""
    headers = {k.lower(): v for k, v in request.headers.raw}
    # A link on another site brings no SameSite=Strict cookie, so there the shell's own requests must find out.
    linked = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    if not linked and not session.admits(headers, "GET", get_runtime().master_key(), now=time.time()):
        return RedirectResponse("/aicc/login", 303, headers=HEADERS)
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
    answer = RedirectResponse("/aicc", 303, headers=HEADERS)
    secure = request.url.scheme == "https"
    answer.headers["set-cookie"] = session.set_cookie(session.issue(key, now=time.time()), secure=secure)
    return answer


@router.post("/aicc/logout")
async def post_logout(request: Request) -> Response:
    """End the session in this browser."""
    headers = {k.lower(): v for k, v in request.headers.raw}
    answer = RedirectResponse("/aicc/login", 303, headers=HEADERS)
    if session.same_origin(headers, "POST"):
        answer.headers["set-cookie"] = session.set_cookie("", max_age=0)
    return answer


def _file(name: str) -> Response:
    path = _STATIC / name
    kind = _TYPES.get(path.suffix)
    if kind is None or path.parent != _STATIC or not path.is_file():
        return failed(404, "aicc_route_not_allowed", "There is no such file.")
    return FileResponse(path, media_type=kind, headers={**HEADERS, "cache-control": "no-cache"})


def _refused(why: str) -> Response:
    return RedirectResponse(f"/aicc/login?problem={why}", 303, headers=HEADERS)


async def _form(request: Request) -> dict[str, list[str]]:
    try:
        return parse_qs((await read(request)).decode("utf-8"), max_num_fields=5)
    except ValueError:
        return {}
