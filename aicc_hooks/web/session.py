"""The status page's session: a signed cookie in place of the key, and where requests that carry it may come from."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

COOKIE: Final = "aicc_session"
LIFETIME_S: Final = 30 * 86_400
_VERSION: Final = "1"
_PURPOSE: Final = b"aicc status page session v1"


def issue(master_key: str, *, now: float, lifetime_s: float = LIFETIME_S) -> str:
    """A cookie value. It is no key, tells nothing of the key, and ends with it: a new key makes it void."""
    claim = f"{_VERSION}.{int(now + lifetime_s)}.{secrets.token_urlsafe(12)}"
    return f"{claim}.{_sign(master_key, claim)}"


def valid(value: str, master_key: str, *, now: float) -> bool:
    """Whether the value was issued under this key and has not expired."""
    if not master_key or len(value) > 200 or not value.isascii():
        return False
    claim, _, signature = value.rpartition(".")
    if not hmac.compare_digest(signature, _sign(master_key, claim)):
        return False
    version, expires, _ = claim.split(".", 2)  # we signed it, so it has this form
    return version == _VERSION and now < int(expires)


def set_cookie(value: str, *, secure: bool = False, max_age: int = LIFETIME_S) -> str:
    """The Set-Cookie header; an empty value with max_age 0 ends the session.

    Cookies ignore ports, so Path keeps it from other services on this machine.
    """
    return f"{COOKIE}={value}; Path=/aicc; Max-Age={max_age}; HttpOnly; SameSite=Strict" + (
        "; Secure" if secure else ""
    )


def from_headers(headers: Mapping[bytes, bytes]) -> str:
    """The cookie's value, "" without one."""
    for part in headers.get(b"cookie", b"")[:8_192].decode("latin-1").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def same_origin(headers: Mapping[bytes, bytes], method: str) -> bool:
    """Whether a browser sent this from our own page.

    SameSite=Strict is not enough: another port of localhost is the same site, and LiteLLM's CORS answers
    any origin with credentials. A request that says nothing of its origin may only read.
    """
    reads = method in ("GET", "HEAD")
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site == b"same-origin" or (site == b"none" and reads)
    origin = headers.get(b"origin")
    if origin is None:
        return reads
    try:
        return urlsplit(origin.decode("latin-1")).netloc.encode("latin-1") == headers.get(b"host")
    except ValueError:
        return False


def admits(headers: Mapping[bytes, bytes], method: str, master_key: str, *, now: float) -> bool:
    """Whether a session stands in for the key on this request."""
    return same_origin(headers, method) and valid(from_headers(headers), master_key, now=now)


def _sign(master_key: str, claim: str) -> str:
    key = hmac.new(master_key.encode(), _PURPOSE, hashlib.sha256).digest()
    return hmac.new(key, claim.encode(), hashlib.sha256).hexdigest()
