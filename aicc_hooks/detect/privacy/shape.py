"""What a value looks like: random, wordy, a placeholder, an expression of code."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

from .shape_words import DEFAULTS, MARKERS, PAIRS

_HEX: Final = re.compile(r"[0-9a-fA-F]+\Z")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_LETTERS: Final = re.compile(r"[A-Za-z]{2,}")
_CAMEL: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_BRACKETS: Final = re.compile(r"<[^>]*>|\{[a-z_]*\}|%[sdv]\b|(?:^|[-_])(?:fake|mock|bogus|tbd)(?:$|[-_])")
_FIRST: Final = 160  # characters that are looked at

_VARIABLE: Final = re.compile(
    r"\$[A-Za-z_][A-Za-z0-9_]*\Z|%[A-Za-z_]+%\Z|@[A-Za-z_.]+@?\Z|&[a-z]+;?\Z|:[a-z_]+\Z"
)
_REDACTED: Final = re.compile(r"\[[A-Z][A-Z_]{2,39}(?::[0-9a-f]{4,16})?\]")


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    n = len(value)
    return -sum(c / n * math.log2(c / n) for c in Counter(value).values()) if n else 0.0


def wordiness(value: str) -> float:
    """Share of letter pairs that are common in words; 0.0 without letters. Camel humps count apart."""
    total = known = 0
    for run in _LETTERS.findall(value):
        for part in _CAMEL.findall(run):
            low = part.lower()
            for i in range(len(low) - 1):
                total += 1
                known += low[i : i + 2] in PAIRS
    return known / total if total else 0.0


def is_hex(value: str) -> bool:
    return _HEX.match(value) is not None


def is_uuid(value: str) -> bool:
    return len(value) == 36 and _UUID.match(value) is not None


def _has_marker(low: str) -> bool:
    for marker in MARKERS:  # noqa: SIM110 (a plain loop takes half the time of any() with a generator, and this runs most)
        if marker in low:
            return True
    return False


def is_placeholder(value: str) -> bool:
    """True for what stands where a value would: `${VAR}`, `<token>`, `changeme`, `xxxx`, a redaction mark."""
    low = value[:_FIRST].lower()
    return (
        low in DEFAULTS
        or len(set(low)) <= 2
        or _has_marker(low)
        or (
            (
                ("<" in low)
                or ("{" in low)
                or ("%" in low)
                or ("fake" in low)
                or ("mock" in low)
                or ("bogus" in low)
            )
            and _BRACKETS.search(low) is not None
        )
        or (low[0] in "$%@&:" and _VARIABLE.match(value) is not None)
        or ("[" in low and _REDACTED.search(value, 0, _FIRST) is not None)
    )


def is_random(value: str, shortest: int = 16) -> bool:
    """True when the value looks drawn at random: keys and tokens, not identifiers, paths or sentences."""
    if len(value) < shortest or is_placeholder(value):
        return False
    value = value[:96]  # enough to tell, and a bound on the work below
    if is_uuid(value):
        return True
    digits = sum(map(str.isdigit, value))
    if is_hex(value):
        return 0 < digits < len(value) and entropy(value) > 2.5
    if digits == len(value):
        return False
    letters = len(value) - digits
    bits = entropy(value)
    if bits < 2.8:
        return False
    words = wordiness(value)
    if digits == 0:
        return words < 0.42 and bits > 3.0 and len(value) >= 20
    switches = sum(
        value[i].isdigit() != value[i + 1].isdigit()
        for i in range(len(value) - 1)
        if value[i].isalnum() and value[i + 1].isalnum()
    )
    if switches >= 5 and letters >= 3 and len(value) >= 16:
        return True  # k0vie9eg992w5i8: pronounceable by chance
    runs = max((len(r) for r in _LETTERS.findall(value)), default=0)
    if runs >= 5 and words > 0.66 and digits / len(value) < 0.3:
        return False
    return letters >= 3 and (words < 0.66 or digits / len(value) >= 0.3)


def is_password(value: str, quoted: bool) -> bool:
    """True when the value could be a password somebody chose: mixed kinds of characters, or quoted and no default."""
    if not 4 <= len(value) <= 128 or is_placeholder(value):
        return False
    has_digit = any(map(str.isdigit, value))
    has_letter = any(map(str.isalpha, value))
    special = len(value) - sum(map(str.isalnum, value))
    if has_digit and (has_letter or special):
        return True
    if (
        has_letter
        and special
        and value[-1] not in ".,;:?!)"
        and not re.fullmatch(r"[A-Za-z]+(?:['._/-][A-Za-z]+)+", value)
    ):
        return True
    if quoted:
        return len(value) >= 6 and " " not in value
    return False
