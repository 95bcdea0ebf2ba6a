"""Names of people where the context says so: introductions, greetings, fields, signatures, well-known first names."""

from __future__ import annotations

import re
from typing import Final

from .firstnames import FIRST_NAMES
from .names_words import COMMON, FIELD_WORDS, GREETINGS, NOT_NAMES, RULES, SIGN_WORDS
from .text import Doc, Hits, ask_for

UPPER: Final = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽȘȚА-ЯЁІЇЄҐΑ-ΩΆΈΉΊΌΎΏ"
_CAP: Final = rf"(?:[dDlLO]['’])?(?:Ma?c)?[{UPPER}][^\W\d_]+(?:[-'’][^\W\d_]+)*"
_PARTICLE: Final = (
    r"(?:de|da|do|dos|das|del|della|di|van|von|der|den|ter|la|le|el|al|bin|ibn|zu|y|e|af|av|du|ten|op)"
)
_FULL: Final = rf"{_CAP}(?:[ ](?:(?:{_PARTICLE}[ ]){{0,2}}{_CAP}|[{UPPER}]\.|[{UPPER}](?=[ ]{_CAP})|(?:II|III|IV|Jr\.?|Sr\.?)\b)){{0,4}}"
_CJK: Final = r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af々]{1,6}(?:[ 　・·][\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af々]{1,8})?"
_PAIR: Final = "|".join(
    rf"[{r}]{{2,14}} [{r}]{{2,14}}"
    for r in (r"\u0600-\u06ff", r"\u0900-\u097f", r"\u0590-\u05ff", r"\u0980-\u0dff")
)
NAME: Final = re.compile(rf"{_FULL}|{_CJK}|{_PAIR}|[\u0e00-\u0e7f]{{4,30}}")
_LOWER_NAME: Final = re.compile(r"[^\W\d_]{2,}(?: [^\W\d_]\.)?(?: [^\W\d_]{2,}){0,2}")

_TRIGGERS: Final[dict[str, tuple[re.Pattern[str], bool]]] = {}
for _line in RULES.strip().splitlines():
    _left, _, _right = _line.partition(" : ")
    for _word in _left.removeprefix("! ").split():
        _TRIGGERS[_word] = (
            re.compile(rf"{_right.strip(chr(10))}[ \t]{{1,3}}", re.IGNORECASE),
            _left.startswith("!"),
        )
_TRIGGER_WORDS: Final = frozenset(_TRIGGERS)

_FIELD_TAIL: Final = re.compile(
    r"""[ _-]?(?:name|address|to|person|holder|by)?["'`*]{0,3}[ \t]{0,3}(?::|=>?|\||;(?=\S))[ \t*]{0,6}["'`]?""",
    re.IGNORECASE,
)
_FIELD_ASIAN: Final = re.compile(
    r"(?:氏名|名前|Ім['’ʼ]я|ПІБ|ФИО|お名前|姓名|이름|성명|ชื่อ|नाम|الاسم|שם)[\s:：]{1,3}"
)
_ASIAN_SAID: Final = re.compile(
    r"(?:私の名前は|名前は|わたしは|私は|我叫|我的名字是|我是|姓名是|제 이름은|저는|اسمي|שמי|मेरा नाम|ผมชื่อ|ฉันชื่อ)[\s:：]{0,2}"
)
_CALLED: Final = re.compile(
    r"([\u3041-\u30ff\u3400-\u9fff々]{1,6}(?:[ 　・][\u3041-\u30ff\u3400-\u9fff々]{1,6})?)と申"
)
_ASIAN_END: Final = re.compile(
    r"(?:です|と申|でございます|といい|から|입니다|이고|입니|です。|，|。|さん|様|님)"
)
_SIGN_SET: Final = frozenset(SIGN_WORDS)
_SIGN_TAIL: Final = re.compile(r"[,.!]?[ \t]{0,3}\r?\n{1,3}[ \t>*_-]{0,4}")


# Words that are names as well: only a full name settles it ("Robert May", "April Gardner").
_EITHER: Final = frozenset(
    """
    april may june august king prince queen lord lake west north south east english french german bishop best great street
    grant mark rose grace hope faith joy summer summer autumn dawn art bill rich frank christian jordan austin georgia virginia
    charlotte florence paris london madison chad san hill read page day young long short brown white black green gray love first
    price rivers river brooks park field stone wood church new
    """.split()  # noqa: SIM905
)


def _settled(parts: list[str]) -> bool:
    """A full name one half of which is an ordinary word, the other not."""
    first, last = parts[0].lower(), parts[-1].lower()
    other = last if first in _EITHER else first
    return len(parts) >= 2 and (first in _EITHER) != (last in _EITHER) and other not in NOT_NAMES


def is_name(value: str, strong: bool) -> bool:
    """True when capitalised words read as a person: a known first name, or two of them after a strong cue."""
    parts = value.replace("-", " ").split()
    if not parts:
        return False
    if parts[0].lower() in NOT_NAMES or parts[-1].lower() in NOT_NAMES:
        return (strong or parts[0].lower() in FIRST_NAMES) and _settled(parts)
    if not value[0].isascii() and not value[0].isupper():
        return True
    if value.isupper() and len(value) <= 4:
        return False
    return strong or len(parts) >= 2 or parts[0].lower() in FIRST_NAMES


def _add(text: str, at: int, strong: bool, hits: Hits, known_only: bool = False) -> int:
    m = NAME.match(text, at, at + 80)
    if m is None:
        return 0
    parts = m.group().split(" ")
    end = m.end()
    while (
        len(parts) > 1
        and parts[-1].lower().rstrip(".") in NOT_NAMES
        and not (
            parts[-1].lower() in _EITHER
            and parts[0].lower() not in NOT_NAMES
            and len(parts) <= 3
            and (strong or parts[0].lower() in FIRST_NAMES)
        )
    ):
        end -= len(parts.pop()) + 1
    if (
        known_only
        and parts[0].lower() not in FIRST_NAMES
        and parts[0].split("-")[0].lower() not in FIRST_NAMES
    ):
        return 0
    if (
        text[end : end + 1] in ("(", "_", "/", "=")
        or text[end : end + 2] in ("::", "->")
        or not is_name(" ".join(parts), strong)
    ):
        return 0
    hits.add("person_name", at, end)
    return end


_SELF_WORDS: Final = frozenset(
    {"m", "am", "this", "bin", "suis", "sono", "soy", "ben", "sou", "jag", "jeg", "jestem"}
)
_WROTE_WORDS: Final = frozenset(["wrote", "writes", "schrieb", "écrit", "escribió", "scritto", "schreef"])
ask_for(_TRIGGER_WORDS | FIELD_WORDS | _SIGN_SET | FIRST_NAMES | _SELF_WORDS | _WROTE_WORDS | {"values"})
# two words in capitals, then the clause ends or goes on as an introduction does
_FULL_AFTER: Final = re.compile(
    rf"{_CAP}(?:[ ][{UPPER}]\.)?[ ]{_CAP}(?=[.,!;)\n]|\s(?:and|from|with|at|here|calling|writing|your|the|a|an|,|—|-)\b|\Z)"
)
_WROTE: Final = re.compile(
    rf"({_CAP}(?:[ ][{UPPER}]\.)?[ ]{_CAP})(?:[ ]<[^<>\s]{{3,80}}>)?[ ](?:wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef):"
)
_VALUES: Final = re.compile(rf"[('\"]({_CAP}(?:[ ][{UPPER}]\.)?[ ]{_CAP})['\"]")
_SELF: Final = (
    "i'm ",
    "i am ",
    "this is ",
    "ich bin ",
    "je suis ",
    "sono ",
    "soy ",
    "ik ben ",
    "eu sou ",
    "jag är ",
    "jeg er ",
    "jestem ",
)
# "Hi Vinicio," — one word in capitals between the greeting and its mark
_GREETED: Final = re.compile(rf"{_CAP}(?=[ ]?[,!:—]|[ ]?\n|[ ]-[ ])")
_AND: Final = re.compile(r" (?:and|und|et|y|e|&) ")


def find(doc: Doc, hits: Hits) -> None:
    """All name contexts."""
    text, words = doc.text, doc.known
    for word in words & _TRIGGER_WORDS:
        tail, strong = _TRIGGERS[word]
        common = word in COMMON
        for end in doc.word_ends(word):
            m = tail.match(text, end)
            if m is None:
                continue
            at = m.end()
            greeted = word in GREETINGS and _GREETED.match(text, at) is not None
            if word in (
                "name",
                "names",
                "nom",
                "nome",
                "nombre",
                "naam",
                "namn",
                "navn",
                "nama",
                "nimi",
                "név",
            ):
                common = not m.group().strip(" \t:")  # "name Berlin" says little, "name is Berlin" a lot
            stop = _add(
                text,
                at,
                strong or greeted,
                hits,
                known_only=common and not (common and word == "name" and m.group().strip()),
            )
            more = _AND.match(text, stop) if stop and strong else None
            if more:
                _add(text, more.end(), False, hits)
    for literal in _SELF if words & _SELF_WORDS else ():
        if literal in doc.lower:
            for at in doc.occurrences(literal):
                if not (at and text[at - 1].isalnum()):
                    named = _FULL_AFTER.match(text, at + len(literal))
                    whole = named is not None and not any(
                        w.lower() in NOT_NAMES for w in named.group().split()
                    )
                    _add(text, at + len(literal), False, hits, known_only=not whole)
    if ":" in text or "=" in text or "|" in text or ";" in text:
        for word in words & FIELD_WORDS:
            for end in doc.word_ends(word):
                m = _FIELD_TAIL.match(text, end)
                if m is None:
                    continue
                if not _add(
                    text, m.end(), word not in ("to", "owner", "contact", "client", "manager", "author"), hits
                ) and word in ("name", "fullname"):
                    _lower_name(text, m.end(), hits)
    for word in words & _SIGN_SET:
        for end in doc.word_ends(word):
            m = _SIGN_TAIL.match(text, end)
            if m is not None:
                _add(text, m.end(), False, hits)
    if "@" in text:
        _beside_email(text, hits)
    if words & _WROTE_WORDS:
        for m in _WROTE.finditer(text):
            hits.add("person_name", *m.span(1))
    if "values" in words and "name" in doc.lower:
        for end in doc.word_ends("values"):
            for m in _VALUES.finditer(text, end, end + 300):
                if is_name(m.group(1), False):
                    hits.add("person_name", *m.span(1))
    if not doc.ascii:
        for m in _ASIAN_SAID.finditer(text):
            _asian(text, m.end(), hits)
        for m in _FIELD_ASIAN.finditer(text):
            _asian(text, m.end(), hits)
        if "と申" in text:
            for m in _CALLED.finditer(text):
                hits.add("person_name", *m.span(1))
    if words & FIRST_NAMES:
        _find_known(doc, hits)


_BEFORE_EMAIL: Final = re.compile(
    rf"(?:^|[,;|\t\n:(\"'>])[ ]?({NAME.pattern})[\"']?(?:[,;|\t][ ]?[\"']?|[ ][<(\[])[\w.+-]{{1,64}}\Z"
)


def _beside_email(text: str, hits: Hits) -> None:
    """The column or the words right before an address: `Ann Lee <ann@…>`, `17,Ann Lee,ann@…`."""
    at = text.find("@")
    while at >= 0:
        window = max(0, at - 110)
        m = _BEFORE_EMAIL.search(text[window:at])
        if m is not None and is_name(m.group(1), False) and (" " in m.group(1) or not m.group(1).isascii()):
            hits.add("person_name", window + m.start(1), window + m.end(1))
        at = text.find("@", at + 1)


def _asian(text: str, at: int, hits: Hits) -> None:
    name = NAME.match(text, at, at + 40)
    if name is None:
        return
    value = _ASIAN_END.split(name.group())[0].rstrip()
    if value:
        hits.add("person_name", at, at + len(value))


def _lower_name(text: str, at: int, hits: Hits) -> None:
    """`name: leone mazzi`: lower case counts when a known first name starts a field's whole value."""
    m = _LOWER_NAME.match(text, at, at + 60)
    if (
        m is not None
        and text[m.end() : m.end() + 1] in ("", "\n", "\r", ",", '"', "'")
        and m.group().split(" ")[0].lower() in FIRST_NAMES
    ):
        hits.add("person_name", at, m.end())


def _find_known(doc: Doc, hits: Hits) -> None:
    """A first name everybody knows with a surname behind it; alone, as the speaker of a line."""
    text = doc.text
    for word in doc.known & FIRST_NAMES:
        for end in doc.word_ends(word):
            at = end - len(word)
            if at and text[at - 1] in "_./@-'\"`\\#$":
                continue
            if not text[at].isupper():
                continue
            m = NAME.match(text, at, at + 60)
            if m is None:
                continue
            parts = m.group().split(" ")
            alone = len(parts) == 1 or parts[1].lower() in NOT_NAMES
            line_start = at == 0 or text[at - 1] == "\n"
            if alone and line_start and text[end : end + 2] == ": ":
                hits.add("person_name", at, end)
            elif (
                not alone
                and parts[-1].lower() not in NOT_NAMES
                and len(parts) <= 4
                and text[m.end() : m.end() + 1] not in ("(", "_", "=")
            ):
                hits.add("person_name", at, m.end())
