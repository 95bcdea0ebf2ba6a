"""How hard is what is asked: the ask apart from its payload, follow-ups, a small numpy model, explainable bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicc_hooks._lazy import lazy
from aicc_hooks.detect.complexity.config import ComplexityConfig

if TYPE_CHECKING:
    from aicc_hooks.detect.complexity.detector import ComplexityDetector
    from aicc_hooks.detect.complexity.split import AskSplit, split_ask

__all__ = ["AskSplit", "ComplexityConfig", "ComplexityDetector", "split_ask"]

__getattr__ = lazy(__name__, {"AskSplit": "split", "ComplexityDetector": "detector", "split_ask": "split"})
