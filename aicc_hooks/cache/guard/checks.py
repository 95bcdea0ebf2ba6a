"""Checks that look at one thing each and return a reason, or "" when they see no difference."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from aicc_hooks.cache.guard import lexicon
from aicc_hooks.cache.guard.text import Text

_PAST: Final = frozenset(["was", "were", "did", "had"])
_PRESENT: Final = frozenset(["is", "are", "am", "do", "does", "has", "have"])
_FUTURE: Final = frozenset(["will", "shall", "gonna"])
_FRAME: Final = re.compile(
    r"^(?:(?:hi|hey|hello|please|ok|so|well)[ ,!]*)*"
    r"(?:(?:can|could|would|will) you (?:please |kindly )?(?:also |just )?(?:tell|show|give|help|explain|list|find|write|describe|let|make|create|provide|suggest|recommend|name|translate|convert|summari[sz]e|generate|draft|compose|compare)(?: to)?(?: me| us)?(?: know| with| to)?"
    r"|do you (?:happen to )?know|(?:i (?:would|d|'d) like|i want|i need|i wish) (?:you )?(?:to )?(?:know|see|have|get|find|find out|learn)?"
    r"|(?:please )?(?:solve|answer|consider|help with)(?: me)? (?:this|the following)(?: \w+)?|question|task"
    r"|please|tell me|show me|let me know|i(?: am|'m) (?:wondering|curious|looking for|trying to|interested in)|any idea|help me)\b[ ,]*(?:about )?"
)


def quotes(a: Text, b: Text) -> str:
    """Quoted strings must be equal to the byte."""
    return "quote" if a.quotes and b.quotes and Counter(a.quotes) != Counter(b.quotes) else ""


def code(a: Text, b: Text) -> str:
    """Code must be the same tokens in the same order; operators anywhere must agree."""
    if a.code != b.code:
        return "code"
    return "symbols" if a.symbols != b.symbols else ""


def numbers(a: Text, b: Text) -> str:
    """The same numbers, each standing before the same thing when there are several."""
    if Counter(a.numbers) != Counter(b.numbers):
        return "number"
    if len(a.numbers) > 1 and a.numbers != b.numbers and not _same_bonds(a, b):
        return "number order"
    return ""


def _same_bonds(a: Text, b: Text) -> bool:
    """Each number keeps the neighbour before or after it."""
    mine, yours = _neighbours(a), _neighbours(b)
    return all(before == yours[n][0] or after == yours[n][1] for n, (before, after) in mine.items())


def _neighbours(text: Text) -> dict[str, tuple[str, str]]:
    keys = ["", *(t.key for t in text.tokens), ""]
    return {t.key: (keys[i], keys[i + 2]) for i, t in enumerate(text.tokens) if t.kind == "number"}


def negation(a: Text, b: Text) -> str:
    """As many negations on both sides."""
    return "negation" if _negations(a) != _negations(b) else ""


def _negations(text: Text) -> int:
    return sum(w in lexicon.NEGATIONS for w in text.words)


def quantifiers(a: Text, b: Text) -> str:
    """all, some, most, only, both …: one side may stay silent about `all` or `some`, not say another."""
    mine = {lexicon.QUANTIFIERS[w] for w in a.words if w in lexicon.QUANTIFIERS}
    yours = {lexicon.QUANTIFIERS[w] for w in b.words if w in lexicon.QUANTIFIERS}
    only_a, only_b = mine - yours, yours - mine
    if (only_a and only_b) or (only_a | only_b) - {"all", "some"}:
        return "quantifier"
    return ""


def conjunctions(a: Text, b: Text) -> str:
    """`A and B` is not `A or B`."""
    mine, yours = (a.words.count("and"), a.words.count("or")), (b.words.count("and"), b.words.count("or"))
    if (mine[0] > yours[0] and yours[1] > mine[1]) or (yours[0] > mine[0] and mine[1] > yours[1]):
        return "and/or"
    return ""


def tense(a: Text, b: Text) -> str:
    """Past, present and future, where an auxiliary says so on both sides."""
    mine, yours = _tense(a), _tense(b)
    if not mine or not yours or mine == yours:
        return ""
    # "who will teach" and "who teaches" ask the same; "will it rain" and "does it rain" do not.
    soft = "past" not in (mine, yours) and _asks(a) != "yes-no" and _asks(b) != "yes-no"
    return "" if soft else "tense"


def _tense(text: Text) -> str:
    words = _unframed(text).split()
    if (
        "used" in words
        and words[words.index("used") + 1 : words.index("used") + 2] == ["to"]
        and "be" in words
    ):
        return "past"
    for word in words:
        if word in _FUTURE:
            return "future"
        if word in _PAST:
            return "past"
        if word in _PRESENT:
            return "present"
    return ""


def modality(a: Text, b: Text) -> str:
    """Whether one should is not whether one can, may or does."""
    mine, yours = _duty(a), _duty(b)
    return "modality" if mine != yours and (_asks(a) == "yes-no" or _asks(b) == "yes-no") else ""


def _duty(text: Text) -> bool:
    return any(w in lexicon.OBLIGATION for w in text.words) or "have to" in " ".join(text.words)


_HOW: Final = re.compile(
    r"^(?:what(?: is|'s)? (?:are )?(?:the |a )?(?:best |easiest |right |correct |proper )?(?:way|ways|method|steps?|process|procedure|command|trick)s?\b|(?:the )?(?:best )?(?:ways?|steps|tips|method)\b|how\b|(?:is|are) there (?:an?|any)(?: \w+)? ways?\b)"
)
_KINDS: Final = (
    ("how many", re.compile(r"^(?:how many|what (?:is |are )?(?:the )?(?:number|count|amount)|(?:the )?(?:number|count) of|count)\b|\bhow many\b")),
    ("measure", re.compile(r"\bhow (?:much|long|far|old|big|tall|high|deep|heavy|large|fast|often|expensive|hard|hot|cold|wide)\b")),
    ("why", re.compile(r"\bwhy\b|\bhow come\b|\bwhat (?:makes?|causes?|caused)\b|\breasons?\b")),
    ("who", re.compile(r"\bwho(?:m|se)?\b|\bwhich (?:person|team|people|author|player|teachers?|professors?|instructors?)\b|\bby whom\b")),
    ("when", re.compile(r"\bwhen\b|\bwhat (?:time|date|year|day|month)\b|\bbest time\b")),
    ("where", re.compile(r"\bwhere\b|\bin which (?:place|city|country|department)\b")),
)  # fmt: skip
_COPULAR: Final = re.compile(r"^what (?:is|are|s)\b")
_YES_NO: Final = re.compile(
    r"^(?:is|are|am|was|were|do|does|did|has|have|had|will|would|shall|can|could|should|may|might|must)\b"
)


def question(a: Text, b: Text) -> str:
    """What kind of answer is asked for. Bare phrases and imperatives fit any kind but yes/no."""
    mine, yours = _asks(a), _asks(b)
    if mine == yours or (not mine and yours != "yes-no") or (not yours and mine != "yes-no"):
        return ""
    pair = {mine, yours}
    # "where is the highest point" asks what "what is the highest point" asks; a fragment may be a yes/no question.
    if pair <= {"where", "what", ""} or pair <= {"how many", "measure", "what"} or pair <= {"how", "measure"}:
        return ""
    if pair == {"how", "what"} and (_COPULAR.match(_unframed(a)) or _COPULAR.match(_unframed(b))):
        return ""
    if pair <= {"who", "what", ""} or pair == {"when", "what"}:
        return ""
    if pair == {"yes-no", ""} and not (_imperative(a) or _imperative(b)):
        return ""
    return "question"


def _asks(text: Text) -> str:
    words = _unframed(text)
    if _YES_NO.match(words):
        return "how" if _HOW.match(words) else "yes-no"
    for name, pattern in _KINDS:
        if pattern.search(words):
            return name
    if _HOW.match(words) or re.search(r"\bhow\b", words):
        return "how"
    return "what" if re.match(r"(?:\w+ ){0,3}(?:what|which)\b", words) else ""


_IMPERATIVE: Final = re.compile(
    r"^(?:please )?(?:tell|show|give|list|name|find|write|explain|describe|translate|summari[sz]e|convert|make|create|draft|compose)\b"
)


def _imperative(text: Text) -> bool:
    return bool(_IMPERATIVE.match(text.plain))


def _unframed(text: Text) -> str:
    words = " ".join(text.words)
    for _ in range(2):
        shorter = _FRAME.sub("", words, count=1)
        if shorter == words or not shorter:
            break
        words = shorter
    return words
