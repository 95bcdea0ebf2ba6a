"""Postal addresses: the block after a cue ("ship to:"), and street lines with the town and code that follow."""

from __future__ import annotations

import re
from typing import Final

from .addresses_words import BOX_WORDS, CUES, SUFFIXES, UNIT_WORDS, WORDS_AFTER, WORDS_BEFORE
from .names import UPPER, is_name
from .text import Doc, Hits, ask_for

_AFTER: Final = re.compile(
    rf"(?<![\w.])\d{{1,5}}[A-Za-z]?(?:[-/]\d{{1,4}})?,?[ ](?:[NSEW]\.?[ ]|\d{{1,4}}(?:st|nd|rd|th)?[ ])?(?:[{UPPER}][\w'’.-]{{0,20}}[ ]){{0,4}}\Z"
)
_BEFORE: Final = re.compile(
    r"[.]?[ ](?:(?:de|del|della|dei|delle|degli|di|da|do|dos|das|du|des|la|le|les|las|los|el|e|y|i|l'|d'|san|santa|saint)[ ]?){0,3}[^\W\d_][\w'’.ª-]{0,24}(?:[ ][\w'’.ª-]{1,24}){0,4}?,?[ ](?:n[º°.]?[ ]?|no\.?[ ]?|д\.?[ ]?)?\d{1,5}[A-Za-z]?(?:/\d{1,4}[A-Za-z]?)?(?!\w)",
    re.IGNORECASE,
)
_FRENCH: Final = re.compile(
    r"[ ](?:(?:de|du|des|la|le|les|l'|d')[ ]?){0,3}[\w'’.-]{2,24}(?:[ -][\w'’.-]{1,20}){0,3}", re.IGNORECASE
)
_FRENCH_NUMBER: Final = re.compile(r"(?<![\w.])\d{1,5}[ ]?(?:bis|ter|[A-Da-d])?,?[ ]\Z")
_SUFFIX_LINE: Final = re.compile(
    rf"(?<![\w])(?:[{UPPER}][\w.'-]{{0,24}}[ -]){{0,3}}?[{UPPER}]?[\w.-]{{2,30}},?[ ]{{1,2}}\d{{1,5}}[ ]?[A-Za-z]?(?!\w)"
)
_BOX: Final = re.compile(r"[ ]\d{1,6}(?:,?[ ]Box[ ]\d{1,6})?", re.IGNORECASE)
_LEADING_NUMBER: Final = re.compile(r"(?<![\w.])\d{1,5}[A-Za-z]?,?[ ]\Z")
_UNIT: Final = r"(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Piso|Bldg|Building|Room|Rm|lgh|Whg|Wohnung|Apto|Appartamento|Piano|Interno|Scala|Bloco|Appt|Etage|étage|Box|dept|depto|Esc|Puerta|porta|kat|daire)\.?[ ]?#?\w{1,6}|\#[ ]?\w{1,5})"
_CODE: Final = r"(?:[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[AC-FHKNPRTV-Y]\d[\dW][ ]?[AC-FHKNPRTV-Y\d]{4}|\d{4}[ ]?[A-Z]{2}|(?:[A-Z]{1,2}-)?\d{4,8}(?:-\d{3,4})?|[A-Z]\d[A-Z][ ]?\d[A-Z]\d|\d{3}[ ]\d{2}|\d{2}-\d{3})(?![\w-])"
_TOWN: Final = rf"(?:St\.?[ ])?[{UPPER}][^\W\d_]+(?:[ '-](?:[{UPPER}][^\W\d_]+|de|da|do|dos|sur|la|le|am|an|der|im|upon|on|del|of|di|en|aan|den|ª)){{0,4}}(?:[ ]\([{UPPER}]\w+\))?"
# Behind the street: unit, code, town, state and country, by comma or line; a line must hold nothing else.
_REST: Final = re.compile(
    rf"(?:[ ]?,?[ ]?\n?[ \t]{{0,5}}{_UNIT})?(?:,?[ ](?:{_UNIT}))?"
    rf"(?:(?:[ ]?,[ ]?|\n?[ \t]{{0,5}}\n[ \t]{{0,5}},?[ ]?)(?:{_CODE}[ ])?(?:{_TOWN}(?:[ ](?:/[ ])?[A-Z]{{2,3}}(?!\w))?(?:,?[ ]{_CODE}|-\d{{6}}(?!\d))?|[A-Z]{{2,3}}(?!\w)(?:,?[ ]{_CODE})?|RD[ ]\d{{1,2}}|{_CODE}(?:[ ]{_TOWN})?)(?:[ ]/[ ][A-Z]{{2}}(?!\w))?(?=[,\n.;?!)\"' ]|$)){{0,4}}"
    rf"(?:[ ]{_CODE}(?:[ ]{_TOWN})?|-\d{{6}}(?!\d))?"
)
_CUE_TAIL: Final = re.compile(
    r"""(?:[ ](?:of|for)[ ][^\n:.]{1,40}?(?=[ ](?:is|are|ist|est|es)[ ]|[ ]?:))?(?:[ ](?:the|my|your|this|our|a|an|all|it)?[ ]?(?:package|parcel|packages|letter|letters|order|invoice|card|mail|documents?|statements?|cheque|check|bill|goods|keys?|items?|everything|it)(?:[ ]and[ ][a-z]{2,12})?(?=[ ]to[ ]))?(?:[ ](?:is|with|as|to|at|in|ist|est|es|è|é|är|er|on|au|à|en|na|no|op|aan|på|i|przy|lautet|at:|me|it|them|this|you|us|her|him|return|sent)(?!\w)){0,3}["'*]?[ ]?(?:[:=>|]|,(?=[\"']?\w))?[ \t]{0,3}["']?\n?[ \t]{0,5}""",
    re.IGNORECASE,
)
_CUE_ASIAN: Final = re.compile(
    r"(?:住所|届け先|地址|住址|我住在|家住|住在|주소|ที่อยู่|العنوان|כתובת|पता)[\s:：はは是为은는]{0,4}"
)
_STOP: Final = re.compile(
    r"\n[ \t]*\n|[?!]|(?<!\d)(?<!\bul)(?<!\bal)(?<!\bpl)(?<!\bR)(?<!\bSt)(?<!\bAv)(?<!\bC)(?<!\bNo)(?<!\bvia)\.(?:\s+[A-Z]|\s*$|\n)|(?<=\d)\.(?:[ ]+[A-Z]|\s*$|\n[ \t]*\n)|[\"'`<>{}]|\n[ \t]*(?:[+(]?\d[\d ().-]{6,}|[^\n:]{1,24}:|[^\s@]+@|user\b|---|```|https?:|kind |best )"
    r"|[;,.]? (?:for (?:this|my|the)|and (?:my|the|send|call)|please|schreibe|write|draft|thanks|because|is (?:my|the|correct)|before|until|asap|, (?:I|my|please))\b",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(
    r"\b(?:the|which|that|is|are|was|will|has|have|should|can|must|when|with|not|be|your|you|we|it|as|or|if|from)\b"
)
_NO_ADDRESS: Final = re.compile(r"(?:\d{1,3}\.){3}\d|0x|[\w.]+[@(=\[]|(?:19|20)\d\d\b")


ask_for(CUES | WORDS_AFTER | WORDS_BEFORE | BOX_WORDS)


def find(doc: Doc, hits: Hits) -> None:
    """Blocks after cues, then street lines; nothing without a digit."""
    if b"9" not in doc.shape:
        return
    text, words = doc.text, doc.known
    for word in words & CUES:
        for end in doc.word_ends(word):
            m = _CUE_TAIL.match(text, end)
            if m is not None and m.end() > end and b"9" in doc.shape[m.end() : m.end() + 70]:
                _add_block(text, m.end(), hits)
    if not doc.ascii:
        for m in _CUE_ASIAN.finditer(text):
            _add_block(text, m.end(), hits)
    for word in words & WORDS_AFTER:
        for end in doc.word_ends(word):
            start = end - len(word)
            if b"9" in doc.shape[max(0, start - 60) : start] and (text[start].isupper()):
                head = text[max(0, start - 70) : start]
                m = _AFTER.search(head)
                if m is not None and len(m.group().split()) >= 2:
                    _add_street(doc, start - len(head) + m.start(), end, hits)
    for word in words & WORDS_BEFORE:
        for end in doc.word_ends(word):
            _street_before(doc, end - len(word), end, hits)
    for word in words & BOX_WORDS:
        for end in doc.word_ends(word):
            m = _BOX.match(text, end)
            if m is not None:
                head = text[max(0, end - len(word) - 8) : end - len(word)]
                start = end - len(word)
                po = re.search(r"(?:P\.? ?O\.?|Apartado de|Post)[ ]?\Z", head, re.IGNORECASE)
                if po or word != "box":
                    _add_street(doc, start - (len(po.group()) if po else 0), m.end(), hits)
    for word in words & UNIT_WORDS:
        for end in doc.word_ends(word):
            if b"9" in doc.shape[end : end + 8]:
                _around_unit(doc, end - len(word), hits)
    if any(code in doc.shape for code in _CODES):
        _find_whole(doc, hits)
        _find_dutch(doc, hits)
    for literal in (b"A 9", b". 9"):
        at = doc.shape.find(literal)
        while at >= 0:
            tail = doc.lower[max(0, at - 30) : at + 1].rsplit(None, 1)
            if tail and tail[-1].endswith(SUFFIXES):
                _suffix_line(doc, at, hits)
            at = doc.shape.find(literal, at + 3)


ask_for(UNIT_WORDS)
_STREET_LINE: Final = re.compile(
    rf"(?:^|[\n:\"',(]|(?<=[ ]))[ \t]*(\d{{1,5}}[ ](?:\d{{1,5}}[ ])?[{UPPER}Λ][^\n,;:?!]{{2,50}}?[, ]?\n?[ \t]{{0,5}})\Z"
)


def _around_unit(doc: Doc, start: int, hits: Hits) -> None:
    """`28030 Edeby 55` above `Apt. 297`: whatever the street is called, the unit gives it away."""
    window = max(0, start - 70)
    m = _STREET_LINE.search(doc.text[window:start])
    if m is not None:
        stop = start
        while stop > window and doc.text[stop - 1] in " \n\t,":
            stop -= 1
        _add_street(doc, window + m.start(1), stop, hits)


def _street_before(doc: Doc, start: int, end: int, hits: Hits) -> None:
    text = doc.text
    near = doc.shape[max(0, start - 10) : end + 60]
    if b"9" not in near:
        return
    number = _FRENCH_NUMBER.search(text[max(0, start - 10) : start])
    m = _BEFORE.match(text, end, end + 110)
    if m is not None and number is not None and m.group()[-5:].isdigit():
        m = None  # 7, avenue de Besson, 79878 Perez: the number came first, this is the code
    if (
        m is not None
        and (text[start].isupper() or number or text[end] == "." or "," in m.group())
        and "\n" not in m.group()
    ):
        lead = _LEADING_NUMBER.search(text[max(0, start - 8) : start])
        _add_street(doc, start - (len(lead.group()) if lead else 0), m.end(), hits)
    elif number is not None:
        f = _FRENCH.match(text, end, end + 80)
        if f is not None:
            _add_street(doc, start - len(number.group()), f.end(), hits)


def _suffix_line(doc: Doc, at: int, hits: Hits) -> None:
    text = doc.text
    if b"9" not in doc.shape[at : at + 24]:
        return
    # back over the words of the street's name: capitalised ones and the one the suffix ends
    start = at
    while start > 0 and at - start < 50 and (text[start - 1].isalnum() or text[start - 1] in "-.'’"):
        start -= 1
    if not text[start : start + 1].isupper() and not text[max(0, start - 6) : start].strip().isdigit():
        return
    m = _SUFFIX_LINE.match(text, start, at + 40)
    if m is None or m.end() <= at:
        return
    while True:
        head = re.search(rf"(?:[{UPPER}][\w.'-]{{0,24}})[ -]\Z", text[max(0, start - 27) : start])
        if head is None:
            break
        start -= len(head.group())
    lead = _LEADING_NUMBER.search(text[max(0, start - 8) : start])
    _add_street(doc, start - (len(lead.group()) if lead else 0), m.end(), hits)


# Flat 74V, | H.No. 33, | Suite 539 | Level 3, before the number of the street
_LEAD: Final = re.compile(
    r"(?:(?:Flat|Apt|Apartment|Unit|Suite|Ste|Studio|Level|House|Plot|Shop|Block|Door|Room|H|Villa|Lot)\.?[ ]?(?:No\.?[ ]?|Number[ ]|\#)?)\Z",
    re.IGNORECASE,
)
_LEAD_UNIT: Final = re.compile(
    r"(?:Flat|Apt|Apartment|Unit|Suite|Ste|Studio|Level|House|Plot|Shop|Block|Door|Room|Lot)\.?[ ]?(?:No\.?[ ]?|\#)?\w{1,5},?[ \n]{1,2}(?:[^\W\d_]+[ ](?:House|Court|Tower|Building)[,\n][ ]?)?\Z",
    re.IGNORECASE,
)
# 75 Joe Copse, Murphyside 8436: number, words, town, region, code, whatever the street is called
_WHOLE: Final = re.compile(
    rf"\d{{1,6}}[A-Za-z]?(?:/\d{{1,4}})?,?[ ](?:[{UPPER}][\w'’.-]{{1,20}}[ ]?){{1,4}}(?:,[ ]?|[ ]?\n[ \t]{{0,4}})(?:{_UNIT}(?:,[ ]?|[ ]?\n[ \t]{{0,4}}))?(?:RD[ ]\d{{1,2}},[ ]?)?"
    rf"{_TOWN}(?:,?[ ][A-Z]{{2,3}},?[ ](?:\d{{4,6}}(?:-\d{{4}})?|[A-Z]\d[A-Z][ ]?\d[A-Z]\d)|(?:,[ ]|[ ]|\n)[A-Z]{{1,2}}\d[A-Z\d]?[ ]\d[A-Z]{{2}}|,?[ ](?:\d{{5,6}}|(?!19|20)\d{{4}})|-\d{{6}})(?![\w-])"
)


_CODES: Final = (b"9999", b"9 9AA", b"A 9AA", b"A9A 9A9", b"A9A9A9")


def _find_whole(doc: Doc, hits: Hits) -> None:
    text, shape = doc.text, doc.shape
    for literal in (b"9 A", b"9, A"):
        at = shape.find(literal)
        while at >= 0:
            start = at
            while start and at - start < 6 and (shape[start - 1] == 57 or text[start - 1] == "/"):
                start -= 1
            if text[at + len(literal) - 1].isupper() and not (
                start and (text[start - 1].isalnum() or text[start - 1] in "._-$€£#")
            ):
                m = _WHOLE.match(text, start, start + 160)
                if m is not None:
                    hits.add("postal_address", _with_lead(text, start), m.end())
                    _name_above(text, _with_lead(text, start), hits)
            at = shape.find(literal, at + 3)


# Romyring 1, 9895KH Foxhol: four digits and two letters are a Dutch code, whatever the street is called
_DUTCH: Final = re.compile(
    rf"[{UPPER}'][\w'’.-]{{2,30}}(?:[ ][\w'’.-]{{1,20}}){{0,3}}[ ]\d{{1,4}}[A-Za-z]?(?:[ -]\w{{1,3}})?(?=,?[ \n]{{1,2}}\Z)"
)


def _find_dutch(doc: Doc, hits: Hits) -> None:
    for literal in (b"9999AA", b"9999 AA"):
        at = doc.shape.find(literal)
        while at >= 0:
            code = doc.text[at : at + len(literal)]
            if code.isupper() and code[0] != "0" and doc.text[at - 1 : at] in (" ", "\n"):
                head = doc.text[max(0, at - 70) : at]
                m = _DUTCH.search(head)
                if m is not None:
                    _add_street(doc, at - len(head) + m.start(), at - len(head) + m.end(), hits)
            at = doc.shape.find(literal, at + 4)


def _with_lead(text: str, start: int) -> int:
    head = text[max(0, start - 40) : start]
    lead = _LEAD.search(head) or _LEAD_UNIT.search(head)
    return start - (len(head) - lead.start()) if lead else start


_YEAR: Final = re.compile(r"(?:1[89]|20)\d\d, ")
_AFTER_CODE: Final = re.compile(rf"[ ]{_TOWN}(?=[,.;\n\"')]|\Z)")
_YEAR_END: Final = re.compile(r"\b(?:spring|during) (?:1[89]|20)\d\d\Z", re.IGNORECASE)


def _add_street(doc: Doc, start: int, end: int, hits: Hits) -> None:
    if _YEAR.match(doc.text, start) or _YEAR_END.search(doc.text[start:end]):
        return  # "1980, Mount St. Helens", "Spring 1932"
    if doc.text[end : end + 2] == ".\n":
        end += 1
    if doc.text[end - 5 : end].isdigit() and (town := _AFTER_CODE.match(doc.text, end)):
        end = town.end()
    rest = _REST.match(doc.text, end, end + 160)
    start = _with_lead(doc.text, start)
    hits.add("postal_address", start, rest.end() if rest else end)
    _name_above(doc.text, start, hits)


_ABOVE: Final = re.compile(
    rf"(?:^|\n)[ \t]*((?:[{UPPER}][\w.'’-]*)(?:[ ][{UPPER}][\w.'’-]*){{1,3}})[ \t]*\n(?:[^\n]{{0,40}}\n)?[ \t]*\Z"
)


def _name_above(text: str, start: int, hits: Hits) -> None:
    """The addressee: a line of two to four capitalised words above the street."""
    window = max(0, start - 100)
    m = _ABOVE.search(text[window:start])
    if m is not None and is_name(m.group(1), False):
        hits.add("person_name", window + m.start(1), window + m.end(1))


def _add_block(text: str, at: int, hits: Hits) -> None:
    window = text[at : at + 180]
    stop = _STOP.search(window)
    block = window[: stop.start()] if stop else window
    first = block.lstrip()
    at += len(block) - len(first)
    block = first.rstrip(" \n\t,;.")
    # an address has a number and words, and does not run on like a sentence
    if not len(block) >= 8 or not any(c.isdigit() for c in block) or sum(c.isalpha() for c in block) < 4:
        return
    if (
        any(mark in block for mark in ("@", "://", "%", "_", "=", "--"))
        or _NO_ADDRESS.match(block)
        or _SENTENCE.search(block)
    ):
        return
    words = block.split()
    capitals = sum(w[:1].isupper() for w in words)
    if (words[0][:1].isdigit() or capitals >= 2 or not block.isascii()) and (
        len(words) >= 2 or ord(block[0]) > 0x2E80
    ):
        hits.add("postal_address", at, at + len(block))
