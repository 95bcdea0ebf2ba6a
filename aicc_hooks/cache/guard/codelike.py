"""Symbols and code inside a question."""

from __future__ import annotations

import re
from typing import Final

_CODE_START: Final = re.compile(
    r"\bdef \w+\(|\bclass \w+[:(]|\bfunction \w*\(|\breturn\b.{0,80}[;=(]|\b\w+\([^)\s]*\)\s*[:{;.]|[{}]|;\s*(?:$|\w+ ?[=(])|[=!<>]=|\b[A-Za-z_]\w* ?[-+*/]?= ?\w|\bSELECT\b.{1,200}\bFROM\b|=>|</?\w+>|\$[A-Za-z_]\w*"
)
# A dash or slash is an operator only between numbers; elsewhere it is punctuation.
_SYMBOL: Final = re.compile(
    r"[=<>+*^|\\{}\[\]]|(?<=\d)\s?[-/]\s?(?=\d)|(?<=\s)-(?=\d)|(?<=\w)!(?==)|%(?=\s?\d)"
)
_CODE_TOKEN: Final = re.compile(r"\w+|[^\w\s]")


def symbols_and_code(plain: str) -> tuple[str, tuple[str, ...]]:
    """Symbols that carry meaning, and the tokens of what looks like code."""
    symbols = "".join(_SYMBOL.findall(plain.rstrip(" !")))
    found = _CODE_START.search(plain)
    return symbols, tuple(_CODE_TOKEN.findall(plain[found.start() :].rstrip(" ?.!"))) if found else ()
