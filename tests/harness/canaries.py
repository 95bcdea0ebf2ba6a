"""Planted values, one of every entity type, and the search for them in any bytes."""

from __future__ import annotations

import base64
import json
import random
import string
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aicc_hooks.detect import entities

ALNUM = string.ascii_letters + string.digits
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True)
class Canary:
    """A fake value that must not leave: `text` is what to plant, `value` what to look for in it."""

    entity: str
    value: str
    text: str


@dataclass(frozen=True)
class Hit:
    """A canary found: which, in what form, where, and some bytes around it."""

    entity: str
    form: str
    offset: int
    around: bytes


def search_bytes(haystack: bytes, canaries: Iterable[Canary | str]) -> list[Hit]:
    """Every canary in `haystack`: plain, JSON- and URL-encoded, base64 at each alignment, hex, reversed, UTF-16."""
    hits = []
    for canary in canaries:
        entity, value = (canary.entity, canary.value) if isinstance(canary, Canary) else ("text", canary)
        tried: set[bytes] = set()
        for form, needle in forms_of(value):
            if needle in tried:
                continue
            tried.add(needle)
            at = haystack.find(needle)
            if at >= 0:
                hits.append(Hit(entity, form, at, haystack[max(0, at - 40) : at + len(needle) + 40]))
                break
    return hits


def forms_of(value: str) -> Iterator[tuple[str, bytes]]:
    """The value as it may turn up in bytes: (name of the encoding, bytes)."""
    raw = value.encode()
    yield "plain", raw
    once = json.dumps(value)[1:-1]
    yield "json", once.encode()
    yield "json twice", json.dumps(once)[1:-1].encode()
    yield "json utf-8", json.dumps(value, ensure_ascii=False)[1:-1].encode()
    quoted = urllib.parse.quote(value, safe="")
    yield "url", quoted.encode()
    yield "url lower", "".join(c.lower() if p else c for c, p in _percent_marks(quoted)).encode()
    yield "url path", urllib.parse.quote(value).encode()
    yield "url form", urllib.parse.quote_plus(value).encode()
    yield "reversed", value[::-1].encode()
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "utf-16", value.encode("utf-16-le")
    yield from _base64_forms(raw)


def _percent_marks(quoted: str) -> Iterator[tuple[str, bool]]:
    """Characters with True where they belong to a %XX escape."""
    left = 0
    for character in quoted:
        left = 3 if character == "%" else left
        yield character, left > 0
        left -= 1


def _base64_forms(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """What base64 of any text around the value must contain, for each of the three alignments."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        # Characters that also encode bits of neighbours are cut off at both ends.
        first = {0: 0, 1: 2, 2: 3}[shift]
        last = (shift + len(raw)) * 8 // 6
        inner = whole[first:last]
        yield f"base64+{shift}", inner
        yield f"base64url+{shift}", inner.replace(b"+", b"-").replace(b"/", b"_")


# -- making them -------------------------------------------------------------------------------------
def make_canaries(seed: int = 0, only: Iterable[str] | None = None) -> list[Canary]:
    """One canary of each entity name of the contract, in its order; another seed gives other values."""
    dice = random.Random(f"canary-{seed}")
    return [MAKERS[name](dice) for name in entities.ALL if only is None or name in set(only)]


def _chars(dice: random.Random, alphabet: str, count: int) -> str:
    return "".join(dice.choice(alphabet) for _ in range(count))


def _digits(dice: random.Random, count: int) -> str:
    return _chars(dice, string.digits, count)


def _luhn(digits: str) -> str:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if index % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def _token(
    entity: str, prefix: str, count: int, text: str = "use {} for it", alphabet: str = ALNUM
) -> Callable[..., Canary]:
    def make(dice: random.Random) -> Canary:
        value = prefix + _chars(dice, alphabet, count)
        return Canary(entity, value, text.format(value))

    return make


def _made(
    entity: str, text: str
) -> Callable[[Callable[[random.Random], str]], Callable[[random.Random], Canary]]:
    def wrap(value_of: Callable[[random.Random], str]) -> Callable[[random.Random], Canary]:
        def make(dice: random.Random) -> Canary:
            value = value_of(dice)
            return Canary(entity, value, text.format(value))

        return make

    return wrap


@_made("github_token", "git clone with {}")
def _github(dice: random.Random) -> str:
    body = _chars(dice, ALNUM, 30)
    check, code = "", zlib.crc32(body.encode())
    while code:
        code, rest = divmod(code, 62)
        check = BASE62[rest] + check
    return f"ghp_{body}{check.rjust(6, '0')}"


@_made("jwt", "Authorization: Bearer {}")
def _jwt(dice: random.Random) -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    claims = {"sub": _digits(dice, 10), "jti": _chars(dice, ALNUM, 12)}
    return ".".join((part({"alg": "HS256", "typ": "JWT"}), part(claims), _chars(dice, ALNUM, 43)))


def _pem(dice: random.Random) -> Canary:
    lines = [_chars(dice, ALNUM + "+/", 64) for _ in range(6)]
    body = "\n".join(["MIIEpAIBAAKCAQEA" + lines[0][16:], *lines[1:]])
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    return Canary("private_key_pem", lines[2], text)


def _connection(dice: random.Random) -> Canary:
    password = _chars(dice, ALNUM, 18)
    return Canary(
        "connection_string", password, f"DATABASE_URL=postgresql://app:{password}@db.internal:5432/orders"
    )


def _password(dice: random.Random) -> Canary:
    value = _chars(dice, ALNUM, 6) + "!" + _chars(dice, ALNUM, 6) + "#7"
    return Canary("password", value, f"password: {value}")


@_made("credit_card", "my card is {}, valid 11/29")
def _card(dice: random.Random) -> str:
    return _luhn("4" + _digits(dice, 14))


@_made("iban", "transfer to IBAN {}")
def _iban(dice: random.Random) -> str:
    account = _digits(dice, 18)
    check = 98 - int(account + "131400") % 97  # DE = 1314
    return f"DE{check:02d}{account}"


@_made("crypto_wallet", "send the bitcoin to {}")
def _wallet(dice: random.Random) -> str:
    import hashlib

    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    payload = b"\0" + dice.randbytes(20)
    payload += hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, out = int.from_bytes(payload, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        out = alphabet[rest] + out
    return "1" + out


@_made("us_ssn", "my SSN is {}")
def _ssn(dice: random.Random) -> str:
    return f"{dice.randint(500, 665)}-{dice.randint(11, 98)}-{dice.randint(1001, 9998)}"


@_made("us_itin", "my ITIN is {}")
def _itin(dice: random.Random) -> str:
    return f"9{dice.randint(10, 99)}-{dice.randint(70, 88)}-{dice.randint(1001, 9998)}"


@_made("uk_nino", "national insurance number {}")
def _nino(dice: random.Random) -> str:
    return f"JG{_digits(dice, 6)}{dice.choice('ABCD')}"


@_made("uk_nhs", "NHS number {}")
def _nhs(dice: random.Random) -> str:
    while True:
        digits = dice.choice("4567") + _digits(dice, 8)
        check = 11 - sum(int(d) * (10 - i) for i, d in enumerate(digits)) % 11
        if check != 10:
            whole = digits + str(check % 11)
            return f"{whole[:3]} {whole[3:6]} {whole[6:]}"


@_made("national_id", "my DNI is {}")
def _dni(dice: random.Random) -> str:
    number = dice.randint(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


@_made("passport", "passport number {}")
def _passport(dice: random.Random) -> str:
    return f"C{_digits(dice, 8)}"


@_made("driver_license", "driver's license number {}")
def _license(dice: random.Random) -> str:
    return f"D{_digits(dice, 7)}"


@_made("date_of_birth", "date of birth: {}")
def _birth(dice: random.Random) -> str:
    return f"{dice.randint(13, 28)}/{dice.randint(1, 12):02d}/{dice.randint(1941, 1969)}"


@_made("email", "write to {}")
def _email(dice: random.Random) -> str:
    return f"canary.{_chars(dice, string.ascii_lowercase, 12)}@mailbox-canary.com"


@_made("phone", "call me at {}")
def _phone(dice: random.Random) -> str:
    return f"+1 415 {dice.randint(201, 554)} {dice.randint(1001, 9998)}"


@_made("ip_address", "the server is at {}")
def _ip(dice: random.Random) -> str:
    return f"81.{dice.randint(101, 254)}.{dice.randint(101, 254)}.{dice.randint(101, 254)}"


@_made("mac_address", "MAC address {}")
def _mac(dice: random.Random) -> str:
    return "3c:" + ":".join(f"{dice.randint(16, 255):02x}" for _ in range(5))


def _person(dice: random.Random) -> Canary:
    names = ("Bartholomew", "Guinevere", "Thaddeus", "Rosalind", "Archibald", "Henrietta")
    surnames = ("Featherstone", "Abernathy", "Carmichael", "Winterbourne", "Montgomery", "Fitzgerald")
    value = f"{dice.choice(names)} {dice.choice(surnames)}"
    return Canary("person_name", value, f"My name is {value}.")


@_made("postal_address", "I live at {}, Springfield, IL 62704")
def _address(dice: random.Random) -> str:
    return f"{dice.randint(1001, 9998)} {dice.choice(('Maple', 'Birchwood', 'Hawthorne'))} Avenue"


def _telegram(dice: random.Random) -> Canary:
    value = f"{dice.randint(100_000_000, 999_999_999)}:AA{_chars(dice, ALNUM + '_-', 33)}"
    return Canary("telegram_token", value, f"the bot token is {value}")


def _discord(dice: random.Random) -> Canary:
    user = base64.b64encode(_digits(dice, 18).encode()).decode()
    value = f"{user}.{_chars(dice, ALNUM, 6)}.{_chars(dice, ALNUM, 38)}"
    return Canary("discord_token", value, f"discord bot token {value}")


MAKERS: dict[str, Callable[[random.Random], Canary]] = {
    "aws_access_key": _token("aws_access_key", "AKIA", 16, "key id {}", string.ascii_uppercase + "234567"),
    "aws_secret": _token("aws_secret", "", 40, "aws_secret_access_key = {}", ALNUM),
    "azure_secret": _token(
        "azure_secret", "", 86, "AccountName=shop;AccountKey={}==;EndpointSuffix=core.windows.net", ALNUM
    ),
    "google_api_key": _token("google_api_key", "AIza", 35, "maps key {}", ALNUM),
    "google_oauth": _token("google_oauth", "GOCSPX-", 28, "client_secret {}", ALNUM),
    "github_token": _github,
    "gitlab_token": _token("gitlab_token", "glpat-", 20),
    "slack_token": lambda dice: _slack(dice),
    "stripe_key": _token("stripe_key", "sk_live_", 24),
    "openai_key": lambda dice: _openai(dice),
    "anthropic_key": _token("anthropic_key", "sk-ant-api03-", 95, "export ANTHROPIC_API_KEY={}"),
    "huggingface_token": _token("huggingface_token", "hf_", 34, "login with {}", string.ascii_letters),
    "npm_token": _token("npm_token", "npm_", 36, "//registry.npmjs.org/:_authToken={}"),
    "pypi_token": _token("pypi_token", "pypi-AgEIcHlwaS5vcmc", 90, "twine token {}"),
    "telegram_token": _telegram,
    "discord_token": _discord,
    "vendor_token": lambda dice: _sendgrid(dice),
    "api_key": _token("api_key", "", 32, "api_key = {}"),
    "jwt": _jwt,
    "private_key_pem": _pem,
    "connection_string": _connection,
    "password": _password,
    "high_entropy": _token("high_entropy", "", 44, "X-Session-Blob: {}"),
    "credit_card": _card,
    "iban": _iban,
    "crypto_wallet": _wallet,
    "us_ssn": _ssn,
    "us_itin": _itin,
    "uk_nino": _nino,
    "uk_nhs": _nhs,
    "national_id": _dni,
    "passport": _passport,
    "driver_license": _license,
    "date_of_birth": _birth,
    "email": _email,
    "phone": _phone,
    "ip_address": _ip,
    "mac_address": _mac,
    "person_name": _person,
    "postal_address": _address,
    # `custom` is whatever the user's policy says; tests that use it set this pattern: PROJ-[0-9]{8}
    "custom": _token("custom", "PROJ-", 8, "see {}", string.digits),
}


def _slack(dice: random.Random) -> Canary:
    value = f"xoxb-{_digits(dice, 12)}-{_digits(dice, 12)}-{_chars(dice, ALNUM, 24)}"
    return Canary("slack_token", value, f"slack bot token {value}")


def _openai(dice: random.Random) -> Canary:
    value = f"sk-proj-{_chars(dice, ALNUM, 74)}T3BlbkFJ{_chars(dice, ALNUM, 74)}"
    return Canary("openai_key", value, f"OPENAI_API_KEY={value}")


def _sendgrid(dice: random.Random) -> Canary:
    value = f"SG.{_chars(dice, ALNUM, 22)}.{_chars(dice, ALNUM, 43)}"
    return Canary("vendor_token", value, f"sendgrid key {value}")
