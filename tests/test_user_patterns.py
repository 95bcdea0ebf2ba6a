"""Searching only the user patterns whose literal occurs finds what searching all of them does."""

from __future__ import annotations

import random
import string
import sys
import time
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.detect.privacy.literals import _SAFE, fold, keyword_literals, required_literals
from aicc_hooks.detect.privacy.prefilter import PatternIndex


def detector(*patterns: str, **fields: Any) -> PrivacyDetector:
    """One with these custom patterns, in their order."""
    rows = [{"name": f"mine_{n}", "pattern": pattern, **fields} for n, pattern in enumerate(patterns)]
    return PrivacyDetector(PrivacyConfig.model_validate({"pii_regexes": [], "custom": rows}))


# --- which literals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"\bPRJ-[0-9]{5}\b", {"prj-"}),
        (r"(?i)api[_-]?key", {"apikey", "api-key", "api_key"}),
        (r"(?:Orion|Vega)-\d+", {"orion-", "vega-"}),
        (r"[Aa]cme", {"acme"}),
        (r"(?:abc){2}", {"abcabc"}),
        (r"(?:abcd)+\d", {"abcd"}),
        (r"Крот-\d+", {"крот-"}),
        (r"機密文書\d", {"機密文書"}),
        (r"(?:abc)?xyz", {"abcxyz", "xyz"}),
        (r"foo(?!bar)\d", {"foo"}),
        (r"(?i:secret)x", {"secretx"}),
        (r"[^s]ecr", {"ecr"}),
    ],
)
def test_the_literals_of_a_pattern(pattern: str, literals: set[str]) -> None:
    assert required_literals(pattern) == literals


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{3}-\d{4}",  # nothing literal long enough
        r"(?:abc|\d+)x",  # one branch has none
        r"(?:abc)*\d",  # none at all is allowed
        r"(?:foobar){e<=1}",  # fuzzy: an error away still matches
        r"(?b)(?:foobar){i<=3}",
        r"\p{Lu}secret",  # syntax of `regex` alone
        r"[[:alpha:]]secret",
        r"(?V1)[a-z--[aeiou]]secret",
        r"(?x) foo bar",  # blanks that are none
        r"(?|(foo)|(bar))baz",
        r"(secret)\1",
        r"(?x:a b c d)",
        r"(?<!foo)\d\d",
    ],
)
def test_no_literal_where_one_could_be_missed(pattern: str) -> None:
    assert required_literals(pattern) is None


EVERYTHING = "".join(chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000)


@pytest.mark.parametrize(
    "safe", [string.printable, "ÀÉßÿþµ", "ΑΣσςάϊ", "Жжёїћ", "א", "ب", "ぁヲ", "一龠", "가힣", "ıİſKÅ"]
)
def test_a_literal_is_folded_as_the_search_folds(safe: str) -> None:
    """Whatever a case-insensitive search takes for a character folds to the same, or the character gives no literal."""
    for character in safe:
        pattern = f"(?i){regex.escape(character)}ppp"
        if required_literals(pattern) == {fold(character) + "ppp"}:
            for other in regex.findall(f"(?i){regex.escape(character)}", EVERYTHING):
                assert fold(other) == fold(character), (character, other)


def test_whole_scripts_fold_as_the_search_folds() -> None:
    safe = "".join(c for c in EVERYTHING if _SAFE.fullmatch(c))
    assert len(safe) > 30_000
    cased = [c for c in safe if c.lower() != c or c.upper() != c]
    others = "".join(regex.findall(r"[\p{CWCM}\p{CWCF}]", EVERYTHING))  # all that case mapping touches
    met = regex.findall(f"(?i){_SAFE.pattern.removesuffix('*')}", EVERYTHING)
    assert set(met) - set(safe) <= set(others)
    for character in cased:
        for other in regex.findall(f"(?i){regex.escape(character)}", others):
            assert fold(other) == fold(character), (character, other)


# --- the same findings ----------------------------------------------------------------------------

PIECES = st.sampled_from([
    "abc", "ABC", "key", "sik", "İd", "ıf", "ß", "ſ", "K", "straße", "STRASSE", "é", "Σας", "ς", "жук", "日本語", "-", "_", "1", "42", " ", "\n",
    "\u0307", "PRJ-00042-", "PRJ-0004", "foo", "bar", "foobar",
])  # fmt: skip
ATOMS = st.one_of(
    PIECES.map(regex.escape),
    st.sampled_from([r"\d", r"\w+", ".", r"\b", "^", "$", "[a-c]", "[Kk]", "[^x]", r"\s?", "[İi]", r"\p{Lu}", r"[[:alpha:]]+", r"(?#note)", r"\x41"]),
)  # fmt: skip


def around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Groups, look-arounds, branches and repeats over parts."""
    opens = st.sampled_from(["(", "(?:", "(?i:", "(?-i:", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?s:", "(?|"])
    repeats = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "{,2}", "{0}", "??", "*?", "+?", "?+", "*+", "++", "{e<=1}", "{2,}"])  # fmt: skip
    return st.one_of(
        st.tuples(opens, inner, repeats).map(lambda t: f"{t[0]}{t[1]}){t[2]}"),
        st.tuples(inner, inner, repeats).map(lambda t: f"(?:{t[0]}|{t[1]}){t[2]}"),
        st.tuples(inner, inner).map("".join),
    )


PATTERNS = st.tuples(
    st.sampled_from(["", "", "(?i)", "(?im)", "(?ia)", "(?s)", "(?x)", "(?V1)", "(?if)"]),
    st.recursive(ATOMS, around, max_leaves=6),
).map("".join)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map("".join)


@settings(max_examples=800, deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=4))
def test_a_text_without_the_literals_has_no_match(pattern: str, texts: list[str]) -> None:
    try:
        compiled = regex.compile(pattern)
    except regex.error:
        return
    literals = required_literals(pattern)
    if literals is None:
        return
    for text in texts:
        for shown in (text, text.upper(), text.lower(), text.swapcase()):
            try:
                found = compiled.search(shown, timeout=0.2)
            except TimeoutError:
                continue
            assert found is None or any(literal in fold(shown) for literal in literals), (
                pattern,
                literals,
                shown,
            )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.frozensets(st.text("abcKé", min_size=3, max_size=6), min_size=1, max_size=3)), max_size=40),
    st.text("abcKé ", max_size=60),
)  # fmt: skip
def test_the_index_names_exactly_the_patterns_whose_literal_occurs(
    literals: list[frozenset[str] | None], text: str
) -> None:
    folded = [found and frozenset(map(fold, found)) for found in literals]
    wanted = [i for i, found in enumerate(folded) if found is None or any(w in fold(text) for w in found)]
    assert list(PatternIndex(folded).candidates(text)) == wanted


def test_findings_are_those_of_searching_every_pattern() -> None:
    rng = random.Random(7)
    parts = ["alpha", "beta", "gamma", "delta", "Key", "İstanbul", "straße", "ſecret", "42", "-", " "]
    patterns = [
        rf"(?i){''.join(rng.choices(parts, k=3))}" if n % 2 else rf"\b{''.join(rng.choices(parts, k=2))}\d*"
        for n in range(60)
    ]
    found = detector(*patterns)
    compiled = [(p.entity, p.compiled) for p in found._patterns]
    assert len(compiled) > 40
    for _ in range(200):
        text = "".join(rng.choices([*parts, "x", ".", "ALPHA", "BETA"], k=20))
        naive = [(name, m.start(), m.end()) for name, p in compiled for m in p.finditer(text)]
        assert found._user_hits(text) == naive


def test_a_literal_on_the_seam_of_two_slices_is_found() -> None:
    found = detector(*(rf"\bPRJ-{n:05d}\b" for n in range(40)))
    for before in range(65_520, 65_545):
        assert [f.type for f in found.find("x " * (before // 2) + "x" * (before % 2) + " PRJ-00007 x")] == [
            "mine_7"
        ]


# --- keywords -------------------------------------------------------------------------------------


def test_keywords_announce_a_pattern_without_literal() -> None:
    found = detector(r"\b\d{6}\b", keywords=["Kundennummer"])
    assert found.always_searched == 0
    assert [f.type for f in found.find("KUNDENNUMMER 123456")] == ["mine_0"]
    assert not found.find("the year 123456")


@pytest.mark.parametrize("keywords", [("a\nbc",), ("id",), ("",), ("ßtraße", "key")])
def test_keywords_that_do_not_announce(keywords: tuple[str, ...]) -> None:
    assert keyword_literals(keywords) is None


# --- cost -----------------------------------------------------------------------------------------


def test_two_thousand_patterns_load_quickly() -> None:
    began = time.process_time()
    found = detector(*(rf"\bPRJ-{n:05d}-[A-Z]{{3}}\b" for n in range(2000)))
    assert time.process_time() - began < 6  # 0.6 s alone on a slow core
    assert found.always_searched == 0
    assert [f.type for f in found.find("see PRJ-01234-ABC.")] == ["mine_1234"]
