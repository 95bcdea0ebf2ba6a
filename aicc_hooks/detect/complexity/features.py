"""Numbers that describe an ask: size, kind of work, subject, shape of the payload. All bounded, most in [0, 1]."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.complexity import lexicon as lex
from aicc_hooks.detect.complexity.split import AskSplit

# The model reads this much of an ask (head and tail): beyond it the ceilings decide.
READ: Final = 500
_WORD = re.compile(r"[^\W_]+(?:['’\-+#][^\W_]*)*", re.UNICODE)
_CAMEL = re.compile(r"[a-z][A-Z]")
_FILE = re.compile(r"\.(?:py|js|ts|java|c|cpp|go|rs|sh|json|ya?ml|xml|html|css|sql|csv|txt)\b")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LATEX = re.compile(r"\\[a-zA-Z]{2,}|\$[^$\n]{1,80}\$")
_OPERATOR = re.compile(r"[=<>≤≥≠±×÷∑∫√^]|\d\s?[*+/]\s?\d")
_BULLET = re.compile(r"(?m)^\s*(?:[-*•]|\d{1,2}[.)]|\(?[a-zA-Z][.)])\s")
_OPTION = re.compile(r"(?m)^\s*\(?[A-E][.)]\s")
_QUESTION = re.compile(r"[?？؟]")
_SENTENCE = re.compile(r"[.!?。！？؟।](?:\s|$)|\n")
_PERSONA = ("you are ", "act as ", "du bist ", "eres un", "tu es ", "sei un", "ты ", "你是", "あなたは")
_BRIEF = lex.word_set(
    "one single short brief briefly quick quickly just only simple word words sentence kurz kurze breve bref court коротко кратко "
    "одним kort kısa krótko singkat"
)
MENTIONED: Final = re.compile(
    r'"[^"\n]{1,160}"|“[^”\n]{1,160}”|«[^»\n]{1,160}»|„[^“”\n]{1,160}[“”]|「[^」\n]{1,60}」|『[^』\n]{1,60}』|《[^》\n]{1,60}》|`[^`\n]{1,160}`'
)

KINDS: Final = ("code", "log", "table", "json", "mail", "article", "quote")


def _scale(value: float, top: float) -> float:
    """log1p squeezed so that `top` maps to 1."""
    return min(1.0, math.log1p(value) / math.log1p(top)) if value else 0.0


def clip(text: str) -> str:
    """Head and tail of a long ask: what the model reads."""
    return text if len(text) <= READ else text[: READ * 2 // 3] + "\n" + text[-READ // 3 :]


def _by_first(stems: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for stem in stems:
        out[stem[0]] = (*out.get(stem[0], ()), stem)
    return out


_TABLES: Final = tuple(
    (words, _by_first(stems))
    for words, stems in (
        (lex.HARD, lex.HARD_STEMS),
        (lex.ORDINARY, lex.ORDINARY_STEMS),
        (lex.LOOKUP, lex.LOOKUP_STEMS),
        (lex.SOCIAL, lex.SOCIAL_STEMS),
        (lex.TECHNICAL, ()),
        (lex.CONSTRAINT, ()),
        (lex.ANAPHORA, lex.ANAPHORA_STEMS),
    )
)


_LISTED: Final = _BRIEF.union(*(words for words, _ in _TABLES))


def _counts(spoken: frozenset[str], low: str) -> list[float]:
    """Distinct hits in each word list; stems are looked up by first character, for most do not occur at all."""
    letters = set() if low.isascii() else set(low)
    out: list[float] = []
    for table, stems in _TABLES:
        hits = len(spoken & table)
        for letter in letters & stems.keys():
            hits += sum(1 for stem in stems[letter] if stem in low)
        out.append(float(hits))
    return out


def numeric(split: AskSplit, ask_tokens: int) -> NDArray[np.float32]:
    """Feature vector of one split ask; order and meaning are private to the trained weights."""
    ask = clip(split.ask)
    plain = ask.isascii()
    if not plain or '"' in ask or "`" in ask:
        # Words in quotation marks are the thing worked on, not the work.
        ask = MENTIONED.sub('"x"', ask)
        plain = ask.isascii()
    low = ask.lower()
    words = _WORD.findall(low)
    spoken = _LISTED.intersection(words)
    count = len(words)
    cjk = not plain
    hard, ordinary, lookup, social, technical, constraint, anaphora = _counts(spoken, low)
    size = max(1.0, ask_tokens * len(ask) / max(len(ask), min(len(split.ask), READ), 1))
    digits = not plain or any(map(ask.__contains__, "0123456789"))
    numbers = len(_NUMBER.findall(ask)) if digits else 0
    latex = len(_LATEX.findall(ask)) if "\\" in ask or "$" in ask else 0
    operators = len(_OPERATOR.findall(ask)) if digits or any(map(ask.__contains__, "=<>^")) else 0
    questions = ask.count("?") if plain else len(_QUESTION.findall(ask))
    sentences = len(_SENTENCE.findall(ask))
    bullets = len(_BULLET.findall(ask)) if "\n" in ask else 0
    options = len(_OPTION.findall(ask)) if "\n" in ask else 0
    identifiers = ask.count("()") + ask.count("_") + (0 if low == ask else len(_CAMEL.findall(ask)))
    identifiers += len(_FILE.findall(ask)) if "." in ask else 0
    commas = ask.count(",") + ask.count("，") + ask.count("、")
    lengths = list(map(len, words))
    longest = max(lengths, default=0)
    mean = sum(lengths) / count if count else 0.0
    payload = split.payload[:1500]
    steps = [float(size > edge) for edge in (4, 8, 12, 16, 24, 36, 56, 90, 150, 256, 512, 1024)]
    first = words[:2]
    out = [
        1.0,
        _scale(size, 1000),
        _scale(count, 600),
        *steps,
        min(hard, 6) / 6,
        float(hard > 0),
        float(hard > 1),
        float(hard > 2),
        hard / math.sqrt(size),
        min(ordinary, 6) / 6,
        float(ordinary > 0),
        ordinary / math.sqrt(size),
        min(lookup, 5) / 5,
        float(lookup > 0),
        float(lookup > 0 and hard == 0 and size < 20),
        min(social, 4) / 4,
        social / max(1, count),
        float(social > 0 and size < 10),
        min(technical, 8) / 8,
        float(technical > 0),
        float(technical > 1),
        technical / math.sqrt(size),
        min(constraint, 8) / 8,
        constraint / math.sqrt(size),
        min(anaphora, 4) / 4,
        _scale(numbers, 30),
        float(numbers > 0),
        float(numbers > 2),
        float(numbers > 0 and size < 20),
        _scale(latex, 20),
        float(latex > 0),
        _scale(operators, 20),
        float(operators > 1),
        float(questions > 0),
        float(questions > 1),
        _scale(sentences, 30),
        float(sentences > 2),
        _scale(bullets, 12),
        float(options > 2),
        _scale(identifiers, 12),
        float(identifiers > 0),
        _scale(commas, 15),
        float(commas > 1 and size > 16),
        min(longest, 20) / 20,
        min(mean, 10) / 10,
        float(any(phrase in low for phrase in _PERSONA)),
        float(not _BRIEF.isdisjoint(spoken)),
        float(bool(first) and first[0] in lex.HARD),
        float(bool(first) and first[0] in lex.ORDINARY),
        float(bool(first) and first[0] in lex.LOOKUP),
        float(bool(first) and first[0] in lex.SOCIAL),
        float("?" not in ask and size < 8),
        float(cjk),
        float(hard > 0) * _scale(size, 200),
        float(technical > 0) * _scale(size, 200),
        float(lookup > 0) * _scale(size, 200),
        float(numbers > 2) * float(questions > 0) * _scale(size, 200),
        *(float(split.payload_kind == kind) for kind in KINDS),
        float(bool(payload)) * float(hard > 0),
        float(bool(payload)) * float(size < 16),
        float(split.payload_kind == "code" and payload.count("\n") > 12),
        float(split.payload.count("ocument ", 0, 8000) > 1),
    ]
    return np.array(out, dtype=np.float32)
