"""The Redis exact tier: plain strings with a TTL, and a size index that keeps them within a bound."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final, cast

from aicc_hooks.redis_link import RedisLink
from aicc_hooks.redis_link import key as redis_key

# The version is in the name: two gateway versions side by side keep their own entries instead of fighting.
_SPACE: Final = ("cache", "v1")
_INDEX: Final = redis_key(*_SPACE, "index")
_SIZES: Final = redis_key(*_SPACE, "sizes")
_BYTES: Final = redis_key(*_SPACE, "bytes")
_EVICTED: Final = redis_key(*_SPACE, "evicted")
GENERATION: Final = redis_key("cache", "generation")
_PREFIX: Final = redis_key(*_SPACE, "e", "")
_OVERHEAD: Final = 300  # key, dict and index entries of Redis for one answer, measured with MEMORY USAGE

# One script, one round trip. At most 16 gone and 32 oldest entries leave the index per write, so a write stays
# short; Redis' own clock orders them, so gateways with wrong clocks cannot empty each other's cache.
_PUT: Final = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local function drop(name)
  local size = redis.call('HGET', KEYS[3], name)
  if size then
    redis.call('HDEL', KEYS[3], name)
    redis.call('DECRBY', KEYS[4], size)
  end
  redis.call('ZREM', KEYS[2], name)
end
drop(KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], ms, KEYS[1])
redis.call('HSET', KEYS[3], KEYS[1], ARGV[3])
redis.call('INCRBY', KEYS[4], ARGV[3])
for _, name in ipairs(redis.call('ZRANGE', KEYS[2], 0, 15)) do
  if redis.call('EXISTS', name) == 0 then drop(name) end
end
local gone = 0
while gone < 32 and tonumber(redis.call('GET', KEYS[4]) or '0') > tonumber(ARGV[4]) do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then redis.call('SET', KEYS[4], '0'); break end
  redis.call('DEL', oldest)
  drop(oldest)
  gone = gone + 1
end
if gone > 0 then redis.call('INCRBY', KEYS[5], gone) end
return gone
"""
_DROP: Final = """
local size = redis.call('HGET', KEYS[3], KEYS[1])
if size then
  redis.call('HDEL', KEYS[3], KEYS[1])
  redis.call('DECRBY', KEYS[4], size)
end
redis.call('ZREM', KEYS[2], KEYS[1])
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class RemoteStats:
    """What Redis holds for the exact tier, all gateways together."""

    entries: int
    bytes: int
    evictions: int


class RemoteTier:
    """Packed entries by exact key. Every method returns its "nothing" when Redis is not usable."""

    def __init__(self, link: RedisLink, max_bytes: int) -> None:
        self.link = link
        self.max_bytes = max_bytes

    async def get(self, key: str) -> bytes | None:
        """The packed entry."""
        return cast("bytes | None", await self.link.run(lambda r: r.get(_PREFIX + key), None))

    async def put(self, key: str, packed: bytes, ttl_s: float) -> bool:
        """True when Redis has it."""
        size = len(packed) + _OVERHEAD
        if size > self.max_bytes:
            return False
        names = (_PREFIX + key, _INDEX, _SIZES, _BYTES, _EVICTED)
        args = (packed, max(1, int(ttl_s * 1000)), size, self.max_bytes)
        return await self.link.run(lambda r: _script(r, _PUT, names, args), None, write=True) is not None

    async def delete(self, key: str) -> bool:
        """True when it was there."""
        names = (_PREFIX + key, _INDEX, _SIZES, _BYTES)
        return bool(await self.link.run(lambda r: _script(r, _DROP, names, ()), 0, write=True))

    async def clear(self) -> tuple[int, int | None]:
        """Delete every entry in bounded steps, then tell the other gateways: how many went, and the new generation.

        The generation is None when Redis was not usable to the end: entries may be left, and nobody was told.
        """
        count = 0
        cursor: int = 0
        while True:
            at = cursor
            reply = await self.link.run(lambda r, at=at: r.scan(at, match=_PREFIX + "*", count=500), None)  # type: ignore[misc]
            if reply is None:
                return count, None
            cursor, names = int(reply[0]), reply[1]
            if names:
                gone = await self.link.run(lambda r, names=names: r.unlink(*names), None, write=True)  # type: ignore[misc]
                if gone is None:
                    return count, None
                count += gone
            if cursor == 0:
                break
        await self.link.run(lambda r: r.unlink(_INDEX, _SIZES, _BYTES, _EVICTED), 0, write=True)
        # Last: whoever hears of it earlier could read an entry that is about to go. No counter: after a Redis
        # that lost its data it would give a number the others know already.
        generation = secrets.randbits(52)
        told = await self.link.run(lambda r: r.set(GENERATION, generation), None, write=True)
        return count, generation if told else None

    async def generation(self) -> int | None:
        """Another number after every clear; None when Redis is not usable."""
        reply = await self.link.run(lambda r: r.mget(GENERATION, _BYTES), None)
        return None if reply is None else int(reply[0] or 0)

    async def stats(self) -> RemoteStats | None:
        """None when Redis is not usable."""

        async def ask(r: Any) -> RemoteStats:
            async with r.pipeline(transaction=False) as pipe:
                pipe.zcount(_INDEX, "-inf", "+inf").get(_BYTES).get(_EVICTED)
                entries, size, evicted = await pipe.execute()
            return RemoteStats(int(entries), int(size or 0), int(evicted or 0))

        return await self.link.run(ask, None)

    async def newest(self, limit: int) -> list[tuple[str, bytes]]:
        """Keys and packed entries of the newest entries, for `aicc cache inspect`."""
        names: list[Any] = await self.link.run(lambda r: r.zrevrange(_INDEX, 0, limit - 1), [])
        found: list[tuple[str, bytes]] = []
        for name in names:
            key = (name.decode() if isinstance(name, bytes) else str(name)).removeprefix(_PREFIX)
            if (raw := await self.get(key)) is not None:
                found.append((key, raw))
        return found


_shas: dict[str, str] = {}


async def _script(r: Any, script: str, names: tuple[str, ...], args: tuple[object, ...]) -> Any:
    """EVALSHA, and EVAL where the server (restarted, flushed) does not know the script."""
    sha = _shas.get(script)
    if sha is not None:
        try:
            return await cast("Awaitable[Any]", r.evalsha(sha, len(names), *names, *args))
        except Exception as error:
            if "NOSCRIPT" not in str(error) and type(error).__name__ != "NoScriptError":
                raise
    result = await cast("Awaitable[Any]", r.eval(script, len(names), *names, *args))
    _shas[script] = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    return result
