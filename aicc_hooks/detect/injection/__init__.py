"""Prompt-injection detection: normalise and decode, rules over word classes, a hashed n-gram model, one calibrated score."""

from __future__ import annotations

from aicc_hooks.detect.injection.config import InjectionConfig
from aicc_hooks.detect.injection.detector import InjectionDetector

__all__ = ["InjectionConfig", "InjectionDetector"]
