"""One way of writing for what people write in several."""

from __future__ import annotations

import re
from typing import Final

_CONTRACTIONS: Final = (
    (re.compile(r"\b(what|how|who|where|when)s\b", re.I), r"\1 is"),
    (re.compile(r"\b(ca)n't\b|\b(ca)nt\b", re.I), "can not"),
    (re.compile(r"\bwon't\b", re.I), "will not"),
    (re.compile(r"\b(\w+)n't\b", re.I), r"\1 not"),
    (re.compile(r"\bcannot\b", re.I), "can not"),
    (re.compile(r"\b(what|where|who|when|how|why|that|there|it|he|she|here|let)'s\b", re.I), r"\1 is"),
    (re.compile(r"'(re|ll|ve|d|m)\b", re.I), r" \1"),
)


# "16GB", "a three-day trip": the number and what it counts are two words.
_GLUED: Final = re.compile(
    r"(?<![\w.-])(\d+(?:[.,]\d+)?)(?=(?:[kmgt]b|[kc]m|mm|kg|g|mg|l|ml|lbs?|oz|ft|mi|km/h|mph|h|hrs?|mins?|secs?|eur|usd|gbp)\b)"
    r"|(?<![\w.-])(\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty)-(?=(?:[a-z]+)\b)"
    r"|(?<=day|ear|eek|our|ord|age)-(?=old\b|long\b)",
    re.I,
)


# "the text below" is "this text"; "above" stays another one.
_DEICTIC: Final = re.compile(
    r"\b(text|article|code|function|paragraph|passage|e-?mail|sentence|message|list|table|question|snippet|json) below"
    r"(?= (?:to|from|into|in|and|so)\b|[.:?!]|$)",
    re.I,
)


# "make it faster" is "speed it up".
_CAUSED: Final = {
    "faster": "speed up", "slower": "slow down", "shorter": "shorten", "longer": "lengthen", "simpler": "simplify",
    "better": "improve", "stronger": "strengthen", "smaller": "shrink", "larger": "enlarge", "bigger": "enlarge",
    "easier to read": "improve the readability of", "more readable": "improve the readability of",
}  # fmt: skip
_MAKE: Final = re.compile(rf"\bmake ((?:\S+ ){{1,5}}?)({'|'.join(_CAUSED)})\b", re.I)
_SAID_ONCE: Final = (
    (
        re.compile(r"\b(turn|switch) ((?:\S+ ){1,4}?)(on|off)(?=$|[.?!,]| (?:on|in|for|at|with)\b)", re.I),
        r"\1 \3 \2",
    ),
    (re.compile(r"\bwith no\b", re.I), "without"),
    (re.compile(r"\b([a-z]{3,})-free\b", re.I), r"without \1"),
    (re.compile(r"\bhow come\b", re.I), "why"),
    (re.compile(r"\bw/(?= )", re.I), "with"),
    (re.compile(r"\ba single\b", re.I), "one"),
    (re.compile(r"\btwo times\b", re.I), "twice"),
    (re.compile(r"\bthree times\b", re.I), "thrice"),
)
_ARITHMETIC: Final = tuple(
    (re.compile(rf"(?<=\d) ?(?:{words})(?= ?-?\d)", re.I), f" {operator}")
    for words, operator in (
        ("x|×|times|multiplied by", "*"),
        ("plus", "+"),
        ("minus", "-"),
        ("divided by|÷", "/"),
    )
)


# "If A, what B?" and "I have A. What B?" are "what B if A".
_CLAUSE_FIRST: Final = re.compile(
    r"^((?:if|when|once|because|for each|i|my|we|our) (?:[^,?.:;]|(?<=\d)[,.](?=\d)){3,80})[,.] "
    r"((?:how|what|why|where|who|which|can|could|should|do|does|is|are)\b[^.?!\n]{2,120})$",
    re.I,
)


# "9 am", "9 a.m.": kept from the verb "am".
_CLOCK: Final = re.compile(r"(?<=\d)\s?([ap])\.?m\b\.?", re.I)


def expand(text: str) -> str:
    """Contractions in full, numbers apart from their units, the clause that asks in front."""
    text = _CLAUSE_FIRST.sub(r"\2 \1", text)
    text = _DEICTIC.sub(r"\1", _CLOCK.sub(r" \1meridiem", text))
    text = _GLUED.sub(lambda m: f"{m[1] or m[2] or ''} ", text)
    text = _MAKE.sub(lambda m: f"{_CAUSED[m[2].lower()]} {m[1]}", text)
    for pattern, replacement in _SAID_ONCE:
        text = pattern.sub(replacement, text)
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    return text


_BEFORE: Final = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|evening|afternoon))(?: there| everyone| all)?[,!.] "
    r"|(?:i have a |a |just a )?(?:quick |short |simple )?question[:,.] "
    r"|(?:please )?(?:solve|answer|help me with)(?: me)? (?:this|the following) (?:problem|question|task|exercise)[:.] )+",
    re.I,
)
_AFTER: Final = re.compile(
    r"(?<=[.?!,;]) (?:please (?:answer|help(?: me)?|explain|advise|respond)|please|pls|(?:many )?thanks(?: a lot| in advance)?"
    r"|thank you(?: very much| so much| in advance)?|thx|cheers|can you help(?: me)?|any help (?:is|would be) appreciated)[.!?]*$",
    re.I,
)


def courtesy(plain: str) -> str:
    """Without a greeting in front and a thanks behind; never the whole text."""
    return _AFTER.sub("", _BEFORE.sub("", plain)).rstrip(",; ") or plain


def arithmetic(plain: str) -> str:
    """`7 times 8` is `7 * 8`."""
    for pattern, operator in _ARITHMETIC:
        plain = pattern.sub(operator, plain)
    return plain
