"""`ComplexityDetector(config).inspect(segments) -> ComplexityResult`: how hard is what is asked?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aicc_hooks.detect.complexity import rules
from aicc_hooks.detect.complexity.config import ComplexityConfig
from aicc_hooks.detect.complexity.followup import role_of
from aicc_hooks.detect.complexity.model import Model, shipped
from aicc_hooks.detect.complexity.split import AskSplit, split_ask
from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.verdict import ComplexityResult, Role, Segment, Tier

_LOG = logging.getLogger(__name__)
# How many user turns back the start of the work is looked for.
_TURNS_BACK: Final = 12
# Characters of the turn before and of its answer in which a follow-up's words are looked for.
_BEFORE: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Judged:
    tier: Tier
    score: float
    why: tuple[str, ...]
    tokens: int


class ComplexityDetector:
    """Judges the ask of the last user turn, and the work it goes on with. Stateless; safe to share."""

    def __init__(self, config: ComplexityConfig, model: Model | None = None) -> None:
        """`model` replaces the shipped weights (training and evaluation use it)."""
        self.config = config
        self._model = model

    def inspect(self, segments: Sequence[Segment], *, tools: int = 0) -> ComplexityResult:
        """Tier of a request. `tools`: how many tools it offers; they never raise the tier. Never raises."""
        try:
            return self._inspect(segments)
        except Exception as error:
            # Convenience fails open: the middle model serves anything.
            _LOG.warning("complexity detector failed: %s", type(error).__name__)
            return ComplexityResult(tier="medium", why=("detector_failed",), failed=True)

    def _inspect(self, segments: Sequence[Segment]) -> ComplexityResult:
        turns = user_turns(segments)
        if not turns:
            return ComplexityResult(tier="simple", score=0.0, why=("empty",))
        split = split_ask(turns[-1])
        judged = self._judge(turns[-1], split)
        role = "new"
        if len(turns) > 1 and not split.payload:
            role = role_of(split.ask, f"{turns[-2][:_BEFORE]}\n{_last_answer(segments)[:_BEFORE]}")
        if role == "continue":
            work = self._work_before(turns[:-1])
            if work is not None:
                tier = rules.TIERS[max(rules.RANK[judged.tier], rules.RANK[work.tier])]
                return ComplexityResult(
                    tier,
                    max(judged.score, work.score),
                    ("continuation", *work.why),
                    judged.tokens,
                    continuation=True,
                )
        if role == "close" and self.config.classifier == "model":
            return ComplexityResult("simple", min(judged.score, 0.2), ("closing",), judged.tokens)
        return ComplexityResult(judged.tier, judged.score, judged.why, judged.tokens)

    def _work_before(self, turns: Sequence[str]) -> _Judged | None:
        """The request that a follow-up goes on with: the nearest earlier turn that stands on its own."""
        for index in range(len(turns) - 1, max(-1, len(turns) - 1 - _TURNS_BACK), -1):
            split = split_ask(turns[index])
            if index and not split.payload and role_of(split.ask) != "new":
                continue
            return self._judge(turns[index], split)
        return None

    def _judge(self, text: str, split: AskSplit) -> _Judged:
        tokens = estimate_tokens(split.ask)
        if self.config.classifier == "rules":
            tier, why = rules.literal(text, estimate_tokens(text), self.config)
            return _Judged(tier, rules.RANK[tier] / 2, why, tokens)
        if not split.ask:
            # Pages pasted without a word: any model may be meant.
            return _Judged("medium", 0.5, ("no_ask", f"payload:{split.payload_kind}"), 0)
        scores = (self._model or shipped()).scores(split, tokens)
        tier = rules.cheapest(scores, self.config.under_route_cost)
        score = (
            scores.small_fails + scores.middle_fails + 2.0 - scores.large_wasted - scores.middle_wasted
        ) / 4
        final, moved = rules.bounded(tier, split.ask, tokens, self.config)
        why = ("model", *((f"payload:{split.payload_kind}",) if split.payload_kind else ()), *moved)
        return _Judged(final, round(score, 4), why, tokens)


def _last_answer(segments: Sequence[Segment]) -> str:
    for segment in reversed(segments):
        if segment.role is Role.ASSISTANT:
            return segment.text
    return ""


def user_turns(segments: Sequence[Segment]) -> list[str]:
    """Texts of the user's turns in order; parts of one message are joined. Without any, other roles speak for it."""
    for roles in ((Role.USER,), (Role.DOCUMENT, Role.TOOL), (Role.SYSTEM,)):
        turns: dict[int, list[str]] = {}
        for segment in segments:
            if segment.role in roles and segment.text:
                turns.setdefault(segment.turn, []).append(segment.text)
        if turns:
            # Text outside the messages (a completions prompt, `input`) is the latest word.
            order = sorted(turns, key=lambda turn: (turn < 0, turn))
            return ["\n".join(turns[turn]) for turn in order]
    return []
