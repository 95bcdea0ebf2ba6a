"""The shipped weights and what they make of one text: `Model.judge(text, role) -> Judgement`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.injection import decode, features, rules, tokens
from aicc_hooks.verdict import Role

WINDOW = 420  # tokens judged together, about 2 KB
STRIDE = 340
_FETCHED_ROLES = frozenset({Role.TOOL, Role.DOCUMENT})


@dataclass(frozen=True, slots=True)
class Judgement:
    """Log-odds of an attack, and the rules that fired in the worst window."""

    logit: float
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a reading, ready to be scored or trained on."""

    row: NDArray[np.float64]
    rules: tuple[str, ...]


class Model:
    """Hashed n-gram weights under a calibrated logistic over windows, rules and role."""

    def __init__(
        self, grams: NDArray[np.float32], coefficients: NDArray[np.float64], intercept: float
    ) -> None:
        self.grams = grams
        self.coefficients = coefficients
        self.intercept = intercept

    @classmethod
    def load(cls) -> Model:
        """The weights that ship with the package."""
        return _shipped()

    def judge(self, text: str, role: Role = Role.USER) -> Judgement:
        """Worst window over the text and all its readings."""
        worst = Judgement(-20.0)
        for window in self.windows(text, role):
            logit = float(window.row @ self.coefficients) + self.intercept
            if logit > worst.logit:
                worst = Judgement(logit, window.rules)
        return worst

    def windows(self, text: str, role: Role) -> Iterator[Window]:
        """Every window of every reading of a text."""
        fetched = role in _FETCHED_ROLES
        base = decode.normalise(text)
        stream = tokens.read(base)
        yield from self._windows(base, stream, fetched=fetched, how="")
        for how, reading in decode.readings(base, stream.classes):
            yield from self._windows(reading, tokens.read(reading), fetched=fetched, how=how)

    def _windows(self, text: str, stream: tokens.Stream, *, fetched: bool, how: str) -> Iterator[Window]:
        n = len(stream.classes)
        if not n:
            return
        buckets, places = features.grams(stream)
        totals = np.zeros(n + 1)
        np.cumsum(np.bincount(places, weights=self.grams[buckets], minlength=n), out=totals[1:])
        lowered = text.lower()
        for start in range(0, max(n - (WINDOW - STRIDE), 1), STRIDE):
            end = min(start + WINDOW, n)
            # Characters are shared out evenly over tokens: rules over text get their part plus a margin.
            left, right = int(start / n * len(lowered)), int(end / n * len(lowered))
            part = lowered if n <= WINDOW else lowered[max(0, left - 200) : right + 200]
            fired = rules.fired(stream.classes[start:end], part)
            cased = text if n <= WINDOW else text[left:right]
            row = features.vector(totals[start : end + 1], fired, cased, fetched=fetched, decoded=bool(how))
            yield Window(row, (*((f"decoded_{how}",) if how else ()), *fired))


@lru_cache(maxsize=1)
def _shipped() -> Model:
    with (files("aicc_hooks.detect") / "models" / "injection.npz").open("rb") as file:
        data: Any = np.load(file, allow_pickle=False)
        grams = data["grams"].astype(np.float32) * np.float32(data["scale"])
        return Model(grams, data["coefficients"].astype(np.float64), float(data["intercept"]))


def probability(logit: float) -> float:
    """The logistic function, safe at both ends."""
    if logit < -30:
        return 0.0
    return 1.0 / (1.0 + math.exp(-logit))
