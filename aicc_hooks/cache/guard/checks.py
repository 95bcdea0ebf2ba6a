"""Checks that look at one thing each and return a reason, or "" when they see no difference."""

from __future__ import annotations

from collections import Counter
from typing import Final

from aicc_hooks.cache.guard import lexicon
from aicc_hooks.cache.guard.question import unframed
from aicc_hooks.cache.guard.stems import stem
from aicc_hooks.cache.guard.text import Text


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
