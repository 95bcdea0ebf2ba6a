"""`inspect()`: segments in, Verdict out. The one place where detectors meet, with how each may fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aicc_hooks.detect.complexity import ComplexityDetector
from aicc_hooks.detect.injection import InjectionDetector
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.verdict import ComplexityResult, InjectionResult, PrivacyResult, Segment, Verdict

if TYPE_CHECKING:
    # Composing the policy loads records, alerts and cache: 6 MB that the scan process does without.
    from aicc_hooks.detect.complexity import ComplexityConfig
    from aicc_hooks.detect.injection import InjectionConfig
    from aicc_hooks.detect.privacy import PrivacyConfig
    from aicc_hooks.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Active:
    """Which detectors run: a hook that is not in config.yaml does not inspect."""

    privacy: bool = True
    injection: bool = True
    complexity: bool = True


@dataclass(slots=True)
class Inspector:
    """The three detectors of one policy. Thread-safe after construction; count failures in `failures`."""

    privacy: PrivacyDetector
    injection: InjectionDetector
    complexity: ComplexityDetector
    failures: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, policy: Policy) -> Inspector:
        """Detectors configured by a policy."""
        return cls.with_configs(policy.privacy, policy.injection, policy.complexity)

    @classmethod
    def with_configs(
        cls, privacy: PrivacyConfig, injection: InjectionConfig, complexity: ComplexityConfig
    ) -> Inspector:
        """Detectors of the three sections of a policy."""
        return cls(PrivacyDetector(privacy), InjectionDetector(injection), ComplexityDetector(complexity))

    def inspect(self, segments: Sequence[Segment], *, tools: int = 0, active: Active = Active()) -> Verdict:
        """Verdict of one request. Never raises: privacy fails closed, the others open and counted."""
        return Verdict(
            privacy=self._privacy(segments) if active.privacy else PrivacyResult(),
            injection=self._injection(segments) if active.injection else InjectionResult(),
            complexity=self._complexity(segments, tools) if active.complexity else ComplexityResult(),
            tokens=sum(estimate_tokens(segment.text) for segment in segments),
        )

    def _privacy(self, segments: Sequence[Segment]) -> PrivacyResult:
        try:
            result = self.privacy.inspect(segments)
        except Exception:
            result = PrivacyResult(failed=True)
        if result.failed:
            self.failures["privacy"] += 1
        return result

    def _injection(self, segments: Sequence[Segment]) -> InjectionResult:
        try:
            result = self.injection.inspect(segments)
        except Exception:
            result = InjectionResult(failed=True)
        if result.failed:
            self.failures["injection"] += 1
        return result

    def _complexity(self, segments: Sequence[Segment], tools: int) -> ComplexityResult:
        try:
            result = self.complexity.inspect(segments, tools=tools)
        except Exception:
            result = ComplexityResult(failed=True)
        if result.failed:
            self.failures["complexity"] += 1
        return result
