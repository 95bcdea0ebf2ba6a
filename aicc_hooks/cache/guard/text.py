"""What the guard reads of a text: content tokens in order with their roles, and what else decides."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from aicc_hooks.cache.guard import lexicon, numbers, words
from aicc_hooks.cache.guard.codelike import symbols_and_code
from aicc_hooks.cache.guard.spoken import arithmetic, courtesy, expand
from aicc_hooks.cache.guard.stems import irregular, stem

Kind = Literal["word", "entity", "number", "operator"]


_QUOTED: Final = re.compile(
    r"\"([^\"\n]{1,2000})\"|“([^”\n]{1,2000})”|`([^`\n]{1,2000})`|‘([^’\n]{1,2000})’|(?<!\w)'([^'\n]{1,2000})'(?!\w)"
)


_DIRECTION: Final[dict[str, str]] = {
    "from": "from", "to": "to", "into": "to", "onto": "to", "towards": "to", "than": "than", "by": "by",
    "vs": "vs", "versus": "vs", "via": "via", "through": "via",
}  # fmt: skip


_NEUTRAL: Final = frozenset(
    [
        "in",
        "on",
        "at",
        "of",
        "for",
        "about",
        "with",
        "using",
        "during",
        "within",
        "over",
        "regarding",
        "as",
        "among",
        "between",
        "under",
    ]
)


_AUXILIARY: Final = frozenset(
    [
        "is",
        "are",
        "am",
        "was",
        "were",
        "be",
        "been",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "will",
        "would",
        "shall",
        "can",
        "could",
        "should",
        "may",
        "might",
        "must",
    ]
)


@dataclass(frozen=True, slots=True)
class Token:
    """`key`: synonym group or stem; `role`: the preposition that governs it ("" = none, "~" = a neutral one)."""

    key: str
    raw: str
    kind: Kind
    role: str = ""
    joined: bool = False  # coordinated with the token before it by and/or
    asked: bool = False  # stands right after which/what
    prep: str = ""  # the governing preposition as written
    passive: bool = False  # participle after a form of be


@dataclass(frozen=True, slots=True)
class Text:
    """Everything the checks compare. Built once per text."""

    raw: str
    plain: str
    tokens: tuple[Token, ...]
    words: tuple[str, ...]  # every word, lower case
    numbers: tuple[str, ...]
    quotes: tuple[str, ...]
    symbols: str
    code: tuple[str, ...]  # tokens from where code begins
    passive: bool = False


@lru_cache(maxsize=8192)
def read(text: str) -> Text:
    """Analyse a text of ordinary length (linear time)."""
    plain = arithmetic(courtesy(" ".join(text.replace("’", "'").split())))
    quotes = tuple(next(g for g in m.groups() if g is not None).strip() for m in _QUOTED.finditer(plain))
    spoken = expand(plain.rstrip(" .?!"))
    raws = [(m.group(), m.start(), m.end()) for m in words.TOKEN.finditer(spoken)]
    lower = tuple(raw.lower() for raw, _, _ in raws)
    symbols, code = symbols_and_code(plain)
    tokens = _tokens(raws, lower, spoken)
    moved = _activate(tokens, lower)
    return Text(
        raw=text,
        plain=plain.rstrip(" .?!").lower(),
        tokens=tuple(moved or tokens),
        words=lower,
        numbers=tuple(t.key for t in tokens if t.kind == "number"),
        quotes=quotes,
        symbols=symbols,
        code=code,
        passive=moved is not None,
    )


def unquoted(text: str) -> str:
    """The text with its quotations, already compared, put aside."""
    return _QUOTED.sub(" Quotation ", text.replace("’", "'"))


def _tokens(raws: list[tuple[str, int, int]], lower: tuple[str, ...], text: str) -> list[Token]:
    stems = tuple(stem(w.removesuffix("'s").strip("'")) for w in lower)
    result: list[Token] = []
    role, prep, joined, at = "", "", False, 0
    topic = _TOPIC.match(text)
    if topic:
        role, prep = "~", "in"  # "python: sort a list"
    while at < len(raws):
        word, (raw, start, end) = lower[at], raws[at]
        if at and re.search(r"[,;:?!.]\s*$", text[raws[at - 1][2] : start] or "-"):
            role, prep, joined = "", "", False
        number, used = numbers.read_number(lower, at, text, end)
        if number is not None:
            result.append(Token(number, raw, "number", role, joined, prep=prep))
            at, joined = at + used, False
            continue
        longest = _phrase(stems, at)
        if longest is not None:
            key, used = longest
            if used == 1 or not all(w in _DIRECTION for w in lower[at : at + used]):
                result.append(Token(key, " ".join(lower[at : at + used]), "word", role, joined))
                at, joined, role = at + used, False, "" if role in ("by",) else role
                continue
        direction = _DIRECTION.get(word)
        if direction:
            role = "" if word == "to" and _infinitive(lower, at) else direction
            prep = word
        elif word in _NEUTRAL:
            role, prep = "~", word
        elif word in ("and", "or", "&"):
            joined = bool(result)
        elif word in _AUXILIARY:
            role, prep, joined = "", "", False
        if word in lexicon.PRONOUNS:
            result.append(Token(lexicon.PRONOUNS[word], raw, "operator", role, joined))
            joined = False
        elif word in lexicon.OPERATORS:
            result.append(Token("!" + words.group(stems[at]), raw, "operator", role, joined))
        elif not _grammar(word, raw, at, raws, text):
            owner = raw.endswith(("'s", "s'")) or text[end : end + 3] == " 's"
            entity = _is_entity(raw, at, text, start)
            result.append(
                Token(
                    words.group(stems[at]),
                    raw,
                    "entity" if entity else "word",
                    "~" if owner else role,
                    joined,
                    _asked(lower, at),
                    "of" if owner else prep,
                    _participle(lower, at),
                )
            )
            joined = False
        at += 1
    return result


_TOPIC: Final = re.compile(r"[\w.+#]+(?: [\w.+#]+)?: ")


_UNCHANGED: Final = frozenset({"run", "cut", "put", "set", "read", "hit", "hurt", "shut", "spread", "split"})


_BE: Final = frozenset(["is", "are", "was", "were", "be", "been", "being", "am"])


def _participle(lower: tuple[str, ...], at: int) -> bool:
    if not (lower[at].endswith("ed") or irregular(lower[at]) or lower[at] in _UNCHANGED):
        return False
    before = lower[max(0, at - 4) : at]
    be = max((i for i, word in enumerate(before) if word in _BE), default=-1)
    between = set(before[be + 1 :])
    return be >= 0 and not {"do", "does", "did"} & set(before) and not {"to", "a", "an", "way"} & between


def _asked(lower: tuple[str, ...], at: int) -> bool:
    """`which city`, `what is the name`, `which team or person`."""
    before = lower[max(0, at - 3) : at]
    return bool({"which", "what", "whose", "many"} & set(before)) and not set(before) & {"do", "does", "did"}


def _phrase(stems: tuple[str, ...], at: int) -> tuple[str, int] | None:
    for size in range(min(words.LONGEST_PHRASE, len(stems) - at), 1, -1):
        if (key := words.phrase(stems[at : at + size])) is not None:
            return key, size
    return None


def _grammar(word: str, raw: str, at: int, raws: list[tuple[str, int, int]], text: str) -> bool:
    """True for a function word; a capital A, I, IT or US in the middle of a sentence is a name."""
    if word in lexicon.OWN_WISH:
        return raws[at - 1][0].lower() in lexicon.ASKER if at else not _TOPIC.match(text)
    if word not in lexicon.FUNCTION or (raw == "May" and at):
        return False
    if at and raw.isupper() and raw not in ("I", "OK") and not text[: raws[at][1]].isupper():
        following = raws[at + 1][0] if at + 1 < len(raws) else ""
        return raw == "A" and following[:1].islower()
    return True


_BEFORE_INFINITIVE: Final = frozenset(
    [
        "how",
        "want",
        "wants",
        "wanted",
        "need",
        "needs",
        "like",
        "have",
        "has",
        "had",
        "used",
        "able",
        "way",
        "ways",
        "going",
        "trying",
        "try",
        "order",
        "best",
        "tips",
        "steps",
        "what",
        "where",
        "when",
        "whether",
        "possible",
        "easy",
        "hard",
        "difficult",
        "safe",
        "legal",
        "required",
        "supposed",
        "allowed",
        "method",
        "methods",
    ]
)


def _infinitive(lower: tuple[str, ...], at: int) -> bool:
    return at == 0 or lower[at - 1] in _BEFORE_INFINITIVE


def _is_entity(raw: str, at: int, text: str, start: int) -> bool:
    if any(c.isdigit() for c in raw) or (len(raw) > 1 and raw.isupper()):
        return True
    return (
        raw[:1].isupper() and at > 0 and not re.search(r"[.?!:]\s*[\"'(]*$", text[max(0, start - 8) : start])
    )


_MEASURES: Final = frozenset(
    {"sorted", "ordered", "grouped", "ranked", "divided", "multiplied", "filtered", "indexed"}
)


def _activate(tokens: list[Token], lower: tuple[str, ...]) -> list[Token] | None:
    """Tokens with the agent of a passive ("was sold by Ann") moved to the front; None when there is none."""
    if _MEASURES & set(lower):
        return None  # "sorted by date": the date sorts nothing
    agents = [i for i, t in enumerate(tokens) if t.role == "by" and t.kind != "number"]
    if not agents or not any(w in ("is", "are", "was", "were", "be", "been", "being") for w in lower):
        return None
    first = agents[0]
    last = first
    while last + 1 < len(tokens) and tokens[last + 1].role == "by":
        last += 1
    if first == 0 or not re.search(
        r"(ed|en|n|t|ne|un|ught|ade|old|id|pt|de|ung)$", tokens[first - 1].raw.lower()
    ):
        return None
    agent = [Token(t.key, t.raw, t.kind, "", t.joined) for t in tokens[first : last + 1]]
    before = tokens[: first - 1]
    return [*agent, replace(tokens[first - 1], passive=False), *before, *tokens[last + 1 :]]
