"""What bytes are by their first ones, and files that stand encoded in the middle of a text."""

from __future__ import annotations

import binascii
import re
from typing import Final

from aicc_hooks.detect.runs import long_runs

_ALPHABET: Final = re.compile(r"[^A-Za-z0-9+/]")
_URLSAFE: Final = str.maketrans("-_", "+/")
_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "file"), (b"PK\x03\x04", "file"), (b"\xd0\xcf\x11\xe0\xa1\xb1", "file"), (b"\x1f\x8b\x08", "file"),
    (b"7z\xbc\xaf\x27\x1c", "file"), (b"Rar!\x1a", "file"), (b"BZh", "file"), (b"\xfd7zXZ", "file"),
    (b"\x28\xb5\x2f\xfd", "file"), (b"SQLite format 3", "file"), (b"ID3", "audio"), (b"OggS", "audio"), (b"fLaC", "audio"),
    (b"\x89PNG", "image"), (b"\xff\xd8\xff", "image"), (b"GIF8", "image"),
    (b"BM", "image"), (b"II*\x00", "image"), (b"MM\x00*", "image"), (b"\x00\x00\x01\x00", "image"), (b"\xff\x0a", "image"),
)  # fmt: skip
_RIFF: Final = {b"WEBP": "image", b"WAVE": "audio"}
_FONTS: Final = (b"wOFF", b"wOF2", b"OTTO", b"\x00\x01\x00\x00\x00")  # of style sheets, under any label
_PICTURE_BRANDS: Final = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
# The same beginnings in base64, as far as they do not depend on what follows; too short ones are left out.
_STARTS: Final = (
    "JVBERi", "UEsDB", "0M8R4KG", "H4sIA", "N3q8ry", "UmFyIR", "/Td6WF", "KLUv/", "U1FMaXRlIGZvcm1hdC", "SUQz", "T2dnU",
    "ZkxhQ", "UklGR", "iVBORw", "/9j/", "R0lGOD",
)  # fmt: skip
_DATA_URL: Final = re.compile(
    r"data:([a-z]{1,20}/[\w.+-]{1,100})(?:;[\w.+=-]{1,60}){0,8};base64,\s{0,4}", re.I
)
# Base64 with its line ends as they are or as JSON and URLs write them; words of prose are shorter.
_RUN: Final = re.compile(
    r"(?:(?:[A-Za-z0-9+/_-]|\\{1,8}/|%2[BbFf]){16,}+(?:[=\s]|\\{1,8}[nr]|%(?:3[Dd]|0[AaDd]|20)){0,8}+)*+"
)
_BEFORE: Final = re.compile(r"(?:^|[^A-Za-z0-9+/_-]|\\[nrt/]|\\u00[0-9a-fA-F]{2}|%[0-9A-Fa-f]{2})\Z")
_SMALLEST: Final = 200  # characters: no whole document is shorter, and examples in prose are
_LINE: Final = 48  # characters: lines of base64 are longer, so most texts need no further look
_HEAD: Final = 64
_READABLE: Final = ("text/", "application/json", "application/xml", "application/javascript", "image/", "font/", "application/font",
                    "application/x-font", "application/vnd.ms-fontobject")  # fmt: skip


def kind_of(raw: bytes) -> str:
    """image, audio or file; "" where the bytes do not begin like any of the common formats."""
    if raw[:4] == b"RIFF":
        return _RIFF.get(raw[8:12], "file")
    if raw[4:8] == b"ftyp":
        return "image" if raw[8:12] in _PICTURE_BRANDS else "audio" if raw[8:11] == b"M4A" else "file"
    return next((kind for start, kind in _MAGIC if raw.startswith(start)), "")


def head_of(payload: str) -> bytes:
    """The first bytes of a base64 payload, whatever stands between its characters."""
    plain = _ALPHABET.sub("", payload[: 4 * _HEAD].translate(_URLSAFE))[:_HEAD]
    return binascii.a2b_base64(plain[: len(plain) // 4 * 4])


def files_in(text: str) -> set[str]:
    """image, audio, file: what stands as base64 within a text, told by its first bytes or as a data URL.

    A tool's result that holds a document is a text to the API; nobody here can read the document.
    """
    found: set[str] = set()
    if len(text) < _SMALLEST or not long_runs(text, _LINE):
        return found
    for start in _STARTS:
        at = text.find(start)
        while at >= 0:
            if _BEFORE.search(text[max(0, at - 6) : at]) and _is_long(text, at):
                found.add(kind_of(head_of(text[at : at + 4 * _HEAD])))
                break
            at = text.find(start, at + len(start))
    if "base64," in text:
        for url in _DATA_URL.finditer(text):
            media = url[1].lower()
            if not media.startswith(_READABLE) and _is_long(text, url.end()):
                head = head_of(text[url.end() : url.end() + 4 * _HEAD])
                if not head.startswith(_FONTS):
                    found.add(kind_of(head) or ("audio" if media.startswith("audio/") else "file"))
    return found - {""}


def _is_long(text: str, at: int) -> bool:
    run = _RUN.match(text, at, at + 4 * _SMALLEST)
    return run is not None and run.end() - at >= _SMALLEST
