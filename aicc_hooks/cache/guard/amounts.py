"""Numbers, their units and dates."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final

from aicc_hooks.cache.guard import lexicon
from aicc_hooks.cache.guard.stems import stem
from aicc_hooks.cache.guard.text import Text
from aicc_hooks.cache.guard.words import group

_UNITS: Final = frozenset(group(stem(unit)) for unit in lexicon.UNITS)


def numbers(a: Text, b: Text) -> str:
    """The same numbers, each standing before the same thing when there are several."""
    if _counted(a, b) != _counted(b, a):
        return "number"
    if _dates(a) != _dates(b):
        return "number order"  # "from March 3 to June 10", "from March 10 to June 3"
    mine, yours = _neighbours(a), _neighbours(b)
    for number, (_, after, _) in mine.items():
        # "250 euros in dollars": with one number it is the unit beside it that tells the direction.
        if number in yours and after != yours[number][1] and after in _UNITS and yours[number][1] in _UNITS:
            return "unit"
        if number in yours and _swapped(after, yours[number][1], a, b):
            return "unit"  # "250 francs in lira", "250 lira in francs"
    if a.numbers != b.numbers and _computes(a) and _computes(b):
        return "number order"
    if len(a.numbers) > 1 and a.numbers != b.numbers and not _same_bonds(a, b):
        return "number order"
    return ""


def _swapped(x: str, y: str, a: Text, b: Text) -> bool:
    both = {t.key for t in a.tokens} & {t.key for t in b.tokens}
    return x != y and {x, y} <= both and bool({x, y} & _UNITS)


def _counted(text: Text, other: Text) -> Counter[str]:
    """The numbers; a `1` that the other text writes as an article ("a tablespoon", "1 tbsp") is left out."""
    found = Counter(text.numbers)
    if found["n:1"] and "n:1" not in other.numbers and {"a", "an", "one"} & set(other.words):
        after = {t.key for t, u in zip(text.tokens[1:], text.tokens, strict=False) if u.key == "n:1"}
        if after & {t.key for t in other.tokens}:
            del found["n:1"]
    return found


def _dates(text: Text) -> set[tuple[str, str]]:
    """Each month with the number beside it."""
    beside = list(pairwise(text.tokens))
    return {
        (x.key, y.key)
        for x, y in (*beside, *((y, x) for x, y in beside))
        if x.key in _MONTHS and y.kind == "number" and not (x.joined or y.joined)
    }


_MONTHS: Final = frozenset(
    group(stem(month))
    for month in [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
    ]
)


_ONE_WAY: Final = frozenset(
    [
        "difference",
        "subtract",
        "minus",
        "divide",
        "divided",
        "ratio",
        "power",
        "modulo",
        "mod",
        "over",
        "quotient",
    ]
)


def _computes(text: Text) -> bool:
    return bool(_ONE_WAY & set(text.words))


def _same_bonds(a: Text, b: Text) -> bool:
    """Each number keeps the neighbour before or after it."""
    mine, yours = _neighbours(a), _neighbours(b)
    dated = {day for _, day in _dates(a)}  # compared already
    return all(
        before == yours[n][0] or after == yours[n][1] or (prep and prep == yours[n][2])
        for n, (before, after, prep) in mine.items()
        if n in yours and n not in dated
    )


def _neighbours(text: Text) -> dict[str, tuple[str, str, str]]:
    keys = ["", *(t.key for t in text.tokens), ""]
    return {t.key: (keys[i], keys[i + 2], t.prep) for i, t in enumerate(text.tokens) if t.kind == "number"}
