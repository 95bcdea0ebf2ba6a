"""One name for one upstream, however its URL is written."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

CLOUD = "cloud:"  # before the name of a provider whose address nobody wrote down
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = {"127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104 - names compared, nothing is bound


@lru_cache(maxsize=512)
def address_key(url: str) -> str:
    """`http://127.0.0.1:11434/v1` -> `localhost:11434`. Empty and `cloud:anthropic` stay; credentials are dropped."""
    if not url or (url.startswith(CLOUD) and not url[len(CLOUD) :].isdigit()):
        return url
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = (parts.hostname or "").lower()
    try:
        port = parts.port
    except ValueError:
        port = None
    if host in _LOOPBACK:
        host = "localhost"
    return f"{host}:{port or _DEFAULT_PORTS.get(parts.scheme.lower(), 0)}"
