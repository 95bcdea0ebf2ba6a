"""Hashed n-grams of a text, computed by numpy with no Python loop over characters or words.

`hash_ngrams(text, chars=(3, 4), words=(1, 2), buckets=1 << 16, seed=7) -> (indices, counts)`

* `chars`: orders of character n-grams over the folded text.
* `words`: orders of word n-grams. A word is a run of letters, digits, marks or `_`; a character of a script that is
  written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese) is a word by itself, so `words=(1, 2)` means
  something there too.
* Every n-gram of every order lands in one table of `buckets` (a power of two); each order has a salt of its own.
* `indices` is a sorted int64 array of distinct buckets, `counts` an int64 array of the same length.

Folding is `str.lower()`, runs of white space become one space and every digit becomes `0`: the same text gives the
same buckets on every machine and Python (no use of `hash()`), which is what lets trained weights ship.

How: with P odd, H[i] = sum of mix(c[j]) * P**j for j < i (mod 2**64) is one cumulative sum, and the hash of any span
[a, b) is (H[b] - H[a]) * P**-a: two look-ups and a product, whatever its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Counts = NDArray[np.int64]
_U64 = NDArray[np.uint64]

_P = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2**64
ODD = np.uint64(_P)
_P_INVERSE = pow(_P, -1, 1 << 64)
_DIGITS = str.maketrans("123456789", "0" * 9)
_TABLE = 0x3100  # code points below have a table entry; above it, ranges decide

_OTHER, _WORD, _ALONE = 0, 1, 2


@lru_cache(maxsize=1)
def _classes() -> NDArray[np.uint8]:
    """Class of each code point below `_TABLE`: other, part of a word, or a word alone."""
    table = np.zeros(_TABLE, dtype=np.uint8)
    for point in range(_TABLE):
        char = chr(point)
        if (
            0x0E00 <= point < 0x0F00
            or 0x1000 <= point < 0x10A0
            or 0x1780 <= point < 0x1800
            or point >= 0x3040
        ):
            table[point] = _ALONE
        elif char.isalnum() or char == "_":
            table[point] = _WORD
        elif 0x0300 <= point < 0x0370 or 0x0900 <= point < 0x0E00:
            table[point] = _WORD  # combining marks and the vowel signs of Indic scripts
    table[0x0964] = table[0x0965] = _OTHER  # danda: the full stop of Hindi
    return table


def _classify(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    low = np.minimum(points, _TABLE - 1)
    classes = _classes()[low]
    high = points >= _TABLE
    if high.any():
        classes = classes.copy()
        hangul = (points >= 0xAC00) & (points < 0xD7B0)
        classes[high] = np.where(hangul[high], _WORD, _ALONE)
        punctuation = high & (
            ((points >= 0xFF00) & (points < 0xFF10)) | ((points >= 0xFE30) & (points < 0xFE50))
        )
        classes[punctuation] = _OTHER
    return classes


@lru_cache(maxsize=4)
def _powers(size: int) -> tuple[_U64, _U64]:
    """P**0 … P**(size-1) and their inverses, modulo 2**64; `size` is a power of two, so few are kept."""
    up = np.full(size, _P, dtype=np.uint64)
    down = np.full(size, _P_INVERSE, dtype=np.uint64)
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64)


@lru_cache(maxsize=64)
def salted(salt: int) -> np.uint64:
    """What is added to hashes of one kind before they are mixed, so that kinds do not collide."""
    return np.uint64((salt * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) % (1 << 64))


_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mix(z: _U64) -> _U64:
    """Finalizer of splitmix64: spreads every input bit over the word. `z` is used up."""
    z ^= z >> _S30
    z *= _M1
    z ^= z >> _S27
    z *= _M2
    z ^= z >> _S31
    return z


def _mix(values: _U64, salt: int) -> _U64:
    return mix(values + salted(salt))


# What `fold` does to a character of ASCII; `str` counts four separators (28 to 31) as white space that `bytes` does not.
_FOLDED = bytes(
    32 if chr(c).isspace() else 48 if chr(c).isdigit() else ord(chr(c).lower()) for c in range(128)
) + bytes(range(128, 256))


def fold(text: str) -> str:
    """The text the n-grams are taken from: lower case, single spaces, digits as `0`."""
    if text.isascii():
        return b" ".join(text.encode("ascii").translate(_FOLDED).split()).decode("ascii")
    return " ".join(text.lower().translate(_DIGITS).split())


def bucket_ids(
    text: str,
    chars: Sequence[int] = (),
    words: Sequence[int] = (),
    buckets: int = 1 << 16,
    seed: int = 0,
) -> Indices:
    """Bucket of every n-gram occurrence, unsorted, with repeats: what `hash_ngrams` counts."""
    if buckets <= 0 or buckets & (buckets - 1):
        raise ValueError("buckets must be a power of two")
    return folded_ids(fold(text), chars, words, buckets, seed)


def folded_ids(folded: str, chars: Sequence[int], words: Sequence[int], buckets: int, seed: int) -> Indices:
    """`bucket_ids` of a text that is folded already."""
    return paired_ids(folded, "", chars, words, buckets, seed)[0]


def paired_ids(
    folded: str, other: str, chars: Sequence[int], words: Sequence[int], buckets: int, seed: int
) -> tuple[Indices, int]:
    """`folded_ids` of a text, behind them those of another one's words; and how many the first has.

    In one pass: for texts of some hundred characters a call of numpy costs more than what it works on.
    """
    length = len(folded)
    text = f"{folded} {other}" if other else folded
    if not text:
        return np.zeros(0, dtype=np.int64), 0
    raw = text.encode("ascii") if text.isascii() else b""
    size = len(text)
    up, down = _powers(max(64, 1 << (size - 1).bit_length()))
    if raw:
        points: NDArray[Any] = np.frombuffer(raw, dtype=np.uint8)
        mixed = _ascii_points().take(points)
    else:
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        mixed = _mix(points.astype(np.uint64), 1)
    mixed *= up[:size]
    prefix = np.zeros(size + 1, dtype=np.uint64)
    np.cumsum(mixed, out=prefix[1:])
    parts: list[_U64] = []
    for order in chars:
        if length >= order:
            span = (prefix[order : length + 1] - prefix[: length + 1 - order]) * down[: length + 1 - order]
            parts.append(span + salted(seed * 64 + order))
    characters = sum(map(len, parts))
    behind: list[_U64] = []
    if words:
        starts, ends = _ascii_spans(raw) if raw else word_spans(points)
        own = int(starts.searchsorted(length))
        parts.append((prefix[ends] - prefix[starts]) * down[starts] + salted(seed * 64 + 33))
        hashes = mix(np.concatenate(parts))
        parts = [hashes[:characters]]
        gram = first = hashes[characters:]
        for order in range(1, min(max(words), len(first)) + 1):
            if order > 1:
                gram = _mix(gram[:-1] * ODD + first[order - 1 :], seed * 64 + 32 + order)
            if order in words:
                parts.append(gram[: max(0, own + 1 - order)])
                behind.append(gram[own:])
    elif parts:
        parts = [mix(np.concatenate(parts))]
    count = sum(map(len, parts))
    if not count + sum(map(len, behind)):
        return np.zeros(0, dtype=np.int64), 0
    return to_buckets(np.concatenate(parts + behind), buckets), count


def to_buckets(hashes: _U64, buckets: int) -> Indices:
    """Buckets of 64-bit hashes; the top bits of the mixed word are the best spread."""
    return (hashes >> np.uint64(64 - (buckets.bit_length() - 1))).astype(np.int64)


@lru_cache(maxsize=1)
def _ascii_points() -> _U64:
    return _mix(np.arange(128, dtype=np.uint64), 1)


@lru_cache(maxsize=1)
def _ascii_inside() -> bytes:
    return bytes(int(kind != _OTHER) for kind in _classes()[:256])


def _ascii_spans(raw: bytes) -> tuple[Indices, Indices]:
    """`word_spans` of ASCII, where no character is a word by itself."""
    inside = np.frombuffer(b"\0" + raw.translate(_ascii_inside()) + b"\0", dtype=np.bool_)
    edges = (inside[1:] != inside[:-1]).nonzero()[0]
    return edges[::2], edges[1::2]


def word_spans(points: NDArray[np.uint32]) -> tuple[Indices, Indices]:
    """Starts and ends of the words in an array of code points."""
    classes = _classify(points)
    inside = classes != _OTHER
    alone = classes == _ALONE
    start = inside.copy()
    start[1:] &= ~inside[:-1] | alone[1:] | alone[:-1]
    end = inside.copy()
    end[:-1] &= ~inside[1:] | alone[1:] | alone[:-1]
    return start.nonzero()[0], end.nonzero()[0] + 1


def hash_ngrams(
    text: str,
    chars: Sequence[int] = (),
    words: Sequence[int] = (),
    buckets: int = 1 << 16,
    seed: int = 0,
) -> tuple[Indices, Counts]:
    """Distinct buckets of the text's n-grams (sorted) and how often each occurs."""
    ids = bucket_ids(text, chars, words, buckets, seed)
    if len(ids) * 8 > buckets:  # one pass over the table beats sorting
        table = np.bincount(ids, minlength=buckets)
        indices = np.flatnonzero(table)
        return indices, table[indices]
    indices, counts = np.unique(ids, return_counts=True)
    return indices, counts.astype(np.int64)
