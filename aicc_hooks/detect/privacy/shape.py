"""What a value looks like: random, wordy, a placeholder, an expression of code."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

# The commonest English letter pairs: about 80% of pairs in words, about 22% in random letters.
_PAIRS: Final = frozenset(
    [
        "th",
        "he",
        "in",
        "er",
        "an",
        "re",
        "on",
        "at",
        "en",
        "nd",
        "ti",
        "es",
        "or",
        "te",
        "of",
        "ed",
        "is",
        "it",
        "al",
        "ar",
        "st",
        "to",
        "nt",
        "ng",
        "se",
        "ha",
        "as",
        "ou",
        "io",
        "le",
        "ve",
        "co",
        "me",
        "de",
        "hi",
        "ri",
        "ro",
        "ic",
        "ne",
        "ea",
        "ra",
        "ce",
        "li",
        "ch",
        "ll",
        "be",
        "ma",
        "si",
        "om",
        "ur",
        "ca",
        "el",
        "ta",
        "la",
        "ns",
        "di",
        "fo",
        "ho",
        "pe",
        "ec",
        "pr",
        "no",
        "ct",
        "us",
        "ac",
        "ot",
        "il",
        "tr",
        "ly",
        "nc",
        "et",
        "ut",
        "ss",
        "so",
        "rs",
        "un",
        "lo",
        "wa",
        "ge",
        "ie",
        "wh",
        "ee",
        "wi",
        "em",
        "ad",
        "ol",
        "rt",
        "po",
        "we",
        "na",
        "ul",
        "ni",
        "ts",
        "mo",
        "ow",
        "pa",
        "im",
        "mi",
        "ai",
        "sh",
        "ir",
        "su",
        "id",
        "os",
        "iv",
        "ia",
        "am",
        "fi",
        "ci",
        "vi",
        "pl",
        "ig",
        "tu",
        "ev",
        "ld",
        "ry",
        "mp",
        "fe",
        "bl",
        "ab",
        "gh",
        "ty",
        "op",
        "wo",
        "sa",
        "ay",
        "ex",
        "ke",
        "fr",
        "oo",
        "av",
        "ag",
        "if",
        "ap",
        "gr",
        "od",
        "bo",
        "sp",
        "rd",
        "do",
        "uc",
        "bu",
        "ei",
        "ov",
        "by",
        "rm",
        "ep",
        "tt",
        "oc",
        "fa",
        "ef",
        "cu",
        "rn",
        "sc",
        "gi",
        "da",
        "yo",
        "cr",
        "cl",
        "du",
        "ga",
        "qu",
        "ue",
        "ff",
        "ba",
        "ey",
        "ls",
        "va",
        "um",
        "pp",
        "ua",
        "up",
        "lu",
        "go",
        "ht",
        "ru",
        "ug",
        "ds",
        "lt",
        "pi",
        "rc",
        "rr",
        "eg",
        "au",
        "ck",
        "ew",
        "mu",
        "br",
        "bi",
        "pt",
        "ak",
        "pu",
        "ui",
        "rg",
        "ib",
        "tl",
        "ny",
        "ki",
        "rk",
        "ys",
        "ob",
        "mm",
        "fu",
        "ph",
        "og",
        "ms",
        "ye",
        "ud",
        "mb",
        "ip",
        "ub",
        "oi",
        "rl",
        "gu",
        "dr",
        "hr",
        "cc",
        "tw",
        "ft",
        "wn",
        "nu",
        "af",
        "hu",
        "nn",
        "eo",
        "vo",
        "rv",
        "nf",
        "xp",
        "gn",
        "sm",
        "fl",
        "iz",
        "ok",
        "nl",
        "my",
        "gl",
        "aw",
        "ju",
        "oa",
        "eq",
        "sy",
        "sl",
        "ps",
        "jo",
        "lf",
        "nv",
        "je",
        "nk",
        "kn",
        "gs",
        "dy",
        "hy",
        "ze",
        "ks",
        "xt",
        "bs",
        "ik",
        "dd",
        "pt",
        "rp",
        "sk",
        "xi",
        "oe",
        "oy",
        "ws",
        "lv",
        "dl",
        "rf",
        "eu",
        "dg",
        "wr",
        "xa",
        "yi",
        "nm",
        "eb",
        "rb",
        "tm",
        "xc",
        "eh",
        "tc",
        "gy",
        "ja",
        "hn",
        "yp",
        "za",
        "gg",
        "lk",
        "mc",
    ]
)
_HEX: Final = re.compile(r"[0-9a-fA-F]+\Z")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_LETTERS: Final = re.compile(r"[A-Za-z]{2,}")
_CAMEL: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
# Plain searches beat one pattern of forty branches by twenty times, and this runs for every candidate value.
_MARKERS: Final = (
    "xxxx", "***", "...", "…", "•••", "____", "####", "00000000", "${", "$(", "{{", "}}", "%(", "your-", "your_", "your ", "-here", "_here", "here>", "example", "sample", "placeholder",
    "changeme", "change-me", "change_me", "changethis", "change-this", "change_this", "replace", "insert-", "insert_", "dummy", "redacted", "todo", "fixme", "lorem", "foobar",
    "1234567890abcdef", "abcdefghij", "deadbeef", "not-a-real", "not_a_real", "my-secret", "my_secret", "mysecret", "my-token", "my_token", "mytoken", "my-password", "my_password",
    "mypassword", "my-api", "my_api", "myapi",
)  # fmt: skip
_BRACKETS: Final = re.compile(r"<[^>]*>|\{[a-z_]*\}|%[sdv]\b|(?:^|[-_])(?:fake|mock|bogus|tbd)(?:$|[-_])")
_FIRST: Final = 160  # characters that are looked at

_DEFAULTS: Final = frozenset(
    [
        "password",
        "passwd",
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "apikey",
        "api_key",
        "none",
        "null",
        "nil",
        "true",
        "false",
        "undefined",
        "yes",
        "no",
        "on",
        "off",
        "root",
        "admin",
        "user",
        "username",
        "test",
        "testing",
        "guest",
        "default",
        "postgres",
        "mysql",
        "redis",
        "mongo",
        "string",
        "str",
        "text",
        "hidden",
        "required",
        "optional",
        "enabled",
        "disabled",
        "empty",
        "prompt",
        "ask",
        "env",
        "environ",
        "vault",
        "keyring",
        "input",
        "value",
        "changeit",
        "letmein",
        "abc",
        "foo",
        "bar",
        "baz",
        "qux",
        "object",
        "number",
        "boolean",
        "bool",
        "int",
        "integer",
        "any",
        "unknown",
        "float",
        "bytes",
        "varchar",
        "secretstr",
        "password123",
        "secret123",
        "unset",
        "unused",
        "hunter2",
        "correct",
        "missing",
        "invalid",
        "wrong",
        "forgotten",
        "expired",
        "protected",
        "private",
        "public",
        "self",
        "this",
        "new",
        "old",
        "current",
    ]
)
_VARIABLE: Final = re.compile(
    r"\$[A-Za-z_][A-Za-z0-9_]*\Z|%[A-Za-z_]+%\Z|@[A-Za-z_.]+@?\Z|&[a-z]+;?\Z|:[a-z_]+\Z"
)
_REDACTED: Final = re.compile(r"\[[A-Z][A-Z_]{2,39}(?::[0-9a-f]{4,16})?\]")


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    n = len(value)
    return -sum(c / n * math.log2(c / n) for c in Counter(value).values()) if n else 0.0


def wordiness(value: str) -> float:
    """Share of letter pairs that are common in words; 0.0 without letters. Camel humps count apart."""
    total = known = 0
    for run in _LETTERS.findall(value):
        for part in _CAMEL.findall(run):
            low = part.lower()
            for i in range(len(low) - 1):
                total += 1
                known += low[i : i + 2] in _PAIRS
    return known / total if total else 0.0


def is_hex(value: str) -> bool:
    return _HEX.match(value) is not None


def is_uuid(value: str) -> bool:
    return len(value) == 36 and _UUID.match(value) is not None


def is_placeholder(value: str) -> bool:
    """True for what stands where a value would: `${VAR}`, `<token>`, `changeme`, `xxxx`, a redaction mark."""
    low = value[:_FIRST].lower()
    return (
        low in _DEFAULTS
        or len(set(low)) <= 2
        or any(marker in low for marker in _MARKERS)
        or (
            (
                ("<" in low)
                or ("{" in low)
                or ("%" in low)
                or ("fake" in low)
                or ("mock" in low)
                or ("bogus" in low)
            )
            and _BRACKETS.search(low) is not None
        )
        or (low[0] in "$%@&:" and _VARIABLE.match(value) is not None)
        or ("[" in low and _REDACTED.search(value, 0, _FIRST) is not None)
    )


def is_random(value: str, shortest: int = 16) -> bool:
    """True when the value looks drawn at random: keys and tokens, not identifiers, paths or sentences."""
    if len(value) < shortest or is_placeholder(value):
        return False
    value = value[:96]  # enough to tell, and a bound on the work below
    if is_uuid(value):
        return True
    digits = sum(c.isdigit() for c in value)
    if is_hex(value):
        return 0 < digits < len(value) and entropy(value) > 2.5
    if digits == len(value):
        return False
    letters = len(value) - digits
    bits = entropy(value)
    if bits < 2.8:
        return False
    words = wordiness(value)
    if digits == 0:
        return words < 0.42 and bits > 3.0 and len(value) >= 20
    switches = sum(
        value[i].isdigit() != value[i + 1].isdigit()
        for i in range(len(value) - 1)
        if value[i].isalnum() and value[i + 1].isalnum()
    )
    if switches >= 5 and letters >= 3 and len(value) >= 16:
        return True  # k0vie9eg992w5i8: pronounceable by chance
    runs = max((len(r) for r in _LETTERS.findall(value)), default=0)
    if runs >= 5 and words > 0.66 and digits / len(value) < 0.3:
        return False
    return letters >= 3 and (words < 0.66 or digits / len(value) >= 0.3)


def is_password(value: str, quoted: bool) -> bool:
    """True when the value could be a password somebody chose: mixed kinds of characters, or quoted and no default."""
    if not 4 <= len(value) <= 128 or is_placeholder(value):
        return False
    has_digit = any(c.isdigit() for c in value)
    has_letter = any(c.isalpha() for c in value)
    special = sum(not c.isalnum() for c in value)
    if has_digit and (has_letter or special):
        return True
    if (
        has_letter
        and special
        and value[-1] not in ".,;:?!)"
        and not re.fullmatch(r"[A-Za-z]+(?:['._/-][A-Za-z]+)+", value)
    ):
        return True
    if quoted:
        return len(value) >= 6 and " " not in value
    return False
