"""Privacy: secrets and personal data, found with exact spans, by rules and check digits alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicc_hooks._lazy import lazy
from aicc_hooks.detect.privacy.config import PrivacyConfig

if TYPE_CHECKING:
    from aicc_hooks.detect.privacy.custom import PatternProblem
    from aicc_hooks.detect.privacy.detector import PrivacyDetector
    from aicc_hooks.detect.privacy.redaction import DROPPED, redact, redact_text

__all__ = ["DROPPED", "PatternProblem", "PrivacyConfig", "PrivacyDetector", "redact", "redact_text"]

__getattr__ = lazy(
    __name__,
    {
        "DROPPED": "redaction",
        "PatternProblem": "custom",
        "PrivacyDetector": "detector",
        "redact": "redaction",
        "redact_text": "redaction",
    },
)
