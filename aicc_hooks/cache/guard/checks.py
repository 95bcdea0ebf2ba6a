"""Checks that look at one thing each and return a reason, or "" when they see no difference."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from aicc_hooks.cache.guard import lexicon
from aicc_hooks.cache.guard.text import Text

_PAST: Final = frozenset(["was", "were", "did", "had"])
_PRESENT: Final = frozenset(["is", "are", "am", "do", "does"])
_PERFECT: Final = frozenset(["has", "have", "ve"])  # "has it shipped" and "did it ship" ask the same
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
    return all(
        before == yours[n][0] or after == yours[n][1] or (prep and prep == yours[n][2])
        for n, (before, after, prep) in mine.items()
    )


def _neighbours(text: Text) -> dict[str, tuple[str, str, str]]:
    keys = ["", *(t.key for t in text.tokens), ""]
    return {t.key: (keys[i], keys[i + 2], t.prep) for i, t in enumerate(text.tokens) if t.kind == "number"}


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
        if word in _PERFECT:
            return ""
        if word in _FUTURE:
            return "future"
        if word in _PAST:
            return "past"
        if word in _PRESENT:
            return "present"
    return ""


def person(a: Text, b: Text) -> str:
    """`why do I trust you` is not `why do you trust me`."""
    mine, yours = _persons(a), _persons(b)
    return "role swap" if len(mine) > 1 and len(yours) > 1 and mine != yours else ""


def _persons(text: Text) -> tuple[int, ...]:
    found = [_PERSON[w] for w in _unframed(text).split() if w in _PERSON]
    return tuple(dict.fromkeys(found))


_PERSON: Final = {"i": 1, "me": 1, "we": 1, "us": 1, "you": 2}


def voice(a: Text, b: Text) -> str:
    """`is X required` is not `does X require`, unless what stood before the verb stands behind it."""
    for x in a.tokens:
        for y in b.tokens:
            if x.key == y.key and x.passive != y.passive and _do(a if y.passive else b):
                before = {t.key for t in a.tokens[: a.tokens.index(x)]} & {
                    t.key for t in b.tokens[: b.tokens.index(y)]
                }
                if any(t.kind != "number" and not t.asked for t in a.tokens if t.key in before):
                    return "voice"
    return ""


def _do(text: Text) -> bool:
    return bool({"do", "does", "did"} & set(text.words)) and not text.passive


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
    """What kind of answer is asked for."""
    mine, yours = _asks(a), _asks(b)
    if mine == yours:
        return ""
    pair = frozenset((mine, yours))
    if "" in pair:
        return "" if _fits_phrase(a if mine else b, mine or yours, b if mine else a) else "question"
    if pair in _SAME_KIND:
        return ""
    if pair == {"how", "what"} and (_COPULAR.match(_unframed(a)) or _COPULAR.match(_unframed(b))):
        return ""
    return "question"


_SAME_KIND: Final = frozenset(
    frozenset(pair)
    for pair in (
        ("how many", "measure"),
        ("how many", "what"),
        ("measure", "what"),
        ("how", "measure"),
        ("who", "what"),
    )
)
_WHERE_TO_FIND: Final = re.compile(
    r"\bwhere (?:can|could|do|should|are|is) (?:i|we|you|some|there|the (?:best|nearest))\b"
)


def _fits_phrase(asked: Text, kind: str, phrase: Text) -> bool:
    """Can a bare phrase or an imperative mean this question? "Andorra" does not ask where or when."""
    if kind == "yes-no":
        return not _imperative(phrase)
    if kind == "where":
        return bool(_WHERE_TO_FIND.search(_unframed(asked)))
    return kind not in ("when", "why")


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
