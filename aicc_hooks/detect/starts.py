"""A pattern tried only where it may begin: `Starts(pattern).holds(text)` is `pattern.search(text) is not None`.

`re` tries a pattern that begins with a word boundary or with unlike alternatives at every character: 30 to 100 µs for 2 KB.
The literals such a pattern begins with are read off its parse tree; finding each of them costs a fraction of a microsecond.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

# The standard library's own pattern parser; typeshed does not know these two modules.
_c: Any = importlib.import_module("re._constants")
_parser: Any = importlib.import_module("re._parser")

SHORTEST: Final = 3  # shorter beginnings stand everywhere
_LONGEST: Final = 4
_MOST: Final = 20  # beginnings: more take as long as the pattern itself
_CLASS: Final = 6  # members of a character class that are tried one by one

_Heads = tuple[
    set[str], set[str]
]  # what a part may be, to be gone on with; what it may begin with, and no more is known
_UNKNOWN: Final[_Heads] = (set(), {""})


class Starts:
    """A compiled pattern and the literals one of which begins every match; without such, it is searched as usual."""

    __slots__ = ("heads", "pattern")

    def __init__(self, pattern: re.Pattern[str], shortest: int = SHORTEST) -> None:
        self.pattern = pattern
        self.heads = beginnings(pattern, shortest)

    def holds(self, text: str) -> bool:
        """True when the pattern matches somewhere."""
        match = self.pattern.match
        if not self.heads:
            return self.pattern.search(text) is not None
        for head in self.heads:
            at = text.find(head)
            while at >= 0:
                if match(text, at):
                    return True
                at = text.find(head, at + 1)
        return False

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """What `pattern.finditer` gives."""
        if not self.heads:
            yield from self.pattern.finditer(text)
            return
        places: list[int] = []
        for head in self.heads:
            at = text.find(head)
            while at >= 0:
                places.append(at)
                at = text.find(head, at + 1)
        end = 0
        for place in sorted(places):
            if place >= end and (match := self.pattern.match(text, place)):
                end = match.end()
                yield match


def beginnings(pattern: re.Pattern[str], shortest: int = SHORTEST) -> tuple[str, ...]:
    """Literals of which one stands at the start of every match; none when they are unknown, too short or too many."""
    if pattern.flags & re.IGNORECASE:
        return ()
    going, final = _sequence(_parser.parse(pattern.pattern, pattern.flags & re.VERBOSE))
    heads = going | final
    if not heads or min(map(len, heads)) < shortest:
        return ()
    for size in range(_LONGEST, shortest - 1, -1):
        kept: list[str] = []
        for head in sorted({head[:size] for head in heads}):
            if not (kept and head.startswith(kept[-1])):  # what another one begins is found with it
                kept.append(head)
        if len(kept) <= _MOST:
            return tuple(kept)
    return ()


def _sequence(items: Iterable[tuple[Any, Any]]) -> _Heads:
    going, final = {""}, set()
    for op, arg in items:
        more, last = _part(op, arg)
        if len(going) * (len(more) + len(last)) > 4 * _MOST:
            more, last = _UNKNOWN
        final |= {head + end for head in going for end in last}
        going = {head + next_ for head in going for next_ in more}
        long = {head for head in going if len(head) >= _LONGEST}
        final |= long
        going -= long
        if not going:
            break
    return going, final


def _part(op: Any, arg: Any) -> _Heads:
    if op is _c.LITERAL:
        return {chr(arg)}, set()
    if op is _c.IN and len(arg) <= _CLASS and all(kind is _c.LITERAL for kind, _ in arg):
        return {chr(point) for _, point in arg}, set()
    if op in (_c.AT, _c.ASSERT, _c.ASSERT_NOT):
        return {""}, set()  # stands between characters
    if op is _c.SUBPATTERN and not arg[1] and not arg[2]:
        return _sequence(arg[3])
    if op is _c.ATOMIC_GROUP:
        return _sequence(arg)
    if op is _c.BRANCH:
        branches = [_sequence(branch) for branch in arg[1]]
        return set().union(*(going for going, _ in branches)), set().union(*(final for _, final in branches))
    if op in (_c.MAX_REPEAT, _c.MIN_REPEAT, _c.POSSESSIVE_REPEAT):
        low, high, inner = arg
        going, final = _sequence(inner)
        if high != 1:  # may go on with itself
            going, final = set(), going | final
        return (going | {""} if low == 0 else going), final
    return _UNKNOWN
