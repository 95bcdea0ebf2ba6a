"""Who is meant: mine or yours, who tells whom."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from aicc_hooks.cache.guard.question import asks, unframed
from aicc_hooks.cache.guard.text import Text


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
