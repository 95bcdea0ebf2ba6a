"""Search for hundreds of thousands of byte strings in megabytes at once.

The sweep plants some ten thousand values and looks for each in about twenty encodings: one `bytes.find` each would
take hours. Every eight-byte window of the haystack is hashed with numpy, and only windows that stand in some needle are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tests.harness.canaries import forms_of

_WINDOW = 8
_BITS = 26
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Find:
    """A planted value found: `label` says which and where it was planted, `form` how it was encoded."""

    label: str
    form: str
    around: bytes


class Needles:
    """Planted values in all their forms. `add` first, then `find_in` as often as wanted."""

    def __init__(self, values: Iterable[tuple[str, str]] = ()) -> None:
        # Keyed by the eight bytes in the middle: many kinds of keys begin alike.
        self._by_core: dict[bytes, list[tuple[bytes, int, str, str]]] = {}
        self._table = np.zeros(1 << _BITS, dtype=bool)
        for label, value in values:
            self._add(label, value)
        self._table[_hash(np.frombuffer(b"".join(self._by_core), dtype="<u8"))] = True

    def _add(self, label: str, value: str) -> None:
        for form, needle in forms_of(value):
            if len(needle) < _WINDOW:
                raise ValueError(f"a planted value is too short to search for: {label} as {form}")
            at = (len(needle) - _WINDOW) // 2
            self._by_core.setdefault(needle[at : at + _WINDOW], []).append((needle, at, label, form))

    def find_in(self, haystack: bytes) -> list[Find]:
        """The first occurrence of each label."""
        found: dict[str, Find] = {}
        for at in self._candidates(haystack):
            for needle, inside, label, form in self._by_core.get(haystack[at : at + _WINDOW], ()):
                if label not in found and at >= inside and haystack.startswith(needle, at - inside):
                    around = haystack[max(0, at - inside - 60) : at + len(needle) + 60]
                    found[label] = Find(label, form, around)
        return list(found.values())

    def _candidates(self, haystack: bytes) -> Iterator[int]:
        for offset in range(_WINDOW):
            usable = (len(haystack) - offset) // _WINDOW * _WINDOW
            if usable <= 0:
                return
            windows = np.frombuffer(haystack, dtype="<u8", count=usable // _WINDOW, offset=offset)
            for index in np.flatnonzero(self._table[_hash(windows)]):
                yield int(index) * _WINDOW + offset


def _hash(words: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return (words * _MIX) >> np.uint64(64 - _BITS)
