"""Private keys with their whole body: PEM, OpenSSH, PGP, PuTTY; line breaks real, escaped or URL-encoded."""

from __future__ import annotations

import re
from typing import Final

from .text import Doc, Hits

_BEGIN: Final = re.compile(
    r"-{2,5}\s?BEGIN[ +](?:[A-Z0-9]{1,12}[ +]){0,4}PRIVATE[ +]KEY(?:[ +]BLOCK)?\s?-{2,5}"
)
_END: Final = re.compile(r"-{2,5}\s?END[ +](?:[A-Z0-9]{1,12}[ +]){0,4}PRIVATE[ +]KEY(?:[ +]BLOCK)?\s?-{2,5}")
_NEXT: Final = re.compile(r"-BEGIN[ +]")
# What may stand in a body: base64, headers (Proc-Type: …), escapes, quotes and plus signs of string pieces.
_BODY: Final = re.compile(r"(?:[A-Za-z0-9+/=%\\,.:;_-]|[\s\"'`|>#*])*")
_LINE: Final = re.compile(r"[A-Za-z0-9+/=]{16,}")
_PUTTY: Final = "PuTTY-User-Key-File-"
_PUTTY_END: Final = re.compile(r"Private-MAC: ?[0-9a-f]{40,64}")
_JWK: Final = re.compile(
    r"\"(?:d|p|q|dp|dq|qi|k)\"\s{0,3}:\s{0,3}\"([A-Za-z0-9_-]{40,700})\""
)  # the private members
LIMIT: Final = 20_000  # a 16,384-bit RSA key is 13 KB of PEM


def find(doc: Doc, hits: Hits) -> None:
    """Each block from BEGIN to END; without an END, to where base64 stops."""
    text = doc.text
    if "PRIVATE" in text and "BEGIN" in text:
        for begin in _BEGIN.finditer(text):
            limit = min(len(text), begin.end() + LIMIT)
            following = _NEXT.search(text, begin.end(), limit)
            if following:
                limit = following.start()
            end = _END.search(text, begin.end(), limit)
            if end is not None:
                stop = end.end()
                if text[stop : stop + 2] == "\\\\":
                    stop += 2  # the escaped line end of a JSON string (as `Doc` reads it) belongs to the key
                body = text[begin.end() : end.start()]
            else:
                run = _BODY.match(text, begin.end(), limit)
                stop = begin.end()
                for line in _LINE.finditer(text, begin.end(), run.end() if run else begin.end()):
                    stop = line.end()
                body = text[begin.end() : stop]
            if sum(c.isalnum() for c in body) >= 16 and "..." not in body[:12]:
                hits.add("private_key_pem", begin.start(), stop)
    if '"kty"' in text:
        for member in _JWK.finditer(text):
            hits.add("private_key_pem", *member.span(1))
    at = text.find(_PUTTY)
    while at >= 0:
        mac = _PUTTY_END.search(text, at, at + LIMIT)
        if mac:
            hits.add("private_key_pem", at, mac.end())
        at = text.find(_PUTTY, mac.end() if mac else at + LIMIT)
