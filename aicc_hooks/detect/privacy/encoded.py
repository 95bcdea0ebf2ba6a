"""Secrets and identifiers one encoding deep: base64, hex, percent-encoding and form encoding."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from aicc_hooks.detect.entities import CONTACT

from . import assignments, bank, identifiers, numbers, pem, prose, tokens, urls
from .escapes import Plain
from .text import Doc, Hits

_FAMILIES: Final[tuple[Callable[[Doc, Hits], None], ...]] = (
    pem.find, tokens.find, urls.find, assignments.find, prose.find, bank.find, numbers.find, identifiers.find,
)  # fmt: skip
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{15,}={0,2}")
# A value in lines, as MIME and many APIs write it; a line end that was escaped is backslashes (see `without_breaks`).
_LINES: Final = re.compile(
    r"(?:(?:[A-Za-z0-9+/_-]{4}){15,32}(?:\r?\n|\\{2,4})[ \t]{0,8})+[A-Za-z0-9+/_-]{1,128}={0,2}"
)
_LINE_END: Final = re.compile(r"[^A-Za-z0-9+/_=-]+")
_HEX: Final = re.compile(r"(?:0[xX])?(?:[0-9a-fA-F]{2}){11,}")
_PIECE: Final = re.compile(r"[^\s\"'<>`,;]+")
_PERCENT: Final = re.compile(r"%(?:3[AaDd]|2[BbFf]|40|0[AaDd])")
# A blank between groups of digits in a form; in base64 a plus sign has no two digits on both sides by chance.
_FORM_BLANK: Final = re.compile(r"(?<=\d\d)\+(?=\d\d)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HEAD: Final = 16  # characters of base64 that tell text from the rest
_LONG_HEAD: Final = 128
_WHOLE: Final = 4_096  # a longer value is redacted where the finding is
_MARGIN: Final = 8  # characters of base64 around it: more than a character cut at the beginning shifts it by
_MAX_DECODED: Final = 65_536
_FEWEST_DIGITS: Final = 8  # of an identifier


def find(doc: Doc, hits: Hits) -> None:
    """What the families find inside encoded values, where those stand in the text. Contact data is not looked for."""
    budget = _base64(doc, hits, _MAX_DECODED)
    if "%" in doc.text or b"99+99" in doc.shape:
        _percent(doc, hits, budget)


def _base64(doc: Doc, hits: Hits, budget: int) -> int:
    done = alone = 0  # how far the text is read, and how far its lines belong to no common value
    for start, end in doc.long_spans():
        for match in _BASE64.finditer(doc.text, start, end):
            begin, stop = match.span()
            if begin < done:
                continue
            if _HEX.fullmatch(match.group()):
                _hex(match, hits)
            lines = _LINES.match(doc.text, begin) if begin >= alone else None
            tried = (lines, match) if lines else (match,)
            for read in tried:
                found, budget = _opened(read, hits, budget)
                if budget < 0:
                    return budget
                done = read.end() if found else stop
                if found:
                    break
            if lines and done == stop:
                alone = lines.end()
    return budget


def _opened(match: re.Match[str], hits: Hits, budget: int) -> tuple[bool, int]:
    """Whether the value is base64 of a text, and what is left of the budget."""
    packed = Plain(match.group())
    if _LINE_END.search(packed.text):
        packed.replace(_LINE_END, lambda _: "")
    value, found = packed.text, False
    long = len(value) > _WHOLE
    # A window over a long text may begin anywhere within a value.
    for shift in range(4 if long and match.start() == 0 else 1):
        if _from_base64(value[shift : shift + (_LONG_HEAD if long else _HEAD)]) is None:
            continue
        budget -= len(value)
        decoded = _from_base64(value[shift:]) if budget >= 0 else None
        if decoded is None:
            continue
        found = True
        for kind, begin, stop in _inside(decoded):
            first, last = 0, len(value)
            if long:
                first = max(0, shift + len(decoded[:begin].encode()) // 3 * 4 - _MARGIN)
                last = min(last, shift + (len(decoded[:stop].encode()) // 3 + 1) * 4 + _MARGIN)
            first, last = packed.span(first, last)
            hits.add(kind, match.start() + first, match.start() + last)
    return found, budget


def _hex(match: re.Match[str], hits: Hits) -> None:
    digits = match.group()
    decoded = _as_text(bytes.fromhex(digits[2:] if digits[1] in "xX" else digits))
    for kind, _, _ in _inside(decoded) if decoded is not None else ():
        hits.add(kind, *match.span())


def _percent(doc: Doc, hits: Hits, budget: int) -> None:
    text = doc.text
    for start, end in doc.long_spans():
        for match in _PIECE.finditer(text, start, end):
            value = match.group()
            if "%" not in value and "+" not in value:
                continue
            decoded = _FORM_BLANK.sub(" ", unquote(value, errors="replace"))
            numbered = sum(map(str.isdigit, decoded)) >= _FEWEST_DIGITS
            if decoded == value or not (numbered or _PERCENT.search(value)):
                continue
            budget -= len(value)
            if budget < 0:
                return
            found = _inside(decoded)
            if found and len(found) > sum(
                s >= match.start() and e <= match.end() and k not in CONTACT for k, s, e in hits.items
            ):
                for kind, _, _ in found:
                    hits.add(kind, match.start(), match.end())


def _inside(decoded: str) -> list[tuple[str, int, int]]:
    doc, inner = Doc(decoded, depth=1), Hits()
    for family in _FAMILIES:
        family(doc, inner)
    return [(kind, *doc.span(start, end)) for kind, start, end in inner.items if kind not in CONTACT]


def _from_base64(value: str) -> str | None:
    """The text inside a base64 value, or None when it is not text."""
    raw = value.rstrip("=").replace("-", "+").replace("_", "/")
    if len(raw) % 4 == 1:
        raw = raw[:-1]
    try:
        return _as_text(base64.b64decode(raw + "=" * (-len(raw) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _as_text(raw: bytes) -> str | None:
    """UTF-8 without control characters; at the ends of a piece a character may be cut."""
    text = raw.decode("utf-8", "ignore")
    cut = 6 if len(raw) > _WHOLE // 2 else 3
    return None if len(raw) - len(text.encode()) > cut or _CONTROL.search(text) else text
