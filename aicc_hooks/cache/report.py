"""What the cache says of itself: figures and entries, never their text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aicc_hooks.cache.envelope import CorruptEntry, Entry, ForeignVersion, unpack
from aicc_hooks.cache.remote import RemoteStats

if TYPE_CHECKING:
    from aicc_hooks.cache.tiers import ResponseCache


def stats(cache: ResponseCache) -> dict[str, Any]:
    """Counters of this process, and what it holds."""
    memory = {
        "entries": len(cache.memory),
        "bytes": cache.memory.bytes,
        "max_bytes": cache.memory.max_bytes,
        "evictions": cache.memory.evictions,
    }
    return {
        **cache.metrics.as_dict(),
        "memory": memory,
        "semantic": cache.semantic.stats() if cache.semantic is not None else {"status": "off"},
        "redis": cache.remote.link.health(),
    }


def held(shared: RemoteStats | None) -> dict[str, int] | None:
    """What Redis holds, as plain types; None: nobody knows."""
    if shared is None:
        return None
    return {"entries": shared.entries, "bytes": shared.bytes, "evictions": shared.evictions}


def row(key: str, entry: Entry, age: float) -> dict[str, Any]:
    """One entry of `aicc cache inspect`."""
    size = len(entry.value)
    return {"key": key, "age": round(age, 1), "ttl": entry.ttl, "bytes": size, "meta": dict(entry.meta)}


def stored(key: str, raw: bytes, secret: bytes, now: float) -> dict[str, Any]:
    """One entry as Redis holds it, or what is wrong with it."""
    size = {"stored_bytes": len(raw)}
    try:
        entry = unpack(raw, key=key, secret=secret)
    except ForeignVersion:
        return {"key": key, **size, "problem": "written by another version"}
    except CorruptEntry:
        return {"key": key, **size, "problem": "corrupt"}
    return {**row(key, entry, now - entry.created), **size}
