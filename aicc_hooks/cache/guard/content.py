"""Content words: every one must be on both sides, as itself or as a synonym."""

from __future__ import annotations

from collections import Counter

from aicc_hooks.cache.guard.lexicon import ANTONYMS, FILLER, JOBS, WEAK_JOBS
from aicc_hooks.cache.guard.text import Text, Token
from aicc_hooks.cache.guard.words import group, stem

_FILLERS = frozenset(form for word in FILLER for form in (stem(word), group(stem(word))))
_JOBS = {form: job for word, job in JOBS.items() for form in (stem(word), group(stem(word)))}
_ANTONYMS = frozenset(frozenset(group(stem(w)) for w in pair) for pair in ANTONYMS)


def content(a: Text, b: Text) -> str:
    """A reason when a content word has no counterpart."""
    mine, yours = Counter(t.key for t in a.tokens), Counter(t.key for t in b.tokens)
    only_a = [t for t in a.tokens if t.key not in yours]
    only_b = [t for t in b.tokens if t.key not in mine]
    jobs_a, jobs_b = _jobs(a.tokens), _jobs(b.tokens)
    if jobs_a - jobs_b and jobs_b - jobs_a:
        return "task"
    if (jobs_a ^ jobs_b) - WEAK_JOBS:
        return "task"
    left, right = _weighty(only_a), _weighty(only_b)
    left, right = _join(left, right)
    if left and right:
        return _substitution(left, right)
    rest = left or right
    if rest:
        return "operator" if any(t.kind == "operator" for t in rest) else "entity" if any(t.kind == "entity" for t in rest) else "added"
    if _only_weak(a.tokens) != _only_weak(b.tokens) and not (mine & yours):
        return "content"
    return ""


def _jobs(tokens: tuple[Token, ...]) -> set[str]:
    return {_JOBS[t.key] for t in tokens[:4] if t.key in _JOBS}


def _weighty(tokens: list[Token]) -> list[Token]:
    return [t for t in tokens if t.kind in ("operator", "number") or not (t.key in _FILLERS or _JOBS.get(t.key) in WEAK_JOBS)]


def _join(left: list[Token], right: list[Token]) -> tuple[list[Token], list[Token]]:
    """`user name` is `username`, `e-mail` is `email`: equal once put together."""
    if left and right and _glued(left) == _glued(right):
        return [], []
    return left, right


def _glued(tokens: list[Token]) -> str:
    return "".join(c for t in tokens for c in t.raw.lower() if c.isalnum())


def _substitution(left: list[Token], right: list[Token]) -> str:
    for x in left:
        for y in right:
            if frozenset((x.key, y.key)) in _ANTONYMS:
                return "antonym"
    if any(t.kind == "entity" for t in (*left, *right)):
        return "entity"
    return "substitution"


def _only_weak(tokens: tuple[Token, ...]) -> bool:
    return not _weighty(list(tokens))
