"""Credentials inside addresses: `scheme://user:password@host`, ADO/JDBC strings, `curl -u`, signed URLs."""

from __future__ import annotations

import re
from typing import Final

from .shape import is_placeholder, is_random, wordiness
from .text import Doc, Hits, ask_for

# The password may hold anything but white space, quotes and a slash; the last @ before the host ends it.
_USERINFO: Final = re.compile(r"([^\s:@/\"'`<>]{0,128}):([^\s\"'`<>]{1,256})@(?=[A-Za-z0-9_\[$%{.-])")
_TOKEN_USER: Final = re.compile(r"([A-Za-z0-9_.~%+-]{16,300})(?::x-oauth-basic)?@(?=[A-Za-z0-9])")
_ADO: Final = re.compile(r"(?:password|pwd)\s{0,3}=\s{0,3}([^;\"'\s<>]{3,128})(?=[;\"'\s]|$)", re.IGNORECASE)
_ACCOUNT_KEY: Final = re.compile(
    r"(?:AccountKey|SharedAccessKey|SharedSecretKey)\s{0,2}=\s{0,2}([A-Za-z0-9+/]{20,120}={0,2})"
)
_SIGNED: Final = re.compile(
    r"[?&](?:sig|signature|x-amz-signature|x-goog-signature|sv_sig|token|access_token|api_?key|apikey|key|auth|secret|"
    r"client_secret|code|hmac|password|passwd|pwd|session_?id|sid|x-amz-security-token)=([^&\s\"'`<>#]{6,2000})",
    re.IGNORECASE,
)
_CURL_USER: Final = re.compile(
    r"(?:^|\s)(?:-u|--user|--proxy-user|-U)(?:\s+|=)?(?:\"([^\"\n]{0,100}:[^\n]{3,200}?)\"(?=\s|$)|'([^'\n]{0,100}:[^'\n]{3,200})'|([^\s\"':]{0,100}:[^\s\"']{3,200}))"
)
_PGPASS: Final = re.compile(
    r"^[\w.*-]{1,80}:(?:\d{2,5}|\*):[\w*.-]{1,60}:[\w.*-]{1,60}:(\S{4,100})$", re.MULTILINE
)
_NETRC: Final = re.compile(r"\bmachine\s+\S{1,120}\s+login\s+\S{1,120}\s+password\s+(\S{3,200})")

ask_for(("machine", "login"))


def _judge_password(value: str) -> bool:
    if (
        is_placeholder(value)
        or value.startswith(("$", "{", "<", "%("))
        or (value.isdigit() and len(value) <= 5)
    ):
        return False
    return value.lower() not in (
        "pass",
        "password",
        "pw",
        "pwd",
        "secret",
        "token",
        "x-oauth-basic",
        "x",
        "port",
    )


def find(doc: Doc, hits: Hits) -> None:
    """Passwords in URLs and connection strings; the span is the password."""
    text, lower = doc.text, doc.lower
    if "://" in text:
        _find_userinfo(text, hits)
    if "%3a%2f%2f" in lower:
        _find_encoded(text, lower, hits)
    if ";" in text and ("password" in lower or "pwd" in lower):
        for m in _ADO.finditer(text):
            line_start = text.rfind("\n", max(0, m.start() - 400), m.start()) + 1
            if ";" in text[max(line_start, m.start() - 400) : m.start()] and _judge_password(m.group(1)):
                hits.add("connection_string", m.start(1), m.end(1))
    if ("key" in lower and "AccountKey" in text) or "SharedAccessKey" in text or "SharedSecretKey" in text:
        for m in _ACCOUNT_KEY.finditer(text):
            if not is_placeholder(m.group(1)):
                start = m.start(1) if ";" in text[m.end() : m.end() + 1] else m.start()
                hits.add("azure_secret", start, m.end(1))
    if "=" in text and ("?" in text or "&" in text):
        _find_query(text, hits)
    if "curl" in lower or " -u" in text:
        for m in _CURL_USER.finditer(text):
            value = m.group(1) or m.group(2) or m.group(3)
            password = value.partition(":")[2]
            if _judge_password(password) and "$" not in value[:1] and not value.startswith("${"):
                group = 1 if m.group(1) else 2 if m.group(2) else 3
                if not password.startswith("$"):
                    hits.add("connection_string", m.start(group), m.end(group))
    if (":" in text and "pgpass" in lower) or ":5432:" in text:
        for m in _PGPASS.finditer(text):
            hits.add("connection_string", m.start(1), m.end(1))
    if "machine" in doc.known and "login" in doc.known:
        for m in _NETRC.finditer(text):
            if _judge_password(m.group(1)):
                hits.add("password", m.start(1), m.end(1))


_AUTHORITY: Final = re.compile(r"[^ \t\r\n\"'`<>]*")


def _find_userinfo(text: str, hits: Hits) -> None:
    at = text.find("://")
    while at >= 0:
        start = at + 3
        run = _AUTHORITY.match(text, start, start + 420)
        stop = run.end() if run else start
        authority = text[start:stop]
        last = authority.rfind("@")
        if last > 0:
            # an @ in a path or query is no userinfo, unless the password itself holds the slash
            slash = authority.find("/")
            colon = authority.find(":")
            if (
                slash < 0
                or last < slash
                or (
                    0 <= colon < slash
                    and not authority[colon + 1 : slash].isdigit()
                    and "?" not in authority[:last]
                )
            ):
                m = _USERINFO.match(text, start, start + last + 2)
                if m is not None and m.end() == start + last + 1:
                    if _judge_password(m.group(2)):
                        hits.add("connection_string", m.start(2), m.end(2))
                    elif is_random(m.group(1), 16):
                        hits.add("connection_string", m.start(1), m.end(1))
                else:
                    t = _TOKEN_USER.match(text, start)
                    if t is not None and is_random(t.group(1), 16):
                        hits.add("connection_string", t.start(1), t.end(1))
        at = text.find("://", max(stop, at + 3))


_ENCODED: Final = re.compile(r"%3a%2f%2f([^\s%\"']{0,80})%3a([^\s\"'&]{3,200}?)%40", re.IGNORECASE)


def _find_encoded(text: str, lower: str, hits: Hits) -> None:
    if "%40" in lower:
        for m in _ENCODED.finditer(text):
            if _judge_password(m.group(2)):
                hits.add("connection_string", m.start(2), m.end(2))


def _find_query(text: str, hits: Hits) -> None:
    for m in _SIGNED.finditer(text):
        value = m.group(1).rstrip(".,;:!?)]}")
        name = m.group()[1:].partition("=")[0].lower()
        if name in ("password", "passwd", "pwd"):
            if _judge_password(value) and any(c.isdigit() or not c.isalnum() for c in value):
                hits.add("password", m.start(1), m.start(1) + len(value))
        elif is_random(value, 16) and wordiness(value) < 0.66:
            hits.add("api_key", m.start(1), m.start(1) + len(value))
