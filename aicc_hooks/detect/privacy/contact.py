"""E-mail, IP and MAC addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from .text import Doc, Hits

_LOCAL_REVERSED: Final = re.compile(r"[\w.!#$%&*+/=?^`{|}~'-]{1,64}")
_DOMAIN: Final = re.compile(
    r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}(?:xn--[a-z0-9-]{2,40}|[^\W\d_]{2,24})(?![\w-])"
)
_FILE_ENDINGS: Final = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "css",
        "js",
        "ts",
        "jsx",
        "tsx",
        "mjs",
        "json",
        "yml",
        "yaml",
        "py",
        "rb",
        "md",
        "html",
        "map",
        "so",
        "dll",
        "exe",
    ]
)
_NOT_PEOPLE: Final = frozenset(
    [
        "git",
        "user",
        "you",
        "your",
        "name",
        "your.name",
        "youremail",
        "your.email",
        "your_email",
        "foo",
        "bar",
        "test",
        "someone",
        "email",
        "me",
        "username",
        "example",
        "john.doe",
        "jane.doe",
        "xxx",
    ]
)
_IPV4: Final = re.compile(
    r"(?<![\w.])(?:::ffff:)?((?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3})(?![\w]|\.\d)(?:/\d{1,2}\b)?"
)
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])"
)
_VERSION_BEFORE: Final = re.compile(
    r"(?:version|ver|v|build|release|driver|upgrade|from|to|chrome/|firefox/|[a-z]+/|[@=]=?|rev|edition|firmware|section|chapter|§)\s{0,2}\Z",
    re.IGNORECASE,
)
_IP_BEFORE: Final = re.compile(
    r"(?:ip|from|host|address|addr|server|client|peer|src|dst|remote)\W{0,5}\Z", re.IGNORECASE
)
_MAC: Final = re.compile(
    r"(?<![\w:.-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w-]|[:][0-9A-Fa-f])|(?<![\w:.-])(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![\w.-]|\.\w)"
)


def find_email(doc: Doc, hits: Hits) -> None:
    """Addresses around each @; package versions, ssh remotes and URL user parts are none."""
    text = doc.text
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1, at + 300)
        if domain is not None:
            local = _LOCAL_REVERSED.match(text[max(0, at - 64) : at][::-1])
            if local is not None:
                _judge_email(text, at, at - local.end(), domain.end(), hits)
        at = text.find("@", at + 1)


def _judge_email(text: str, at: int, start: int, end: int, hits: Hits) -> None:
    while start < at and text[start] in "'.`/=?{|}&*^%$#!~":
        start += 1
    if "=" in text[start:at]:  # to=ann@example.org in a query string
        start = text.rfind("=", start, at) + 1
    if "/" in text[start:at]:
        start = text.rfind("/", start, at) + 1
    local, host = text[start:at], text[at + 1 : end]
    if not local or host.rpartition(".")[2].lower() in _FILE_ENDINGS:
        return
    low = local.lower()
    if low == "git" or (
        text[end : end + 1] == ":"
        and text[end + 1 : end + 2].isalpha()
        and "/" in text[end : end + 60].split()[0]
    ):
        return
    if low in _NOT_PEOPLE and host.lower().startswith(
        ("example.", "domain.", "email.", "mail.com", "company.", "test.", "your")
    ):
        return
    before = text[max(0, start - 3) : start]
    if before.endswith("://") or (before.endswith(":") and "://" in text[max(0, start - 80) : start]):
        return
    hits.add("email", start, end)


_QUAD: Final = re.compile(rb"9{1,3}\.9{1,3}\.9{1,3}\.9{1,3}")
_HEXTETS: Final = re.compile(r"[0-9A-Fa-f:.]*")
_PREFIX: Final = re.compile(r"/\d{1,3}")


def find_ip(doc: Doc, hits: Hits) -> None:
    """Addresses of hosts; loopback, masks, networks, broadcast and version numbers are none."""
    if doc.shape.count(b".9") > 2:
        for quad in _QUAD.finditer(doc.shape):
            m = _IPV4.match(doc.text, quad.start()) or _IPV4.match(doc.text, max(0, quad.start() - 7))
            if m is not None:
                _judge_ipv4(doc.text, m, hits)
    if "::" in doc.text or (doc.text.count(":") >= 7 and b":" * 7 in doc.shape.translate(None, b"A9.")):
        _find_ipv6(doc, hits)


def _judge_ipv4(text: str, m: re.Match[str], hits: Hits) -> None:
    ip = m.group(1)
    octets = [int(o) for o in ip.split(".")]
    if octets[0] in (0, 127, 255) or octets[0] >= 224 or octets[1:] == [0, 0, 0] or octets[3] == 255:
        return
    before = text[max(0, m.start() - 14) : m.start()]
    named = _IP_BEFORE.search(before) is not None
    if not named and _VERSION_BEFORE.search(before) and max(octets) < 100:
        return
    if not named and len(ip) <= 7 and octets[0] < 10 and ip not in ("1.1.1.1", "8.8.8.8"):
        return
    hits.add("ip_address", m.start(), m.end())


def _find_ipv6(doc: Doc, hits: Hits) -> None:
    text = doc.text
    at = text.find(":")
    while at >= 0:
        start = at
        while start > 0 and at - start < 4 and text[start - 1] in "0123456789abcdefABCDEF":
            start -= 1
        run = _HEXTETS.match(text, start, start + 50)
        end = run.end() if run else at + 1
        m = _IPV6.match(text, start, end) if end - start >= 5 else None
        if m is not None:
            value = m.group()
            digits = value.replace(":", "")
            if (
                len(digits) >= 3
                and (value.count(":") == 7 or "::" in value)
                and not text[m.end() : m.end() + 1].isalnum()
            ):
                try:
                    address: ipaddress.IPv6Address | None = ipaddress.IPv6Address(value)
                except ValueError:
                    address = None
                if (
                    address
                    and not address.is_loopback
                    and (any(c.isdigit() for c in digits) or len(digits) > 8)
                ):
                    prefix = _PREFIX.match(text, m.end())
                    hits.add("ip_address", m.start(), prefix.end() if prefix else m.end())
        at = text.find(":", max(end, at + 1))


_ALNUM: Final = bytes(120 if chr(c).isalnum() and c < 128 else c for c in range(256))


def find_mac(doc: Doc, hits: Hits) -> None:
    """Hardware addresses, written with colons, dashes or Cisco's dots."""
    text = doc.text
    shape: bytes | None = None
    for separator, literal in (
        (":", b"xx:xx:xx:xx:xx:xx"),
        ("-", b"xx-xx-xx-xx-xx-xx"),
        (".", b"xxxx.xxxx.xxxx"),
    ):
        if separator not in text:
            continue
        if shape is None:
            shape = doc.shape.translate(_ALNUM)
        at = shape.find(literal)
        while at >= 0:
            m = _MAC.match(text, at)
            if m is not None:
                bare = re.sub(r"[^0-9a-f]", "", m.group().lower())
                numeric = (
                    bare.isdigit()
                    and separator == "."
                    and "mac" not in doc.lower
                    and "cisco" not in doc.lower
                )
                if len(set(bare)) > 2 and not numeric:
                    hits.add("mac_address", m.start(), m.end())
            at = shape.find(literal, at + 3)


def find(doc: Doc, hits: Hits) -> None:
    """All of the family."""
    if "@" in doc.text:
        find_email(doc, hits)
    find_ip(doc, hits)
    find_mac(doc, hits)
