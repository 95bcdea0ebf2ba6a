"""How hard is what is asked: the ask apart from its payload, follow-ups, a small numpy model, explainable bounds."""

from aicc_hooks.detect.complexity.config import ComplexityConfig
from aicc_hooks.detect.complexity.detector import ComplexityDetector
from aicc_hooks.detect.complexity.split import AskSplit, split_ask

__all__ = ["AskSplit", "ComplexityConfig", "ComplexityDetector", "split_ask"]
