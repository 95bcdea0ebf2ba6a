"""`key = value` in code, config, headers, query strings and tables: passwords, API keys, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .literals import SHORTEST
from .prefilter import PatternIndex
from .prose_words import OTHER_KEYS
from .shape import entropy, is_hex, is_password, is_placeholder, is_random, is_uuid, wordiness
from .text import Doc, Hits, ask_for

# Stems of identifiers. `strong` ones name a secret by themselves; the others need a value that looks random.
PASSWORD_STEMS: Final = ("passw", "passphrase", "passcode", "pass_", "pass", "pwd", "pw", "kennwort", "contrase", "senha",
                         "motdepasse", "mot_de_passe", "wachtwoord", "haslo", "parola", "sifre")  # fmt: skip
KEY_STEMS: Final = ("secret", "token", "key", "credential", "auth", "bearer", "webhook", "client_srt", "sourcegraph",
                    "snowflake", "signature", "salt", "cookie", "session", "csrf", "otp", "login", "bot", "dsn", "pat")  # fmt: skip
_WEAK_STEMS: Final = frozenset(
    {"auth", "signature", "salt", "cookie", "session", "csrf", "login", "bot", "dsn", "webhook", "pat"}
)

_STEMS: Final = (*PASSWORD_STEMS, *KEY_STEMS)
# In the order of `_STEMS`: who is met first names the value.
_STEM_INDEX: Final = PatternIndex([frozenset((stem,)) if len(stem) >= SHORTEST else None for stem in _STEMS])
ask_for(("value",))
_WORDS_ONLY: Final = frozenset({"pat", "bot"})

# Identifiers that hold a name, a count or a policy rather than a secret.
_NOT_SECRET: Final = re.compile(
    r"(?:max|min|num|count|total|input|output|prompt|completion|cached?|context|reasoning|audio|image)[_-]?tokens?"
    r"|tokens?[_-]?(?:count|limit|usage|type|id\b|name|s\b|izer|url|endpoint|ttl|expir|budget|per|length|size|bucket)"
    r"|tokeniz|(?:primary|foreign|public|partition|sort|cache|dict|map|group|index|row|unique|hot|short|object|sort|lookup|registry)[_-]?key"
    r"|key[_-]?(?:name|type|size|length|word|board|id$|usage|algorithm|path|file|pair|ring|frame|code|down|up|press|error|stone|note)"
    r"|(?:^|[_.-])hash[_-]?key|key[_-]?(?:hash|string_id)|(?:next|continuation|page|paging|sync|resume)[_-]?token|keyv$|webtoken$|passw(?:or)?d[_-](?:prompt|generator|manager|validator|utils?|lib)|(?:token|secret)[_-](?:lib|utils?)|(?:monkey|turkey|hockey|donkey|whiskey|jockey|keyword|keyboard)"
    r"|secret[_-]?(?:name|key_?ref|ref|path|arn|id$|version|manager|store|provider|type)"
    r"|passw(?:or)?d?[_-]?(?:min|max|len|length|policy|field|label|hash|reset|hint|strength|file|type|rule|require|expir|input|id|encrypted|changed|confirm)"
    r"|(?<![a-z])(?:require|forgot|reset|change|show|hide|no|has|is|validate|verify|check|update|confirm|min|max|use|enable|disable|allow)[_-]?passw"
    r"|auth(?:or(?!iz)|[_-]?(?:type|method|url|mode|scheme|provider))|passthrough|pass[_-](?:context|through|rate|fail|count|eval)|passenger|passage|passport|passive|compass|bypass|passed|passes|passing"
    r"|public[_-]?token|pubkey|integrity|checksum|fingerprint|digest|session[_-]?(?:name|type)|cookie[_-]?(?:name|path|domain)",
    re.IGNORECASE,
)
_PASSWORD_NAME: Final = re.compile(
    r"(?:^|[^a-z]|[a-z_.-](?<=[_.-]))p(?:ass)?w(?:or)?d?\d{0,2}$|passw(?:or)?d|passwd|passphrase|passcode|pwd|(?:^|[_.-]|[a-z])pass\d{0,2}(?:$|[_.-])"
    r"|kennwort|passwort|contrase|senha|mot_?de_?passe|wachtwoord|haslo|parola|sifre|^pw$|[_.-]pw$",
    re.IGNORECASE,
)
# Where the secret is kept, not the secret: vault:kv/db#password, @secret:db, users/<id>, UID:GID
REFERENCE: Final = re.compile(
    r"@[a-z]+:|(?:vault|ssm|op|kms|sops|secretsmanager|keyvault|arn|env|file|gcpsm|azurekv|doppler|infisical):|ENC\[|[a-z][a-z_-]{2,20}/[A-Za-z0-9-]{8}|[^\W\d]+(?::[^\W\d]+)+\Z|\(\d[a-z]{0,2}\)"
)
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]|\Z)")
_NAME_BACK: Final = 60
_NAME_CHARS: Final = re.compile(r"[A-Za-z0-9_.$:-]*\Z")
_NAME_FORWARD: Final = re.compile(r"[A-Za-z0-9_.-]{0,60}")
# What may stand between a name and its value, longest first.
_OPERATOR: Final = re.compile(
    r"""["'`\\\]]{0,4}[ \t]{0,12}(?:
        (?::{0,3}=|\?=|\.=|\+=|\|\|?=)>?[ \t]{0,8}\\?          # = := ::= ?= .= =>
      | (?:!==?|===?)[ \t]{0,4}
      | :[ \t]{0,3}(?:[A-Za-z]{1,12}(?:\s?\|\s?None)?[ \t]{0,2}=[ \t]{0,3})?   # : and `: str =`
      | [ \t]string[ \t]{0,3}=[ \t]{0,3}
      | [ \t]{0,3},[ \t]{0,3}(?=["'`])                          # setProperty("name", "value")
      | [ \t]{0,2}\|[ \t]{0,8}`?                                # a Markdown table cell
      | [ \t]value[ \t]{0,3}=[ \t]{0,3}                         # <add key="…" value="…"
      | >\s{0,12}                                               # <name>value</name>
      | [ \t]?-\>[ \t]?
      | [ \t]{1,3}(?:is|was|to)[ \t]{1,3}                      # my DB_TOKEN is …
      | [ \t]{1,3}(?=["'])
      | \((?=["'])                                             # setToken("value")
    )[\\]?(?:[$@rbfuLR]{0,2}(?=["'`]))?""",
    re.VERBOSE,
)
_QUOTED: Final = re.compile(
    r"""\\?(["'`])(?:-|Bearer |Basic |Token |token )?((?:(?!\1)[^\r\n\\]|\\.){1,400}?)(?:\\?\1)"""
)
# At most two equals signs within: a=b=c=… is a chain of assignments, and each would be read to its end.
_BARE: Final = re.compile(
    r"""(?:-|Bearer |Basic |Token |token |Splunk |ApiKey |SSWS |Key )?((?=[^\s"'`<>|,;)\]}\\]{4})[^\s"'`<>|,;)\]}\\=]{1,400}(?:=+[^\s"'`<>|,;)\]}\\=]{0,400}){0,2})"""
)
_TRAIL: Final = ".,;:!?"
_CLOSING: Final = ")]}|,;"
_TAIL: Final = re.compile(r"[)\]}|,;][^\s\"'`<>=;,]{2,60}(?=[\r\n]|\Z)")
# `name = ".../db_password"`, then `value = "..."` a line or two below: Terraform, Kubernetes, App Service, SSM
_PAIRED: Final = re.compile(
    r"""["']?[ \t]{0,3},?\s{1,20}(?:[\w-]{1,20}["']?\s{0,4}[:=]\s{0,4}["']?[^\s"']{1,40}["']?,?\s{1,20}){0,2}["']?[vV]alue["']?\s{0,4}[:=]\s{0,4}"""
)
_BEARER: Final = re.compile(r"(?i:bearer)\s{1,3}([A-Za-z0-9_~+/.=-]{12,4000})")


def _name_around(text: str, at: int, length: int) -> tuple[str, int]:
    head = text[max(0, at - _NAME_BACK) : at]
    m = _NAME_CHARS.search(head[-_NAME_BACK:])
    prefix = m.group() if m else ""
    begin = at - len(prefix)
    f = _NAME_FORWARD.match(text, at + length)
    end = f.end() if f else at + length
    if (
        text[max(0, begin - 2) : begin] in ("${", "{{")
        or prefix.startswith("${")
        or text[end : end + 1] == "}"
    ):
        return "", at + length  # ${DB_PASSWORD:?required}: a reference, whose colon assigns nothing
    return prefix + text[at:end], end


def _value_after(text: str, at: int) -> tuple[int, int, bool] | None:
    """Span and quotedness of the value that follows a name ending at `at`."""
    op = _OPERATOR.match(text, at)
    if op is None:
        return None
    call = op.group().endswith("(")
    said = op.group().strip()
    value = _read_value(text, op.end(), said not in ("", ",", "("))
    if said in ("is", "was", "to"):  # a sentence: only the name of a constant, and a value that is no word
        named = any(c in "_.-" for c in text[max(0, at - 40) : at].split(" ")[-1])
        if (
            not named
            or value is None
            or not (is_random(text[value[0] : value[1]], 12) or is_uuid(text[value[0] : value[1]]))
        ):
            return None
    if call and value is not None and not is_random(text[value[0] : value[1]], 12):
        return None  # getpass("Password: "), get_secret("prod/db"): what a call is given is mostly a name
    return value


def _read_value(text: str, at: int, bare: bool) -> tuple[int, int, bool] | None:
    q = _QUOTED.match(text, at)
    if q is not None:
        return q.start(2), q.end(2), True
    b = _BARE.match(text, at) if bare else None
    if b is None:
        return None
    start, end = b.span(1)
    if text[end : end + 1] in _CLOSING and text[end : end + 1]:
        tail = _TAIL.match(text, end)
        line = text[text.rfind("\n", max(0, start - 120), start) + 1 : start]
        if tail is not None and not any(c in line for c in "([{<"):
            end = tail.end()  # Fr)wq9x at the end of a line: a chosen mark, not the end of a call
    while end > start and text[end - 1] in _TRAIL:
        # a mark at the end of the line was chosen (Rocket28!); before more text it ends a sentence
        if (
            text[end - 1] in "!?"
            and text[end : end + 1] in ("", "\n", "\r", " ", '"', "'", "<")
            and any(c.isdigit() for c in text[start:end])
        ):
            break
        end -= 1
    return start, end, False


# f(, a.b[, (x): code; q(kZ^n_s$27X is none
_CALL: Final = re.compile(r"[A-Za-z_$][\w.$]*(?:\[|\((?:[\w\"'$&*.,-]*\Z|[^()]*\)))|[(\[]")


def _is_expression(text: str, start: int, end: int) -> bool:
    """True for an unquoted piece of code: a call, an index, a member, a type."""
    value = text[start:end]
    following = text[end : end + 1]
    if following in ("(", "[") or _CALL.match(value):
        return True
    if following == "]" or value.startswith(
        ("&", "*", "self.", "this.", "process.", "os.", "env.", "config.", "settings.")
    ):
        return True
    # a.b.c and plain identifiers; anything with a digit run amid letters is judged by its looks instead
    return re.fullmatch(r"[A-Za-z_$][A-Za-z_]*(?:[.:]{1,2}[A-Za-z_]+)*[?!]?", value) is not None


def _is_mixed(value: str) -> bool:
    return value != value.lower() and value != value.upper() and not value.istitle()


def _judge(name: str, value: str, quoted: bool, text: str, start: int, end: int, weak: bool) -> str | None:
    if (
        _NOT_SECRET.search(name)
        or "arn:" in name
        or (len(name) >= 20 and is_random(name, 20))  # letters of a random value that spell "pwd"
        or is_placeholder(value)
        or "://" in value
        or _TIMESTAMP.match(value)
        or REFERENCE.match(value)
    ):
        return None
    if _PASSWORD_NAME.search(name):
        if not quoted and _is_expression(text, start, end):
            # opIGlFXmwx is no identifier anybody would write
            if value.isalpha() and len(value) >= 9 and _is_mixed(value) and wordiness(value) < 0.45:
                return "password"
            env = name.isupper() and text[end : end + 1] in ("", "\n", "\r") and len(value) >= 6
            return "password" if env and value.islower() and text[start - 1] == "=" else None
        if value.isdigit() and not quoted and len(value) < 4:
            return None
        if quoted and " " in value and (value.count(" ") > 1 or wordiness(value) > 0.6):
            return None
        if quoted and re.fullmatch(r"[a-z]+(?:\.[a-z_]+)+", value):
            return None  # the key of a translation
        if value.isidentifier() and value.lower().replace("_", "") in name.lower().replace("_", ""):
            return None
        if (
            quoted
            and re.fullmatch(r"[a-z]+(?:[A-Z][a-z]+)*|[A-Z_]+|[a-z_]+|[a-z-]+", value)
            and (len(value) < 6 or "pass" in value.lower())
        ):
            return None
        if value.isdigit() and len(value) < 6:
            return None
        return "password" if is_password(value, quoted) else None
    if not quoted and _is_expression(text, start, end) and not (len(value) >= 24 and wordiness(value) < 0.4):
        return None
    if (
        "authorization" in name.lower()
        and any(c.isdigit() for c in value)
        and is_password(value, quoted)
        and len(value) >= 8
    ):
        return "api_key"
    shortest = 16 if weak else 10
    if is_uuid(value):
        low = name.lower()
        return (
            "api_key"
            if any(
                s in low
                for s in ("token", "secret", "apikey", "api_key", "api-key", "access_key", "access-key")
            )
            else None
        )
    if not is_random(value, shortest):
        return None
    low = name.lower()
    if ("aws" in low and "secret" in low) or (len(value) == 40 and "secret_access" in low):
        return "aws_secret"
    if "azure" in low or "accountkey" in low or "account_key" in low:
        return "azure_secret" if not is_hex(value) else "api_key"
    if "discord" in low:
        return "discord_token"
    if "api" in low or "token" in low or "access" in low:
        return "api_key"
    return "high_entropy" if entropy(value) >= 3.0 else "api_key"


def _stems(doc: Doc) -> Iterator[tuple[str, int]]:
    lower = doc.lower
    for number in _STEM_INDEX.candidates_in(lower):
        stem = _STEMS[number]
        short = stem in _WORDS_ONLY
        for at in doc.occurrences(stem):
            if short and (
                lower[at - 1 : at].isalpha() or lower[at + len(stem) : at + len(stem) + 1].isalpha()
            ):
                continue  # "path", "both", "dispatch": logs are full of them
            yield stem, at


def _report(doc: Doc, name: str, stem: str, span: tuple[int, int, bool] | None, hits: Hits) -> None:
    if span is None or span[1] - span[0] < 4:
        return
    start, stop, quoted = span
    weak = stem in _WEAK_STEMS and not any(s in name.lower() for s in ("secret", "token", "key"))
    kind = _judge(name, doc.text[start:stop], quoted, doc.text, start, stop, weak)
    if kind:
        hits.add(kind, start, stop)


def _may_assign(text: str, end: int) -> bool:
    """A cheap look at the next characters before the operator's pattern."""
    head = text[end : end + 14]
    if not head or head[0] in _NO_OPERATOR:
        return False
    if head[0] in " \t":
        rest = head.lstrip(" \t")
        return bool(rest) and rest[0] in _OPERATOR_START
    return True


_NO_OPERATOR: Final = frozenset(");{}[\n\r/#@&%^*~<")
_OPERATOR_START: Final = frozenset("=:?.+|!,>-\"'`sviwt\\")


def find(doc: Doc, hits: Hits) -> None:
    """Named values. Each name is read once, whichever of its stems was met first."""
    text = doc.text
    if "ENV " not in text and not any(c in text for c in "=:>|,\"'`-_"):
        return
    done: set[int] = set()
    for stem, at in _stems(doc):
        name, end = _name_around(text, at, len(stem))
        if end in done or not name:
            continue
        if name == stem and doc.lower[max(0, at - 24) : at].rstrip(" ").rpartition(" ")[2] in OTHER_KEYS:
            continue  # "cache key: 9f86…"
        done.add(end)
        if "value" in doc.known and text[end : end + 1] in ("\n", '"', "'", ",", "\r"):
            paired = _PAIRED.match(text, end)
            if paired is not None:
                _report(doc, name, stem, _read_value(text, paired.end(), True), hits)
                continue
        if (
            text[max(0, end - len(name) - 4) : end - len(name)] in ("ENV ", "ARG ")
            and text[end : end + 1] == " "
        ):
            _report(doc, name, stem, _read_value(text, end + 1, True), hits)  # ENV NAME value
            continue
        if not _may_assign(text, end):
            continue
        span = _value_after(text, end)
        _report(doc, name, stem, span, hits)
    _find_headers(doc, hits)


def _find_headers(doc: Doc, hits: Hits) -> None:
    text = doc.text
    for at in doc.occurrences("bearer "):
        m = _BEARER.match(text, at)
        if m is not None:
            value = m.group(1).rstrip(_TRAIL)
            if is_random(value, 16):
                hits.add("api_key", m.start(1), m.start(1) + len(value))
