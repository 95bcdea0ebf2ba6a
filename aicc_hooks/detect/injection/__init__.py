"""Prompt-injection detection: normalise and decode, rules over word classes, a hashed n-gram model, one calibrated score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aicc_hooks._lazy import lazy
from aicc_hooks.detect.injection.config import InjectionConfig

if TYPE_CHECKING:
    from aicc_hooks.detect.injection.detector import InjectionDetector

__all__ = ["InjectionConfig", "InjectionDetector"]

__getattr__ = lazy(__name__, {"InjectionDetector": "detector"})
