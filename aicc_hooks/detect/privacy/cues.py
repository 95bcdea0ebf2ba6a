"""Words that announce a value ("passport no:"), and the reading of what follows them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from .text import Doc, ask_for, begin_with

# Up to six filler words without digits, then something with a digit in it. Possessive, since a word that may be
# cut anywhere is tried in every way: 40 ms on 300 hostile characters.
_AFTER: Final = re.compile(
    r"""(?:[^\w\n]{0,4}+[^\W\d_]{1,20}+(?![^\W\d_])\.?){0,6}?
        (?:[^\w\n]{0,4}|[^\w\n]{0,3}\n{1,2}[ \t]{0,8})
        (?P<value>(?<!\w)(?:[A-Z]{1,3}(?=[ -]\d)|[a-z]{2}(?=[ ]\d\d[ ]\d\d)|[A-Za-z]{0,6}\d[A-Za-z0-9]{0,19})
                  (?:(?:-(?=[A-Za-z]{0,4}\d)|[ ./:-]{1,2}(?=[A-Z]{0,4}\d))[A-Za-z0-9]{1,14}){0,7}(?:[ -][A-Z](?!\w)|(?<=\d\d)[ ][a-z](?!\w))?)""",
    re.VERBOSE,
)
_MORE: Final = re.compile(r"\s{0,2}(?:,|;|/|&|and|or|und|et|y|e|,\s?and)\s{1,2}")
_ID: Final = re.compile(
    r"(?:[A-Z]{1,3}(?=[ -]\d)|[A-Za-z]{0,6}\d[A-Za-z0-9]{0,19})(?:(?:-(?=[A-Za-z]{0,4}\d)|[ ./:](?=[A-Z]{0,4}\d))[A-Za-z0-9]{1,14}){0,7}(?:[ -][A-Z](?!\w))?"
)
_SNAKE: Final = re.compile(r"(?:_[A-Za-z]{1,12}){1,3}(?![\w])")
_GATE: Final = re.compile(r"[^\W\d_]+")


class Cue:
    """A set of announcing words and phrases: words are looked up, phrases searched when their first word is there."""

    __slots__ = ("_ascii_words", "_firsts", "_gated", "_plain", "words")

    def __init__(self, words: str, *phrases: str) -> None:
        # a phrase of one Latin word is a word
        single = {p for p in phrases if p.isascii() and p.isalpha()}
        self.words = frozenset(words.split()) | single
        self._ascii_words = frozenset(w for w in self.words if w.isascii())
        self._gated: list[tuple[str, str]] = []
        self._plain: list[str] = []
        for phrase in phrases:
            first = _GATE.match(phrase)
            # scripts without blanks have no words to look up
            if phrase in single:
                continue
            if first and ord(phrase[0]) < 0x0590 and first.end() < len(phrase):
                self._gated.append((first.group(), phrase))
            else:
                self._plain.append(phrase)
        self._firsts = frozenset(first for first, _ in self._gated)
        ask_for(self.words | self._firsts)
        begin_with(self._plain)

    def present(self, doc: Doc) -> tuple[frozenset[str], list[str]]:
        """The words and phrases that occur in the text."""
        words = (self._ascii_words if doc.ascii else self.words) & doc.known
        phrases: list[str] = []
        firsts = self._firsts & doc.known
        if firsts:
            phrases = [p for first, p in self._gated if first in firsts and p in doc.lower]
        if not doc.ascii:
            phrases += [p for p in self._plain if p[0] in doc.initials and p in doc.lower]
        return words, phrases

    def ends(self, doc: Doc) -> Iterator[int]:
        """End offsets of the announcing words in the text."""
        words, phrases = self.present(doc)
        for word in words:
            yield from doc.word_ends(word)
        for phrase in phrases:
            for at in doc.occurrences(phrase):
                yield at + len(phrase)

    def spots(self, doc: Doc) -> list[int]:
        """Sorted ends of the announcing words, for `near`."""
        return sorted(self.ends(doc))


def near(spots: list[int], start: int, end: int, before: int = 60, after: int = 30) -> bool:
    """True when an announcing word ends within the window around a span."""
    i = bisect_left(spots, start - before)
    return i < len(spots) and spots[i] <= end + after


def values_after(doc: Doc, end: int, reach: int = 90) -> Iterator[tuple[int, int]]:
    """Spans that could be the announced value, and its neighbours in a list ("AB123 and CD456")."""
    if doc.text[end : end + 1] == "_":  # nhs_number, passport_no: the rest of a name in code
        rest = _SNAKE.match(doc.text, end)
        end = rest.end() if rest else end
    if doc.shape.count(b"9", end, end + reach) < 3:
        return  # most announcing words are just talk, and the pattern below is not cheap
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
