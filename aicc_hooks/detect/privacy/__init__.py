"""Privacy: secrets and personal data, found with exact spans, by rules and check digits alone."""

from __future__ import annotations

from .config import PrivacyConfig
from .custom import PatternProblem
from .detector import PrivacyDetector
from .redact import DROPPED, redact, redact_text

__all__ = ["DROPPED", "PatternProblem", "PrivacyConfig", "PrivacyDetector", "redact", "redact_text"]
