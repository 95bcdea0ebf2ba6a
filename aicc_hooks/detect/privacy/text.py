"""The text as the detectors read it: normalised, lower-cased, with a map back to the original offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from aicc_hooks.detect.runs import long_runs

from .escapes import Plain, read_escapes, without_breaks

_SPACES: Final = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u30fc" + "\u02d7"
_DOUBLE_QUOTES: Final = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\u2033"
_SINGLE_QUOTES: Final = "\u2018\u2019\u201a\u201b\u2039\u203a\u2032"
_INVISIBLE: Final = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
# Katakana's long-vowel mark is a letter (パスワード): it is a dash only by looks.
_NOT_A_DASH: Final = "\u30fc"


def _build_table() -> dict[int, int | None]:
    table: dict[int, int | None] = dict.fromkeys(map(ord, _SPACES), 0x20)
    table |= dict.fromkeys(map(ord, _DASHES), 0x2D)
    table |= dict.fromkeys(map(ord, _DOUBLE_QUOTES), 0x22)
    table |= dict.fromkeys(map(ord, _SINGLE_QUOTES), 0x27)
    table |= dict.fromkeys(map(ord, _INVISIBLE))
    table |= {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)}  # full-width ASCII
    for c in (*range(0x1D400, 0x1D800), *range(0x2460, 0x24EA), *range(0x2070, 0x209D)):
        plain = unicodedata.normalize("NFKC", chr(c))
        if len(plain) == 1 and plain.isascii():
            table[c] = ord(plain)  # mathematical alphabets, circled and superscript digits
    for zero in (
        0x660,
        0x6F0,
        0x966,
        0x9E6,
        0xA66,
        0xAE6,
        0xB66,
        0xBE6,
        0xC66,
        0xCE6,
        0xD66,
        0xE50,
        0xED0,
        0xF20,
    ):
        table |= {zero + d: 0x30 + d for d in range(10)}
    del table[ord(_NOT_A_DASH)]
    return table


_TABLE: Final = _build_table()
_SPECIAL: Final = re.compile(
    "["
    + "".join(map(re.escape, map(chr, sorted(c for c in _TABLE if c < 0x1D400))))
    + "\U0001d400-\U0001d7ff]"
)
_INVISIBLE_RE: Final = re.compile("[" + _INVISIBLE + "]+")
_HOMOGLYPHS: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеѕіјорсхуһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονρυτικ",
    "ABESIJKMHOPCTXYaesijopcxyhdqwABEZHIKMNOPTYXaovputik",
)
_FOREIGN: Final = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_FOREIGN_RUN: Final = re.compile("[\u0370-\u03ff\u0400-\u052f]+")
_SPACED: Final = bytes(c if chr(c).isalnum() or c == 63 else 32 for c in range(256))
_LONG: Final = 16  # characters without white space: where keys and tokens are
NUMBERED: Final = 9  # the shortest identifier of fixed shape
_SHAPE: Final = bytes(57 if 48 <= c <= 57 else 65 if chr(c).isalpha() and c < 128 else c for c in range(256))
_NO_LETTER_TO_SPACE: Final = bytes(c if c >= 128 or chr(c).isalpha() else 32 for c in range(256))


def _as_ascii(match: re.Match[str]) -> str:
    return match.group().translate(_TABLE)


def _nothing(match: re.Match[str]) -> str:
    return ""


def _latin_where_mixed(match: re.Match[str]) -> str:
    """Look-alikes amid Latin letters become Latin; words of one script stay as they are."""
    text, start, end = match.string, match.start(), match.end()
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()):
        return match.group().translate(_HOMOGLYPHS)
    return match.group()


class Doc:
    """One text, prepared once for all entity families. All offsets inside are those of `text`."""

    __slots__ = (
        "_blanks",
        "_ends",
        "_initials",
        "_known",
        "_long",
        "_numbered",
        "_plain",
        "_shape",
        "_spans",
        "_words",
        "ascii",
        "depth",
        "lower",
        "original",
        "text",
    )

    def __init__(self, original: str, depth: int = 0) -> None:
        self.original = original
        self.depth = depth  # 1 inside a decoded value: encodings are opened one level deep
        plain = self._plain = Plain(original)
        read_escapes(plain)
        self.ascii = plain.text.isascii()
        if not self.ascii:
            if _SPECIAL.search(plain.text):
                if _INVISIBLE_RE.search(plain.text):
                    plain.replace(_INVISIBLE_RE, _nothing)
                plain.text = _SPECIAL.sub(_as_ascii, plain.text)  # one for one
            if _FOREIGN.search(plain.text):
                plain.text = _FOREIGN_RUN.sub(_latin_where_mixed, plain.text)
        text = without_breaks(plain.text)
        self.text = text
        lower = text.lower()
        if len(lower) != len(text):  # a few capitals (İ) grow when lowered and would shift every offset
            lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        self.lower = lower
        self._words: frozenset[str] | None = None
        self._known: set[str] | None = None
        self._shape: bytes | None = None
        self._numbered: bytes | None = None
        self._initials: frozenset[str] | None = None
        self._long: list[str] | None = None
        self._spans: list[tuple[int, int]] | None = None
        self._blanks: bytes | None = None
        self._ends: dict[str, list[int]] = {}

    @property
    def words(self) -> frozenset[str]:
        """Lower-case words, for cheap "is this cue here at all" questions."""
        if self._words is None:
            self._words = frozenset(self._split())
        return self._words

    @property
    def known(self) -> set[str]:
        """The words of `ask_for` that occur: a dozen where `words` has hundreds, so every family's own look is short."""
        if self._known is None:
            self._known = _KNOWN.intersection(self._split())
        return self._known

    def _split(self) -> list[str]:
        # through UTF-8 bytes: one table look-up a byte whatever the script, 20 times faster than a regex
        raw = self.lower.encode("utf-8", "surrogatepass").translate(_NO_LETTER_TO_SPACE)
        return raw.decode("utf-8", "surrogatepass").split()

    @property
    def initials(self) -> frozenset[str]:
        """The characters of `begin_with` that occur: rules out phrases of other scripts at once."""
        if self._initials is None:
            lower = self.lower
            self._initials = frozenset([c for c in _INITIALS if c in lower])
        return self._initials

    @property
    def shape(self) -> bytes:
        """One byte a character: A for ASCII letters, 9 for digits, the rest as it is (non-Latin: ?).

        Identifiers of fixed shape are literals in it, and searching bytes for a literal costs next to nothing.
        """
        if self._shape is None:
            self._shape = self.text.encode("latin-1", "replace").translate(_SHAPE)
        return self._shape

    @property
    def numbered(self) -> bytes:
        """The different runs of `shape` that are long enough for an identifier and hold a digit, a line each.

        Logs and tables repeat their shapes: two hundred bytes for a text of 2 KB, so dozens of searches cost little.
        """
        if self._numbered is None:
            runs = set(self.shape.split())
            self._numbered = b"\n".join([run for run in runs if len(run) >= NUMBERED and b"9" in run])
        return self._numbered

    @property
    def long_words(self) -> list[str]:
        """Pieces without white space of at least 16 characters: where keys and tokens are."""
        if self._long is None:
            text = self.text
            self._long = [text[start:end] for start, end in self.long_spans()]
        return self._long

    def long_spans(self) -> list[tuple[int, int]]:
        """Where the long words are."""
        if self._spans is None:
            self._spans = long_runs(self.text, _LONG)
        return self._spans

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original offsets of a span of `text`."""
        return self._plain.span(start, end)

    def word_ends(self, word: str) -> list[int]:
        """Ends of a lower-case word that stands by itself."""
        found = self._ends.get(word)
        if found is None:
            apart = _ASKED.get(word)
            found = self._ends[word] = _word_ends(self, word) if apart is None else self._ends_of(apart)
        return found

    def _ends_of(self, apart: bytes) -> list[int]:
        if self._blanks is None:
            # Letters and digits stay, all else is a blank; what Latin-1 lacks becomes "?", which then is a letter.
            raw = self.lower.replace("?", " ").encode("latin-1", "replace")
            self._blanks = b" " + raw.translate(_SPACED) + b" "
        blanks, size, found = self._blanks, len(apart) - 2, []
        at = blanks.find(apart)
        while at >= 0:
            at += size
            found.append(at)
            at = blanks.find(apart, at)
        return found

    def occurrences(self, literal: str) -> Iterator[int]:
        """Starts of a lower-case literal in `lower`."""
        at = self.lower.find(literal)
        while at >= 0:
            yield at
            at = self.lower.find(literal, at + len(literal))


class Hits:
    """What the families found, as (type, start, end) in offsets of `Doc.text`."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[tuple[str, int, int]] = []

    def add(self, kind: str, start: int, end: int) -> None:
        if end > start:
            self.items.append((kind, start, end))

    def covered(self, start: int, end: int) -> bool:
        """True when one found span already contains this one."""
        return any(s <= start and end <= e for _, s, e in self.items)


def _word_ends(doc: Doc, word: str) -> list[int]:
    lower, out = doc.lower, []
    for at in doc.occurrences(word):
        end = at + len(word)
        if not (at and lower[at - 1].isalnum()) and not lower[end : end + 1].isalnum():
            out.append(end)
    return out


# The words families look for, and for those of Latin-1 how they stand by themselves in `Doc._blanks`.
_KNOWN: set[str] = set()
_ASKED: dict[str, bytes] = {}
_INITIALS: set[str] = set()


def begin_with(phrases: Iterable[str]) -> None:
    """Register the first characters of phrases for `Doc.initials`."""
    _INITIALS.update(phrase[0] for phrase in phrases)


def ask_for(words: Iterable[str]) -> None:
    """Register words for `Doc.known` and `Doc.word_ends`; families do so when they are imported."""
    for word in words:
        _KNOWN.add(word)
        if word.isalpha() and all(ord(c) < 256 for c in word):
            _ASKED[word] = b" " + word.encode("latin-1") + b" "
