"""The explainable part: floors, ceilings, the literal rule, and the choice by expected cost."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from aicc_hooks.detect.complexity.config import ComplexityConfig
from aicc_hooks.detect.complexity.features import MENTIONED
from aicc_hooks.detect.complexity.model import Scores
from aicc_hooks.verdict import Tier

RANK: Final[dict[str, int]] = {"simple": 0, "medium": 1, "complex": 2}
TIERS: Final[tuple[Tier, ...]] = ("simple", "medium", "complex")
# One tier too low costs this part of `under_route_cost`: the middle model rarely fails outright.
_NEAR_MISS: Final = 0.3


@lru_cache(maxsize=64)
def _signals(signals: tuple[str, ...]) -> re.Pattern[str] | None:
    parts = []
    for signal in signals:
        if not signal.strip():
            continue
        body = re.escape(signal.rstrip())
        before = r"(?<!\w)" if signal[:1].isalnum() or signal[:1] == "_" else ""
        after = r"(?=\s)" if signal != signal.rstrip() else (r"(?!\w)" if signal[-1:].isalnum() else "")
        parts.append(f"{before}{body}{after}")
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def signal_in(ask: str, signals: tuple[str, ...]) -> str:
    """The first signal that occurs in the ask as a word, or "". A word in quotation marks is spoken about, not used."""
    low = ask.lower()
    # Most asks hold none: plain substring search is many times cheaper than the pattern.
    if not any(stripped in low for stripped in _stripped(signals)):
        return ""
    pattern = _signals(signals)
    found = pattern.search(MENTIONED.sub(" ", ask)) if pattern else None
    return found.group().lower() if found else ""


@lru_cache(maxsize=64)
def _stripped(signals: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(signal.strip().lower() for signal in signals if signal.strip())


def literal(text: str, tokens: int, config: ComplexityConfig) -> tuple[Tier, tuple[str, ...]]:
    """`classifier: rules`: any signal in the text makes it complex, else its length decides."""
    low = text.lower()
    for name, signals in (
        ("code_signal", config.code_signals),
        ("reasoning_signal", config.reasoning_signals),
    ):
        for signal in signals:
            if signal.lower() in low:
                return "complex", (f"{name}:{signal.strip()}",)
    if tokens <= config.simple_max_tokens:
        return "simple", ("length",)
    return ("medium" if tokens <= config.medium_max_tokens else "complex"), ("length",)


def cheapest(scores: Scores, under_route_cost: float) -> Tier:
    """The tier with the least expected cost; a tier too high costs 1, the small model failing `under_route_cost`."""
    near = max(1.0, under_route_cost * _NEAR_MISS)
    costs = (
        under_route_cost * (scores.small_fails + scores.middle_fails),
        near * scores.middle_fails + scores.middle_wasted,
        scores.large_wasted + scores.middle_wasted,
    )
    return TIERS[min(range(3), key=lambda index: (costs[index], -index))]


def bounded(tier: Tier, ask: str, ask_tokens: int, config: ComplexityConfig) -> tuple[Tier, tuple[str, ...]]:
    """Apply floors (signal words) and ceilings (length of the ask); says which one moved the tier."""
    rank = RANK[tier]
    why: list[str] = []
    for name, signals in (
        ("code_signal", config.code_signals),
        ("reasoning_signal", config.reasoning_signals),
    ):
        if rank < 1 and (signal := signal_in(ask, signals)):
            rank = 1
            why.append(f"floor:{name}:{signal.strip()}")
    if ask_tokens > config.medium_max_tokens and rank < 2:
        rank = 2
        why.append("ceiling:medium_max_tokens")
    elif ask_tokens > config.simple_max_tokens and rank < 1:
        rank = 1
        why.append("ceiling:simple_max_tokens")
    return TIERS[rank], tuple(why)
