"""The tier follows what is asked, not what is pasted around it."""

from __future__ import annotations

import pytest

from aicc_hooks.detect.complexity import ComplexityConfig, ComplexityDetector
from aicc_hooks.verdict import ComplexityResult, Role, Segment


def judge(
    *turns: tuple[str, str], config: ComplexityConfig | None = None, tools: int = 0
) -> ComplexityResult:
    segments = [Segment(text, Role(role), turn) for turn, (role, text) in enumerate(turns)]
    return ComplexityDetector(config or ComplexityConfig()).inspect(segments, tools=tools)


@pytest.mark.parametrize(
    "text", ["hi", "thanks!", "what is the capital of France?", "hola, ¿qué tal?", "你好"]
)
def test_trivial_requests_are_simple(text: str) -> None:
    assert judge(("user", text)).tier == "simple"


@pytest.mark.parametrize(
    "text",
    [
        "Prove that there are infinitely many primes of the form 4k+3 and generalise the argument to other moduli.",
        "Design a multi-region payment system with exactly-once semantics; discuss failure modes and trade-offs.",
    ],
)
def test_hard_requests_are_complex(text: str) -> None:
    assert judge(("user", text)).tier == "complex"
