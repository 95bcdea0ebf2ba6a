"""One look for the literals of all patterns: which of thousands of patterns can match a text at all.

The first three characters of every literal are marked in a table of hashes; numpy asks it for every place of the text at
once, and only at the few places it names a trie of the literals is tried. 15 µs for 2 KB with 2,000 literals, where the
trie alone takes 120 to 420 and one search a pattern 7,000.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.pace import breathe

from .literals import SHORTEST, fold

_FEW: Final = 12  # literals: up to here `in` for each of them is quicker
_WORTH: Final = 12_000  # literals times characters: below, too
_SLICE: Final = 1 << 16  # characters hashed at once
_BITS: Final = 16
# Odd multipliers (golden ratio, and two of xxHash) spread the three characters over 32 bits; the highest 16 are kept.
_FIRST, _SECOND, _THIRD = np.uint32(2654435761), np.uint32(2246822519), np.uint32(3266489917)
_SHIFT: Final = np.uint32(32 - _BITS)


class PatternIndex:
    """Patterns by their required literals. Immutable; safe to share between threads.

    `literals[i]` is what `required_literals` says of pattern i; None means it is a candidate in every text.
    """

    __slots__ = ("_match", "_owners", "_table", "always")

    def __init__(self, literals: Sequence[frozenset[str] | None]) -> None:
        self.always = tuple(i for i, found in enumerate(literals) if found is None)
        owners: dict[str, list[int]] = {}
        for i, found in enumerate(literals):
            for literal in found or ():
                owners.setdefault(literal, []).append(i)
        # The trie stops at the longest literal that begins at a place; those it begins with have occurred too.
        self._owners = {
            literal: frozenset(
                i for n in range(SHORTEST, len(literal) + 1) for i in owners.get(literal[:n], ())
            )
            for literal in owners
        }
        self._table = np.zeros(1 << _BITS, dtype=np.bool_)
        self._match: Any = None
        if len(owners) > _FEW:
            for literal in owners:
                self._table[_hashes(literal[:SHORTEST])] = True
            self._match = re.compile(_trie(owners), re.DOTALL).match

    def candidates(self, text: str) -> Sequence[int]:
        """Numbers of the patterns that may match, ascending; every other one cannot."""
        if not self._owners:
            return self.always
        return self.candidates_in(fold(text))

    def candidates_in(self, folded: str) -> Sequence[int]:
        """`candidates` of a text that is folded already."""
        few = len(self._owners) * len(folded) < _WORTH
        present = (
            {w for w in self._owners if w in folded}
            if few or self._match is None
            else set(self._present(folded))
        )
        if not present:
            return self.always
        return sorted(set(self.always).union(*(self._owners[literal] for literal in present)))

    def _present(self, folded: str) -> Iterator[str]:
        match = self._match
        for start in range(0, len(folded) - SHORTEST + 1, _SLICE):
            hashes = _hashes(folded[start : start + _SLICE + SHORTEST - 1])
            for place in self._table[hashes].nonzero()[0].tolist():
                found = match(folded, start + place)
                if found is not None:
                    yield found.group()
            breathe()


def _hashes(text: str) -> NDArray[np.uint32]:
    """A number below 2**16 for each three characters in a row."""
    if text.isascii():
        points = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.uint32)
    else:
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    mixed = points[:-2] * _FIRST
    mixed += points[1:-1] * _SECOND
    mixed += points[2:] * _THIRD
    mixed >>= _SHIFT
    return mixed


def _trie(words: Iterable[str]) -> str:
    """One pattern for the longest of `words` at a place, branching by character."""
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return _render(root)


def _render(node: dict[str, Any]) -> str:
    branches = [
        re.escape(character) + _render(child) for character, child in sorted(node.items()) if character
    ]
    if not branches:
        return ""
    if "" in node:
        return f"(?:{'|'.join(branches)})?"
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
