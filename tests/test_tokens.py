"""The token estimate: near the count of a real vocabulary, in any script, and linear."""

from __future__ import annotations

import time

import pytest

from aicc_hooks.detect.tokens import estimate_tokens

# cl100k_base's own counts, taken once with tiktoken.
COUNTED = {
    "english": (
        "The quick brown fox jumps over the lazy dog while the farmer reads yesterday's newspaper.",
        17,
    ),
    "german": (
        "Die Bundesregierung hat gestern ein neues Gesetz zur Förderung erneuerbarer Energien beschlossen.",
        26,
    ),
    "russian": ("Вчера правительство приняло новый закон о поддержке возобновляемых источников энергии.", 36),
    "chinese": ("政府昨天通过了一项支持可再生能源发展的新法律，预计明年开始实施。", 34),
    "japanese": ("政府は昨日、再生可能エネルギーの普及を支援する新しい法律を可決しました。", 40),
    "arabic": ("أقرت الحكومة أمس قانونا جديدا لدعم مصادر الطاقة المتجددة.", 42),
    "python": ("def area(width: float, height: float) -> float:\n    return round(width * height, 2)\n", 23),
    "base64": ("TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsuIEFuZCBzbyBvbiBhbmQgc28gZm9ydGg=", 47),
}


@pytest.mark.parametrize("name", COUNTED)
def test_estimate_is_near_a_real_vocabulary(name: str) -> None:
    text, counted = COUNTED[name]
    assert 0.7 * counted <= estimate_tokens(text) <= 1.5 * counted


def test_empty_text_has_no_tokens_and_any_text_has_one() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens(" ") == 1
    assert estimate_tokens("\ud800") >= 1


def test_estimate_grows_with_the_text() -> None:
    unit = "Some words, 12 numbers and {'json': true}.\n"
    assert estimate_tokens(unit * 100) == pytest.approx(100 * estimate_tokens(unit), rel=0.1)


def test_cost_is_linear_across_slices() -> None:
    unit = "The quick brown fox, jumps over 12 dogs. " * 2500

    def cost(times: int) -> float:
        text = unit * times
        best = float("inf")
        for _ in range(5):
            start = time.thread_time()
            estimate_tokens(text)
            best = min(best, time.thread_time() - start)
        return best

    cost(1)
    assert cost(40) < 10 * cost(10)  # 4x the text within 10x the time
