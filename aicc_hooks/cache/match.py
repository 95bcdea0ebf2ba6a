"""May the answer to one question serve another? The pure decision behind the semantic tier and `aicc cache match`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aicc_hooks.cache.ask import normalise
from aicc_hooks.cache.guard import PASS, judge


@dataclass(frozen=True, slots=True)
class Match:
    """`guard` is `pass` or a reason; `hit` needs both the guard and the similarity."""

    similarity: float
    guard: str
    hit: bool

    def as_line(self) -> dict[str, object]:
        """The line of `aicc cache match`."""
        return {"similarity": round(self.similarity, 4), "guard": self.guard, "hit": self.hit}


def match(
    a: str, b: str, similarity: float, threshold: float, *, guard: Callable[[str, str], str] = judge
) -> Match:
    """Similarity proposes, the guard decides."""
    said = guard(a, b)
    return Match(similarity, said, said == PASS and similarity >= threshold)


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Cosine of two vectors of one length; raises ValueError otherwise."""
    try:
        x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("vector_a and vector_b must be lists of numbers") from error
    if x.shape != y.shape or x.ndim != 1 or not len(x):
        raise ValueError("vector_a and vector_b must be lists of the same, non-zero length")
    length = float(np.linalg.norm(x) * np.linalg.norm(y))
    if not np.isfinite(length) or length == 0:
        raise ValueError("vectors must be finite and not zero")
    return float(x @ y) / length


def match_record(record: Mapping[str, Any], threshold: float) -> dict[str, object]:
    """One input line of `aicc cache match` that brings its vectors; ValueError says what is wrong with it."""
    a, b = record.get("a"), record.get("b")
    if not isinstance(a, str) or not isinstance(b, str):
        raise ValueError("a and b must be strings")
    vectors = record.get("vector_a"), record.get("vector_b")
    if not all(isinstance(v, list) for v in vectors):
        raise ValueError("vector_a and vector_b must be lists of numbers")
    return match(normalise(a), normalise(b), cosine(*vectors), threshold).as_line()  # type: ignore[arg-type]
