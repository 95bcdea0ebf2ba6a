"""Token estimate without a tokenizer: counts character classes, never downloads a vocabulary."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.pace import breathe

# A text is read in slices of this many code points: memory stays flat for a 20 MB body, and other threads get their turn.
_SLICE: Final = 1 << 16

_OTHER, _SPACE, _LOWER, _UPPER, _DIGIT, _PUNCT, _ACCENT, _CYRILLIC, _ALPHABET, _CJK, _HEAVY, _NEWLINE = range(
    12
)
_KINDS: Final = 12
# Tokens per character. Set against cl100k_base: the total over a corpus lands between 0.85 and 1.25 of its count
# for prose in 14 languages, mathematics, code and credentials; English and code lean high on purpose, since an
# estimate too low overflows a context window and one too high only costs room.
_PER_WORD: Final = 0.46
_PER_LETTER: Final = 0.175
_WEIGHT: Final[dict[int, float]] = {
    _OTHER: 2.6,  # emoji, rare scripts: bytes
    _UPPER: 0.35,  # capitals merge less
    _DIGIT: 0.7,
    _PUNCT: 0.72,
    _ACCENT: 1.0,  # accented Latin breaks the word in two
    _CYRILLIC: 0.56,
    _ALPHABET: 0.88,  # Greek, Hebrew, Arabic
    _CJK: 1.12,
    _HEAVY: 1.12,  # Indic, Thai, Hangul and others that vocabularies cover thinly
    _NEWLINE: 0.6,
}


def _classes() -> NDArray[np.uint8]:
    table = np.full(0x10000, _OTHER, dtype=np.uint8)
    for code in range(0x80):
        char = chr(code)
        if char.isalpha():
            table[code] = _LOWER if char.islower() else _UPPER
        elif char.isdigit():
            table[code] = _DIGIT
        elif char == "\n":
            table[code] = _NEWLINE
        elif char.isspace() or code < 0x20:
            table[code] = _SPACE
        else:
            table[code] = _PUNCT
    for first, last, kind in (
        (0x80, 0x24F, _ACCENT),
        (0x370, 0x3FF, _ALPHABET),
        (0x400, 0x52F, _CYRILLIC),
        (0x530, 0x6FF, _ALPHABET),
        (0x900, 0x10FF, _HEAVY),
        (0x1100, 0x11FF, _HEAVY),
        (0x1E00, 0x1EFF, _ACCENT),
        (0x2000, 0x206F, _PUNCT),
        (0x3000, 0x30FF, _CJK),
        (0x3400, 0x9FFF, _CJK),
        (0xAC00, 0xD7A3, _HEAVY),
        (0xF900, 0xFAFF, _CJK),
        (0xFF00, 0xFFEF, _CJK),
    ):
        table[first : last + 1] = kind
    return table


_TABLE: Final = _classes()
_VECTOR: Final = np.array([_WEIGHT.get(kind, 0.0) for kind in range(_KINDS)])


def estimate_tokens(text: str) -> int:
    """Tokens a current model is likely to count for `text`; rather a little high than low. Linear, 0 for ""."""
    if not text:
        return 0
    total = 0.0
    for start in range(0, len(text), _SLICE):
        total += _slice_tokens(text[start : start + _SLICE])
        breathe()
    return max(1, math.ceil(total))


def _starts() -> NDArray[np.int64]:
    """1 for the pairs of kinds in which the second one begins a piece of a word, else 0."""
    table = np.zeros((_KINDS, _KINDS), dtype=np.int64)
    table[:, _LOWER] = table[:, _UPPER] = 1
    # A capital after a small letter or a digit starts a piece too: camelCase, and above all base64 and keys.
    table[_LOWER, _LOWER] = table[_UPPER, _LOWER] = table[_UPPER, _UPPER] = 0
    return table.ravel()


_STARTS: Final = _starts()
# What a short ASCII text needs is counted by bytes methods, in half the time of the arrays below.
_SHORT: Final = 400
_ASCII_KIND: Final = bytes(_TABLE[:0x80]) + bytes(0x80)
_SEEN: Final = tuple((kind, bytes((kind,))) for kind in sorted(set(_ASCII_KIND[:0x80])))
_CASE: Final = bytes(76 if k == _LOWER else 85 if k == _UPPER else 32 for k in _ASCII_KIND)


def _ascii_tokens(raw: bytes) -> float:
    kinds = raw.translate(_ASCII_KIND)
    counts = [0] * _KINDS
    for kind, byte in _SEEN:
        counts[kind] = kinds.count(byte)
    # Where a piece of a word begins, as below: a small letter after none, a capital after anything but a capital.
    case = b" " + raw.translate(_CASE)
    words = case.count(b" L") + case.count(b" U") + case.count(b"LU")
    letters = counts[_LOWER] + counts[_UPPER]
    return float(np.array(counts) @ _VECTOR) + _PER_WORD * words + _PER_LETTER * letters


def _slice_tokens(text: str) -> float:
    if text.isascii():
        raw = text.encode("ascii")
        if len(raw) <= _SHORT:
            return _ascii_tokens(raw)
        kinds = np.frombuffer(raw.translate(_ASCII_KIND), dtype=np.uint8)
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        kinds = _TABLE[np.minimum(codes, 0xFFFF)]
    # Each character with the one before it, counted once: what there is of a kind, and where words begin.
    pairs = np.bincount(kinds[:-1] * np.uint8(_KINDS) + kinds[1:], minlength=_KINDS * _KINDS)
    counts = pairs.reshape(_KINDS, _KINDS).sum(axis=0)
    counts[kinds[0]] += 1
    letters = int(counts[_LOWER] + counts[_UPPER])
    words = int(pairs @ _STARTS) + int(kinds[0] in (_LOWER, _UPPER))
    return float(counts @ _VECTOR) + _PER_WORD * words + _PER_LETTER * letters
