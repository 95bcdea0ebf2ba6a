"""What kind of answer a text asks for: a person, a time, a number, yes or no …"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from aicc_hooks.cache.guard.text import Text

# How a request is wrapped; what stands behind it is the question.
_FRAME: Final = re.compile(
    r"^(?:(?:hi|hey|hello|please|ok|so|well)[ ,!]*)*"
    r"(?:(?:can|could|would|will) you (?:please |kindly )?(?:also |just |quickly |briefly )?(?:tell|show|give|help|explain|list|find|write|describe|let|make|create|provide|suggest|come up with|recommend|name|translate|convert|summari[sz]e|generate|draft|compose|compare"
    r"|plan|classify|categori[sz]e|refactor|rewrite|rephrase|proofread|shorten|outline|brainstorm|analy[sz]e|extract|review|edit|implement"
    r"|calculate|compute|solve|prove|remind|simplify|paraphrase|reply|respond"
    r"|(?:fix|check|change|add|put|turn|make|sort|improve)(?= (?:this|these|the following|my|it)\b))(?: to)?(?: me| us)?(?: know| with| to)?"
    r"|do you (?:happen to )?know|(?:i (?:would|d|'d) like|i want|i need|i wish) (?:you )?(?:to )?(?:know|see|have|get|find|find out|learn)?"
    r"|(?:please )?(?:solve|answer|consider|help with)(?: me)? (?:this|the following)(?: \w+)?|question|task"
    r"|please|tell me|show me|give me(?: some)?|let me know|i(?: am|'m) (?:wondering|curious|looking for|trying to|interested in)|any idea|help me)\b[ ,]*(?:about )?"
)

_HOW: Final = re.compile(
    r"^(?:what(?: is|'s)? (?:are )?(?:the |a |some )?(?:best |easiest |right |correct |proper )?(?:way|ways|method|steps?|process|procedure|command|trick)s?\b|(?:the )?(?:best )?(?:ways?|steps|tips|method)\b|how\b|what (?:can|could|should|do) (?:i|we|you) (?:have to |need to )?do to\b|(?:is|are) there (?:an?|any)(?: \w+)? ways?\b)"
)
_KINDS: Final = (
    ("measure", re.compile(r"\bwhat age\b|^what amount of money\b|^what amount of \w+ (?:is|do|does)\b|^what amount (?:should|do|can|must)\b")),
    ("how many", re.compile(r"\bhow many\b|\b(?:the|what) (?:number|count|amount) of\b|^(?:number of|count)\b")),
    ("measure", re.compile(r"\bhow (?:much|long|far|old|big|tall|high|deep|heavy|large|fast|often|frequently|expensive|hard|hot|cold|wide)\b")),
    ("why", re.compile(r"\bwhy\b|\bhow come\b|\bwhat (?:mainly )?(?:makes?|causes?|caused|(?:is|are|was|were) the (?:main |most common )?(?:reasons?|causes?))\b|\breasons?\b|\bcauses? of\b")),
    ("who", re.compile(r"\bwho(?:m|se)?\b|\bwhich (?:person|team|people|author|player|teachers?|professors?|instructors?)\b|\bby whom\b")),
    ("when", re.compile(r"^when\b|\bwhen (?:to\b|$)|\b(?:since|until|till|by|and|or|is|was|know|say|explain|describe|show|decide|check|determine|remember|understand) when\b|, when\b|\b(?:what|which) (?:is the )?(?:time|date|year|day|weekday|month)s?\b|(?:\bwhat is )?\b(?:the )?(?:best time|time is it)\b|^what is the time\b")),
    ("where", re.compile(r"\bwhere\b|\bin which (?:place|city|country|department)\b")),
    ("what", re.compile(r"\bwhat\b|\bwhich\b")),
    ("how", re.compile(r"\bhow\b")),
)  # fmt: skip
_COPULAR: Final = re.compile(r"^what (?:is|are|s)\b")
_YES_NO: Final = re.compile(
    r"^(?:is|are|am|was|were|do|does|did|has|have|had|will|would|shall|can|could|should|may|might|must)\b"
)
_THERE_ARE: Final = re.compile(r"^are there (?:any )?(?!ways?\b)")
_SAME_KIND: Final = frozenset(map(frozenset, (("how many", "what"), ("who", "what"))))
_WHERE_TO_FIND: Final = re.compile(
    r"\bwhere (?:can|could|do|should|are|is) (?:i|we|you|some|there|the (?:best|nearest))\b"
)
_IMPERATIVE: Final = re.compile(
    r"^(?:please )?(?:tell|show|give|list|name|find|write|explain|describe|translate|summari[sz]e|convert|make|create|draft|compose)\b"
)
_SPECIFIC: Final = frozenset(["who", "whom", "whose", "where", "why", "which", "what", "how"])


def question(a: Text, b: Text) -> str:
    """A reason when the two ask for different kinds of answer."""
    (mine, rest), (yours, other) = _asked(a), _asked(b)
    if {_priced(a), _priced(b)} == {True, False}:
        return "question"  # "how much is a gallon of milk", "how much milk is a gallon"
    if rest != other and mine == yours and mine not in ("", "yes-no"):
        return "question"
    if mine == yours:
        return ""
    pair = frozenset((mine, yours))
    if pair == {"who", "what"} and shape(a)[0] != shape(b)[0]:
        return "question"  # "what did Ann find", "who found Ann"
    if pair == {"how", "what"} and all(_DIFFER.search(t.plain) for t in (a, b)):
        return ""
    if "" in pair:
        return "" if _fits_phrase(a if mine else b, mine or yours, b if mine else a) else "question"
    if pair in _SAME_KIND or (pair == {"measure", "what"} and (a.numbers or _measured(a) or _measured(b))):
        return ""
    if pair == {"how", "what"} and (_COPULAR.match(unframed(a)) or _COPULAR.match(unframed(b))):
        return ""
    return "question"


_DIFFER: Final = re.compile(r"\b(?:difference|differs?|different from)\b")
_HOW_MUCH: Final = re.compile(r"\bhow much (is|are|was|were|does|do|did|would|for)?")


def _priced(text: Text) -> bool | None:
    """Does `how much` ask what something costs, or for so much of it; None without `how much`."""
    found = _HOW_MUCH.search(unframed(text))
    return None if found is None else found[1] is not None


_MEASURED: Final = re.compile(
    r"\bwhat (?:is|are|was|were|age|size|height|distance)\b.{0,40}\b(?:height|length|weight|depth|distance|width|size|age|price|cost|speed|population|duration|temperature)\b|^(?:at )?what age\b"
)


def _measured(text: Text) -> bool:
    """`what is the height of` asks how high; content has to agree that it is the same measure."""
    return bool(_MEASURED.search(unframed(text)))


def asks(text: Text) -> str:
    """`yes-no`, `who`, `when`, `where`, `why`, `how`, `how many`, `measure`, `what`, or "" for a bare phrase."""
    return _asked(text)[0]


_SUBJECT: Final = re.compile(r"^\w+ (?:not )?(i|you|we|it|there|one)\b")


def impersonal(text: Text) -> bool:
    """A yes/no question about oneself or anybody ("can I", "is it"), not about a named subject."""
    return bool(_SUBJECT.match(unframed(text)))


_OBJECT: Final = re.compile(
    r"^(?:who|what|which|how many)\b(?: \w+){0,3}? (?:(?:do|does|did)\b|(?:should|can|could|would|must) (?:i|you|we|one)\b)"
)
_BARE_WHAT: Final = re.compile(r"^(?:who|what|which) (?:do|does|did)\b")
_STRANDED: Final = re.compile(r" (?:of|from|to|for|by|with|on)$")


def shape(text: Text) -> tuple[bool, bool]:
    """Is the asked-for thing the object ("who did Ann see"), and does a preposition wait for it at the end?"""
    words = unframed(text)
    # "which symptoms does it have": its symptoms
    has = words.endswith((" have", " has", " need", " needs")) and not _BARE_WHAT.match(words)
    return bool(_OBJECT.match(words)) and not has, bool(_STRANDED.search(words))


@lru_cache(maxsize=8192)
def _asked(text: Text) -> tuple[str, frozenset[str]]:
    """The kind by the first question word, and the other question words."""
    words = main_clause(text)
    others = frozenset(words.split()) & _SPECIFIC
    if words.startswith(("whether ", "if ")) and words != text.plain:
        return "what" if " there are " in words else "yes-no", others
    if _YES_NO.match(words):
        # "are there any ways to" asks how, "are there any hotels in" asks what there is.
        kind = "how" if _HOW.match(words) else "what" if _THERE_ARE.match(words) else "yes-no"
        return kind, others
    if _HOW.match(words) and not words.startswith("how "):
        return "how", frozenset()
    found = [(m.start(), order, name) for order, (name, p) in enumerate(_KINDS) if (m := p.search(words))]
    if not found:
        return "", frozenset()
    start, _, kind = min(found)
    # The word that made the kind does not count as another one.
    return kind, frozenset(words[start:].split()[2:]) & _SPECIFIC


_CONDITION: Final = re.compile(
    r"^(?:when|if|while|once) [^,?]{3,80}, (?=(?:what|which|who|where|why|how|is|are|do|does|can|should)\b)"
)
_LAST: Final = re.compile(
    r"^.{3,200}[,:;.] ((?:what|who|where|why|how)\b(?: (?:is|does|do|are|was|did)\b.{0,40})?)$"
)


def main_clause(text: Text) -> str:
    """The clause that asks: "my app crashes, why", "if it rains, where can I go", "A vs B: what is the difference"."""
    if last := _LAST.match(text.plain.replace("what's", "what is")):
        return last[1]
    if condition := _CONDITION.match(text.plain):
        return text.plain[condition.end() :]
    return unframed(text)


def _fits_phrase(asked: Text, kind: str, phrase: Text) -> bool:
    """Can a bare phrase or an imperative mean this question? "Andorra" does not ask where or when."""
    if kind == "yes-no":
        return not _imperative(phrase)
    if kind == "where":
        return bool(_WHERE_TO_FIND.search(unframed(asked)))
    if kind == "when":
        return bool({"time", "date", "day", "year"} & set(phrase.words))
    return kind != "why" or asks(phrase) == "why"


def _imperative(text: Text) -> bool:
    return bool(_IMPERATIVE.match(text.plain))


def unframed(text: Text) -> str:
    """The words without greetings and "can you tell me"."""
    words = " ".join(text.words)
    for _ in range(2):
        shorter = _FRAME.sub("", words, count=1)
        if shorter == words or not shorter:
            break
        words = shorter
    return words
