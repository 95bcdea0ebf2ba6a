"""Undo disguises: what a model could read in a text, each reading to be judged like any other text.

`normalise` undoes what a reader would not see (zero-width characters, look-alike letters, entities, full-width forms).
`readings` yields decoded parts: base64, hex, binary, Morse, character codes, spaced letters, leet, reversed, Caesar. Nothing
here is evidence by itself; a decoded text only counts if it attacks. Every step is linear; at most `MAX_READINGS` are made.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from aicc_hooks.detect.injection import tokens
from aicc_hooks.detect.runs import long_runs

MAX_READINGS: Final = 12
_MAX_PART: Final = 8192  # characters of one encoded run that are decoded

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
_TAGS: Final = re.compile("[\U000e0020-\U000e007e]{4,}")
# Cyrillic, Greek, Armenian and Cherokee letters that print like Latin ones.
_LOOKALIKE: Final = str.maketrans(
    "асеорхуіјѕһԁЬкӏмпгтцѵԝАВСЕНІКМОРТХУЅЈԚԜαεορχυικντγΑΒΕΗΙΚΜΝΟΡΤΧΥΖօսոցհӀбꞓɡɩʟ",
    "aceopxyijshdbklmnrtuvwABCEHIKMOPTXYSJQWaeopxuikvtyABEHIKMNOPTXYZounghlbcgil",
)
_FOREIGN: Final = re.compile("[\u0370-\u052f\u0561-\u0587\u13a0-\u13ff\ua4d0-\ua4ff\U000e0020-\U000e007e]")
_MIXED: Final = re.compile("[A-Za-z][\u0370-\u052f\u0561-\u0587]|[\u0370-\u052f\u0561-\u0587][A-Za-z]")
_ENTITY: Final = re.compile(r"&(?:#\d{2,6}|#x[0-9a-fA-F]{2,5}|lt|gt|quot|amp);")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_BASE32: Final = re.compile(r"\b[A-Z2-7]{24,}={0,6}")
_HEX: Final = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s:,-]{0,2}){8,}")
_BINARY: Final = re.compile(r"(?:[01]{8}[\s,]{0,2}){4,}")
_CODES: Final = re.compile(r"(?:\b\d{2,3}\b[\s,;]{1,2}){7,}\d{2,3}")
_MORSE: Final = re.compile(r"(?:[.\-•·–−_]{1,6}[ /|\n]{1,4}){6,}[.\-•·–−_]{0,6}")
_SPACED: Final = re.compile(r"(?:(?<!\w)\w(?:[ ]{1,6}|[.\-_*|~,+/](?: [.\-_*|~,+/])?)){6,}\w?(?!\w)")
_LEET: Final = str.maketrans("013456789@$!|+€", "oieasgtbgasiite")
_LEET_WORD: Final = re.compile(r"[\w@$!|+€]*[\d@$!|+€][\w@$!|+€]*")
_SYMBOLS: Final = re.compile(r"[A-Za-z][@$][A-Za-z]")
_RUN: Final = 16  # characters without a space that may be an encoding


def _alphabet(characters: str) -> bytes:
    return bytes(97 if chr(c) in characters else 46 for c in range(256))


_HEX_BYTES: Final = _alphabet("0123456789abcdefABCDEF")
_BINARY_BYTES: Final = _alphabet("01")
_BASE32_BYTES: Final = _alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_LETTER_BYTES: Final = _alphabet(string.ascii_letters)
_BETWEEN: Final = b" \t\r\n\v\f:,-xX\\"  # stands between encoded bytes
_GLUED: Final = re.compile(r"[A-Za-z]{22,400}")
_MORSE_LETTERS: Final = dict(
    zip(
        [
            ".-",
            "-...",
            "-.-.",
            "-..",
            ".",
            "..-.",
            "--.",
            "....",
            "..",
            ".---",
            "-.-",
            ".-..",
            "--",
            "-.",
            "---",
            ".--.",
            "--.-",
            ".-.",
            "...",
            "-",
            "..-",
            "...-",
            ".--",
            "-..-",
            "-.--",
            "--..",
            "-----",
            ".----",
            "..---",
            "...--",
            "....-",
            ".....",
            "-....",
            "--...",
            "---..",
            "----.",
        ],
        "abcdefghijklmnopqrstuvwxyz0123456789",
        strict=True,
    )
)


def normalise(text: str) -> str:
    """The text as a reader sees it, invisible characters gone and look-alikes made Latin where scripts are mixed."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        if _FOREIGN.search(text):
            text = _TAGS.sub(lambda m: " " + "".join(chr(ord(c) - 0xE0000) for c in m[0]) + " ", text)
            if _MIXED.search(text):
                text = text.translate(_LOOKALIKE)
        text = unicodedata.normalize("NFKC", text)
    if "&" in text and _ENTITY.search(text):
        text = html.unescape(text)
    if "\\" in text and len(_ESCAPE.findall(text)) > 3:
        text = _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), text)
    if text.count("%") > 3 and len(_PERCENT.findall(text)) > 3:
        text = unquote(text, errors="replace")
    return text


def readings(text: str, classes: str) -> Iterator[tuple[str, str]]:
    """Decoded texts `(how, text)` of a normalised text whose token classes are given; most plain texts yield none."""
    made = 0
    for how, reading in _all_readings(text, classes):
        if len(reading) > 3:
            yield how, reading
            made += 1
            if made >= MAX_READINGS:
                return


def _all_readings(text: str, classes: str) -> Iterator[tuple[str, str]]:
    yield from _encoded(text, classes)
    if classes.count(tokens.SHIFTED) > 1:
        yield from _caesar(text)
    if classes.count(tokens.REVERSED) > 1:
        yield "reversed", text[::-1]
    symbols = text.count("@") + text.count("$") > 1 and len(_SYMBOLS.findall(text)) > 1
    if symbols or classes.count(tokens.LEET) > 1:
        yield "leet", _LEET_WORD.sub(_unleet, text)
    apart = tokens.DENSE if text.count(" ") * 4 > len(text) else tokens.SINGLE
    if (
        tokens.SINGLE * 4 in (bare := classes.replace(tokens.BOUNDARY, "")) or apart * 4 in bare
    ) and _SPACED.search(text):
        yield "spaced", _SPACED.sub(lambda m: " " + _unspace(m[0]) + " ", text)


def _limited(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for count, match in enumerate(pattern.finditer(text)):
        if count >= 4:
            return
        yield match[0][:_MAX_PART]


def _encoded(text: str, classes: str) -> Iterator[tuple[str, str]]:
    if runs := long_runs(text, _RUN):
        yield from _long_runs(" ".join(text[start:end] for start, end in runs))
    if tokens.CODE * 6 in classes.replace(tokens.BOUNDARY, ""):
        yield from _hex(text)
        yield from _binary(text)
        for run in _limited(_CODES, text):
            numbers = [int(n) for n in re.findall(r"\d+", run)]
            if max(numbers) < 128:
                yield from _readable("codes", bytes(numbers))
    marks = text.count(".") + text.count("-") + text.count("·") + text.count("−")
    if marks > 20 and marks * 4 > len(text):
        for run in _limited(_MORSE, text):
            yield "morse", _unmorse(run)


def _hex(text: str) -> Iterator[tuple[str, str]]:
    for run in _limited(_HEX, text):
        pairs = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", run)
        yield from _readable("hex", bytes.fromhex(pairs[: len(pairs) // 2 * 2]))


def _binary(text: str) -> Iterator[tuple[str, str]]:
    for run in _limited(_BINARY, text):
        bits = re.sub(r"[^01]", "", run)
        yield from _readable("binary", bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8)))


def _long_runs(text: str) -> Iterator[tuple[str, str]]:
    """Hex, binary, base64, base32 and words glued together: what stands in runs without a space.

    A look at the alphabets through byte tables comes first: most long runs are names, paths and addresses.
    """
    raw = text.encode("latin-1", "replace")
    if b"a" * 16 in raw.translate(_HEX_BYTES, _BETWEEN):
        yield from _hex(text)
        if b"a" * 32 in raw.translate(_BINARY_BYTES, _BETWEEN):
            yield from _binary(text)
    for run in _limited(_BASE64, text):
        if not run.isalpha() or not run.islower():
            yield from _unbase64(run)
    if b"a" * 24 in raw.translate(_BASE32_BYTES):
        for run in _limited(_BASE32, text):
            body = run.rstrip("=")
            try:
                yield from _readable("base32", base64.b32decode(body + "=" * (-len(body) % 8)))
            except (binascii.Error, ValueError):
                continue
    if b"a" * 22 in raw.translate(_LETTER_BYTES):
        for run in _limited(_GLUED, text):
            if run.islower() or run.isupper():
                yield "glued", _split_glued(run)


def _unbase64(run: str) -> Iterator[tuple[str, str]]:
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        body = body[:-1]
    try:
        yield from _readable("base64", base64.b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        return


def _readable(how: str, raw: bytes) -> Iterator[tuple[str, str]]:
    """The bytes as text, if they are text: UTF-8 and almost all letters, digits and spaces."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    if len(text) > 5 and sum(c.isalpha() or c.isspace() for c in text) > 0.75 * len(text):
        yield how, normalise(text)


def _caesar(text: str) -> Iterator[tuple[str, str]]:
    words = Counter(re.findall(r"[a-z]+", text.lower()))
    votes: Counter[int] = Counter()
    for word in words:
        for shift in tokens.shifts_of(word):
            votes[shift] += len(word)
    for shift, weight in votes.most_common(2):
        if weight >= 7:
            yield "caesar", tokens.rotate(text, 26 - shift)


def _unleet(match: re.Match[str]) -> str:
    word = match[0].lower()
    if word.isdigit() and len(word) < 3:
        return {"1": "i", "4": "a", "70": "to", "2": "to", "11": "ll", "15": "is", "17": "it"}.get(word, word)
    return tokens.unleet(word) or word.translate(_LEET)


def _unspace(run: str) -> str:
    separators = re.findall(r"\w([^\w])", run)
    common = Counter(separators).most_common(1)[0][0] if separators else " "
    if common == " ":
        words = re.split(r" {2,}", run.strip())
        joined = [w.replace(" ", "") for w in words]
    else:
        joined = "".join(run.replace(common + " " + common, "\0").replace(common, "")).split("\0")
    return " ".join(_split_glued(w) if len(w) > 14 else w for w in joined)


def _split_glued(run: str) -> str:
    return tokens.KNOWN_WORD.sub(lambda m: " " + m[0] + " ", run.lower())


def _unmorse(run: str) -> str:
    run = re.sub("[•·]", ".", re.sub("[–−_]", "-", run))
    words = re.split(r"[/|]|\s{3,}", run)
    return " ".join("".join(_MORSE_LETTERS.get(letter, "") for letter in word.split()) for word in words)
