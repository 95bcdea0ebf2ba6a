"""Cross-origin access for web apps on this machine: off unless policy `gate.cors_origins` lists the app's origin."""

from __future__ import annotations

from collections.abc import Collection

_EXPOSED = (
    "x-aicc-request-id, x-aicc-route, x-aicc-reason, x-aicc-privacy, x-aicc-injection, x-aicc-complexity, x-aicc-cache, "
    "x-aicc-cache-similarity, x-aicc-variant, x-aicc-stripped, x-aicc-cold-start, x-aicc-cut, x-aicc-mode, x-aicc-error, age, retry-after"
)
_METHODS = "GET, POST, OPTIONS"
Headers = list[tuple[str, str]]


def allowed_origin(sent: str, origins: Collection[str]) -> str:
    """The origin to echo, or "" when it is not on the list. Exact match: no wildcard, no suffix rule."""
    return sent if sent and sent in origins else ""


def preflight_headers(origin: str, *, requested: str, private_network: bool) -> Headers:
    """Headers of the 204 that answers an allowed preflight. `requested`: access-control-request-headers."""
    names = [name.strip().lower() for name in requested.split(",")]
    # The names are echoed because clients send many of their own (x-stainless-*); cookies are never allowed.
    safe = [name for name in names if name and all(c.isalnum() or c in "-_" for c in name) and name.isascii()]
    pairs = [
        ("access-control-allow-origin", origin),
        ("access-control-allow-methods", _METHODS),
        ("access-control-allow-headers", ", ".join(safe[:64]) or "authorization, content-type"),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ]
    if private_network:
        pairs.append(("access-control-allow-private-network", "true"))
    return pairs


def answer_headers(origin: str) -> Headers:
    """Headers of every other answer to an allowed origin."""
    return [
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", _EXPOSED),
        ("vary", "Origin"),
    ]
