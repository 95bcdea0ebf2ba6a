"""Neighbouring text parts as a model reads them: a value may be cut in two between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

_REACH: Final = 256  # characters on both sides: a value, and before it the words that announce it


def joined(parts: Sequence[Any]) -> list[str]:
    """The text around each seam between the text parts of a content, put together as model servers do.

    They glue parts as they are or set each on a line of its own.
    """
    texts = [text for part in parts if (text := _said(part))]
    if len(texts) < 2:
        return []
    found = list(_around("", texts))
    if any(not (one[-1].isspace() or other[0].isspace()) for one, other in pairwise(texts)):
        found += _around("\n", texts)
    return found


def _said(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""


def _around(glue: str, texts: list[str]) -> Iterator[str]:
    whole = glue.join(texts)
    begin = stop = at = 0
    for text in texts[:-1]:
        at += len(text) + len(glue)
        if stop and at - _REACH > stop:
            yield _words(whole, begin, stop)
            stop = 0
        if not stop:
            begin = max(0, at - _REACH)
        stop = min(len(whole), at + _REACH)
    yield _words(whole, begin, stop)


def _words(whole: str, begin: int, stop: int) -> str:
    """Without half a word at either end: it might look like another value."""
    text = whole[begin:stop]
    if stop < len(whole) and (cut := text.rfind(" ", len(text) - _REACH)) >= 0:
        text = text[:cut]
    return text[text.find(" ", 0, _REACH) + 1 :] if begin else text
