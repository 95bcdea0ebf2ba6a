"""Checks that look at one thing each and return a reason, or "" when they see no difference."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Final

from aicc_hooks.cache.guard import lexicon
from aicc_hooks.cache.guard.question import asks, main_clause, unframed
from aicc_hooks.cache.guard.stems import stem
from aicc_hooks.cache.guard.text import Text
from aicc_hooks.cache.guard.words import group

_UNITS: Final = frozenset(group(stem(unit)) for unit in lexicon.UNITS)
_PAST: Final = frozenset(["was", "were", "did", "had"])
_PRESENT: Final = frozenset(["is", "are", "am", "do", "does"])
_PERFECT: Final = frozenset(["has", "have", "ve"])  # "has it shipped" and "did it ship" ask the same
_FUTURE: Final = frozenset(["will", "shall", "gonna"])


def quotes(a: Text, b: Text) -> str:
    """Quoted strings must be equal to the byte; who leaves out the marks must say the words."""
    if a.quotes and b.quotes:
        return "quote" if Counter(a.quotes) != Counter(b.quotes) else ""
    said, other = (a, b) if a.quotes else (b, a)
    return "quote" if any(quote.lower() not in other.plain for quote in said.quotes) else ""


def code(a: Text, b: Text) -> str:
    """Code must be the same tokens in the same order; operators anywhere must agree."""
    if a.code != b.code:
        return "code"
    return "symbols" if a.symbols != b.symbols else ""


def numbers(a: Text, b: Text) -> str:
    """The same numbers, each standing before the same thing when there are several."""
    if _counted(a, b) != _counted(b, a):
        return "number"
    if _dates(a) != _dates(b):
        return "number order"  # "from March 3 to June 10", "from March 10 to June 3"
    mine, yours = _neighbours(a), _neighbours(b)
    for number, (_, after, _) in mine.items():
        # "250 euros in dollars": with one number it is the unit beside it that tells the direction.
        if number in yours and after != yours[number][1] and after in _UNITS and yours[number][1] in _UNITS:
            return "unit"
        if number in yours and _swapped(after, yours[number][1], a, b):
            return "unit"  # "250 francs in lira", "250 lira in francs"
    if a.numbers != b.numbers and _computes(a) and _computes(b):
        return "number order"
    if len(a.numbers) > 1 and a.numbers != b.numbers and not _same_bonds(a, b):
        return "number order"
    return ""


def _swapped(x: str, y: str, a: Text, b: Text) -> bool:
    both = {t.key for t in a.tokens} & {t.key for t in b.tokens}
    return x != y and {x, y} <= both and bool({x, y} & _UNITS)


def _counted(text: Text, other: Text) -> Counter[str]:
    """The numbers; a `1` that the other text writes as an article ("a tablespoon", "1 tbsp") is left out."""
    found = Counter(text.numbers)
    if found["n:1"] and "n:1" not in other.numbers and {"a", "an", "one"} & set(other.words):
        after = {t.key for t, u in zip(text.tokens[1:], text.tokens, strict=False) if u.key == "n:1"}
        if after & {t.key for t in other.tokens}:
            del found["n:1"]
    return found


def _dates(text: Text) -> set[tuple[str, str]]:
    """Each month with the number beside it."""
    beside = list(pairwise(text.tokens))
    return {
        (x.key, y.key)
        for x, y in (*beside, *((y, x) for x, y in beside))
        if x.key in _MONTHS and y.kind == "number" and not (x.joined or y.joined)
    }


_MONTHS: Final = frozenset(
    group(stem(month))
    for month in [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
    ]
)
_ONE_WAY: Final = frozenset(
    [
        "difference",
        "subtract",
        "minus",
        "divide",
        "divided",
        "ratio",
        "power",
        "modulo",
        "mod",
        "over",
        "quotient",
    ]
)


def _computes(text: Text) -> bool:
    return bool(_ONE_WAY & set(text.words))


def _same_bonds(a: Text, b: Text) -> bool:
    """Each number keeps the neighbour before or after it."""
    mine, yours = _neighbours(a), _neighbours(b)
    dated = {day for _, day in _dates(a)}  # compared already
    return all(
        before == yours[n][0] or after == yours[n][1] or (prep and prep == yours[n][2])
        for n, (before, after, prep) in mine.items()
        if n in yours and n not in dated
    )


def _neighbours(text: Text) -> dict[str, tuple[str, str, str]]:
    keys = ["", *(t.key for t in text.tokens), ""]
    return {t.key: (keys[i], keys[i + 2], t.prep) for i, t in enumerate(text.tokens) if t.kind == "number"}


def negation(a: Text, b: Text) -> str:
    """As many negations on both sides."""
    return "negation" if _negations(a) != _negations(b) else ""


def _negations(text: Text) -> int:
    return sum(n for word, n in _single(text).items() if word in lexicon.NEGATIONS)


def _single(text: Text) -> Counter[str]:
    """Words outside known phrases: "without meat" is one thing with "meatless", "most recent" with "latest"."""
    return Counter(text.words) - Counter(w for t in text.tokens if " " in t.raw for w in t.raw.split())


def quantifiers(a: Text, b: Text) -> str:
    """all, some, most, only, both …: one side may stay silent about `all` or `some`, not say another."""
    mine = {lexicon.QUANTIFIERS[w] for w in _single(a) if w in lexicon.QUANTIFIERS}
    yours = {lexicon.QUANTIFIERS[w] for w in _single(b) if w in lexicon.QUANTIFIERS}
    only_a, only_b = mine - yours, yours - mine
    if (only_a and only_b) or (only_a | only_b) - {"all", "some"}:
        return "quantifier"
    return ""


_PARTICLES: Final = (("in", "out"), ("up", "down"), ("on", "off"), ("over", "under"))


def particles(a: Text, b: Text) -> str:
    """`zoom in` is not `zoom out`."""
    mine, yours = set(a.words), set(b.words)
    for one, other in _PARTICLES:
        for x, y in ((mine, yours), (yours, mine)):
            if one in x and other not in x and other in y and one not in y:
                return "antonym"
    return "antonym" if _phrasal(a) ^ _phrasal(b) and _CHANGED & {stem(w) for w in mine & yours} else ""


_CHANGED: Final = frozenset(
    {"zoom", "log", "sign", "back", "scale", "opt", "shut", "break", "pass", "work", "burn", "run"}
)
_OUT: Final = frozenset({"out", "off", "down", "away", "up"})


def _phrasal(text: Text) -> set[tuple[str, str]]:
    """`zoom out`, `log the user out`: verbs that a particle makes another verb."""
    words = unframed(text).split()
    return {
        (stem(word), other)
        for i, word in enumerate(words)
        if stem(word) in _CHANGED
        for other in words[i + 1 : i + 2]
        if other in _OUT
    }


def conjunctions(a: Text, b: Text) -> str:
    """`A and B` is not `A or B`."""
    mine, yours = (a.words.count("and"), a.words.count("or")), (b.words.count("and"), b.words.count("or"))
    if (mine[0] > yours[0] and yours[1] > mine[1]) or (yours[0] > mine[0] and mine[1] > yours[1]):
        return "and/or"
    return ""


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


def person(a: Text, b: Text) -> str:
    """`why do I trust you` is not `why do you trust me`, my name is not yours, and who I am is not who you are."""
    mine, yours = _persons(a), _persons(b)
    if len(mine) > 1 and len(yours) > 1 and mine != yours:
        return "role swap"
    owners, others = (tuple(dict.fromkeys(_OWNERS[w] for w in t.words if w in _OWNERS)) for t in (a, b))
    if owners and others and owners != others:
        return "role swap"
    if {"it", "me"} <= {*a.words, *b.words} and asks(a) == asks(b) == "yes-no":
        return (
            "role swap" if ("me" in a.words) != ("me" in b.words) else ""
        )  # "can I eat it", "can it eat me"
    if (one := _sent(a)) and (other := _sent(b)) and one != other:
        return "direction"  # "assigned to me", "assigned by me"
    if "me" in a.words and "me" in b.words and (_told(a) == "me") != (_told(b) == "me"):
        return "role swap"  # "remind me to call Ann", "remind Ann to call me"
    # "How do you peel an egg" means anybody; "who are you", "can you swim" and "what can you do" mean the one asked.
    general = asks(a) == asks(b) in ("how", "where", "how many", "measure", "why", "when")
    return "role swap" if {mine, yours} == {(1,), (2,)} and not general else ""


_SENT: Final = frozenset({"to", "by", "from", "against"})


def _sent(text: Text) -> set[tuple[str, str]]:
    """Pronouns and the preposition of direction in front of them."""
    return {(prep, who) for prep, who in pairwise(text.words) if prep in _SENT and who in ("me", "us", "you")}


_TELLING: Final = frozenset(
    {"remind", "ask", "teach", "help", "invite", "pay", "send", "call", "email", "introduce"}
)


def _told(text: Text) -> str:
    """Who is reminded, asked, paid …: the word behind the verb."""
    words = unframed(text).split()
    return next((other for word, other in pairwise(words) if word in _TELLING), "")


_OWNERS: Final = {"my": 1, "mine": 1, "our": 1, "ours": 1, "your": 2, "yours": 2}


def _persons(text: Text) -> tuple[int, ...]:
    found = [_PERSON[w] for w in unframed(text).split() if w in _PERSON]
    return tuple(dict.fromkeys(found))


_PERSON: Final = {"i": 1, "me": 1, "we": 1, "us": 1, "you": 2}


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


def _duty(text: Text) -> bool:
    return (
        any(w in lexicon.OBLIGATION for w in text.words)
        or bool(_NEED.search(" ".join(text.words)))
        or any(t.raw in lexicon.ADVISABLE for t in text.tokens)
    )
