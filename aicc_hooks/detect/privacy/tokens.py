"""Tokens with a published shape: vendors' keys, JWTs, wrapped over lines or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .shape import entropy, is_placeholder, is_random, wordiness
from .text import Doc, Hits
from .vendors import FORMATS

_BY_ANCHOR: Final[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}
for _kind, _anchors, _pattern in FORMATS:
    for _anchor in _anchors.split():
        _BY_ANCHOR.setdefault(_anchor, []).append((_kind, re.compile(_pattern)))
_ANCHORS: Final = tuple(_BY_ANCHOR)
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{4,20000}(?:\.[A-Za-z0-9_-]{0,8000}){0,3}")
_DISCORD: Final = re.compile(
    r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,42}(?![A-Za-z0-9_-])"
)
_AZURE: Final = re.compile(r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}")
_ATLAS: Final = re.compile(r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}")
_MAILCHIMP: Final = re.compile(r"[0-9a-f]{32}-us\d{1,2}(?![0-9A-Za-z])")
_MAILGUN: Final = re.compile(r"(?<![0-9A-Za-z-])[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?![0-9A-Za-z])")
# Azure's newer keys carry the name of their service inside: JQQJ99, AzSe (search), AzFu (functions), ACDb (Cosmos), …
_AZURE_SIGNED: Final = re.compile(
    r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{30,80}?(?:JQQJ99|AZDO|AzSe|AzFu|AzCa|ACDb|AIoT|\+A(?:St|CR|MC|Sb|Eh|Rm|BA))[A-Za-z0-9+/_-]{4,32}={0,2}(?![A-Za-z0-9+/_-])"
)
_AZURE_MARKS: Final = (
    "JQQJ99", "AZDO", "AzSe", "AzFu", "AzCa", "ACDb", "AIoT", "+ASt", "+ACR", "+AMC", "+ASb", "+AEh", "+ARm", "+ABA",
)  # fmt: skip
# A vendor nobody listed still tells what its token is: acme_live_…, x-secret-…, foo_pat_…
_HINTED: Final = re.compile(
    r"(?<![A-Za-z0-9_./-])(?!pk_|pk-|pub)(?:[A-Za-z][A-Za-z0-9]{1,15}[_-]){0,2}(?:sk|secret|token|key|pat|live|prod|api|apikey|access|auth|admin|service|private)[_-](?:v\d[_-])?([A-Za-z0-9]{20,200})(?![A-Za-z0-9_./-])"
)
_NGROK: Final = re.compile(r"(?<![A-Za-z0-9_-])[12][A-Za-z0-9]{26}_[A-Za-z0-9]{21}(?![A-Za-z0-9_-])")
_TAILED: Final = re.compile(r"[_-][A-Za-z0-9]{20}")
_FACEBOOK: Final = re.compile(r"\d{15,16}(?:\||%7[Cc])[A-Za-z0-9_-]{26,28}(?![A-Za-z0-9_-])")
_WRAPPED: Final = re.compile(
    r"[ \t]{0,8}\\?\r?\n[ \t>|]{0,12}([A-Za-z0-9_+/=.%~-]{4,2000})[ \t]{0,8}(?=[\r\n\"'`]|$)"
)
_CHUNK_END: Final = re.compile(r"[A-Za-z0-9_+/=.%~-]{0,400}")  # no terminal is wider


def _starts_token(text: str, at: int) -> bool:
    """A format starts at a boundary; behind a letter or digit it is the middle of something else."""
    if at == 0:
        return True
    before = text[at - 1]
    if not before.isalnum() and before != "_":
        return True
    # \n and \t written out in JSON strings, and %3D and the like in URLs.
    return (at >= 2 and text[at - 2] == "\\" and before in "ntr") or (at >= 3 and text[at - 3] == "%")


def _continued(text: str, end: int) -> Iterator[tuple[str, int, int]]:
    """Pieces of a token that a terminal or mail client wrapped: (piece, start, end), at most eight lines."""
    for _ in range(8):
        m = _WRAPPED.match(text, end)
        if m is None:
            return
        piece = m.group(1)
        if (len(piece) < 8 and not any(c.isdigit() for c in piece)) or wordiness(piece) > 0.75:
            return
        yield piece, m.start(1), m.end(1)
        end = m.end(1)


def _match(pattern: re.Pattern[str], text: str, at: int) -> tuple[int, str] | None:
    """End and joined value of a format at `at`, following line wraps."""
    m = pattern.match(text, at)
    line_end = _CHUNK_END.match(text, at)
    stop = line_end.end() if line_end else at
    at_line_end = text[stop : stop + 1] in ("\n", "\r", "\\", " ") and stop - at >= 20
    if at_line_end and (m is None or m.end() == stop):
        joined, pieces = text[at:stop], list(_continued(text, stop))
        for piece, _, _ in pieces:
            joined += piece
        if pieces and (longer := pattern.match(joined)) and (m is None or longer.end() > m.end() - at):
            left = longer.end() - (stop - at)
            for piece, start, _ in pieces:
                if left <= len(piece):
                    return start + left, longer.group()
                left -= len(piece)
    return (m.end(), m.group()) if m else None


def _heads() -> tuple[dict[str, list[str]], tuple[str, ...]]:
    by_head: dict[str, list[str]] = {}
    always = []
    for anchor in _ANCHORS:
        run = _RUN.match(anchor)
        if run is None or (run.end() == len(anchor) and run.end() < 3):
            always.append(anchor)
        else:
            by_head.setdefault(run.group()[:3], []).append(anchor)
    for anchor in ("_authToken", "_gitlab_session="):
        by_head.setdefault(anchor[1:4], []).append(anchor)
        always.remove(anchor)
    return by_head, tuple(always)


_RUN: Final = re.compile(r"[A-Za-z0-9]+")
_ESCAPE: Final = re.compile(r"\\[ntr]|%[0-9A-Fa-f]{2}")
_BY_HEAD, _ALWAYS = _heads()
_SPLIT: Final = bytes(c if chr(c).isalnum() and c < 128 else 32 for c in range(256))


def _candidates(pool: str) -> list[str]:
    """Anchors whose first letters begin some run of letters and digits in the text: 230 searches become a few."""
    if "\\" in pool or "%" in pool:
        pool = _ESCAPE.sub(" ", pool)
    runs = pool.encode("latin-1", "replace").translate(_SPLIT).decode("ascii").split()
    heads = {run[:3] for run in runs}
    return [*_ALWAYS, *(a for h in heads & _BY_HEAD.keys() for a in _BY_HEAD[h])]


def _find_vendor(doc: Doc, pool: str, hits: Hits) -> None:
    text = doc.text
    for anchor in _candidates(pool):
        if anchor not in pool:
            continue
        at = text.find(anchor)
        while at >= 0:
            step = at + len(anchor)
            start = _telegram_start(text, at) if anchor == ":AA" else at
            # api.telegram.org/bot<token>/… glues the method's prefix to the number
            glued = anchor == ":AA" and text[max(0, start - 3) : start] == "bot"
            if start >= 0 and (glued or _starts_token(text, start) or anchor == "_authToken"):
                for kind, pattern in _BY_ANCHOR[anchor]:
                    found = _match(pattern, text, at)
                    if found and _plausible(found[1], anchor):
                        if anchor in _WEBHOOKS:
                            start = _url_start(text, at)
                        elif anchor == "_authToken":
                            start -= len(_REGISTRY.search(text[max(0, at - 80) : at]).group())  # type: ignore[union-attr]
                        hits.add(kind, start, found[0])
                        step = max(step, found[0])
                        break
            at = text.find(anchor, step)


# an .npmrc names the registry on the same line: //registry.example.org/:_authToken=…
_REGISTRY: Final = re.compile(r"(?://[\w.-]{1,60}(?:/[\w.-]{0,30}){0,4}:)?\Z")
_WEBHOOKS: Final = frozenset(a for a in _ANCHORS if "/" in a and "." in a)


def _url_start(text: str, at: int) -> int:
    head = text[max(0, at - 24) : at]
    cut = max(head.rfind("https://"), head.rfind("http://"))
    return at - len(head) + cut if cut >= 0 else at


def _telegram_start(text: str, at: int) -> int:
    start = at
    while start > 0 and at - start < 11 and text[start - 1].isdigit():
        start -= 1
    return start if 8 <= at - start <= 10 else -1


def _plausible(value: str, anchor: str) -> bool:
    body = value[value.find(anchor) + len(anchor) :]
    if anchor == "sk-" and not is_random(body):
        return False
    if is_placeholder(body) and not anchor.startswith(("hooks", "discord")):
        return False
    if len(anchor) <= 4 and wordiness(body) > 0.8 and not any(c.isdigit() for c in body):
        return False  # sk-learn-contrib-…, re_…: short anchors need a random body
    return entropy(body) >= (2.5 if len(body) >= 16 else 2.0)


def find(doc: Doc, hits: Hits) -> None:
    """Vendor tokens, JWTs and their like."""
    words = doc.long_words
    if not words:
        return
    pool = "\n".join(words)
    _find_vendor(doc, pool, hits)
    text = doc.text
    if "eyJ" in pool:
        at = text.find("eyJ")
        while at >= 0:
            found = _match(_JWT, text, at) if at == 0 or not text[at - 1].isalnum() else None
            if found and not is_placeholder(found[1][:40]):
                hits.add("jwt", at, found[0])
            at = text.find("eyJ", found[0] if found else at + 3)
    for literal, kind, pattern, back in _INNER:
        if literal in pool:
            at = text.find(literal)
            while at >= 0:
                for start in range(at - back, at - back + 1):
                    m = pattern.match(text, start) if start >= 0 else None
                    if m and not is_placeholder(m.group()) and (start == 0 or not text[start - 1].isalnum()):
                        hits.add(kind, m.start(), m.end())
                at = text.find(literal, at + len(literal))
    if pool.count(".") >= 2:
        for start, end in doc.long_spans():
            if end - start >= 58 and text.count(".", start, end) >= 2:
                _find_discord(text, start, end, hits)
    if any(mark in pool for mark in _AZURE_MARKS):
        for start, end in doc.long_spans():
            for m in _AZURE_SIGNED.finditer(text, start, end):
                if not is_placeholder(m.group()) and entropy(m.group()) > 4:
                    hits.add("azure_secret", m.start(), m.end())
    if _TAILED.search(pool) is not None:
        for start, end in doc.long_spans():
            if end - start >= 24 and _TAILED.search(text, start, end) is not None:
                _find_hinted(text, start, end, hits)
                for m in _NGROK.finditer(text, start, end):
                    hits.add("vendor_token", m.start(), m.end())
    if pool.count("-") >= 2:
        for start, end in doc.long_spans():
            if end - start >= 50 and text.count("-", start, end) >= 2:
                for m in _MAILGUN.finditer(text, start, end):
                    hits.add("vendor_token", m.start(), m.end())
    if "|" in pool or "%7" in pool:
        for m in _FACEBOOK.finditer(text):
            hits.add("vendor_token", m.start(), m.end())


_INNER: Final = (
    ("Q~", "azure_secret", _AZURE, 4),
    (".atlasv1.", "vendor_token", _ATLAS, 14),
    ("-us", "vendor_token", _MAILCHIMP, 32),
)


def _find_hinted(text: str, start: int, end: int, hits: Hits) -> None:
    for m in _HINTED.finditer(text, start, end):
        body = m.group(1)
        mixed = (
            any(map(str.isupper, body)) and any(map(str.islower, body)) and sum(map(str.isdigit, body)) >= 2
        )
        if mixed and is_random(body, 20) and wordiness(body) < 0.5:  # digests and names are of one case
            hits.add("vendor_token", m.start(), m.end())


def _find_discord(text: str, start: int, end: int, hits: Hits) -> None:
    for m in _DISCORD.finditer(text, start, end):
        value = m.group()
        digits = sum(c.isdigit() for c in value)
        if (
            digits >= 3
            and wordiness(value) < 0.6
            and not value.startswith("eyJ")
            and not is_placeholder(value)
        ):
            hits.add("discord_token", m.start(), m.end())
