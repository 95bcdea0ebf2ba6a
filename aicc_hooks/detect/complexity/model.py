"""The shipped weights: four logistic scores over numeric features and hashed n-grams of the ask.

The four outputs are cumulative statements about which tiers serve a request, so cost can be computed directly:
0: the small model is not enough; 1: nor is the middle one; 2: the large one is more than is needed; 3: so is the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.complexity.features import clip, numeric
from aicc_hooks.detect.complexity.split import AskSplit
from aicc_hooks.detect.hashing import hash_ngrams

CHARS = (4,)
WORDS = (1, 2)
BUCKETS = 1 << 14
SEED = 11
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
    """Dequantised weights: `dense` [features, 4], `sparse` int8 [buckets, 4] times `scale` [4], `bias` [4]."""

    dense: NDArray[np.float32]
    sparse: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, split: AskSplit, ask_tokens: int) -> NDArray[np.float64]:
        """Four raw scores of one ask."""
        total = numeric(split, ask_tokens) @ self.dense + self.bias
        indices, values = ngrams(split.ask)
        if len(indices):
            total = total + (values @ self.sparse[indices].astype(np.float32)) * self.scale
        return np.asarray(total, dtype=np.float64)

    def scores(self, split: AskSplit, ask_tokens: int) -> Scores:
        """Probabilities for one ask."""
        with np.errstate(over="ignore"):
            values = 1.0 / (1.0 + np.exp(-self.logits(split, ask_tokens)))
        return Scores(*(float(value) for value in values))


def ngrams(ask: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets of the ask's n-grams and their weights: log counts scaled to unit length."""
    indices, counts = hash_ngrams(clip(ask), CHARS, WORDS, BUCKETS, SEED)
    values = np.log1p(counts.astype(np.float32))
    norm = float(np.sqrt(values @ values))
    return indices, values / norm if norm else values


@lru_cache(maxsize=1)
def shipped() -> Model:
    """The weights in the package; raises OSError or KeyError when the file is missing or not ours."""
    path = resources.files("aicc_hooks.detect") / "models" / "complexity.npz"
    with resources.as_file(path) as file, np.load(file, allow_pickle=False) as data:
        arrays: dict[str, Any] = {name: data[name] for name in ("dense", "sparse", "scale", "bias")}
    return Model(
        arrays["dense"].astype(np.float32),
        arrays["sparse"],
        arrays["scale"].astype(np.float32),
        arrays["bias"].astype(np.float32),
    )
