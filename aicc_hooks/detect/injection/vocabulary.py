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

CAPACITY: Final = 1 << 15  # 5 MB when full; a number in each prompt fills it in 32,768 requests
_KEY: Final = (
    64  # characters of a word that tell it apart: a hostile text must not fill memory with long ones
)


class Word(NamedTuple):
    """What is known of one token; `hash` 0 marks bars and numbers."""

    name: str
    hash: int
    foreign: bool
    hints: int


class _FullError(Exception):
    """No room for another word."""


class _Ids(dict[str | bytes, int]):
    """Numbers by word. Asking for a new word numbers it, so that a text is looked up in one go."""

    __slots__ = ("_add",)

    def __init__(self, add: Callable[[str | bytes], int]) -> None:
        self._add = add

    def __missing__(self, word: str | bytes) -> int:
        head = word[:_KEY]
        number = self.get(head)
        return self._add(head) if number is None else number


class Vocabulary:
    """Words seen so far, numbered from 0."""

    __slots__ = ("_capacity", "_ids", "_judge", "_lock", "foreign", "hashes", "hints", "names")

    def __init__(self, judge: Callable[[str], Word], capacity: int = CAPACITY) -> None:
        self._judge = judge
        self._capacity = capacity
        self._ids = _Ids(self._add)
        self._lock = Lock()
        self.names: NDArray[np.uint8] = np.zeros(capacity, dtype=np.uint8)
        self.hashes: NDArray[np.uint64] = np.zeros(capacity, dtype=np.uint64)
        self.foreign: NDArray[np.bool_] = np.zeros(capacity, dtype=np.bool_)
        self.hints: NDArray[np.uint32] = np.zeros(capacity, dtype=np.uint32)

    def numbers(self, words: Sequence[str] | Sequence[bytes]) -> NDArray[np.intp] | None:
        """Numbers of the words in order; None when there is no room for the new ones."""
        try:
            return np.fromiter(map(self._ids.__getitem__, words), np.intp, len(words))
        except _FullError:
            return None

    def _add(self, word: str | bytes) -> int:
        known = self._judge(word if isinstance(word, str) else word.decode("ascii"))
        with self._lock:
            number = self._ids.get(word, len(self._ids))
            if number >= self._capacity:
                raise _FullError
            self.names[number] = ord(known.name)
            self.hashes[number] = known.hash
            self.foreign[number] = known.foreign
            self.hints[number] = known.hints
            self._ids[word] = number  # last: whoever finds the number finds its values
        return number
