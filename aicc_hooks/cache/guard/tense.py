"""When it happens, who does it to whom in the passive, and whether one should."""

from __future__ import annotations

import re
from typing import Final

from aicc_hooks.cache.guard import lexicon
from aicc_hooks.cache.guard.question import asks, main_clause, unframed
from aicc_hooks.cache.guard.text import Text

_PAST: Final = frozenset(["was", "were", "did", "had"])


_PRESENT: Final = frozenset(["is", "are", "am", "do", "does"])


_PERFECT: Final = frozenset(["has", "have", "ve"])  # "has it shipped" and "did it ship" ask the same


_FUTURE: Final = frozenset(["will", "shall", "gonna"])


def tense(a: Text, b: Text) -> str:
    """Past, present and future, where an auxiliary says so on both sides."""
    mine, yours = _tense(a), _tense(b)
    if {mine, yours} == {"", "past"} and _WAS.match(unframed(a if mine else b)):
        return "tense"  # "name the mayor", "who was the mayor"
    if not mine and not yours and asks(a) == asks(b) in ("who", "what") and _ended(a, b):
        return "tense"  # "who reports to Ann", "who reported to Ann"
    if not mine or not yours or mine == yours:
        return ""
    # "who will teach" and "who teaches" ask the same; "will it rain" and "does it rain" do not.
    soft = "past" not in (mine, yours) and asks(a) != "yes-no" and asks(b) != "yes-no"
    return "" if soft else "tense"


def _ended(a: Text, b: Text) -> bool:
    theirs = {t.key: t for t in b.tokens}
    for x in a.tokens:
        y = theirs.get(x.key)
        if y is not None and {x.raw.endswith("ed"), y.raw.endswith("ed")} == {True, False}:
            present = y if x.raw.endswith("ed") else x
            if present.raw.endswith("s") and not (x.asked or y.asked):
                return True
    return False


_WAS: Final = re.compile(r"^who (?:was|were)\b")


def _tense(text: Text) -> str:
    words = main_clause(text).split()
    if (
        "used" in words
        and words[words.index("used") + 1 : words.index("used") + 2] == ["to"]
        and "be" in words
    ):
        return "past"
    for word in words:
        if word in _PERFECT:
            return ""
        if word in _FUTURE:
            return "future"
        if word in _PAST:
            return "past"
        if word in _PRESENT:
            return "present"
    return ""


def voice(a: Text, b: Text) -> str:
    """`is X required` is not `does X require`, unless what stood before the verb stands behind it."""
    theirs = {t.key: i for i, t in reversed(list(enumerate(b.tokens)))}
    for i, x in enumerate(a.tokens):
        j = theirs.get(x.key)
        if j is None or x.passive == b.tokens[j].passive or not _do(a if b.tokens[j].passive else b):
            continue
        before = {t.key for t in b.tokens[:j]}
        if "i" in a.words and "i" in b.words:
            return "voice"  # "can I call", "can I be called"
        if any(t.kind != "number" and not t.asked and t.key in before for t in a.tokens[:i]):
            return "voice"
    return ""


def _do(text: Text) -> bool:
    return not text.passive and (bool({"do", "does", "did"} & set(text.words)) or asks(text) == "yes-no")


def modality(a: Text, b: Text) -> str:
    """Whether one should is not whether one can, may or does."""
    if asks(a) == asks(b) == "yes-no" and _allowed(a) != _allowed(b):
        return "modality"  # "can owls swim", "do owls swim"
    mine, yours = _duty(a), _duty(b)
    if mine == yours:
        return ""
    free = b if mine else a  # "what should you never do", "what will you never do"
    habit = {"do", "does"} & set(free.words) and not {"i", "we", "you"} & set(free.words)
    return "modality" if "yes-no" in (asks(a), asks(b)) or habit or _FORETOLD & set(free.words) else ""


_NEED: Final = re.compile(
    r"\b(?:have to|need to|do (?:i|we|you|one) need|(?:is|are) .{1,60} (?:required|necessary|needed))\b"
)


_FORETOLD: Final = _FUTURE | {"would", "did", "may", "might"}


_ALLOWED: Final = re.compile(
    r"^(?:can|could|may|might)\b|^(?:is|are|am|was) .{0,40}\b(?:possible|able|allowed|permitted|ok|okay|alright|safe|legal)\b|\bdo you know if\b"
)


def _allowed(text: Text) -> bool:
    return bool(_ALLOWED.match(unframed(text)))


def _duty(text: Text) -> bool:
    return (
        any(w in lexicon.OBLIGATION for w in text.words)
        or bool(_NEED.search(" ".join(text.words)))
        or any(t.raw in lexicon.ADVISABLE for t in text.tokens)
    )
