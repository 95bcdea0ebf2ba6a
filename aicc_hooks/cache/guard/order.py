"""Direction and order: who does what to whom, from where to where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from aicc_hooks.cache.guard.lexicon import EXCHANGE, SYMMETRIC, UNITS
from aicc_hooks.cache.guard.question import asks, impersonal, shape, unframed
from aicc_hooks.cache.guard.stems import stem
from aicc_hooks.cache.guard.text import Text, Token
from aicc_hooks.cache.guard.words import group

_MEANING = frozenset({group(stem("mean"))})  # "what does X mean", "the meaning of X"
_SYMMETRIC = frozenset(group(stem(word)) for word in SYMMETRIC)
_UNITS = frozenset(group(stem(word)) for word in UNITS)
_LONG = (
    24  # content tokens; in longer texts a paraphrase keeps the order, and anything else is too much to judge
)
_ADVERBS = frozenset({"yet", "still", "already"})
_ALONE = ({"from", ""},)
_EXTRAPOSED = re.compile(r"^(?:is|was) it (?:really |still )?(\w+) (?:to |(?=\w+ing\b))(\w+)")
_ANYBODY = frozenset({"i", "we", "you", "one"})
_DIRECTED = frozenset({"from", "to", "than", "by", "via", "vs"})


def order(a: Text, b: Text) -> str:
    """A reason when the shared content stands in another order or role, and that may matter."""
    shared = Counter(t.key for t in a.tokens) & Counter(t.key for t in b.tokens)
    left, right = _only(a.tokens, shared), _only(b.tokens, shared)
    if (why := _direction(left, right)) != "":
        return why
    if (
        asks(a) == asks(b) == "what"
        and _swaps(a)
        and _swaps(b)
        and bool(_ANYBODY & set(a.words)) != bool(_ANYBODY & set(b.words))
    ):
        return "direction"  # "what can replace salt", "what can I replace with salt"
    if [t.key for t in left] == [t.key for t in right]:
        return ""
    predicate = _predicate(a) | _predicate(b)
    if predicate and _without(left, predicate) == _without(right, predicate):
        return ""
    if len(left) > _LONG:
        return "order"
    place: dict[str, list[int]] = {}
    for i, token in enumerate(right):
        place.setdefault(token.key, []).append(i)
    at = [place[t.key].pop(0) for t in left]
    loose = _bare(a) or _bare(b)
    strict = a.passive or b.passive
    flips = [(i, j) for i in range(len(at)) for j in range(i + 1, len(at)) if at[i] > at[j]]
    flipped = set(flips)
    turned = any(
        left[i].passive != right[j].passive for i, j in enumerate(at)
    )  # "can I eat it", "can it be eaten"
    if flips and not turned and asks(a) == asks(b) == "yes-no" and impersonal(a) != impersonal(b):
        return "role swap"  # "can my landlord enter", "can I enter my landlord's"
    reshaped = shape(a) != shape(b)
    for i, j in flips:
        x, y = left[i], left[j]
        u, v = right[at[i]], right[at[j]]
        if {x.raw.lower(), y.raw.lower()} & _ADVERBS:
            continue
        if {x.role, u.role} in _ALONE or {y.role, v.role} in _ALONE:
            return "direction"  # "remove stains from a carpet", "remove a carpet with stains"
        if _coordinated(left, i, j) and _coordinated(right, at[j], at[i]):
            continue
        if x.passive != u.passive or y.passive != v.passive:
            continue  # "interest is calculated", "calculate interest"; checks.voice has seen to the roles
        if (x.prep == y.prep != "" and x.kind == y.kind == "entity") and _moved(left, right, i, j, at):
            return "order"  # "noon in Rome, what is it in Lima"
        if x.prep and y.prep and x.prep != y.prep and (x.prep, y.prep) == (v.prep, u.prep):
            return "direction"  # "the effect of sleep on memory"
        if reshaped and not (
            {x.key, y.key} & (_SYMMETRIC | _MEANING) or (x.asked and u.asked) or (y.asked and v.asked)
        ):
            return "role swap"  # "who killed Ann", "who did Ann kill"
        if a.numbers and (x.key in _UNITS or y.key in _UNITS):
            continue  # the number beside the unit has been compared
        if (
            {x.role, y.role} == {"~", ""}
            and (u.role, v.role) == (y.role, x.role)
            and x.prep + y.prep == u.prep + v.prep
        ):
            return "direction"
        if strict or (
            x.kind == "entity" and y.kind == "entity" and not _adverbial(x, u) and not _adverbial(y, v)
        ):
            return "order"
        if any((i, k) in flipped and (k, j) in flipped for k in range(i + 1, j)) and not (
            {x.key, y.key} & _MEANING
            or _adverbial(x, u)
            or _adverbial(y, v)
            or any(left[k].key in _SYMMETRIC for k in range(i + 1, j))
        ):
            return "role swap"
        if (
            x.kind == y.kind == "word"
            and not loose
            and not _superlative(x, y)
            and not any(t.role == "~" for t in (x, u, y, v))
            and not ({x.key, y.key} & _SYMMETRIC)
            and not ((x.asked and u.asked) or (y.asked and v.asked))
        ):
            return "order"
        if not loose and "operator" in (x.kind, y.kind) and not (_adverbial(x, u) or _adverbial(y, v)):
            return "order"
    return ""


def _predicate(text: Text) -> frozenset[str]:
    """`bad` and `skip` of "is it bad to skip lunch", which is "is skipping lunch bad" or "is lunch bad to skip"."""
    found = _EXTRAPOSED.match(unframed(text))
    return frozenset(group(stem(word)) for word in found.groups()) if found else frozenset()


def _without(tokens: Sequence[Token], keys: frozenset[str]) -> list[str]:
    return [t.key for t in tokens if t.key not in keys]


def _swaps(text: Text) -> bool:
    return any(w in EXCHANGE for w in text.words)


def _moved(left: Sequence[Token], right: Sequence[Token], i: int, j: int, at: Sequence[int]) -> bool:
    """Two things change places, and neither takes along what stood before it."""
    if j - i == 1 or abs(at[i] - at[j]) == 1:
        return False
    before = [(left[k - 1].key if k else "", right[at[k] - 1].key if at[k] else "") for k in (i, j)]
    return all(x != y for x, y in before)


def _only(tokens: Sequence[Token], shared: Counter[str]) -> list[Token]:
    left = Counter(shared)
    kept = []
    for token in tokens:
        if left[token.key] > 0:
            left[token.key] -= 1
            kept.append(token)
    return kept


def _direction(left: Sequence[Token], right: Sequence[Token]) -> str:
    """`from X` against `to X`; or what one text moves to X, the other moves X."""
    mine, yours = {t.key: t.role for t in left}, {t.key: t.role for t in right}
    if any(t.raw.lower() in EXCHANGE for t in left):
        preps = {t.key: t.prep for t in right}
        if any({t.prep, preps[t.key]} == {"for", "with"} for t in left):
            return "direction"
    there = {t.key: t.prep for t in right}
    here = {t.key: t.prep for t in left}
    for key, role in mine.items():
        if role != yours[key] and role in _DIRECTED and yours[key] in _DIRECTED:
            return "direction"
        if "from" in (here[key], there[key]) and {"in", "for", "with", "about"} & {here[key], there[key]}:
            return "direction"  # "say it in Thai", "translate it from Thai"
    for role in _DIRECTED:
        one = {k for k, r in mine.items() if r == role}
        other = {k for k, r in yours.items() if r == role}
        if one - other and other - one:
            return "direction"
    return ""


def _bare(text: Text) -> bool:
    """Keywords without grammar ("git undo last commit") have no order to speak of."""
    return len(text.words) == sum(len(t.raw.split()) for t in text.tokens) <= 6 and not any(
        t.role in _DIRECTED for t in text.tokens
    )


def _superlative(x: Token, y: Token) -> bool:
    """`the highest mountain` and `which mountain is the highest`: one of the two, not both."""
    return x.raw.lower().endswith("est") != y.raw.lower().endswith("est")


def _adverbial(x: Token, u: Token) -> bool:
    """Stands after a neutral preposition (in, on, for …) on both sides, or loses it in front of a noun."""
    roles = {x.role, u.role}
    return "~" in roles and roles <= {"~", ""}


def _coordinated(tokens: Sequence[Token], i: int, j: int) -> bool:
    low, high = min(i, j), max(i, j)
    return all(tokens[k].joined for k in range(low + 1, high + 1)) or (
        any(tokens[k].joined for k in range(low + 1, high + 1)) and high - low <= 3
    )
