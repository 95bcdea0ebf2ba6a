"""Numbers of words, so that a text's tokens become array look-ups instead of Python work a token.

A word's class, hash and hints are worked out once and kept in flat arrays; natural text repeats its words. A vocabulary that is
full is replaced by an empty one: readers hold on to the one they started with, so no lock is taken while reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CAPACITY: Final = 1 << 16
_KEY: Final = (
    64  # characters of a word that tell it apart: a hostile text must not fill memory with long ones
)


class Word(NamedTuple):
    """What is known of one token; `hash` 0 marks bars and numbers."""

    name: str
    hash: int
    foreign: bool
    hints: int


class Vocabulary:
    """Words seen so far, numbered from 0."""

    __slots__ = ("_capacity", "_ids", "_judge", "_lock", "foreign", "hashes", "hints", "names")

    def __init__(self, judge: Callable[[str], Word], capacity: int = CAPACITY) -> None:
        self._judge = judge
        self._capacity = capacity
        self._ids: dict[str | bytes, int] = {}
        self._lock = Lock()
        self.names: NDArray[np.uint8] = np.zeros(capacity, dtype=np.uint8)
        self.hashes: NDArray[np.uint64] = np.zeros(capacity, dtype=np.uint64)
        self.foreign: NDArray[np.bool_] = np.zeros(capacity, dtype=np.bool_)
        self.hints: NDArray[np.uint32] = np.zeros(capacity, dtype=np.uint32)

    def numbers(self, words: Sequence[str] | Sequence[bytes]) -> NDArray[np.intp] | None:
        """Numbers of the words in order; None when there is no room for the new ones."""
        found = list(map(self._ids.get, words))
        if None in found:
            for at, number in enumerate(found):
                if number is None:
                    word = words[at][:_KEY]
                    fresh = self._ids.get(word)
                    if fresh is None:
                        fresh = self._add(word)
                    if fresh is None:
                        return None
                    found[at] = fresh
        return np.array(found, dtype=np.intp)

    def _add(self, word: str | bytes) -> int | None:
        known = self._judge(word if isinstance(word, str) else word.decode("ascii"))
        with self._lock:
            number = self._ids.get(word, len(self._ids))
            if number >= self._capacity:
                return None
            self.names[number] = ord(known.name)
            self.hashes[number] = known.hash
            self.foreign[number] = known.foreign
            self.hints[number] = known.hints
            self._ids[word] = number  # last: whoever finds the number finds its values
        return number
