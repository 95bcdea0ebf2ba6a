"""Numbers, however written: digits, words, ordinals, thousands, k/m suffixes, times and dates."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = dict(
    zip(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        range(20),
        strict=True,
    )
)
_TENS: Final = dict(
    zip(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
        range(20, 100, 10),
        strict=True,
    )
)
_SCALES: Final = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "dozen": 12,
}
_ORDINALS: Final = dict(
    zip(
        [
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        range(2, 13),
        strict=True,
    )
)
_MULTIPLES: Final = {
    "twice": 2,
    "double": 2,
    "triple": 3,
    "thrice": 3,
    "half": 0.5,
    "quarter": 0.25,
    "pair": 2,
    "couple": 2,
}
_DIGITS: Final = re.compile(r"(\d+(?:\.\d+)?)(k|m|bn|st|nd|rd|th)?")
_SUFFIX: Final = {"k": 1_000, "m": 10**6, "bn": 10**9}


def read_number(lower: tuple[str, ...], at: int, text: str, end: int) -> tuple[str | None, int]:
    """A canonical number at a word, which ends at `end` of the text, and how many words it takes; (None, 0) for none."""
    word = lower[at]
    if word[0].isdigit():
        return _digits(word, lower, at, text, end)
    if word in _UNITS or word in _TENS or (word in _SCALES and at and lower[at - 1] in ("a", "one")):
        # "one" is mostly a pronoun or an article; any other count shows on its own side.
        if word == "one" and not (at + 1 < len(lower) and lower[at + 1] in _SCALES):
            return None, 0
        return _spoken(lower, at)
    if "-" in word and (parts := word.split("-"))[0] in _TENS and parts[1] in _UNITS:
        return _form(_TENS[parts[0]] + _UNITS[parts[1]]), 1
    if word in _ORDINALS and word != "second":
        return _form(_ORDINALS[word]), 1
    if word in _MULTIPLES:
        return f"x{_MULTIPLES[word]}", 1
    return None, 0


def _digits(word: str, lower: tuple[str, ...], at: int, text: str, end: int) -> tuple[str | None, int]:
    # 1,000,000 comes as three tokens: the comma must touch both neighbours.
    used = 1
    if word.isdigit() and len(word) <= 3:
        whole = re.compile(r"(?:,\d{3})+(?!\d)").match(text, end)
        if whole:
            used += whole.group().count(",")
            word += whole.group().replace(",", "")
    found = _DIGITS.fullmatch(word)
    if not found:
        return f"id:{word}", used  # 3-mile, 2024-05-01, 10.0.0.1, 2nd-hand: compared as written
    value = float(found[1]) if len(found[1]) < 16 else None
    if value is None or (found[1].startswith("0") and found[1] != "0" and "." not in found[1]):
        return f"id:{found[1]}", used
    value *= _SUFFIX.get(found[2] or "", 1)
    if at + used < len(lower) and lower[at + used] in _SCALES:
        value *= _SCALES[lower[at + used]]
        used += 1
    return _form(value), used


def _spoken(lower: tuple[str, ...], at: int) -> tuple[str, int]:
    total, current, used = 0.0, 0.0, 0
    for word in lower[at:]:
        if word in _UNITS:
            current += _UNITS[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word == "hundred":
            current = (current or 1) * 100
        elif word in _SCALES:
            total += (current or 1) * _SCALES[word]
            current = 0.0
        else:
            break
        used += 1
    return _form(total + current), used


def _form(value: float) -> str:
    return f"n:{int(value)}" if float(value).is_integer() else f"n:{value}"
