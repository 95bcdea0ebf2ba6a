"""Numbers the model sees: hashed n-grams with their positions, and the features of one window.

The n-grams are of words (orders 1, 2) and of the *skeleton*: the tokens that have a class, with how far apart they
stand. The skeleton is what carries over to other wordings and languages.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.hashing import Indices, to_buckets, token_grams
from aicc_hooks.detect.injection import rules
from aicc_hooks.detect.injection.tokens import OTHER, Stream

BUCKETS: Final = 1 << 16
SCALES: Final = (14, 44, 128)  # tokens: an order, a paragraph, a persona
_SEED: Final = 4
_OTHER: Final = ord(OTHER)
_K: Final = np.uint64(0x9E3779B97F4A7C15)

# Rules that mean more when the text was fetched than when the user typed it.
_FETCHED: Final = (
    "override",
    "override_start",
    "to_the_model",
    "your_reply",
    "exfiltrate",
    "exfil_order",
    "leak",
    "persona",
)
NAMES: Final = (
    *(f"z{scale}" for scale in SCALES),
    "z_all",
    *rules.NAMES,
    "rules",
    "length",
    "capitals",
    "short",
    "decoded",
    "fetched",
    *(f"fetched_z{scale}" for scale in SCALES),
    *(f"fetched_{name}" for name in _FETCHED),
)


def grams(stream: Stream) -> tuple[Indices, Indices]:
    """`(buckets, positions)` of every n-gram; a position is the index of the n-gram's last token."""
    n = len(stream.hashes)
    if not n:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    parts = token_grams(stream.hashes, (1, 2), _SEED)
    places = [np.arange(n)] + ([np.arange(1, n)] if n > 1 else [])
    codes = np.frombuffer(stream.classes.encode("ascii"), dtype=np.uint8)
    marked = np.flatnonzero(codes != _OTHER)
    if len(marked) > 1:
        gaps = np.minimum(np.diff(marked), 5).astype(np.uint64)  # 1 adjacent … 5 far
        kinds = codes[marked].astype(np.uint64)
        pair = (kinds[:-1] * np.uint64(128) + kinds[1:]) * np.uint64(8) + gaps
        parts.append(token_grams(pair, (1,), _SEED + 1)[0])
        places.append(marked[1:])
        if len(marked) > 2:
            triple = (kinds[:-2] * np.uint64(16384) + kinds[1:-1] * np.uint64(128) + kinds[2:]) * np.uint64(2)
            parts.append(token_grams(triple + (gaps[:-1] + gaps[1:] > 4), (1,), _SEED + 2)[0])
            places.append(marked[2:])
        if len(marked) > 3:
            four = triple[:-1] * np.uint64(64) + kinds[3:]
            parts.append(token_grams(four, (1,), _SEED + 3)[0])
            places.append(marked[3:])
    return to_buckets(np.concatenate(parts), BUCKETS), np.concatenate(places)


def moving(totals: NDArray[np.float64], scale: int) -> float:
    """Worst window of `scale` tokens, normalised by the root of its size. `totals` is a cumulative sum that starts at 0."""
    n = len(totals) - 1
    if n <= scale:
        return float((totals[-1] - totals[0]) / math.sqrt(max(n, 6)))
    return float((totals[scale:] - totals[:-scale]).max() / math.sqrt(scale))


def vector(
    totals: NDArray[np.float64], fired: dict[str, int], text: str, *, fetched: bool, decoded: bool
) -> NDArray[np.float64]:
    """Features of one window, in the order of `NAMES`."""
    n = len(totals) - 1
    z = [moving(totals, scale) for scale in SCALES]
    letters = sum(map(str.isupper, text[:400]))
    row = [*z, float((totals[-1] - totals[0]) / math.sqrt(max(n, 6)))]
    row += [float(name in fired) for name in rules.NAMES]
    row += [
        min(len(fired), 8) / 4,
        np.log2(n + 1) / 8,
        min(letters / (len(text[:400]) + 1), 0.5) * 2,
        float(n < 6),
        float(decoded),
    ]
    row += [float(fetched), *(zz * fetched for zz in z)]
    row += [float(fetched and name in fired) for name in _FETCHED]
    return np.array(row)
