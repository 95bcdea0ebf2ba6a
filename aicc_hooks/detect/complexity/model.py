"""The shipped weights: four logistic scores over numeric features and hashed n-grams of the ask.

The four outputs are cumulative statements about which tiers serve a request, so cost can be computed directly:
0: the small model is not enough; 1: nor is the middle one; 2: the large one is more than is needed; 3: so is the middle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.complexity.features import clip, numeric
from aicc_hooks.detect.complexity.split import AskSplit
from aicc_hooks.detect.hashing import fold, paired_ids

CHARS = (4,)
WORDS = (1, 2)
BUCKETS = 1 << 14
SEED = 11
COMMAND = 120  # characters
ROWS = 2 * BUCKETS  # of the hashed weights: the whole ask, then its command
OUTPUTS = 4


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities in [0, 1]; see the module's head for what each says."""

    small_fails: float
    middle_fails: float
    large_wasted: float
    middle_wasted: float


@dataclass(frozen=True)
class Model:
    """Weights: `dense` [features, 4], `bias` [4], and `sparse` [2 * buckets, 4] as stored, which `scale` [4] makes numbers.

    An ask reads some hundred rows all over `sparse`: a quarter of the memory means fewer misses of the processor's cache.
    """

    dense: NDArray[np.float32]
    sparse: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, split: AskSplit, ask_tokens: int) -> NDArray[np.float64]:
        """Four raw scores of one ask."""
        total = numeric(split, ask_tokens) @ self.dense + self.bias
        indices, values = ngrams(split.ask)
        if len(indices):
            # Four bytes a row are one number: gathered so, rows come ten times as fast.
            rows = self.sparse.view(np.uint32).ravel().take(indices).view(np.int8).reshape(-1, OUTPUTS)
            total = total + values @ (rows * self.scale)
        return np.asarray(total, dtype=np.float64)

    def scores(self, split: AskSplit, ask_tokens: int) -> Scores:
        """Probabilities for one ask."""
        # Four numbers: Python takes a quarter of numpy's time.
        return Scores(
            *[
                1.0 / (1.0 + math.exp(-min(max(logit, -30.0), 30.0)))
                for logit in self.logits(split, ask_tokens).tolist()
            ]
        )


def ngrams(ask: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets of the ask's n-grams (with repeats) and the weight of each: 1 / sqrt(how many there are).

    The words of the command (start of the first line, end of the last) have rows of their own: they say what kind of
    work the rest is for.
    """
    text = clip(ask)
    folded = fold(text)
    short = command_of(ask)
    if short == text:
        # Short asks: their word n-grams are there already, after the character n-grams.
        ids, count = paired_ids(folded, "", CHARS, WORDS, BUCKETS, SEED)
        ids = np.concatenate((ids, ids[max(0, len(folded) + 1 - CHARS[0]) :]))
    else:
        ids, count = paired_ids(folded, fold(short), CHARS, WORDS, BUCKETS, SEED)
    ids[count:] += BUCKETS
    values = np.empty(len(ids), dtype=np.float32)
    values[:count] = 1.0 / math.sqrt(max(1, count))
    values[count:] = 1.0 / math.sqrt(max(1, len(ids) - count))
    return ids, values


def command_of(ask: str) -> str:
    """Where the work is usually named: the start of the first line and the end of the last."""
    first = ask.split("\n", 1)[0][:COMMAND]
    if len(ask) <= len(first):
        return first
    return first + " \n " + ask.rsplit("\n", 1)[-1][-COMMAND:]


@lru_cache(maxsize=1)
def shipped() -> Model:
    """The weights in the package; raises OSError or KeyError when the file is missing or not ours."""
    path = resources.files("aicc_hooks.detect") / "models" / "complexity.npz"
    with resources.as_file(path) as file, np.load(file, allow_pickle=False) as data:
        arrays: dict[str, Any] = {name: data[name] for name in ("dense", "sparse", "scale", "bias")}
    return unpack(arrays)


def unpack(arrays: Mapping[str, Any]) -> Model:
    """Model from stored arrays: int8 hashed weights and their scale, float16 dense weights."""
    return Model(
        np.asarray(arrays["dense"], dtype=np.float32),
        np.asarray(arrays["sparse"], dtype=np.int8),
        np.asarray(arrays["scale"], dtype=np.float32),
        np.asarray(arrays["bias"], dtype=np.float32),
    )
