"""The semantic index as an append log in Redis, so that every worker has it and a restart finds it again."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np

from aicc_hooks.cache.index import Floats
from aicc_hooks.redis_link import RedisLink
from aicc_hooks.redis_link import key as redis_key

_BATCH: Final = 200  # entries a read: about 200 KB, a few milliseconds of loop time
_ROUNDS: Final = 500  # batches a sync at most
_MISSED: Final = 256  # questions kept for a Redis that could not be reached


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One question as it travels. `expires`: wall clock seconds."""

    key: str
    scope: str
    ask: str
    expires: float
    vector: Floats


class SemanticLog:
    """A Redis stream for one embedder: another embedder has another stream, so vectors never mix."""

    def __init__(
        self,
        link: RedisLink,
        *,
        embedder: str,
        dims: int,
        capacity: int,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.link, self.dims, self.capacity = link, dims, capacity
        self._name = redis_key("semantic", "v1", embedder, str(dims))
        self._last = "0-0"
        self._wall = wall
        self._missed: deque[LogEntry] = deque(maxlen=_MISSED)

    async def append(self, entry: LogEntry) -> bool:
        """True when Redis has it; kept for `resend` when Redis could not be reached.

        The stream is trimmed to about the capacity and dies with its last entry.
        """
        scale = float(np.max(np.abs(entry.vector))) / 127 or 1.0
        head = json.dumps([entry.key, entry.scope, entry.ask, entry.expires, scale])
        fields = {"h": head, "v": np.rint(entry.vector / scale).astype(np.int8).tobytes()}
        life = max(1, int((entry.expires - self._wall()) * 1000))

        async def write(r: Any) -> bool:
            async with r.pipeline(transaction=False) as pipe:
                pipe.xadd(self._name, fields, maxlen=self.capacity, approximate=True)
                pipe.pttl(self._name)
                _, left = await pipe.execute()
            if left < life:
                await r.pexpire(self._name, life)
            return True

        sent = await self.link.run(write, False, write=True)
        if not sent and self.link.status == "down":
            self._missed.append(entry)  # perhaps a second time in the stream: readers go by its key
        return sent

    async def resend(self) -> None:
        """Append what Redis missed, as far as it can be reached again."""
        while self._missed and self.link.usable:
            entry = self._missed.popleft()
            if entry.expires > self._wall():
                await self.append(entry)

    async def read_new(self) -> list[LogEntry]:
        """What was appended, by any process, since the last call; everything on the first. Skips what is over."""
        newest = await self.link.run(lambda r: r.xrevrange(self._name, count=1), None)
        if not newest:
            return []
        top = _text(newest[0][0])
        if _order(top) < _order(self._last):
            self._last = "0-0"  # Redis lost its data or its clock went back: read all there is
        found: list[LogEntry] = []
        for _ in range(_ROUNDS):
            if top == self._last:
                break
            rows = await self.link.run(self._read_batch, None)
            if not rows:
                break
            for number, fields in rows:
                self._last = _text(number)
                entry = self._decode(fields)
                if entry is not None and entry.expires > self._wall():
                    found.append(entry)
            if len(rows) < _BATCH:
                break
        return found

    async def _read_batch(self, r: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
        # XREAD is exclusive on every version; XRANGE with "(" needs Redis 6.2.
        reply = await r.xread({self._name: self._last}, count=_BATCH)
        return list(reply[0][1]) if reply else []

    async def clear(self) -> int:
        """Delete the stream; how many entries it had."""
        count = await self.link.run(lambda r: r.xlen(self._name), 0)
        await self.link.run(lambda r: r.unlink(self._name), 0, write=True)
        return int(count)

    def _decode(self, fields: dict[bytes, bytes]) -> LogEntry | None:
        """None for what another version or a broken writer left."""
        try:
            key, scope, ask, expires, scale = json.loads(fields[b"h"])
            vector = np.frombuffer(fields[b"v"], np.int8).astype(np.float32) * np.float32(scale)
        except (KeyError, ValueError, TypeError):
            return None
        if vector.shape != (self.dims,) or not all(isinstance(t, str) for t in (key, scope, ask)):
            return None
        return LogEntry(key, scope, ask, float(expires), cast("Floats", vector))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _order(number: str) -> tuple[int, int]:
    ms, _, sequence = number.partition("-")
    return int(ms), int(sequence or 0)
