"""Passwords on command lines and in statements: `sshpass -p …`, `IDENTIFIED BY '…'`, `auth=("ann", "…")`."""

from __future__ import annotations

import re
from typing import Final

from .shape import is_password, is_placeholder, wordiness
from .text import Doc, Hits, ask_for

_VALUE: Final = r"""(?:"([^"\n]{4,100})"|'([^'\n]{4,100})'|([^\s"'`$<>]{4,100}))"""


def _flag(tools: str, flag: str) -> str:
    """The value of a flag of some tools, in the same command."""
    return rf"\b(?:{tools})\b[^\n|;]{{0,160}}?\s{flag}{_VALUE}"


# (words of the text, one of which must be there; pattern; entity)
_ROWS: Final = (
    ("sshpass", _flag("sshpass", r"-p\s{0,4}"), "password"),
    ("mysql mysqldump mysqladmin mysqlimport mariadb", _flag(r"mysql[a-z]{0,6}|mariadb[a-z-]{0,6}", "-p"), "password"),
    ("redis", _flag("redis-cli", r"(?:-a|--pass)\s{1,4}"), "password"),
    ("ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd", _flag(r"ldap[a-z]{2,10}", r"-w\s{1,4}"), "password"),
    ("zip unzip rar unrar", _flag("zip|unzip|rar|unrar", r"-[pP]\s{0,4}"), "password"),
    ("z za zr", _flag("7z[ar]?", "-p"), "password"),
    ("sqlcmd bcp mosquitto ipmitool", _flag(r"sqlcmd|bcp|mosquitto_[a-z]{3}|ipmitool", r"-P\s{0,4}"), "password"),
    ("mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh influx", _flag(r"mongo[a-z]{0,8}|cqlsh|influx", r"-p\s{1,4}"), "password"),
    ("login", _flag(r"(?:docker|podman|helm registry|oc|az|skopeo|buildah|nerdctl) login", r"-p[ =]{1,4}"), "password"),
    ("openssl", _flag("openssl", r"(?:-k\s{1,4}|-pass(?:in|out)?\s{1,4}pass:)"), "password"),
    ("xfreerdp mstsc", _flag("xfreerdp|mstsc", "/p:"), "password"),
    ("smbclient smbmap smbget smbcacls", rf"\bsmb[a-z]{{3,6}}\b[^\n|;]{{0,160}}?\s-U\s{{0,4}}[^\s%]{{1,60}}%{_VALUE}", "password"),
    ("htpasswd", rf"\bhtpasswd\s{{1,4}}(?:-\w{{1,6}}\s{{1,4}}){{1,4}}\S{{1,80}}\s{{1,4}}\S{{1,60}}\s{{1,4}}{_VALUE}", "password"),
    ("net", rf"\bnet us(?:er|e [^\n]{{1,100}} /user:\S{{1,60}})\s{{1,4}}(?!/)(?:(?<=user )\S{{1,60}}\s{{1,4}})?(?!/)(?=\S{{0,99}}\d){_VALUE}", "password"),
    ("sudo", rf"\becho\s{{1,4}}(?:-\w\s{{1,4}})?{_VALUE}\s{{0,4}}\|\s{{0,4}}sudo\s{{1,4}}-S\b", "password"),
    ("chpasswd", r"\becho\s{1,4}[\"']?[\w.-]{1,40}:()()([^\s\"'|]{4,100})[\"']?\s{0,4}\|\s{0,4}(?:sudo\s{1,4})?chpasswd\b", "password"),
    ("identified", rf"\bidentified\s{{1,4}}(?:with\s{{1,4}}\S{{1,40}}\s{{1,4}})?by\s{{1,4}}(?:password\s{{1,4}})?{_VALUE}", "password"),
    ("securestring", rf"\bconvertto-securestring\s{{1,4}}(?:-string\s{{1,4}})?{_VALUE}", "password"),
    ("psk wpa", rf"\b(?:psk|wpa_passphrase)\s{{0,3}}=\s{{0,3}}{_VALUE}", "password"),
    # auth=("ann", "…"), HTTPBasicAuth('ann', '…'), NetworkCredential("ann", "…")
    ("auth authenticate authenticator httpbasicauth httpdigestauth basicauth setbasicauth login credential credentials networkcredential usernamepasswordcredential", r"(?:auth\w{0,12}|login|credentials?)\s{0,3}[=(:]{1,2}\s{0,3}[(\[]?\s{0,3}[\"'][^\"'\n]{1,60}[\"']\s{0,3},\s{0,3}(?:\"([^\"\n]{4,100})\"|'([^'\n]{4,100})'())", "password"),
    ("thin sqlplus", r"(?:\boracle:thin:|\bsqlplus\s{1,4}(?:-\w{1,3}\s{1,4}){0,2})[^\s/@:]{1,60}/()()([^\s@\"']{3,100})@", "connection_string"),
    ("password passwd pass token key secret pw requirepass apikey", r"--(?:password|passwd|pass|token|api[-_]?key|secret|client-secret|auth-token|access-token|secret-key|pw|http-password|ftp-password|proxy-password|requirepass)(?:[ =]{1,4})"
     + _VALUE, "password"),
)  # fmt: skip
_BY_WORD: Final[dict[str, list[tuple[re.Pattern[str], str]]]] = {}
for _words, _pattern, _kind in _ROWS:
    _row = (re.compile(_pattern, re.IGNORECASE), _kind)
    for _word in _words.split():
        _BY_WORD.setdefault(_word, []).append(_row)
ask_for(_BY_WORD)


def _is_secret(value: str, quoted: bool) -> bool:
    if value.startswith(("$", "-", "/", "@", "%", "{{", "<")) or value.isdigit() or is_placeholder(value):
        return False
    if is_password(value, quoted):
        return True
    mixed = value != value.lower() and value != value.upper() and not value.istitle()
    return len(value) >= 8 and mixed and wordiness(value) < 0.6


def find(doc: Doc, hits: Hits) -> None:
    """Each tool is looked for only where its name stands."""
    text = doc.text
    rows = {row for word in doc.known & _BY_WORD.keys() for row in _BY_WORD[word]}
    for pattern, kind in rows:
        if pattern.pattern.startswith("--") and "--" not in text:
            continue
        for m in pattern.finditer(text):
            group = next((g for g in (1, 2, 3) if m.group(g)), 0)
            value = m.group(group).rstrip(".,;:") if group else ""
            if value and _is_secret(value, group != 3):
                hits.add(kind, m.start(group), m.start(group) + len(value))
