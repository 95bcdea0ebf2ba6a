"""Runs of digits: payment cards and phone numbers."""

from __future__ import annotations

import re
from typing import Final

from .bank import announced_card, judge_card
from .cues import Cue, near
from .text import Doc, Hits

_RUN: Final = re.compile(r"[+(0-9][0-9 ()./-]{4,60}[0-9]")
_GROUP: Final = re.compile(r"[0-9]+")
_INTERNATIONAL: Final = re.compile(
    r"(?:\+|\b00)\s?[1-9]\d{0,2}(?:[ ./-]?\(?0?\)?[ ./-]?)(?:\(?\d{1,5}\)?[ ./-]{0,2}){1,6}\d"
)
_NANP: Final = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\)[ .-]?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?!\d)"
)
_TRUNK: Final = re.compile(r"(?:\(0\d{1,4}\)|0\d{1,4})[ ./-]\d{2,4}(?:[ ./-]?\d{2,4}){1,4}(?!\d)")
PHONE: Final = Cue(
    "puh contact appelez appelle llama ligue phone phones telephone tel telefon telefono teléfono telefone telefonnummer telefonszám telefoon téléphone mobile mobil mobiel móvil movil celular cell cellphone "
    "handy handynummer rufnummer call fax whatsapp sms text dial contact numero puhelin puhelinnumero telefonnr nummer numéro ring reach hotline "
    "telepono gsm cep tlf tél fone teléfonos telefonu телефон номер τηλέφωνο anrufen appeler llámame chiamami office home numeri phonenumber mobilnummer telefoonnummer",
    "messages to", "not answering", "ruf mich an", "unter der", "puh.", "erreichbar", "chiama", "ring mig", "ring til", "bel me", "zadzwoń", "звоните", "мой номер", "mój numer", "電話", "电话", "手机", "手機", "携帯", "전화", "휴대폰", "โทร", "điện thoại", "هاتف", "טלפון", "फ़ोन", "फोन", "phone_number", "my number", "numéro", "número de", "registered",
)  # fmt: skip
_AFTER_WORD: Final = re.compile(
    r"\s{0,3}\(?(?:office|fax|mobile|cell|home|work|tel|phone|handy|mobil)\b", re.IGNORECASE
)
_NOT_PHONE: Final = re.compile(
    r"\b(?:order|invoice|ref|reference|ticket|tickets|isbn|version|coordinates|scores?|lottery|account|acct|part|parts|model|sku|po|id|tracking|timestamp|epoch|build|port|page|zip|"
    r"serial|card|iban|ssn|passport|licen[cs]e|amount|price|total|date|year|lat|lon|dob|born|code|plz)\b[^\n]{0,12}\Z",
    re.IGNORECASE,
)
_DATE_LIKE: Final = re.compile(
    r"\(?(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:\D|\Z)"
)
_CARD_LENGTHS: Final = range(12, 20)
# Four groups of four, cut once by a line end, which is backslashes where it was escaped (see `without_breaks`).
_WRAPPED: Final = re.compile(
    r"(?<![\w.,])[2-6]\d{3}(?:[ -]?\d{4}|[ -]?(?:\r?\n|\\{2,4})[ \t>]{0,8}\d{4}){3}(?!\w)"
)
_LINE_ENDS: Final = (b"9999\n", b"9999 \n", b"9999\r", b"9999-\n", b"9999\\", b"9999 \\")
_LINE_END: Final = re.compile(r"\n|\\+")


def _cards(doc: Doc, run: re.Match[str], hits: Hits) -> bool:
    text = doc.text
    groups = [(m.start(), m.end()) for m in _GROUP.finditer(text, run.start(), run.end())]
    found, past = False, -1
    for i in range(len(groups)):
        if groups[i][0] < past:
            continue
        digits, best = "", None
        for j in range(i, min(i + 7, len(groups))):
            if j > i:
                gap = text[groups[j - 1][1] : groups[j][0]]
                if gap not in (" ", "-", ".", "  "):
                    break
            digits += text[groups[j][0] : groups[j][1]]
            if len(digits) > 19:
                break
            if len(digits) in _CARD_LENGTHS:
                start, end = groups[i][0], groups[j][1]
                if (text[end : end + 1].isalnum() and text[end].isascii()) or (
                    start
                    and (
                        text[start - 1].isalnum()
                        or text[start - 1] in "_+"
                        or (text[start - 1] in ".," and text[start - 2 : start - 1].isdigit())
                    )
                ):
                    continue
                gap = text[groups[i][1] : groups[i + 1][0]] if j > i else ""
                sizes = [groups[k][1] - groups[k][0] for k in range(i, j + 1)]
                if gap == "." and set(sizes) != {4}:
                    continue  # a decimal fraction
                if j > i and (min(sizes) < 3 or sizes[0] not in (4, 6)):
                    continue
                if (best is None or len(digits) <= 16) and judge_card(doc, start, digits, gap):
                    best = (start, end)  # twelve of sixteen digits may pass the check by chance
        if best is not None:
            hits.add("credit_card", *best)
            found, past = True, best[1]
    return found


def _wrapped_cards(doc: Doc, hits: Hits) -> None:
    """A card number over two lines, where a word announces one: columns of years and amounts look the same."""
    for m in _WRAPPED.finditer(doc.text):
        digits = "".join(_GROUP.findall(m.group()))
        if len(_LINE_END.findall(m.group())) == 1 and announced_card(doc, m.start(), digits):
            hits.add("credit_card", m.start(), m.end())


def _excluded(text: str, start: int) -> bool:
    """The words before call the number something else; asked last, as most runs are no phone by their looks."""
    return _NOT_PHONE.search(text[max(0, start - 40) : start]) is not None


def _phones(doc: Doc, run: re.Match[str], spots: list[int], hits: Hits) -> None:
    text = doc.text
    start, end = run.span()
    if (
        start
        and (
            (text[start - 1].isalnum() and text[start - 1].isascii())
            or (text[start - 1] in "_./@#=$€£" and text[start] != "+")
        )
        and not (text[start - 1] in "=" and text[start] in "(0123456789")
    ):
        return
    extension = _EXTENSION.match(text, end)
    if (text[end : end + 1].isalnum() and text[end].isascii() and extension is None) or (
        text[end : end + 1] in ("_", "%", ":") and text[end + 1 : end + 2].isdigit()
    ):
        return
    value = run.group()
    if not value.strip("01 "):
        return  # binary
    found = False
    for m in _INTERNATIONAL.finditer(value):
        n = sum(map(str.isdigit, m.group()))
        if 8 <= n <= 15 and (m.start() == 0 or "+" in m.group()[:1]):
            first = start + m.start()
            opened = text[first - 1 : first] == "(" and ")" in m.group()
            hits.add("phone", first - opened, _whole(text, start + m.end()))
            found = True
    if found:
        return
    n = sum(map(str.isdigit, value))
    nanp = _NANP.search(value)
    if (
        nanp is not None
        and (nanp.start() == 0 or not value[nanp.start() - 1].isdigit())
        and not _excluded(text, start)
    ):
        lead = _LEAD.fullmatch(value, 0, nanp.start())
        hits.add("phone", start if lead else start + nanp.start(), _whole(text, start + nanp.end()))
        return
    dated = n <= 8 and (len(_GROUP.findall(value)) <= 3 or value[:2] in ("19", "20"))
    if (_DATE_LIKE.match(value) and dated) or (
        value.count(".") == 3 and "-" not in value and re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", value)
    ):
        return
    if (
        6 <= n <= 15
        and (
            near(spots, start, start, 32, 0)
            or _AFTER_WORD.match(text, end)
            or _DOTTED.fullmatch(value)
            or _beside_email(text, start, end)
        )
        and not _excluded(text, start)
    ):
        close = value.count("(") == value.count(")")
        hits.add("phone", start if close else start + (value[0] == "("), _whole(text, end))
        return
    t = _TRUNK.fullmatch(value)
    if (
        t is not None
        and 9 <= n <= 12
        and len(set(value)) > 4
        and value.count(" ") + value.count("-") + value.count("/") <= 5
        and (value.count("-") >= 1 or "(" in value or value.count(" ") >= 2)
        and not _excluded(text, start)
    ):
        hits.add("phone", start, _whole(text, end))


_EXTENSION: Final = re.compile(
    r"[ ]?(?:x|ext\.?|extension|durchwahl|poste|interno)[ ]?\d{1,6}(?!\w)", re.IGNORECASE
)
_LEAD: Final = re.compile(r"\(?\d{1,3}\)?[ .-]{0,2}")


def _whole(text: str, end: int) -> int:
    """The end of a number with its extension: `… x123`, `… ext. 45`."""
    m = _EXTENSION.match(text, end)
    return m.end() if m else end


_DOTTED: Final = re.compile(r"0\d(?:\.\d\d){4}")
_ROW_EMAIL: Final = re.compile(r"@[\w.-]{3,60}[\"']?[,;\t|]\s?[\"']?\Z")


def _beside_email(text: str, start: int, end: int) -> bool:
    """True in a row of a table where the column beside holds an e-mail address."""
    return _ROW_EMAIL.search(text[max(0, start - 70) : start]) is not None or (
        text[end : end + 1] in (",", ";", "\t", "|") and "@" in text[end : end + 50].split("\n")[0]
    )


def find(doc: Doc, hits: Hits) -> None:
    """Cards first; what is no card may be a phone."""
    if doc.shape.count(b"9") < 6:
        return
    spots = PHONE.spots(doc)
    for run in _RUN.finditer(doc.text):
        if run.end() - run.start() >= 12 and _cards(doc, run, hits):
            continue
        _phones(doc, run, spots, hits)
    if any(end in doc.shape for end in _LINE_ENDS):
        _wrapped_cards(doc, hits)
