"""A text as a stream of tokens, each with a class of `lexicon` and a stable 64-bit hash.

`read(text)` gives `Stream(classes, hashes)`: `classes` is a string with one character a token, so that a rule is a small
regular expression over a few hundred characters; `hashes` feeds the n-gram model. A sentence boundary is the token `|`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from string import ascii_lowercase, ascii_uppercase
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aicc_hooks.detect.injection.lexicon import CIPHER_WORDS, ENGLISH, TYPO_WORDS
from aicc_hooks.detect.injection.lexicon_world import SPACED, UNSPACED
from aicc_hooks.detect.injection.rules import hint
from aicc_hooks.detect.injection.vocabulary import CAPACITY, Vocabulary, Word

OTHER: Final = "."
BOUNDARY: Final = "|"
SHIFTED: Final = "0"  # a key word under a Caesar shift
REVERSED: Final = "1"  # a key word backwards
LEET: Final = "2"  # a key word in leet
SINGLE: Final = ","  # one character
DENSE: Final = "4"  # one character of a script without spaces
CODE: Final = "3"  # a byte in hex, decimal or binary
SIGNALS: Final = frozenset(
    (OTHER, SHIFTED, REVERSED, LEET, SINGLE, DENSE, CODE)
)  # say how to decode, not what is meant
_MAX_WORD = 40  # longer runs are data, not language; only their head is looked at

# Han, Kana, Thai and kin are written without spaces: listed terms first, else one character is one token.
_DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_MARKS = "\u0300-\u036f\u064b-\u0652\u0900-\u0903\u093a-\u094f\u0981-\u0983\u09bc-\u09cd\u0b82\u0bbe-\u0bcd\u0591-\u05c7"
_END = r"[.!?;:。！？；：।؟|\n\r\"“”<>\[\]{}#`•—]+"
_TAIL = r"(?:'[a-z]+)?"
_LETTER = rf"[^\W{_DENSE}]"
_WORD = rf"(?:{_LETTER}+(?:[{_MARKS}]+{_LETTER}*)*|(?:[{_MARKS}]+{_LETTER}*)+){_TAIL}"
_TOKEN: Final = re.compile(rf"{_WORD}|{_END}")
_DENSE_RUN: Final = re.compile(f"([{_DENSE}]+)")
# Typographic marks as typed on a keyboard: English prose then is ASCII and takes the fast way.
_TYPED: Final = (
    ("\u2019", "'"),
    ("\u201c", '"'),
    ("\u201d", '"'),
    ("\u2014", "|"),
    ("\u2022", "|"),
    ("\u2018", " "),
    ("\u2013", " "),
)


def _terms() -> dict[str, str]:
    found: dict[str, str] = {}
    for classes in UNSPACED.values():
        for name, words in classes.items():
            for word in words.split():
                found.setdefault(unicodedata.normalize("NFKC", word).lower(), name)
    return found


_TERMS: Final = _terms()


# The longest first. Most characters begin no term, and `re` skips those at once.
_TERM: Final = re.compile(
    "|".join(sorted((re.escape(t) for t in _TERMS if not t.isascii()), key=len, reverse=True))
)


def _dense_words(run: str) -> list[str]:
    """A run of a script without spaces as listed terms, the longest first, and single characters."""
    words: list[str] = []
    at = 0
    for term in _TERM.finditer(run):
        words += run[at : term.start()]
        words.append(term.group())
        at = term.end()
    words += run[at:]
    return words


def plain(word: str) -> str:
    """Lower case without accents, so that `précédentes` and `precedentes` are one word."""
    if word.isascii():
        return word.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not ("\u0300" <= c <= "\u036f")).lower()


def _slips(word: str) -> Iterable[str]:
    """Every form of a word with one letter lost, doubled or swapped with its neighbour; of a long one, wrong or put in."""
    if len(word) > 7:  # short words are too near to others
        for i in range(1, len(word)):
            for letter in ascii_lowercase:
                yield word[:i] + letter + word[i:]
                yield word[:i] + letter + word[i + 1 :]
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i - 1] + word[i:]
        yield word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :]


def _ciphered() -> dict[str, str]:
    """`CIPHER_WORDS` under every Caesar shift (class 0) and backwards (class 1): signs that a text must be decoded."""
    found: dict[str, str] = {}
    for word in CIPHER_WORDS.split():
        found[word[::-1]] = REVERSED
        for shift in range(1, 26):
            found[rotate(word, shift)] = SHIFTED
    return found


def rotate(text: str, shift: int) -> str:
    """Letters moved `shift` places along the alphabet, case kept."""
    lower, upper = ascii_lowercase, ascii_uppercase
    table = str.maketrans(lower + upper, lower[shift:] + lower[:shift] + upper[shift:] + upper[:shift])
    return text.translate(table)


def _tables() -> tuple[dict[str, str], dict[str, str]]:
    exact: dict[str, str] = {}
    stems: dict[str, str] = {}
    # Later classes must not steal a word from an earlier, stronger one.
    for name in "VISPULMRAKDEJNFTaXZGBCQYOWwtqchb":
        for word in ENGLISH[name].split():
            exact.setdefault(word, name)
    for typo in TYPO_WORDS.split():
        for slip in _slips(typo):
            exact.setdefault(slip, exact[typo])
    for classes in SPACED.values():
        for name, words in classes.items():
            for word in words.split():
                for part in word.split("_") if "_" in word else [word]:
                    target, key = (stems, part[:-1]) if part.endswith("*") else (exact, part)
                    target.setdefault(plain(key), name)
    return exact, stems


_EXACT, _STEMS = _tables()
CIPHER_SET: Final = frozenset(CIPHER_WORDS.split())
_CIPHER: Final = {word: name for word, name in _ciphered().items() if word not in _EXACT}
_ARABIC_PREFIXES = ("وال", "بال", "لل", "ال", "و", "ب", "ל", "ה", "ו", "ב")


_CODE: Final = re.compile(r"(?:0?x)?(?:[2-7][0-9a-f]|0[ad])|\d{2,3}|[01]{7,8}")
_NATIVE: Final = frozenset(w for words in ENGLISH.values() for w in words.split()) | frozenset(
    slip for typo in TYPO_WORDS.split() for slip in _slips(typo)
)
_LEET: Final = str.maketrans("013456789@$!|+€", "oieasgtbgasiite")


def unleet(word: str) -> str:
    """The English lexicon word a leet word stands for, or the empty string."""
    for one in "ilt" if any(c in word for c in "1!|") else "i":
        plain_word = re.sub(r"[1!|]", one, word).translate(_LEET)
        if len(plain_word) > 2 and (plain_word in _EXACT or plain_word in CIPHER_SET):
            return plain_word
    return ""


def _lookup(word: str) -> str:
    if (
        len(word) < 2 and word != "i"
    ):  # before the lexicon: "y" and "e" are words, but letters set apart matter more
        if "\u0e00" <= word <= "\u9fff":
            return DENSE
        return OTHER if word == "a" or word.isdigit() else SINGLE
    name = _EXACT.get(word) or _CIPHER.get(word)
    if name:
        return name
    if _CODE.fullmatch(word):
        return CODE
    if not word.isalpha() and len(word) > 2 and unleet(word):
        return LEET
    for size in range(min(len(word), 12), 1, -1):
        name = _STEMS.get(word[:size])
        if name and (size > 3 or not word.isascii()):
            return name
    for prefix in _ARABIC_PREFIXES:
        if word.startswith(prefix) and len(word) > len(prefix) + 2:
            rest = word[len(prefix) :]
            name = _EXACT.get(rest)
            if name:
                return name
    if "'" in word:
        head = word.split("'")[0]
        return _EXACT.get(head, OTHER)
    return OTHER


def _token(word: str) -> Word:
    """Class, hash, "known only from another language" and hints of one token."""
    foreign = False
    if word in _TERMS:
        name, foreign = _TERMS[word], True
    elif word[0].isalnum() or word[0] == "_":
        word = plain(word[:_MAX_WORD])
        name = _lookup(word)
        foreign = name not in SIGNALS and word not in _NATIVE
        if not word.isalpha():
            word = re.sub(r"\d", "0", word)  # digits carry no meaning for the model
    else:
        name, word = BOUNDARY, word[0]
    if name == BOUNDARY or word[0].isdigit():
        return Word(name, 0, False, 0)  # tables repeat their bars and numbers; they say nothing
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return Word(name, int.from_bytes(digest, "little"), foreign, hint(word))


@dataclass(frozen=True, slots=True)
class Stream:
    """Tokens of one text: `classes` (one character a token), `hashes` (uint64, 0: bars and numbers), equally long.

    `foreign` counts the classified words that are not English; `hints` are the rules over text worth trying.
    """

    classes: str
    hashes: NDArray[np.uint64]
    foreign: int = 0
    hints: int = 0


_vocabulary = Vocabulary(_token)
_BARS: Final = b'.!?;:|\n\r"<>[]{}#`'  # the ASCII part of _END
_SPLIT: Final = bytes(
    124 if c in _BARS else c if (chr(c).isalnum() and c < 128) or c in b"_'" else 32 for c in range(256)
)


def _ascii_words(lowered: str) -> list[bytes]:
    """What `_TOKEN` finds in ASCII, through byte tables: five times as fast."""
    raw = lowered.encode("ascii").translate(_SPLIT)
    while b"||" in raw:
        raw = raw.replace(b"||", b"|")
    if b"'" in raw:
        raw = _apostrophes(raw)
    return raw.replace(b"|", b" | ").split()


def _apostrophes(raw: bytes) -> bytes:
    """Kept where a word goes on behind it (`don't`, one a word), blanks where it quotes."""
    first, *rest = raw.split(b"'")
    parts, before, kept = [first], first, False
    for part in rest:
        kept = before[-1:].isalnum() and part[:1].isalpha() and not (kept and before.isalnum())
        parts.append(b"'" if kept else b" ")
        parts.append(part)
        before = part
    return b"".join(parts)


def read(text: str) -> Stream:
    """Tokens of a text that is already normalised. One pass, linear."""
    global _vocabulary
    words: list[str] | list[bytes]
    mixed: list[str]
    if not text.isascii():
        for mark, typed in _TYPED:
            text = text.replace(mark, typed)
    lowered = text.lower()
    if lowered.isascii():
        words = _ascii_words(lowered)
    elif _DENSE_RUN.search(lowered):
        words = mixed = []
        for index, part in enumerate(_DENSE_RUN.split(lowered)):
            mixed += _dense_words(part) if index % 2 else _TOKEN.findall(part)
    else:
        words = _TOKEN.findall(lowered)
    if not words:
        return Stream("", np.zeros(0, dtype=np.uint64))
    vocabulary = _vocabulary
    numbers = vocabulary.numbers(words)
    if numbers is None:
        _vocabulary = vocabulary = Vocabulary(_token, max(CAPACITY, len(words)))  # full: begin anew
        numbers = vocabulary.numbers(words)
        assert numbers is not None
    return Stream(
        vocabulary.names[numbers].tobytes().decode("ascii"),
        vocabulary.hashes[numbers],
        int(np.count_nonzero(vocabulary.foreign[numbers])),
        int(np.bitwise_or.reduce(vocabulary.hints[numbers])),
    )


def shifts_of(word: str) -> tuple[int, ...]:
    """Caesar shifts under which the word is a shifted key word."""
    if word not in _CIPHER:
        return ()
    return tuple(s for s in range(1, 26) if rotate(word, 26 - s) in CIPHER_SET)


# English lexicon words inside a run of letters without spaces, longest first; short ones would cut words apart.
KNOWN_WORD: Final = re.compile(
    "|".join(
        sorted(
            {w for name in "VIPQYOSRMALUKCN" for w in ENGLISH[name].split() if len(w) > 2 and w.isalpha()}
            | {"and", "the", "that", "with", "for", "are"},
            key=len,
            reverse=True,
        )
    )
)
