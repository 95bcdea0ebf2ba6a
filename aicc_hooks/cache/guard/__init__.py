"""The guard: similarity proposes an answer, these checks decide whether the question is the same.

They are about language in general: what a person could change in a question so that the answer changes.
Every check compares two texts and returns a reason, or "" when it sees no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aicc_hooks.cache.guard import amounts, checks, persons, tense
from aicc_hooks.cache.guard.abroad import alike
from aicc_hooks.cache.guard.content import content
from aicc_hooks.cache.guard.language import foreign
from aicc_hooks.cache.guard.order import order
from aicc_hooks.cache.guard.question import question
from aicc_hooks.cache.guard.text import Text, read, unquoted

PASS: Final = "pass"
MAX_CHARS: Final = 4_000

# Cheap and telling first; the first reason is the one recorded.
CHECKS: Final[tuple[Callable[[Text, Text], str], ...]] = (
    checks.quotes,
    amounts.numbers,
    checks.code,
    checks.negation,
    checks.quantifiers,
    checks.conjunctions,
    checks.particles,
    question,
    tense.tense,
    tense.modality,
    persons.person,
    tense.voice,
    content,
    order,
)


def judge(a: str, b: str) -> str:
    """`pass` when an answer to `a` may serve `b`, else the reason why not. Symmetric and free of side effects."""
    if len(a) > MAX_CHARS or len(b) > MAX_CHARS:
        return PASS if a == b else "too long"
    left, right = read(a), read(b)
    if left.plain and left.plain == right.plain and left.quotes == right.quotes:
        return PASS
    if foreign(left) or foreign(right):
        return PASS if alike(left, right) else "language"
    if not left.words or not right.words:
        return "no words"
    if left.quotes and left.quotes == right.quotes:
        left, right = read(unquoted(left.raw)), read(unquoted(right.raw))
    for check in CHECKS:
        if (reason := check(left, right)) != "":
            return reason
    return PASS
