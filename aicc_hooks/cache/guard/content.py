"""Content words: every one must be on both sides, as itself or as a synonym."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from aicc_hooks.cache.guard.demonyms import of_the_same_place
from aicc_hooks.cache.guard.lexicon import (
    ADVISABLE,
    ANSWER_TYPE,
    ANTONYMS,
    CLASSIFIER,
    FILLER,
    JOBS,
    LEAD,
    UNITS,
    WEAK_JOBS,
)
from aicc_hooks.cache.guard.question import asks
from aicc_hooks.cache.guard.stems import stem
from aicc_hooks.cache.guard.text import Text, Token
from aicc_hooks.cache.guard.typos import slip
from aicc_hooks.cache.guard.words import group


def _keys(words: frozenset[str]) -> frozenset[str]:
    return frozenset(form for word in words for form in (stem(word), group(stem(word))))


_FILLERS, _LEADS, _CLASSIFIERS, _ANSWERS = map(_keys, (FILLER, LEAD, CLASSIFIER, ANSWER_TYPE))
_FILLERS |= {"~allowed-to"}
_CLASSES = _CLASSIFIERS - _keys(frozenset({"code", "place"}))  # "a Go function that", "Go code that"
_UNITS = _keys(UNITS)
# "how many metres are in 7 feet", "how many people live in": the noun says by itself that it is a number.
_COUNTED = _UNITS | {group(stem("population"))}
_HOW_MANY = group("~how-many")
_FEW: Final = 12  # unmatched words compared pair by pair; long texts must not cost the square of their length
_WAYS = frozenset({"way", "ways", "method", "approach", "practice"})
_ANTONYMS = frozenset(frozenset(group(stem(w)) for w in pair) for pair in ANTONYMS)


def content(a: Text, b: Text) -> str:
    """A reason when a content word has no counterpart."""
    mine, yours = Counter(t.key for t in a.tokens), Counter(t.key for t in b.tokens)
    jobs_a, jobs_b = _jobs(a), _jobs(b)
    if jobs_a - jobs_b and jobs_b - jobs_a:
        return "task"
    if (jobs_a ^ jobs_b) - WEAK_JOBS:
        return "task"
    counted_a, counted_b = _counted(a.tokens), _counted(b.tokens)
    if counted_a and counted_b and counted_a != counted_b:
        return "role swap"  # "how many cups are in a litre"
    if (why := _classes(a.tokens, yours, b.tokens, mine)) != "":
        return why
    left, right = (
        _unsaid(_weighty(a, yours), yours, b),
        _unsaid(_weighty(b, mine), mine, a),
    )
    implied: frozenset[str] = frozenset().union(*(_IMPLIED.get(job, ()) for job in jobs_a & jobs_b))
    if "why" in a.words or "why" in b.words:
        implied |= {"make", "makes", "made", "cause", "causes", "caused", "reason", "reasons"}
    implied |= _understood(a, b)
    left, right = ([t for t in side if t.raw.lower() not in implied] for side in (left, right))
    left, right = _join(left, right)
    left, right = _pair_off(left, right)
    if "who" in (asks(a), asks(b)):
        left, right = _agents(left, right)
    if left and right:
        return _substitution(left, right)
    # A word that is merely said twice on one side has its counterpart.
    rest = [t for t in left if t.key not in yours] or [t for t in right if t.key not in mine]
    if rest:
        kinds = {t.kind for t in rest}
        return "operator" if "operator" in kinds else "entity" if "entity" in kinds else "added"
    return "" if mine & yours else "content"


# What the job itself says in other words.
_IMPLIED: Final = {
    "summary": frozenset({"plot", "summary", "summarize", "summarise", "overview"}),
    "compare": frozenset(
        {"compare", "comparison", "difference", "differences", "differ", "differs", "vs", "versus"}
    ),
}


_LISTING: Final = frozenset({"find", "list", "show", "count", "name"})
_A_KIND: Final = re.compile(r"^what(?:'s| is) ")  # "what is a good score" is not "what is a score"
_MAY: Final = frozenset({"can", "could", "able", "possible", "ok", "okay", "alright"})
_TASK: Final = re.compile(r"\bwhat(?: is|'s| are) the (?:purpose|role|function|job|tasks?|duties) of\b")
_DOES: Final = re.compile(
    r"\bwhat (?:does|do) .{2,80} do\b"
)  # "what does a mayor do" asks for the tasks of one
_NEEDED: Final = frozenset({"need", "needed", "required", "necessary"})
_SIZES: Final = frozenset(
    {"how heavy", "how long", "how far", "how tall", "how big", "how much", "equal", "equals"}
)


def _understood(a: Text, b: Text) -> frozenset[str]:
    """Words that one side may leave out because of what both ask for."""
    kinds, words = {asks(a), asks(b)}, {*a.words, *b.words}
    found: set[str] = set()
    if kinds <= {"what", ""} and not any(_A_KIND.match(t.plain) and "good" not in t.words for t in (a, b)):
        found.add("good")  # "what are good names for", "suggest names for"
    if kinds <= {"what", "", "who", "how many"} or (_LISTING & set(a.words) & set(b.words)):
        found |= {"all", "every", "each"}  # checks.quantifiers has seen to the rest
    if kinds == {"why"}:
        found |= {"cause", "causes", "caused", "reason", "reasons"}
    if "need" in words and words & _NEEDED:
        found |= _NEEDED  # "which papers do I need", "which papers are required"
    if "much" in a.words and "much" in b.words:
        found.add("money")
    if "how many" in kinds <= {"how many", ""}:
        found.add("left")  # "how many days are left until", "days until"
    if "get" in words:
        found |= {"receive", "obtain"}
    if kinds == {"yes-no"} and _MAY & {*a.words} and _MAY & {*b.words}:
        found |= {*_MAY, "able to", "ok to"}
    if any(_TASK.search(t.plain) for t in (a, b)) and any(_DOES.search(t.plain) for t in (a, b)):
        found |= {"purpose", "role", "function", "job", "task", "tasks", "duties"}
    if any(t.raw in ADVISABLE for t in (*a.tokens, *b.tokens)):
        found |= ADVISABLE  # checks.modality has asked for a `should` on the other side
    if all(sum(t.key in _UNITS for t in side.tokens) > 1 for side in (a, b)):
        found |= _SIZES
    return frozenset(found)


def _one_job(x: Token, y: Token) -> bool:
    job = JOBS.get(x.raw.lower())
    return job == "fix" == JOBS.get(y.raw.lower())


def _pair_off(left: list[Token], right: list[Token]) -> tuple[list[Token], list[Token]]:
    """Without pairs that are one word, mistyped, or one place, as noun and adjective."""
    if len(left) > _FEW or len(right) > _FEW:
        return left, right
    for x in left:
        for y in right:
            if slip(x, y) or of_the_same_place(x, y) or _one_job(x, y):
                return _pair_off([t for t in left if t is not x], [t for t in right if t is not y])
    return left, right


_JOB_GROUPS: Final = {
    group(stem(w)): JOBS[w] for w in ("summarize", "translate", "delete", "fix", "explain", "improve")
}
_PLOT: Final = re.compile(r"^what(?:'s| is) the (?:plot|gist) of ")
_COMPARES: Final = re.compile(
    r"\bdifferences?\b|\bdiffers?\b|\bdifferent from\b|\bcompar\w+|\bvs\b|\bversus\b|the difference\b"
)


def _jobs(text: Text) -> set[str]:
    found = {
        job for t in text.tokens[:4] if (job := JOBS.get(t.raw.lower()) or _JOB_GROUPS.get(t.key)) is not None
    }
    if _COMPARES.search(" ".join(text.words)):
        found.add("compare")
    if (text.words[-1] == "about" and "what" in text.words) or _PLOT.match(text.plain):
        found.add("summary")
    return found


def _weighty(text: Text, other: Counter[str]) -> list[Token]:
    """Tokens without a counterpart that say something of their own."""
    tokens, how = text.tokens, asks(text) == "how"
    does = " ".join(text.words).startswith(("what does ", "what do ", "what did "))
    left = Counter(other)
    unmatched: list[Token] = []
    leading = True
    asked_for = len(tokens) - 1 if does else -1  # "what does the library offer"
    for i, token in enumerate(tokens):
        lead = leading and token.key in _LEADS
        if token.kind in ("number", "entity") or not (lead or token.raw.lower() in JOBS):
            leading = False
        if left[token.key] > 0:
            left[token.key] -= 1
        elif token.kind in ("operator", "number") or not (
            i != asked_for and (lead or _light(token, i, tokens, other, how))
        ):
            unmatched.append(token)
    return unmatched


def _light(token: Token, at: int, tokens: tuple[Token, ...], other: Counter[str], how: bool) -> bool:
    word = token.raw.lower()
    if (
        word in ("best", "easiest", "right", "proper")
        and at + 1 < len(tokens)
        and tokens[at + 1].raw.lower() in _WAYS
    ):
        return True
    weak = JOBS.get(word) in WEAK_JOBS and (
        not how or JOBS.get(word) != "write"
    )  # "how do I write it", "how do I say it"
    if token.key in _FILLERS or (at < 4 and weak):
        return True
    if token.key == _HOW_MANY and at + 1 < len(tokens) and tokens[at + 1].key in _COUNTED:
        return True
    if token.asked and token.key in _ANSWERS:
        return True
    near = tokens[max(0, at - 1) : at] + tokens[at + 1 : at + 2]
    return token.key in _CLASSIFIERS and token.kind != "entity" and any(t.key in other for t in near)


def _counted(tokens: tuple[Token, ...]) -> set[str]:
    """The unit after `how many`, with one word between at most ("US gallons")."""
    found = {i for i, t in enumerate(tokens) if t.key == _HOW_MANY}
    return {t.key for i in found for t in tokens[i + 1 : i + 3] if t.key in _UNITS}


def _classes(
    mine: tuple[Token, ...], yours: Counter[str], theirs: tuple[Token, ...], ours: Counter[str]
) -> str:
    """`this function` is not `this class`: a class may be left out, not replaced."""
    left = any(t.key in _CLASSES and t.key not in yours and not t.asked for t in mine)
    right = any(t.key in _CLASSES and t.key not in ours and not t.asked for t in theirs)
    return "substitution" if left and right else ""


def _unsaid(tokens: list[Token], other: Counter[str], text: Text) -> list[Token]:
    """Without words that the other text says too, but as grammar ("how do I get", "tips for getting")."""
    said = {stem(word) for word in text.words}
    return [
        t
        for t in tokens
        if t.key in other or t.kind in ("operator", "entity") or stem(t.raw.lower()) not in said
    ]


def _agents(left: list[Token], right: list[Token]) -> tuple[list[Token], list[Token]]:
    """`who composed` asks for the composer."""
    for x in left[:_FEW]:
        for y in right[:_FEW]:
            if _doer(x) == stem(y.raw.lower()) or _doer(y) == stem(x.raw.lower()):
                return [t for t in left if t is not x], [t for t in right if t is not y]
    return left, right


def _doer(token: Token) -> str:
    word = token.raw.lower()
    return stem(word[:-2]) if word.endswith(("er", "or")) and len(word) > 5 else ""


def _join(left: list[Token], right: list[Token]) -> tuple[list[Token], list[Token]]:
    """`user name` is `username`, `e-mail` is `email`: equal once put together."""
    if left and right and _glued(left) == _glued(right):
        return [], []
    return left, right


def _glued(tokens: list[Token]) -> str:
    return "".join(c for t in tokens for c in t.raw.lower() if c.isalnum())


def _substitution(left: list[Token], right: list[Token]) -> str:
    for x in left[:_FEW]:
        for y in right[:_FEW]:
            if frozenset((x.key, y.key)) in _ANTONYMS:
                return "antonym"
    if any(t.kind == "entity" for t in (*left, *right)):
        return "entity"
    return "substitution"
