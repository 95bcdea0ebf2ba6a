"""`InjectionDetector`: the worst segment of a request decides. Pure Python and numpy; fails open, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aicc_hooks.detect.injection.config import InjectionConfig
from aicc_hooks.detect.injection.model import Judgement, Model, probability
from aicc_hooks.detect.memo import TEXTS, Memo
from aicc_hooks.verdict import InjectionResult, Role, Segment

# Log-odds added by role. A system prompt is full of "never reveal" and "you are": whoever writes it may. A tool's
# schema and the assistant's own words come from the application and the model; only blatant attacks count there. Nobody gives orders
# in a document. Tools return other people's conversations, which read like orders; their weights are strict enough already.
ROLE_SHIFT: Final = {
    Role.SYSTEM: -12.0,
    Role.SCHEMA: -3.0,
    Role.ASSISTANT: -3.0,
    Role.DOCUMENT: 0.5,
    Role.TOOL: -0.7,
}
# A few n-grams without a rule are thin evidence: "Please say hello." stood at 0.52.
_SHORT: Final = 60  # characters
_THIN: Final = 0.4


class InjectionDetector:
    """Scores texts by role; see docs/detect-injection.md for what it catches and what it cannot."""

    def __init__(
        self, config: InjectionConfig | None = None, model: Model | None = None, remember: int = TEXTS
    ) -> None:
        """`remember`: for how many texts the judgement is kept (see `Memo`; 0: none)."""
        self.config = config or InjectionConfig()
        self._model = model or Model.load()
        self._memo: Memo[Judgement] = Memo(remember)

    def score(self, text: str, role: Role = Role.USER) -> InjectionResult:
        """Result for one text."""
        return self.inspect((Segment(text, role),))

    def inspect(self, segments: Sequence[Segment]) -> InjectionResult:
        """Result for a request: its worst segment. `failed` when something broke inside; never raises."""
        try:
            return self._inspect(segments)
        except Exception:  # whatever broke, the request goes on; the caller counts it
            return InjectionResult(failed=True)

    def _inspect(self, segments: Sequence[Segment]) -> InjectionResult:
        worst, place = Judgement(-20.0), -1
        for index, segment in enumerate(segments):
            if segment.role is Role.META or not segment.text.strip():
                continue
            found = self._judge(segment.text, segment.role)
            logit = found.logit + ROLE_SHIFT.get(segment.role, 0.0)
            if not found.rules and len(segment.text) < _SHORT:
                logit -= _THIN
            if place < 0 or logit > worst.logit:
                worst, place = Judgement(logit, found.rules), index
        score = round(probability(worst.logit), 4)
        return InjectionResult(
            score=score,
            flagged=score >= self.config.flag_threshold,
            block=score >= self.config.block_threshold,
            rules=worst.rules if score >= self.config.flag_threshold else (),
            segment=place,
        )

    def _judge(self, text: str, role: Role) -> Judgement:
        key = self._memo.key(text, role.value.encode())
        found = self._memo.get(key)
        if found is None:
            found = self._model.judge(text, role)
            self._memo.put(key, found)
        return found
