"""Answers on their way to Redis, and again those that an unreachable one missed."""

from __future__ import annotations

import asyncio
from typing import Final

from aicc_hooks.cache.envelope import Entry, pack
from aicc_hooks.cache.memory import MemoryTier
from aicc_hooks.cache.remote import RemoteTier

THREAD_FROM: Final = 64 * 1024  # bytes; packing more than this would hold up the loop for over a millisecond
_MISSED: Final = 256  # keys; their answers are those of the memory tier


class RemoteWriter:
    """One slow reply on a busy machine opens the link's breaker; it must not keep an answer from the other gateways."""

    def __init__(self, remote: RemoteTier, memory: MemoryTier, secret: bytes) -> None:
        self._remote, self._memory, self._secret = remote, memory, secret
        self._missed: dict[str, None] = {}  # oldest first

    async def write(self, key: str, entry: Entry) -> None:
        """Write an answer; remembered for `resend` when Redis could not be reached."""
        if not await self._sent(key, entry, entry.ttl):
            self._missed[key] = None
            if len(self._missed) > _MISSED:
                del self._missed[next(iter(self._missed))]

    async def resend(self) -> None:
        """Write what was missed, as far as Redis can be reached again and the memory tier still has it."""
        while self._missed and self._remote.link.usable:
            key = next(iter(self._missed))
            found = self._memory.get(key)
            if found is not None and not await self._sent(key, found[0], found[0].ttl - found[1]):
                return
            self._missed.pop(key, None)

    def forget(self) -> None:
        """The cache was cleared."""
        self._missed.clear()

    async def _sent(self, key: str, entry: Entry, ttl: float) -> bool:
        """False when it is worth another try: not for what Redis refuses."""
        if self._remote.link.usable:
            if len(entry.value) > THREAD_FROM:
                packed = await asyncio.to_thread(pack, entry, key=key, secret=self._secret)
            else:
                packed = pack(entry, key=key, secret=self._secret)
            if await self._remote.put(key, packed, ttl):
                return True
        return self._remote.link.status != "down"
