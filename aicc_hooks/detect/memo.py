"""What a detector said of a text, for when the same text comes again.

A conversation sends its whole history with every turn, and the record reads what the verdict has read. Only keyed digests
and results are kept, never a text.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Final, Generic, TypeVar

T = TypeVar("T")
TEXTS: Final = 4_096  # in each of two generations; about 1 MB together


class Memo(Generic[T]):
    """At most twice `size` results by text; 0 remembers nothing. Thread-safe: a race costs a result, never mixes two."""

    __slots__ = ("_key", "_old", "_size", "_young")

    def __init__(self, size: int = TEXTS) -> None:
        self._size = size
        self._key = secrets.token_bytes(32)  # so that nobody outside can make two texts meet
        self._young: dict[bytes, T] = {}
        self._old: dict[bytes, T] = {}

    def key(self, text: str, kind: bytes = b"") -> bytes:
        """What a text is kept under; `kind` parts results that differ for one text. Empty when nothing is remembered."""
        if not self._size:
            return b""
        return blake2b(
            text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16, person=kind
        ).digest()

    def get(self, key: bytes) -> T | None:
        """The result kept under `key`."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: bytes, result: T) -> None:
        """Keep a result."""
        if not key:
            return
        if len(self._young) >= self._size:
            # Whatever was not asked for during a whole generation goes.
            self._old, self._young = self._young, {}
        self._young[key] = result
