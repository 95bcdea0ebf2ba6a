"""Words that announce a value ("passport no:"), and the reading of what follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .text import Doc

# Up to six short filler words without digits, then something with a digit in it.
_AFTER: Final = re.compile(
    r"""(?:[^\w\n]{0,4}[^\W\d_]{1,14}\.?){0,6}?
        (?:[^\w\n]{0,4}|[^\w\n]{0,3}\n{1,2}[ \t]{0,8})
        (?P<value>(?=[A-Za-z .-]{0,7}\d)(?<![\w])[A-Za-z0-9]{1,20}(?:[ ./:-]{1,2}(?=[A-Za-z]{0,4}\d)[A-Za-z0-9]{1,14}){0,7}(?:[ -][A-Za-z]{1,2}(?![\w]))?)""",
    re.VERBOSE,
)
_MORE: Final = re.compile(r"\s{0,2}(?:,|;|/|&|and|or|und|et|y|e|,\s?and)\s{1,2}")
_ID: Final = re.compile(
    r"(?=[A-Za-z .-]{0,7}\d)[A-Za-z0-9]{1,20}(?:[ ./:-](?=[A-Za-z]{0,4}\d)[A-Za-z0-9]{1,14}){0,7}(?:[ -][A-Za-z]{1,2}(?![\w]))?"
)


class Cue:
    """A set of announcing words and phrases: words are looked up, phrases searched."""

    __slots__ = ("phrases", "words")

    def __init__(self, words: str, *phrases: str) -> None:
        self.words = frozenset(words.split())
        self.phrases = phrases

    def ends(self, doc: Doc) -> Iterator[int]:
        """End offsets of the announcing words in the text."""
        lower = doc.lower
        for word in self.words & doc.words:
            for at in doc.occurrences(word):
                end = at + len(word)
                if not (at and lower[at - 1].isalpha()) and not lower[end : end + 1].isalpha():
                    yield end
        for phrase in self.phrases:
            if phrase in lower:
                for at in doc.occurrences(phrase):
                    yield at + len(phrase)

    def near(self, doc: Doc, start: int, end: int, before: int = 60, after: int = 30) -> bool:
        """True when one stands within a window around the span."""
        if not (self.words & doc.words) and not self.phrases:
            return False
        window = doc.lower[max(0, start - before) : start] + " " + doc.lower[end : end + after]
        if any(p in window for p in self.phrases):
            return True
        return any(
            re.search(rf"(?<![^\W\d_]){re.escape(w)}(?![^\W\d_])", window) for w in self.words if w in window
        )


def values_after(doc: Doc, end: int, reach: int = 90) -> Iterator[tuple[int, int]]:
    """Spans that could be the announced value, and its neighbours in a list ("AB123 and CD456")."""
    m = _AFTER.match(doc.text, end, end + reach)
    if m is None:
        return
    start, stop = m.span("value")
    yield start, stop
    for _ in range(8):
        more = _MORE.match(doc.text, stop)
        following = _ID.match(doc.text, more.end()) if more else None
        if following is None:
            return
        start, stop = following.span()
        yield start, stop
