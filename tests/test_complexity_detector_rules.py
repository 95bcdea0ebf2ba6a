"""Floors, ceilings, the literal rule, the cost ratio and the ask/payload split."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_complexity_detector import ARTICLE, CODE, LOG, MAIL, TABLE

from aicc_hooks.detect.complexity import ComplexityConfig, ComplexityDetector, split_ask
from aicc_hooks.detect.complexity.model import Scores
from aicc_hooks.detect.complexity.rules import cheapest, signal_in
from aicc_hooks.verdict import ComplexityResult, Role, Segment

RANK = {"simple": 0, "medium": 1, "complex": 2}


def judge(text: str, **options: object) -> ComplexityResult:
    config = ComplexityConfig(**options)  # type: ignore[arg-type]
    return ComplexityDetector(config).inspect([Segment(text, Role.USER, 0)])


def test_a_signal_word_lifts_to_medium_and_says_which() -> None:
    result = judge("why is it called a hot dog?")
    assert result.tier == "medium"
    assert "floor:reasoning_signal:why" in result.why


@pytest.mark.parametrize("text", ["whyever", "a designer bag", "he derived pleasure", "classy"])
def test_a_signal_is_a_whole_word(text: str) -> None:
    assert signal_in(text, ComplexityConfig().reasoning_signals) == ""
    assert signal_in(text, ComplexityConfig().code_signals) == ""


def test_a_quoted_signal_is_spoken_about() -> None:
    assert judge('How do you say "design" in Spanish?').tier == "simple"


def test_signals_in_the_payload_do_not_count() -> None:
    payload = "why prove derive design tradeoff. " * 30
    assert not [why for why in judge(f'who wrote this?\n\n"{payload}"').why if why.startswith("floor")]


def test_own_signals_replace_the_shipped_ones() -> None:
    assert judge("hi zebra", reasoning_signals=("zebra",)).tier == "medium"
    assert judge("hi zebra").tier == "simple"


@pytest.mark.parametrize(
    ("limit", "least"), [("simple_max_tokens", "medium"), ("medium_max_tokens", "complex")]
)
def test_a_long_ask_is_never_of_the_lower_tier(limit: str, least: str) -> None:
    text = "hello there my friend, how are you today"
    assert judge(text).tier == "simple"
    options = {"simple_max_tokens": 2, "medium_max_tokens": 4} if least == "complex" else {limit: 2}
    result = judge(text, **options)
    assert result.tier == least
    assert f"ceiling:{limit}" in result.why


def test_ceilings_count_the_ask_alone() -> None:
    result = judge("What language is this?\n\n" + CODE * 40)
    assert result.ask_tokens < 20
    assert not [why for why in result.why if why.startswith("ceiling")]


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("hi", "simple"),
        ("why?", "complex"),
        ("```x```", "complex"),
        ("word " * 400, "medium"),
        ("word " * 2000, "complex"),
    ],
)
def test_classifier_rules_is_the_literal_rule(text: str, tier: str) -> None:
    assert judge(text, classifier="rules").tier == tier


def test_a_higher_cost_ratio_never_lowers_the_tier() -> None:
    rng = random.Random(3)
    for _ in range(200):
        scores = Scores(*(rng.random() for _ in range(4)))
        tiers = [RANK[cheapest(scores, ratio)] for ratio in (0.5, 1.0, 2.0, 4.0, 10.0, 50.0)]
        assert tiers == sorted(tiers)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [(CODE, "code"), (CODE.replace("```python\n", "").replace("```", ""), "code"), (ARTICLE, "article"), (LOG, "log"), (TABLE, "table"),
     (MAIL, "mail"), (json.dumps({"a": [1, 2], "b": {"c": "d"}}, indent=2), "json"), (f"<document>{ARTICLE}</document>", "article"),
     ('"' + ARTICLE + '"', "quote")],
    ids=["fenced", "bare-code", "article", "log", "table", "mail", "json", "tag", "quote"],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_split_finds_the_payload_on_either_side(payload: str, kind: str, first: bool) -> None:
    ask = "Please tell me what this is."
    split = split_ask(f"{ask}\n\n{payload}" if first else f"{payload}\n\n{ask}")
    assert split.ask == ask
    assert split.payload_kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "Write a function that takes a list and returns the unique items.\nYour code must keep the order.\nExplain each step.",
        "Tom has 3 apples. He buys 5 more and gives 2 to Ann. How many does he have?",
        "hi",
        "请写一个函数，返回列表中的唯一元素。",
    ],
)
def test_a_task_statement_is_all_ask(text: str) -> None:
    split = split_ask(text)
    assert split.ask == text
    assert split.payload_kind == ""


def test_pages_without_a_word_of_request_are_medium() -> None:
    result = judge(CODE.replace("```python\n", "").replace("```", "") * 4)
    assert result.tier == "medium"
    assert "no_ask" in result.why


@pytest.mark.parametrize(
    "payload", [CODE, ARTICLE + "\n\n", LOG + "\n", TABLE + "\n"], ids=["code", "article", "log", "table"]
)
@pytest.mark.parametrize(
    "ask", ["What language is this?", "How many lines are there?", "Summarise this in one sentence."]
)
def test_more_payload_never_makes_a_small_question_complex(ask: str, payload: str) -> None:
    for times in (1, 4, 16, 256):
        assert judge(f"{ask}\n\n{payload * times}").tier != "complex"


@given(st.lists(st.text(max_size=200), min_size=1, max_size=6), st.sampled_from(list(Role)))
@settings(max_examples=150, deadline=None)
def test_any_text_gets_a_tier(texts: list[str], role: Role) -> None:
    result = ComplexityDetector(ComplexityConfig()).inspect(
        [Segment(t, role, n) for n, t in enumerate(texts)]
    )
    assert result.tier in RANK
    assert 0.0 <= result.score <= 1.0
    assert not result.failed


@given(st.text(alphabet='`"<>/[]{}()|,;:#=*.$\\\n \tab1é文', max_size=400))
@settings(max_examples=200, deadline=None)
def test_split_loses_no_ask_on_odd_punctuation(text: str) -> None:
    split = split_ask(text)
    assert bool(split.ask or split.payload) == bool(text.strip())


@pytest.mark.parametrize(
    "unit",
    [
        "plain words in a row. ",
        "x = f(1);\n",
        '"',
        "<text>",
        "```\n",
        "a\tb\tc\n",
        "$x$ ",
        "> quoted\n",
        "字",
        "“",
        "«a",
        "„",
        "「",
        "[",
        "#",
    ],
)
def test_cost_is_flat_beyond_what_is_read(unit: str) -> None:
    detector = ComplexityDetector(ComplexityConfig())

    def cost(size: int) -> float:
        segments = [Segment((unit * (size // len(unit) + 1))[:size], Role.USER, 0)]
        best = float("inf")
        for _ in range(4):
            start = time.thread_time()
            detector.inspect(segments)
            best = min(best, time.thread_time() - start)
        return best

    cost(1_000)
    # 64 times the text: the split reads 8 KB of either; what grows is copying.
    assert cost(1_024_000) < 12 * cost(16_000) + 0.005
