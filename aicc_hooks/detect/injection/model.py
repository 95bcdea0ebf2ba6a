"""The shipped weights and what they make of one text: `Model.judge(text, role) -> Judgement`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.injection import decode, features, rules, tokens
from aicc_hooks.detect.pace import breathe
from aicc_hooks.verdict import Role

WINDOW = 2400  # characters judged together; longer texts are cut, so the cost is linear and the worst window counts
OVERLAP = 300  # an order of two sentences is whole in one of the windows
# Speakers of a logged conversation address nobody. Two labels may be a spoofed turn; three and more are a log.
_LABEL = re.compile(r"\n\s{0,8}(?:user|assistant|human|ai|tool|bot|agent|customer|support) ?:", re.IGNORECASE)
_SPEAKERS = ("user", "assistant", "human", "ai", "tool", "bot", "agent", "customer", "support")
_LABELS = tuple(f"{speaker}{gap}:" for speaker in _SPEAKERS for gap in ("", " "))
FOCUS = 30  # tokens
# A window whose worst 14 tokens say too little is not looked at further: four in five ordinary windows, and none of
# 796 attacks caught (with the shipped weights, which have seen them). It belongs to the scale of the weights: fit one, look at the other.
GATE = 1.2
_FEW = 3  # different tokens
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
        self, grams: NDArray[np.int8], scale: float, coefficients: NDArray[np.float64], intercept: float
    ) -> None:
        """`grams` times `scale` are the weights of the n-grams; as bytes they stay in the processor's cache."""
        self.grams = grams
        self.scale = np.float32(scale)
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
        for piece in pieces(text):
            breathe()
            for how, reading, stream in views(piece):
                window = self._window(reading, stream, fetched=fetched, how=how)
                if window is not None:
                    yield window

    def _window(self, text: str, stream: tokens.Stream, *, fetched: bool, how: str) -> Window | None:
        n = len(stream.classes)
        buckets, places = features.grams(stream)
        totals = np.zeros(n + 1)
        np.cumsum(np.bincount(places, weights=self.grams[buckets] * self.scale, minlength=n), out=totals[1:])
        if features.moving(totals, features.SCALES[0]) < GATE:
            return None
        fired = rules.fired(stream.classes, text.lower(), stream.hints)
        if not fired and n > 2 * _FEW and len(np.unique(stream.hashes)) <= _FEW:
            return None  # a word repeated gives no order, but its weights would add up
        row = features.vector(totals, fired, text, stream.foreign, fetched=fetched, decoded=bool(how))
        return Window(row, (*((f"decoded_{how}",) if how else ()), *fired))


def pieces(text: str) -> Iterator[str]:
    """The text in overlapping windows, cut at white space where there is some near the end."""
    start = 0
    while len(text) - start > WINDOW + OVERLAP:
        end = start + WINDOW
        space = max(text.rfind(" ", end - OVERLAP, end), text.rfind("\n", end - OVERLAP, end))
        end = space if space > 0 else end
        yield text[start:end]
        start = end - OVERLAP
    yield text[start:]


def _focused(stream: tokens.Stream) -> Iterator[tuple[str, str, tokens.Stream]]:
    """An order in a long text, judged as if it stood alone: clean text around an attack must not hide it."""
    n = len(stream.classes)
    if n < 80:
        return
    seen = -FOCUS
    for place in sorted(rules.commands(stream.classes)):
        if place - seen < FOCUS // 2:
            continue
        seen = place
        part = slice(max(0, place - 4), place + FOCUS)
        share = stream.foreign * (part.stop - part.start) // n
        yield "", "", tokens.Stream(stream.classes[part], stream.hashes[part], share)


def views(piece: str) -> Iterator[tuple[str, str, tokens.Stream]]:
    """`(how, text, stream)` of a window as it reads and as it decodes; `how` is empty for the plain reading."""
    base = decode.normalise(piece)
    if ":" in base and len(_LABEL.findall(base)) > 1 and _labelled(base.lower()):
        base = _LABEL.sub("\n", "\n" + base)
    stream = tokens.read(base)
    if stream.classes:
        yield "", base, stream
        yield from _focused(stream)
    for how, reading in decode.readings(base, stream.classes):
        decoded = tokens.read(reading)
        if decoded.classes:
            yield how, reading, decoded


def _labelled(lowered: str) -> bool:
    return any(label in lowered for label in _LABELS)


@lru_cache(maxsize=1)
def _shipped() -> Model:
    with (files("aicc_hooks.detect") / "models" / "injection.npz").open("rb") as file:
        data: Any = np.load(file, allow_pickle=False)
        grams = data["grams"].astype(np.int8)
        # By name: a feature the weights were not fitted with says nothing until the next training.
        fitted = dict(zip(data["names"].tolist(), data["coefficients"].astype(np.float64), strict=True))
        coefficients = np.array([fitted.get(name, 0.0) for name in features.NAMES])
        return Model(grams, float(data["scale"]), coefficients, float(data["intercept"]))


def probability(logit: float) -> float:
    """The logistic function, safe at both ends."""
    if logit < -30:
        return 0.0
    return 1.0 / (1.0 + math.exp(-logit))
