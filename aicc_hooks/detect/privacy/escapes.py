r"""What writers put in the place of a character, read as that character, with the way back to the original offsets.

JSON within a text is the ordinary shape of tools' arguments and results, and `json.dumps` writes every character beyond
ASCII as `\u00a0`. Within JSON within JSON its backslash is doubled. What Gson and .NET (`=`, `+`, quotes) or PHP (`/`)
escape would not be there at all; HTML has its own names for the blanks and dashes in numbers.
"""

from __future__ import annotations

import html
import re
from array import array
from collections.abc import Callable
from typing import Final

import numpy as np

# A run of backslashes is walked from its beginning alone, however long; that they begin with one makes the search quick.
_ESCAPE: Final = re.compile(
    r"""\\(?<!\\\\)(?:
        \\*+(?:/|u(?:[dD][89abAB][0-9a-fA-F]{2}\\++u[dD][c-fC-F][0-9a-fA-F]{2}|[0-9a-fA-F]{4})|x[aA][0dD])
      | \\*+(?=["']\s{0,2}(?:[:,}\])"\\]|\Z))                # the quotes of JSON itself, at the end of a name or value
      | (?<=[\s{\[,:=(]\\)\\*+(?=["'])                       # and at its beginning
      | (?<=["']\\)\\*+(?=["'][\w .-]{1,40}+\\)
      | \\(?:\\\\)*+(?=\\["'])                               # quotes within a value stay escaped once, so they do not end it
      | \\*(?=\\[nrt])
    )""",
    re.VERBOSE,
)
_BREAK: Final = re.compile(r"\\(?<!\\\\)\\*[nrt]")
_ENTITY: Final = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|nbsp|ensp|emsp|thinsp|numsp|shy|zwnj|zwj|ndash|mdash|hyphen|minus|dash);"
)
_ROUNDS: Final = 2  # an escaped backslash may begin another escape


class Plain:
    """A text in which characters are replaced or taken out, and where each of the rest stands in the original."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts: array[int] | None = None
        self._ends: array[int] | None = None

    def replace(self, pattern: re.Pattern[str], plain: Callable[[re.Match[str]], str | None]) -> None:
        """Each match becomes one character, nothing (""), or stays (None). Linear."""
        text, starts, ends = self.text, array("I"), array("I")
        before = _count(0, len(text)) if self._starts is None else self._starts
        behind = _count(1, len(text)) if self._ends is None else self._ends
        parts: list[str] = []
        at = 0
        for match in pattern.finditer(text):
            character = plain(match)
            if character is None:
                continue
            begin, end = match.span()
            starts += before[at:begin]
            ends += behind[at:begin]
            if character:
                starts.append(before[begin])
                ends.append(behind[end - 1])
            parts += (text[at:begin], character)
            at = end
        starts += before[at:]
        ends += behind[at:]
        parts.append(text[at:])
        self.text, self._starts, self._ends = "".join(parts), starts, ends

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original offsets of a span of `text`, which is not empty."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]


def read_escapes(plain: Plain) -> bool:
    r"""JSON's `\uXXXX` and `\/`, also where the JSON was escaped again, and the names HTML gives to blanks and dashes.

    True when there were any.
    """
    before = plain.text
    for _ in range(_ROUNDS):
        if "\\" not in plain.text or _ESCAPE.search(plain.text) is None:
            break
        plain.replace(_ESCAPE, _character)
    if "&" in plain.text and _ENTITY.search(plain.text):
        plain.replace(_ENTITY, _named)
    return plain.text is not before


def without_breaks(text: str) -> str:
    r"""Escaped line ends (`\n`) as backslashes: their letter would be glued to the value behind (`\n536-…`).

    As long as before, and no end of a password that holds one.
    """
    return _BREAK.sub(_as_backslashes, text) if "\\" in text else text


def _count(first: int, size: int) -> array[int]:
    return array("I", np.arange(first, first + size, dtype=np.uint32).tobytes())


def _character(match: re.Match[str]) -> str:
    escape = match.group()
    if escape[-1] == "/":
        return "/"
    if escape[-1] == "\\":
        return ""
    if "x" in escape:  # the no-break space and the soft hyphen, as Python's logs show them
        return chr(int(escape[-2:], 16))
    point = int(escape[-4:], 16)
    if escape.count("u") == 2:
        at = escape.index("u") + 1
        point = 0x10000 + ((int(escape[at : at + 4], 16) - 0xD800) << 10) + (point - 0xDC00)
    elif 0xD800 <= point < 0xE000:
        return "\ufffd"
    return chr(point)


def _named(match: re.Match[str]) -> str | None:
    character = html.unescape(match.group())
    # Quotes and brackets stay escaped: where they stand for themselves they would end a value.
    return character if len(character) == 1 and character not in "\"'<>&" else None


def _as_backslashes(match: re.Match[str]) -> str:
    return "\\" * len(match.group())
