"""Passwords and PINs said in sentences, in many languages: "my password is …", "Mein Passwort lautet …"."""

from __future__ import annotations

import re
from typing import Final

from .shape import entropy, is_password, is_placeholder, is_random, wordiness
from .text import Doc, Hits

# Words that name a password. Latin ones are looked up in the set of words, the rest as substrings.
_WORDS: Final = frozenset(
    [
        "password",
        "passwords",
        "passphrase",
        "passcode",
        "passwd",
        "pwd",
        "pw",
        "pass",
        "passwort",
        "kennwort",
        "passwörter",
        "zugangspasswort",
        "losungswort",
        "mdp",
        "contraseña",
        "contrasena",
        "clave",
        "senha",
        "wachtwoord",
        "lösenord",
        "losenord",
        "adgangskode",
        "kodeord",
        "passord",
        "hasło",
        "haslo",
        "heslo",
        "parola",
        "şifre",
        "sifre",
        "parolă",
        "lozinka",
        "geslo",
        "slaptažodis",
        "parole",
        "salasana",
        "jelszó",
        "jelszo",
        "jelszava",
        "jelszavam",
        "salasanani",
        "aðgangsorð",
        "sandi",
        "motdepasse",
        "пароль",
        "пароля",
        "паролем",
        "пароли",
        "κωδικός",
        "κωδικο",
        "kodeordet",
        "lösenordet",
        "passordet",
        "hasłem",
        "şifresi",
        "şifrem",
        "parolası",
        "parolam",
        "token",
        "key",
        "secret",
        "credentials",
        "credential",
        "pin",
        "login",
        "logins",
        "creds",
        "apikey",
        "schlüssel",
        "clé",
        "llave",
        "chave",
        "chiave",
    ]
)
_SUBSTRINGS: Final = (
    "mot de passe", "palavra-passe", "palavra passe", "パスワード", "暗証番号", "密码", "密碼", "口令", "비밀번호", "암호", "รหัสผ่าน", "mật khẩu",
    "kata sandi", "kata laluan", "סיסמה", "סיסמא", "كلمة المرور", "كلمة السر", "رمز عبور", "पासवर्ड", "পাসওয়ার্ড", "கடவுச்சொல்", "api key", "access key",
)  # fmt: skip
_TOKEN_WORDS: Final = frozenset(
    ["token", "key", "secret", "apikey", "schlüssel", "clé", "llave", "chave", "chiave"]
)
_PIN_WORDS: Final = frozenset(["pin", "passcode", "暗証番号"])
_LOGIN_WORDS: Final = frozenset(["credentials", "credential", "login", "logins", "creds"])

# After the word: a connector that introduces a value. Short fillers may stand between ("for the staging box").
_CONNECT: Final = re.compile(
    r"""(?P<fill>[^\n:=."'`]{0,60}?)
        (?:\s*[:=：]\s*|\s+(?:is\s+now|is|was|to|as|are|ist|lautet|war|heißt|est|era|es|è|é|é\s+a|är|er|on|jest|to|je|this|eto|adalah|là|olarak|
           это|είναι|será|sera|becomes|equals|set\ to|changed\ to|reset\ to|auf|en|a|à|in)\s*[:=]?\s+|\s*(?:は|が|を|是|为|為|은|는|이|가|हे|है|คือ|هي|هو|הוא|היא)\s*[:=]?\s*
           |\s*[(\["'`]\s*|\s*[—–>-]{1,2}>?\s+|\s+)
        (?P<open>["'`(\[]{0,2})
        (?P<value>[^\s"'`，。、；]{4,200})""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTED_NEAR: Final = re.compile(r"""[^\n"'`]{0,60}["'`]([^\s"'`][^\n"'`]{2,62}[^\s"'`])["'`]""")
_PAIR: Final = re.compile(
    r"""[^\n]{0,30}?(?:[:=]|\bis\b|\bare\b|\bwith\b|\(|\bas\b)\s{0,3}["'`]?([\w.@+-]{2,40})["'`]?\s{0,2}[:/]\s{0,2}["'`]?([^\s"'`]{4,64})""",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(
    r"\d+(?:[.,]\d+)?(?:st|nd|rd|th|x|k|m|s|ms|h|d|%|mb|gb|kb|px|bit|bits|chars?|days?|am|pm|-\w+)?\Z|v?\d+(?:\.\d+)+\Z|\d{1,2}[:/.-]\d{1,2}(?:[:/.-]\d{2,4})?\Z",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"[^\W\d_]+(?:['’./_-][^\W\d_]+)*\Z")
_STRIP_LEFT: Final = "([{<\"'`*"
_STRIP_RIGHT: Final = ".,;:!?)]}>\"'`*"


def _keywords(doc: Doc) -> list[tuple[int, int, str]]:
    """Spans of the words that name a password, and the word."""
    found: list[tuple[int, int, str]] = []
    lower = doc.lower
    for word in _WORDS & doc.words:
        for at in doc.occurrences(word):
            end = at + len(word)
            if (at == 0 or not (lower[at - 1].isalnum() or lower[at - 1] in "_$.-")) and not (
                lower[end : end + 1].isalnum() or lower[end : end + 1] in ("_", "-", "(")
            ):
                found.append((at, end, word))
    if not doc.ascii or "de passe" in lower or "kata" in lower or " key" in lower or "palavra" in lower:
        for literal in _SUBSTRINGS:
            if literal in lower:
                found += [(at, at + len(literal), literal) for at in doc.occurrences(literal)]
    return sorted(found)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Sentence punctuation off both ends; a mark that looks chosen (`Bishop4819#`, `abc123!`) stays."""
    while start < end and text[start] in _STRIP_LEFT:
        start += 1
    while end > start and text[end - 1] in _STRIP_RIGHT:
        last = text[end - 1]
        if (
            last == "!"
            and any(c.isdigit() for c in text[start:end])
            and text[end : end + 1] in ("", "\n", '"', "'", ",", "`", ")", " ")
        ):
            # "Rocket28!" before white space: the mark belongs to the password more often than not
            break
        end -= 1
    return start, end


def _cjk_cut(text: str, start: int, end: int) -> int:
    """The end of the ASCII run: パスワードはHunter22です."""
    if text[start].isascii():
        for i in range(start, end):
            if ord(text[i]) > 0x2E80:
                return i
    return end


def _good(value: str, word: str, strong: bool, quoted: bool) -> bool:
    if is_placeholder(value) or (_UNIT.match(value) and not (strong and value.isdigit() and len(value) >= 4)):
        return False
    if value.startswith(("http://", "https://", "www.", "/", "./", "~/", "@", "#{")) or value.endswith(
        ("()", "();")
    ):
        return False
    if word in _TOKEN_WORDS or word in ("api key", "access key"):
        return is_random(value, 12) and entropy(value) >= 2.8
    if value.isdigit():
        return strong and (4 <= len(value) <= 12 if word in _PIN_WORDS else 6 <= len(value) <= 12)
    if word in _PIN_WORDS and word != "passcode":
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
        and not re.search(r"[()\[\]{}<>|]|::|=>|->", value)
    )


def find(doc: Doc, hits: Hits) -> None:
    """Values that a sentence calls a password."""
    text = doc.text
    for _at, end, word in _keywords(doc):
        if word in _LOGIN_WORDS or word in ("password", "pw", "pass", "passwort"):
            pair = _PAIR.match(text, end, end + 140)
            if (pair and word in _LOGIN_WORDS) or (pair and text[end : end + 1] == "s"):
                start, stop = _trim(text, *pair.span(2))
                if _good(text[start:stop], "password", True, False) and "/" not in text[start:stop]:
                    hits.add("password", start, stop)
                    continue
        if word in _LOGIN_WORDS:
            continue
        for m in _candidates(text, end):
            fill = m.group("fill")
            if re.search(r"\d|[()\[\]{}<>|\\]", fill) or re.search(
                r"\b(?:must|should|needs?|requires?|least|characters?|length|chars?|policy|every|about)\b",
                fill,
                re.I,
            ):
                break
            start, stop = m.span("value")
            stop = _cjk_cut(text, start, stop)
            start, stop = _trim(text, start, stop)
            if stop - start < 4:
                continue
            value = text[start:stop]
            between = m.group()[len(fill) : m.start("value") - m.start()]
            quoted = text[start - 1 : start] in ("'", '"', "`")
            strong = bool(between.strip()) or bool(re.search(r"\b(?:is|ist|est|es|to)\s*$", between + " "))
            direct = not fill.strip()
            if _good(value, word, strong or (direct and quoted), quoted):
                kind = "password"
                if word in _TOKEN_WORDS or (" " in word and "key" in word):
                    kind = "api_key"
                hits.add(kind, start, stop)
                break
        else:
            q = _QUOTED_NEAR.match(text, end, end + 130)
            if (
                q
                and word not in _TOKEN_WORDS
                and is_password(q.group(1), False)
                and not is_placeholder(q.group(1))
                and q.group(1).count(" ") <= 5
            ):
                hits.add("password", q.start(1), q.end(1))


def _candidates(text: str, end: int) -> list[re.Match[str]]:
    """The next few words after a keyword, each as if it were the value; the line and 110 characters bound it."""
    out: list[re.Match[str]] = []
    at = end
    for _ in range(4):
        m = _CONNECT.match(text, end if not out else at, end + 160)
        if m is None:
            break
        if out:
            joined = _CONNECT.match(text, at, end + 160)
            if joined is None:
                break
            m = joined
        out.append(m)
        at = m.end("value")
        if m.end() - end > 100:
            break
    return out
