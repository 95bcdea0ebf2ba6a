"""The in-process tier: least recently used first out, bounded in bytes."""

from __future__ import annotations

import itertools
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aicc_hooks.cache.envelope import Entry

# An entry costs more than its bytes: dict slot, tuple, Entry, floats and the meta dict. Measured 560 to 700.
OVERHEAD: Final = 700


class MemoryTier:
    """Answers by exact key. Ages by the monotonic clock, so that a clock jump changes nothing here."""

    def __init__(self, max_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self.evictions = 0
        self._clock = clock
        self._entries: OrderedDict[str, tuple[Entry, float, float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> tuple[Entry, float] | None:
        """The entry and its age in seconds."""
        found = self._entries.get(key)
        if found is None:
            return None
        entry, born, expires, _ = found
        now = self._clock()
        if now >= expires:
            self.delete(key)
            return None
        self._entries.move_to_end(key)
        return entry, max(0.0, now - born)

    def newest(self, limit: int) -> list[tuple[str, Entry, float]]:
        """Key, entry and age of the last used ones."""
        now = self._clock()
        last = itertools.islice(reversed(self._entries.items()), limit)
        return [(key, entry, max(0.0, now - born)) for key, (entry, born, _, _) in last]

    def put(self, key: str, entry: Entry, *, age: float = 0.0) -> bool:
        """False when the entry is larger than the tier or already over. `age`: seconds it has lived elsewhere."""
        # orjson leaves its work buffer behind its result: 15 kB of embeddings held 130 kB that sys.getsizeof and
        # this bound do not see (measured, orjson 3.13). A copy takes what it needs.
        entry = replace(entry, value=bytes(memoryview(entry.value)))
        size = len(entry.value) + len(key) + OVERHEAD + sum(sys.getsizeof(v) for v in entry.meta.values())
        self.delete(key)
        if size > self.max_bytes or age >= entry.ttl:
            return False
        born = self._clock() - age
        self._entries[key] = (entry, born, born + entry.ttl, size)
        self.bytes += size
        while self.bytes > self.max_bytes:
            _, (_, _, _, gone) = self._entries.popitem(last=False)
            self.bytes -= gone
            self.evictions += 1
        return True

    def delete(self, key: str) -> bool:
        """True when it was there."""
        found = self._entries.pop(key, None)
        if found is None:
            return False
        self.bytes -= found[3]
        return True

    def clear(self) -> int:
        """How many entries went."""
        count = len(self._entries)
        self._entries.clear()
        self.bytes = 0
        return count
