"""What makes the detectors quick changes nothing they say: each short cut against the plain way of doing it."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import numpy as np
import pytest

from aicc_hooks.detect.complexity.blocks import _BEGINS, _LINE_OF_COLUMNS, _PLAIN, line_kinds
from aicc_hooks.detect.hashing import bucket_ids, fold, paired_ids
from aicc_hooks.detect.injection.rules import TEXT_RULES
from aicc_hooks.detect.privacy import detector as _families  # noqa: F401 (they say which words they look for)
from aicc_hooks.detect.privacy.text import Doc
from aicc_hooks.detect.runs import long_runs
from aicc_hooks.detect.starts import Starts, beginnings

PIECES = ("ignore", "stop ", "begin of system", "without any restrict", "dan mode", "print(system_prompt", " to ", "the ", "\n", ".", "if you are an ai", "é", "日本", "\u3000", "\x1c", "\x85", "0x", "a,b", ", ", ";", "    x = f(", "\t", "\"k\": 1,", "/* ", "```", "{", "-" * 9, "x" * 17)  # fmt: skip


def _texts(count: int) -> list[str]:
    rng = random.Random(9)
    return ["".join(rng.choices(PIECES, k=rng.randint(1, 40))) for _ in range(count)]


@pytest.mark.parametrize("pattern", [pattern for _, _, pattern in TEXT_RULES], ids=lambda p: p.pattern[:20])
def test_a_pattern_tried_where_it_may_begin_finds_what_a_search_finds(pattern: re.Pattern[str]) -> None:
    quick = Starts(pattern)
    for text in _texts(300):
        assert quick.holds(text) == (pattern.search(text) is not None)
        assert [m.span() for m in quick.finditer(text)] == [m.span() for m in pattern.finditer(text)]


@pytest.mark.parametrize(
    ("pattern", "heads"),
    [
        (r"\b(?:stop|skip) now", ("skip", "stop")),
        (r"(?:grand)?mother|dad", ("dad", "gran", "moth")),
        (r"(?:^|\n)system", ("\nsys", "syst")),
        (r"(?:^|\n)\s*system", ()),  # one way to begin is no literal
        (r"\w+ now", ()),
        (r"(?i)stop", ()),
        (r"(?:ab)+c|abd", ()),  # what repeats may be short: "ab"
        (r"a[bc]d", ("abd", "acd")),
    ],
)
def test_what_a_pattern_begins_with(pattern: str, heads: tuple[str, ...]) -> None:
    assert beginnings(re.compile(pattern)) == heads


def test_long_runs_are_the_long_words() -> None:
    for text in _texts(500):
        assert [text[a:b] for a, b in long_runs(text, 9)] == [w for w in text.split() if len(w) >= 9]


def test_known_words_and_their_places_are_those_of_the_text() -> None:
    for text in _texts(200):
        doc = Doc(f"{text} password for Anna")
        assert doc.known <= doc.words
        assert {"password", "anna"} <= doc.known
        assert doc.word_ends("anna")[-1] == len(doc.text)


def test_two_texts_hashed_together_are_hashed_as_alone() -> None:
    texts = _texts(60)
    for first, second in pairwise(texts):
        ids, count = paired_ids(fold(first), fold(second), (4,), (1, 2), 1 << 14, 11)
        assert np.array_equal(ids[:count], bucket_ids(first, (4,), (1, 2), 1 << 14, 11))
        assert np.array_equal(ids[count:], bucket_ids(second, (), (1, 2), 1 << 14, 11))


def test_a_line_of_prose_is_seen_without_reading_it() -> None:
    lines = [line for text in _texts(400) for line in text.split("\n") if line and not line.isspace()]
    assert any(_BEGINS.match(line) for line in lines)
    for line in lines:
        if _PLAIN.match(line):
            assert line_kinds([line]) == [""] or "```" in line
        elif line[-1] not in ";{" and "```" not in line and len(line) < 80:
            found = _LINE_OF_COLUMNS.match(line)
            assert (
                line_kinds([line]) == [(found.lastgroup if found else "") or ""] or line.rstrip()[-1] in ";{"
            )
