"""The mutable side of a record: the adapter collects raw facts here, `build` redacts and freezes them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aicc_hooks.record.client import client_label
from aicc_hooks.record.known import KnownValues
from aicc_hooks.record.model import Attempt, Record
from aicc_hooks.record.redaction import Redactor
from aicc_hooks.verdict import Decision, Role, Verdict

_MOST_TOKENS = 10**12


@dataclass(slots=True)
class RecordDraft:
    """Raw facts of one request, in memory only. Never log, queue or store a draft."""

    id: str
    start: float = field(default_factory=time.time)
    end: float | None = None
    endpoint: str = ""
    requested: str = ""
    deployment: str = ""
    verdict: Verdict | None = None
    decision: Decision | None = None
    known: Mapping[str, str] = field(default_factory=dict)  # value → entity name
    cache: str = ""
    cache_similarity: float | None = None
    cache_age_s: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    gate_ms: float | None = None
    hooks_ms: float | None = None
    cache_ms: float | None = None
    upstream_ms: float | None = None
    first_token_ms: float | None = None
    status: int = 0
    error: str = ""
    error_text: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    user: str = ""
    session: str = ""
    user_agent: str = ""
    stream: bool = False
    mode: str = "live"
    cold_start: bool = False
    cut: str = ""
    prompt_name: str = ""
    prompt_version: int = 0
    variant_content: str = ""
    unit: tuple[str, str] = ("", "")  # kind and raw value
    route: str = ""  # where it went when that is not what the decision said (fallback)
    reason: str = ""
    input: object = None
    output: object = None

    def build(self, redactor: Redactor, *, user: Literal["hash", "plain"] = "hash") -> Record:
        """The redacted record. Never raises; takes as long as detection does, so call it off the loop."""
        run = redactor.run(KnownValues(self.known))
        verdict, decision = self.verdict or Verdict(), self.decision or Decision()
        end = time.time() if self.end is None else self.end
        counts: dict[str, int] = {}
        for finding in verdict.privacy.findings:
            counts[finding.type] = counts.get(finding.type, 0) + 1
        return Record(
            id=self.id,
            start=self.start,
            end=end,
            endpoint=run.name(self.endpoint.split("?", 1)[0]),
            requested=run.name(self.requested),
            route=self.route or decision.route,
            reason=self.reason or decision.reason,
            sentence=run.name(decision.sentence, limit=1000),  # it may quote a name the client sent
            deployment=self.deployment,
            tier=verdict.complexity.tier if self.verdict else "",
            privacy=verdict.privacy.types,
            privacy_counts=counts,
            injection=round(float(verdict.injection.score), 4),
            injection_rules=verdict.injection.rules,
            cache=self.cache,
            cache_similarity=self.cache_similarity,
            cache_age_s=self.cache_age_s,
            variant=decision.variant,
            prompt_name=self.prompt_name,
            prompt_version=self.prompt_version,
            variant_content=self.variant_content,
            unit=self._unit(redactor),
            prompt_tokens=_count(self.prompt_tokens),
            completion_tokens=_count(self.completion_tokens),
            gate_ms=self.gate_ms,
            hooks_ms=self.hooks_ms,
            cache_ms=self.cache_ms,
            upstream_ms=self.upstream_ms,
            first_token_ms=self.first_token_ms,
            total_ms=max((end - self.start) * 1000, 0.0),
            status=self.status,
            error=self.error or decision.blocked,
            error_text=run.text(self.error_text, role=Role.ASSISTANT),
            attempts=tuple(self.attempts),
            user=self._user(redactor, user),
            session=redactor.pseudonym(self.session, "session"),
            client=client_label(self.user_agent),
            stream=self.stream,
            mode=self.mode,
            cold_start=self.cold_start,
            local_only=decision.local_only,
            sticky=verdict.sticky,
            input=run.value(self.input),
            output=run.value(self.output, role=Role.ASSISTANT),
            truncated=run.truncated,
            cut=self.cut,
            dropped=run.dropped,
        )

    def _user(self, redactor: Redactor, mode: Literal["hash", "plain"]) -> str:
        """Plain only when the policy says so and the id itself is not a secret."""
        hashed = redactor.pseudonym(self.user, "user")
        if mode == "hash" or not self.user:
            return hashed
        try:
            secret = any(span for span in redactor.find(self.user, Role.META))
        except Exception:
            return hashed
        return hashed if secret or KnownValues(self.known).spans(self.user) else self.user[:128]

    def _unit(self, redactor: Redactor) -> str:
        """Of a user or session the same hash the record has for it, so that older records go on with newer ones."""
        kind, value = self.unit
        return f"{kind} {redactor.pseudonym(value, kind)}" if value else kind


def _count(said: int) -> int:
    """What an upstream says it counted, bounded so that sums over millions of records fit SQLite's integers."""
    return max(0, min(said, _MOST_TOKENS))
