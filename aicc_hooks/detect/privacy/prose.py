"""Passwords and PINs said in sentences, in many languages: "my password is …", "Mein Passwort lautet …"."""

from __future__ import annotations

import re
from typing import Final

from .assignments import REFERENCE
from .prose_words import (
    CONNECTORS,
    LOGIN_WORDS,
    OTHER_KEYS,
    PIN_WORDS,
    STOP_WORDS,
    SUBSTRINGS,
    TOKEN_WORDS,
    WORDS,
)
from .shape import entropy, is_password, is_placeholder, is_random, is_uuid, wordiness
from .text import Doc, Hits, ask_for, begin_with

_TOKEN: Final = re.compile(r"[^ \t\r\n]+")
_CJK_CONNECT: Final = re.compile(r"\s{0,2}(?:は|が|を|是|为|為|은|는|이|가|:|：|=|「|\"|')*\s{0,2}(?=[!-~])")
_ASCII_RUN: Final = re.compile(r"[!-~]{4,128}")
_WINDOW: Final = 130
_PAIR: Final = re.compile(
    r"""[^\n]{0,30}?(?:[:=]|\bis\b|\bare\b|\bwith\b|\(|\bas\b)\s{0,3}["'`]?([\w.@+-]{2,40})["'`]?\s{0,2}[:/]\s{0,2}["'`]?([^\s"'`]{4,64})""",
    re.IGNORECASE,
)
_BRACKET: Final = re.compile(r"[()\[\]{}<>|]|::|=>|->")
_CODE: Final = re.compile(r"\w\([^)]*\)|[\[\]{}<>|]|::|=>|->|\([^)]*\Z(?<=[\w(])(?<![\d!@#$%^&*])")
_UNIT: Final = re.compile(
    r"\d+(?:[.,]\d+)?(?:st|nd|rd|th|x|k|m|s|ms|h|d|%|mb|gb|kb|px|bit|bits|chars?|days?|am|pm|-\w+)?\Z|v?\d+(?:\.\d+)+\Z|\d{1,2}[:/.-]\d{1,2}(?:[:/.-]\d{2,4})?\Z",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"[^\W\d_]+(?:['’./_-][^\W\d_]+)*\Z")
ask_for(WORDS)
begin_with(SUBSTRINGS)
_STRIP_LEFT: Final = "([{<\"'`*"
_STRIP_RIGHT: Final = ".,;:!?)]}>\"'`"


def _keywords(doc: Doc) -> list[tuple[int, int, str]]:
    """Spans of the words that name a password, and the word."""
    found: list[tuple[int, int, str]] = []
    lower = doc.lower
    for word in WORDS & doc.known:
        for at in doc.occurrences(word):
            end = at + len(word)
            if (
                at == 0
                or not (
                    lower[at - 1].isalnum()
                    or (lower[at - 1] in "_$.-/" and not (lower[at - 1] == "-" and doc.text[at].isupper()))
                )
            ) and not (lower[end : end + 1].isalnum() or lower[end : end + 1] in ("_", "-", "(")):
                found.append((at, end, word))
    if not doc.ascii or "de passe" in lower or "kata" in lower or " key" in lower or "palavra" in lower:
        initials = doc.initials
        for literal in SUBSTRINGS:
            if literal[0] in initials and literal in lower:
                found += [(at, at + len(literal), literal) for at in doc.occurrences(literal)]
    return sorted(found)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Sentence punctuation off both ends; a mark that looks chosen (`Bishop4819#`, `abc123!`) stays."""
    while start < end and text[start] in _STRIP_LEFT:
        start += 1
    while end > start and text[end - 1] in _STRIP_RIGHT:
        last = text[end - 1]
        if last in "*#":
            break
        behind = text[end : end + 2]
        if last in "!?" and behind[:1] and not behind[0].isascii():
            break  # パスワードはSummer3369!です
        if (
            last in "!?"
            and len(behind) == 2
            and behind[0] == " "
            and (not behind[1].isascii() or behind[1] in "-|;" or behind[1].islower())
        ):
            break  # the sentence goes on, so the mark is part of the value
        if (
            last == "!"
            and any(c.isdigit() for c in text[start:end])
            and text[end : end + 1] in ("", "\n", '"', "'", ",", "`", ")", " ")
        ):
            # "Rocket28!" before white space: the mark belongs to the password more often than not
            break
        end -= 1
    return start, end


def _good(value: str, word: str, strong: bool, quoted: bool) -> bool:
    if value[0] == "-" or (value[0] in "$€£" and value[1:2].isdigit()):
        return False  # a price
    if (
        REFERENCE.match(value)
        or is_placeholder(value)
        or (_UNIT.match(value) and not (strong and value.isdigit() and len(value) >= 4))
    ):
        return False
    if value.startswith(("http://", "https://", "www.", "/", "./", "~/", "@", "#{")) or value.endswith(
        ("()", "();")
    ):
        return False
    if word in TOKEN_WORDS or word in ("api key", "access key"):
        if is_uuid(value) and word in ("key", "clé", "llave", "chave", "chiave", "schlüssel"):
            return False
        return is_random(value, 12) and entropy(value) >= 2.8
    if value.isdigit():
        return strong and (4 <= len(value) <= 12 if word in PIN_WORDS else 6 <= len(value) <= 12)
    if word in PIN_WORDS and word != "passcode":
        return False
    if _PLAIN.match(value):
        hyphens = value.count("-")
        mixed = not (
            value.islower()
            or value.isupper()
            or value.istitle()
            or "-" in value
            or "'" in value
            or "." in value
        )
        return (quoted and len(value) >= 6 and strong) or (
            strong and (hyphens >= 2 or (mixed and wordiness(value) < 0.9 and len(value) >= 8))
        )
    if not any(c.isdigit() for c in value):
        return (
            is_password(value, quoted)
            and strong
            and (quoted or len(value) >= 6)
            and not re.search(r"[()\[\]{}=;<>/|\\]", value)
        )
    return (
        is_password(value, quoted)
        and (strong or len(value) >= 6)
        and not (_CODE if strong else _BRACKET).search(value)
    )


_QUOTES: Final = ("'", '"')
_LABELLED: Final = re.compile(r"""\s{0,2}[:=]\s{0,3}(["'])([^"'\s\\]{4,64})\1""")
# "… it is still Blau-Kiwi22 as the root password"
_BEFORE: Final = re.compile(
    r"(?<![^\s\"'`(])([^\s\"'`]{6,64})[\"'`]?\s(?:as|for)\s(?:(?:the|my|your|our|his|her|a|new|old)\s){0,2}(?:[a-z]{2,12}\s)?\Z"
)


def _follows(lower: str, end: int) -> bool:
    """True unless the word goes on to mean something else: password manager, password hash."""
    following = lower[end : end + 24].split()
    return not following or following[0].strip(".,;:!?)") not in STOP_WORDS


def find(doc: Doc, hits: Hits) -> None:
    """Values that a sentence calls a password."""
    text = doc.text
    for at, end, word in _keywords(doc):
        if (
            word in TOKEN_WORDS
            and doc.lower[max(0, at - 24) : at].rstrip(" -_").rpartition(" ")[2] in OTHER_KEYS
        ):
            continue
        if text[end : end + 1] in _QUOTES and text[end - len(word) - 1 : end - len(word)] == text[end]:
            if text[end + 1 : end + 3].strip()[:1] not in (":", "="):
                continue  # 'Password', a label
            labelled = _LABELLED.match(text, end + 1)
            if labelled and _good(labelled[2], word, True, True) and any(map(str.isdigit, labelled[2])):
                hits.add(
                    "password", *labelled.span(2)
                )  # {"contraseña": "…"}; without a digit it is a translation
                continue
        elif word not in TOKEN_WORDS and word not in LOGIN_WORDS:
            before = _BEFORE.search(text, max(0, at - 110), at)
            if before and doc.lower[end : end + 20].split(" ")[1:2] != ["for"] and _follows(doc.lower, end):
                start, stop = _trim(text, *before.span(1))
                value = text[start:stop]
                if any(map(str.isdigit, value)) and _good(value, word, False, False):
                    hits.add("password", start, stop)
                    continue
        if word in LOGIN_WORDS or word in ("password", "pw", "pass", "passwort"):
            pair = _PAIR.match(text, end, end + 140)
            if (pair and word in LOGIN_WORDS) or (pair and text[end : end + 1] == "s"):
                start, stop = _trim(text, *pair.span(2))
                if _good(text[start:stop], "password", True, False) and "/" not in text[start:stop]:
                    hits.add("password", start, stop)
                    continue
        if word in LOGIN_WORDS:
            continue
        found = _after_cjk(text, end, word) if ord(word[0]) > 0x2E80 else _after(text, end, word)
        if found:
            api = word in TOKEN_WORDS or (" " in word and "key" in word)
            hits.add("api_key" if api else "password", *found)


def _after_cjk(text: str, end: int, word: str) -> tuple[int, int] | None:
    """パスワードはHunter22です: the ASCII run behind the particle."""
    gap = _CJK_CONNECT.match(text, end)
    run = _ASCII_RUN.match(text, gap.end()) if gap else None
    if run is None or gap is None:
        return None
    start, stop = _trim(text, *run.span())
    return (start, stop) if stop - start >= 4 and _good(text[start:stop], word, True, False) else None


def _after(text: str, end: int, word: str) -> tuple[int, int] | None:
    """The value among the next words of the line: behind a connector, in quotes, or right behind the keyword."""
    limit = min(len(text), end + _WINDOW)
    line = text.find("\n", end, limit)
    if line >= 0 and text[end:line].strip(" \t\r*`") not in (":", "=", "is:", ""):
        limit = line
    strong = text[end : end + 1] in (":", "=") and text[end : end + 2] not in ("==", "=>", ":=")
    at = end + 1 if strong else end
    keyed = word in TOKEN_WORDS or "key" in word
    for index, token in enumerate(_TOKEN.finditer(text, at, limit)):
        start, stop = token.span()
        if index > 9 or text[start:stop] in ("=>", "->", "{", "}", "()"):
            return None
        opening = text[start].strip("([")[:1] or text[start + 1 : start + 2]
        quoted = opening in ('"', "'", "`")
        if quoted:
            first = start + (text[start] != opening)
            close = text.find(opening, first + 1, min(len(text), first + 80))
            value = text[first + 1 : close] if close > 0 else ""
            if (
                "\n" in value
                or len(value) < 4
                or (value.count(" ") and not (strong and value.count(" ") <= 6))
            ):
                if value:
                    return None
            elif ((strong or index == 0 or keyed) and opening != "`") or strong:
                spaced = " " in value and strong and word in ("password", "passphrase", "passwort")
                if spaced or _good(value, word, strong, True):
                    return first + 1, close
        left, right = _trim(text, start, stop)
        value = text[left:right]
        if right - left >= 4 and (strong or index == 0 or keyed) and _good(value, word, strong, False):
            return left, right
        low = value.lower()
        if low == "secure" or (keyed and index == 0 and low in ("id", "ids")):
            return None  # "key id: 4ab1d8…" names a key
        if (
            low in STOP_WORDS
            or any(c.isdigit() for c in value[:64])
            or text[stop - 1] in ".!?;{}"
            or "(" in value
            or "/" in value[1:]
        ) and not (keyed and low in ("and", "with", "using", "via", "to")):
            return None
        if (
            word in _SHORT
            and not strong
            and low not in ("is", "=", ":")
            and not (low == "to" and word != "pass")
        ):
            return None
        strong = (
            text[stop - 1] in ":=" and text[start:stop] not in ("==", "!=", ":=", "!==", "===")
        ) or low in CONNECTORS
    return None


_SHORT: Final = frozenset(["pass", "pw", "pwd", "pin"])
