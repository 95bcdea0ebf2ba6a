"""Where a text has long runs without white space: keys, tokens, addresses and what is encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_KINDS: Final = bytes(32 if chr(c).isspace() else 97 for c in range(256))  # white space, and the rest


def long_runs(text: str, shortest: int) -> list[tuple[int, int]]:
    """Spans of the runs of at least `shortest` characters, in order; linear."""
    # Through a byte table, in a third of the time of cutting all words out: most are short.
    kinds = text.encode("latin-1", "replace").translate(_KINDS)
    plain = text.isascii()
    long = b"a" * shortest
    spans: list[tuple[int, int]] = []
    start = kinds.find(long)
    while start >= 0:
        end = kinds.find(b" ", start + shortest)
        end = end if end >= 0 else len(kinds)
        if plain:
            spans.append((start, end))
        else:
            spans += _within(text, start, end, shortest)
        start = kinds.find(long, end)
    return spans


def _within(text: str, start: int, end: int, shortest: int) -> Iterator[tuple[int, int]]:
    """The runs of a stretch that may hold white space Latin-1 does not have."""
    for run in text[start:end].split():
        if len(run) >= shortest:
            at = text.find(run, start)
            yield at, at + len(run)
            start = at + len(run)
