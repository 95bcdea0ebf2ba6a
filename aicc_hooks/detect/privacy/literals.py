"""Which literals a pattern cannot match without, read off its parse tree: what lets thousands of patterns cost little.

Everything here errs to one side: a literal is only named when every match holds one of the set in its folded text. A
pattern that gives none, or whose syntax the `regex` module may read otherwise than `re`, is searched in every text.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from typing import Any, Final

# The standard library's own pattern parser; typeshed does not know these two modules.
_c: Any = importlib.import_module("re._constants")
_parser: Any = importlib.import_module("re._parser")

SHORTEST: Final = 3  # shorter literals occur in nearly every text
LONGEST: Final = 24  # the beginning of a literal is enough, and bounds the depth of the trie
_SPELLINGS: Final = 64  # a pattern with more ways to begin than this is cut there
_CLASS: Final = 12  # members of a character class that are tried one by one

# What `re` and `regex` (version 0 behaviour) read alike: escapes, plain groups, flags at the start or of a group, bounded
# repeats and simple classes. Not here: fuzzy `{e<=1}`, set operations and nested sets, numbered references, verbose mode.
_ALIKE: Final = re.compile(
    r"""(?:\(\?[aimsu]+\))?
    (?: \\[AbBdDsSwWZafnrtv]
      | \\x[0-9a-fA-F]{2} | \\u[0-9a-fA-F]{4}
      | \\[^A-Za-z0-9\s]
      | \[\^?(?:\\[bdDsSwWfnrtv]|\\[^A-Za-z0-9\s]|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|(?!--|&&|\|\||~~)[^\[\]\\])+\]
      | \{\d{1,4}(?:,\d{0,4})?\} | \{,\d{1,4}\}
      | \((?:\?(?::|=|!|<=|<!|>|P<\w+>|[ims]*(?:-[ims]+)?:)|(?!\?))
      | [^\\\[\]{}(]
    )*""",
    re.VERBOSE | re.ASCII,
)
# Where case folding of `regex` and `casefold` were compared character by character (tests/test_user_patterns.py).
# Newer Unicode gives old letters new pairs (ß, ɤ), which the two learn at different times: those stay out.
_SAFE: Final = re.compile(r"[\x00-\x7f\xa1-\xb4\xb6-\xde\xe0-\xfeΆ-ΏΑ-ΡΣ-Ϋά-ώА-џא-ת؀-ۿ぀-鿿가-힣]*")


def fold(text: str) -> str:
    """The text as literals are looked up in it: character by character, so that a part of a text folds to a part."""
    if text.isascii():
        return text.lower()
    return text.replace("İ", "i").replace("ı", "i").casefold()  # `regex` pairs İ with i and ı with I


def read_alike(pattern: str) -> bool:
    """True when `re` and `regex` are known to read the pattern alike."""
    return _ALIKE.fullmatch(pattern) is not None


def keyword_literals(keywords: Iterable[str]) -> frozenset[str] | None:
    """Folded keywords of which one must stand near a match; None when some could be found otherwise than by folding."""
    folded = {fold(keyword.lower()) for keyword in keywords}
    # A line end may be the seam between the two sides of a match, where no such text stands in the request.
    if any("\n" in k or len(k) < SHORTEST for k in folded) or not all(map(_SAFE.fullmatch, keywords)):
        return None
    return frozenset(k[:LONGEST] for k in folded) or None


def required_literals(pattern: str) -> frozenset[str] | None:
    """Folded literals of which every match of `pattern` holds at least one; None: none is known."""
    if not read_alike(pattern):
        return None
    try:
        tree = _parser.parse(pattern)
        exact, need = _sequence(tree)
    except (re.error, OverflowError, RecursionError):
        return None
    best = _better(need, exact)
    return frozenset(literal[:LONGEST] for literal in best) if best else None


_Set = frozenset[str]
_Reading = tuple[
    _Set | None, _Set | None
]  # all the texts a part can match, or None; what it cannot do without
_EMPTY: Final[_Set] = frozenset({""})


def _better(one: _Set | None, other: _Set | None) -> _Set | None:
    """The more telling of two sets: its shortest literal is longer, or it has fewer."""
    usable = [s for s in (one, other) if s and min(map(len, s)) >= SHORTEST]
    return max(usable, key=lambda s: (min(LONGEST, *map(len, s)), -len(s)), default=None)


def _sequence(items: Iterable[tuple[Any, Any]]) -> _Reading:
    run, whole, best = _EMPTY, True, None
    for op, arg in items:
        exact, need = _part(op, arg)
        if exact is not None and len(run) * len(exact) <= _SPELLINGS:
            run = frozenset(a + b for a in run for b in exact)
            continue
        best = _better(_better(best, run), need)
        whole, run = False, exact if exact is not None else _EMPTY
    return (run if whole else None), _better(best, run)


def _part(op: Any, arg: Any) -> _Reading:
    if op is _c.LITERAL:
        return _characters((arg,))
    if op is _c.IN:
        return _characters(_members(arg))
    if op in (_c.AT, _c.ASSERT, _c.ASSERT_NOT):
        return _EMPTY, None  # stands between characters; what a look-around wants is not used
    if op is _c.SUBPATTERN:
        return _sequence(arg[-1])
    if op is _c.ATOMIC_GROUP:
        return _sequence(arg)
    if op is _c.BRANCH:
        return _branch(arg[1])
    if op in (_c.MAX_REPEAT, _c.MIN_REPEAT, _c.POSSESSIVE_REPEAT):
        return _repeat(*arg)
    return None, None


def _members(items: Iterable[tuple[Any, Any]]) -> tuple[int, ...]:
    """Code points of a small class; nothing when it is negated, large or holds a category."""
    out: list[int] = []
    for op, arg in items:
        if op is _c.LITERAL:
            out.append(arg)
        elif op is _c.RANGE and arg[1] - arg[0] < _CLASS:
            out += range(arg[0], arg[1] + 1)
        else:
            return ()
    return tuple(out)


def _characters(points: Iterable[int]) -> _Reading:
    characters = [chr(point) for point in points]
    if not 0 < len(characters) <= _CLASS or _SAFE.fullmatch("".join(characters)) is None:
        return None, None
    return frozenset(map(fold, characters)), None


def _branch(branches: Iterable[Any]) -> _Reading:
    exacts: list[_Set] = []
    needs: list[_Set] = []
    whole = known = True
    for branch in branches:
        exact, need = _sequence(branch)
        best = _better(exact, need)
        if exact is None:
            whole = False
        else:
            exacts.append(exact)
        if best is None:
            known = False
        else:
            needs.append(best)
    exact = frozenset().union(*exacts) if whole else None
    if exact is not None and len(exact) > _SPELLINGS:
        exact = None
    return exact, frozenset().union(*needs) if known else None


def _repeat(low: int, high: Any, inner: Any) -> _Reading:
    exact, need = _sequence(inner)
    if low == 0:
        return (exact | _EMPTY if exact is not None and high == 1 else None), None
    if exact is not None and low == high and len(exact) ** min(low, 8) <= _SPELLINGS and low <= LONGEST:
        run = _EMPTY
        for _ in range(low):
            run = frozenset(a + b for a in run for b in exact)
        return run, None
    return None, _better(exact, need)
