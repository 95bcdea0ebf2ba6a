"""Numbers the model sees: hashed n-grams with their positions, and the features of one window.

The n-grams are of words (orders 1, 2) and of the *skeleton*: the tokens that have a class, with how far apart they
stand. The skeleton is what carries over to other wordings and languages.
"""

from __future__ import annotations

import math
from string import ascii_uppercase
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.hashing import ODD, Indices, mix, salted, to_buckets
from aicc_hooks.detect.injection import rules
from aicc_hooks.detect.injection.tokens import BOUNDARY, SIGNALS, Stream

BUCKETS: Final = 1 << 16
SCALES: Final = (14, 44, 128)  # tokens: an order, a paragraph, a persona
_SEED: Final = 4
_BAR: Final = ord(BOUNDARY)
_MARKED: Final = np.array([chr(c) not in SIGNALS for c in range(128)])
_CAPITALS: Final = ascii_uppercase.encode()
_LIMIT: Final = 5.0  # no single n-gram channel decides alone

# Rules that mean more when the text was fetched than when the user typed it.
_FETCHED: Final = (
    "override_strict",
    "addresses_model",
    "user_request",
    "override_start",
    "your_reply",
    "exfil_order",
    "leak_start",
    "do_anything_now",
    "hidden_comment",
)
# Benign texts in other languages seldom trip a rule: there a hit says more.
_FOREIGN: Final = (
    ("override", "override_start", "override_sov"),
    ("leak", "leak_start", "leak_sov"),
    ("persona", "unbound", "you_are_now"),
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
    f"fetched_z{SCALES[0]}",
    *(f"fetched_{name}" for name in _FETCHED),
    "foreign",
    "foreign_override",
    "foreign_leak",
    "foreign_persona",
)


def grams(stream: Stream) -> tuple[Indices, Indices]:
    """`(buckets, positions)` of every n-gram; a position is the index of the n-gram's last token."""
    n = len(stream.hashes)
    if not n:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    words = stream.hashes != 0
    single = words.nonzero()[0]
    double = (words[1:] | words[:-1]).nonzero()[0] + 1
    mixed = mix(stream.hashes + salted(_SEED * 64 + 33))
    # Every n-gram is a number with the salt of its kind added; they are mixed in one go below.
    parts = [(mixed[:-1] * ODD + mixed[1:])[double - 1] + salted(_SEED * 64 + 34)]
    places = [single, double]
    codes = np.frombuffer(stream.classes.encode("ascii"), dtype=np.uint8)
    marked = _MARKED[codes].nonzero()[0]
    kinds = codes[marked]
    bars = kinds == _BAR
    if bars.any():
        bars[1:] &= bars[:-1].copy()
        bars[0] = False
        marked = marked[~bars]  # one boundary says as much as ten
        kinds = codes[marked]
    if len(marked) > 1:
        gaps = np.minimum(marked[1:] - marked[:-1], 5).astype(np.uint64)  # 1 adjacent … 5 far
        kinds = kinds.astype(np.uint64)
        pair = (kinds[:-1] * np.uint64(128) + kinds[1:]) * np.uint64(8) + gaps
        parts.append(pair + salted((_SEED + 1) * 64 + 33))
        places.append(marked[1:])
        if len(marked) > 2:
            triple = (kinds[:-2] * np.uint64(16384) + kinds[1:-1] * np.uint64(128) + kinds[2:]) * np.uint64(2)
            parts.append(triple + (gaps[:-1] + gaps[1:] > 4) + salted((_SEED + 2) * 64 + 33))
            places.append(marked[2:])
        if len(marked) > 3:
            four = triple[:-1] * np.uint64(64) + kinds[3:]
            parts.append(four + salted((_SEED + 3) * 64 + 33))
            places.append(marked[3:])
    hashes = np.concatenate([mixed[single], mix(np.concatenate(parts))])
    return to_buckets(hashes, BUCKETS), np.concatenate(places)


def moving(totals: NDArray[np.float64], scale: int) -> float:
    """Worst window of `scale` tokens, normalised by the root of its size. `totals` is a cumulative sum that starts at 0."""
    n = len(totals) - 1
    if n <= scale:
        return clip((totals[-1] - totals[0]) / math.sqrt(max(n, 6)))
    return clip((totals[scale:] - totals[:-scale]).max() / math.sqrt(scale))


def clip(value: float) -> float:
    """A score kept within what one channel may say."""
    return min(max(float(value), -_LIMIT), _LIMIT)


def vector(
    totals: NDArray[np.float64],
    fired: dict[str, int],
    text: str,
    foreign: int,
    *,
    fetched: bool,
    decoded: bool,
) -> NDArray[np.float64]:
    """Features of one window, in the order of `NAMES`."""
    n = len(totals) - 1
    z = [moving(totals, scale) for scale in SCALES]
    head = text[:400]
    letters = (
        len(head) - len(head.encode("ascii").translate(None, _CAPITALS))
        if head.isascii()
        else sum(map(str.isupper, head))
    )
    if fetched:  # an order planted in a long document is local: the rest says nothing
        z = [z[0], z[1], 0.0]
    row = [*z, (not fetched) * clip((totals[-1] - totals[0]) / math.sqrt(max(n, 6)))]
    row += [float(name in fired) for name in rules.NAMES]
    row += [
        min(len(fired), 8) / 4,
        math.log2(n + 1) / 8,
        min(letters / (len(head) + 1), 0.5) * 2,
        float(n < 6),
        float(decoded),
    ]
    row += [float(fetched), z[0] * fetched]
    row += [float(fetched and name in fired) for name in _FETCHED]
    other = float(foreign > 1 and foreign * 3 > n - foreign * 2)
    row += [other, *(other * any(name in fired for name in names) for names in _FOREIGN)]
    return np.array(row)
