"""What a client asks of the cache: `Cache-Control` and LiteLLM's `cache: {…}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_TTL: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class CacheControl:
    """`max_age` and `ttl` in seconds. `explicit`: the client asked for caching (lifts the temperature limit)."""

    no_cache: bool = False  # do not answer from the cache, but keep the fresh answer
    no_store: bool = False  # do not keep the answer
    max_age: float | None = None  # do not answer with anything older
    ttl: float | None = None
    explicit: bool = False

    @classmethod
    def parse(cls, header: str | None = None, body: object = None) -> CacheControl:
        """Both sources together; the stricter wins. Malformed parts are ignored, as HTTP wants it."""
        no_cache = no_store = explicit = False
        ages: list[float] = []
        ttl: float | None = None
        for part in (header or "").split(","):
            name, _, value = part.strip().lower().partition("=")
            name, value = name.strip(), value.strip().strip('"')
            no_cache |= name == "no-cache"
            no_store |= name == "no-store"
            if name == "max-age" and (seconds := _seconds(value)) is not None:
                ages.append(seconds)
        if isinstance(body, Mapping):
            fields: dict[str, Any] = {str(k).lower().replace("_", "-"): v for k, v in body.items()}
            no_cache |= fields.get("no-cache") is True
            no_store |= fields.get("no-store") is True
            explicit = fields.get("use-cache") is True
            if (seconds := _seconds(fields.get("s-maxage", fields.get("s-max-age")))) is not None:
                ages.append(seconds)
            ttl = _seconds(fields.get("ttl"))
            explicit |= ttl is not None and ttl > 0
        return cls(no_cache, no_store, min(ages) if ages else None, ttl, explicit)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return min(seconds, MAX_TTL) if seconds >= 0 else None  # False for NaN as well
