"""Context sizes, cold starts, memory advice and the policy section."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aicc_hooks.resilience.cold_start import RequestRate, prefer_loaded
from aicc_hooks.resilience.config import ResilienceConfig, WarmUp
from aicc_hooks.resilience.context import (
    GIB,
    choose_num_ctx,
    memory_limit,
    room,
    tokens_needed,
    too_long,
    truncated,
)
from aicc_hooks.resilience.memory import recommend, total_ram
from aicc_hooks.resilience.warm_up import Warmer

BUCKETS = (8192, 16384, 32768)


@pytest.mark.parametrize(
    ("needed", "model_max", "memory_max", "loaded", "expected"),
    [
        (100, 131072, None, None, 8192),
        (8192, 131072, None, None, 8192),
        (8193, 131072, None, None, 16384),
        (40000, 131072, None, None, None),
        (3000, 4096, None, None, 4096),  # a small model is never asked for more than it has
        (5000, 4096, None, None, None),
        (20000, 24000, None, None, 24000),  # between two buckets the limit itself is one
        (20000, 131072, 18000, None, None),
        (10000, 131072, 18000, None, 16384),
        (100, 131072, None, 16384, 16384),  # loaded with more: no reload
        (10000, 131072, None, 8192, 16384),
        (100, 131072, 8192, 32768, 8192),  # loaded beyond the budget: brought back
        (100, None, None, None, 8192),
    ],
)
def test_num_ctx(
    needed: int, model_max: int | None, memory_max: int | None, loaded: int | None, expected: int | None
) -> None:
    assert choose_num_ctx(needed, model_max, BUCKETS, memory_max, loaded=loaded) == expected


@given(
    st.integers(1, 300_000), st.one_of(st.none(), st.integers(512, 262_144)), st.one_of(st.none(), st.integers(512, 262_144))
)  # fmt: skip
def test_num_ctx_always_fits_or_is_refused(
    needed: int, model_max: int | None, memory_max: int | None
) -> None:
    chosen = choose_num_ctx(needed, model_max, BUCKETS, memory_max)
    top = room(model_max, BUCKETS, memory_max)
    assert (chosen is None) == (needed > top)
    if chosen is not None:
        assert needed <= chosen <= top
        assert chosen in BUCKETS or chosen == top


def test_tokens_needed_keeps_room_for_the_answer() -> None:
    assert tokens_needed(1000, 0, 1024, 1.15) == 1150 + 1024
    assert tokens_needed(1000, 500, 1024, 1.15) == 1150 + 500
    assert tokens_needed(1000, 32_000, 1024, 1.15) == 1150 + 1024, "clients name more than models write"
    assert tokens_needed(1000, 500, 0, 1) == 1000, "an embedding has no answer"


def test_memory_budget_in_tokens() -> None:
    per_token = 2 * 48 * 8 * 128 * 2  # a 14B model: 192 KiB a token
    assert memory_limit(8 * GIB, per_token) == 43690
    assert memory_limit(8 * GIB, 0) is None


def test_a_refusal_holds_the_numbers_and_the_way_out() -> None:
    refusal = too_long("qwen-local", 50_000, 32_768, model_max=131_072)
    assert (refusal.code, refusal.status) == ("aicc_context_too_long", 400)
    for part in ("50000", "32768", "17232", "resilience.context"):
        assert part in str(refusal)
    assert "model's own" in str(too_long("m", 50_000, 32_768, model_max=32_768))


@pytest.mark.parametrize(
    ("finish", "prompt", "ctx", "expected"),
    [("stop", 100, 8192, ""), ("length", 100, 8192, "reply"), ("stop", 8192, 8192, "prompt"), ("length", 8191, 8192, "prompt"), (None, None, None, "")],
)  # fmt: skip
def test_what_was_cut(finish: str | None, prompt: int | None, ctx: int | None, expected: str) -> None:
    assert truncated(finish, prompt, ctx) == expected


def test_loaded_models_come_first_in_their_order() -> None:
    assert prefer_loaded(("a", "b", "c", "d"), {"d", "b"}) == ("b", "d", "a", "c")
    assert prefer_loaded(("a", "b"), ()) == ("a", "b")


def test_request_rate_over_a_window() -> None:
    now = [0.0]
    rate = RequestRate(10, clock=lambda: now[0])
    for _ in range(20):
        now[0] += 0.1
        rate.tick()
    assert rate.per_second() == 2
    now[0] += 10.1
    assert rate.per_second() == 0


def test_memory_advice_for_the_plans_mac() -> None:
    sizes = {"qwen2.5:14b": 9 * GIB, "deepseek-r1:14b": 9 * GIB, "llama3.2:latest": 2 * GIB}
    kv = {"qwen2.5:14b": int(1.5 * GIB), "deepseek-r1:14b": int(1.5 * GIB)}
    small, large = recommend(16 * GIB, sizes, kv), recommend(64 * GIB, sizes, kv)
    assert (small.max_loaded_models, small.num_parallel) == (1, 1)
    assert large.max_loaded_models == 3
    assert large.num_parallel == 4
    assert "OLLAMA_MAX_LOADED_MODELS 3" in large.commands[0]
    assert "choose a smaller one" in recommend(8 * GIB, sizes, kv).sentence
    assert recommend(8 * GIB, {}).max_loaded_models == 1
    assert total_ram() > 0


def test_policy_defaults_are_valid_and_strict() -> None:
    assert ResilienceConfig() == ResilienceConfig.model_validate({})
    for wrong in (
        {"breaker": {"cooldown": 5}},
        {"breaker": {"cooldown_s": 90}},  # above max_cooldown_s
        {"cold_start": {"sse_keepalive_s": 61}},
        {"context": {"buckets": [8192, 4096]}},
        {"context": {"models": {"m": []}}},
        {"limits": {"per_model": 0}},
    ):
        with pytest.raises(ValidationError):
            ResilienceConfig.model_validate(wrong)
    assert ResilienceConfig.model_validate({"context": {"models": {"m": [512]}}}).context.buckets_for(
        "m"
    ) == (512,)


class SlowStart:
    """An Ollama that is away for the first calls."""

    def __init__(self, away: int) -> None:
        self.away = away
        self.calls: list[tuple[str, object, object]] = []

    async def warm_up(
        self, model: str, *, keep_alive: object = None, num_ctx: int | None = None, timeout_s: float = 600
    ) -> float:
        self.calls.append((model, keep_alive, num_ctx))
        if len(self.calls) <= self.away:
            raise ConnectionRefusedError
        return 1.0


def test_warm_up_waits_for_ollama_and_repeats_on_schedule() -> None:
    async def main() -> None:
        ollama = SlowStart(away=2)
        rules = [
            WarmUp(model="qwen2.5:14b"),
            WarmUp(model="llama3.2", at_start=False, every_s=0.02, keep_alive=-1),
        ]
        warmer = Warmer(lambda _: ollama, lambda _: 8192, retry_s=[0.01])
        warmer.follow(rules)
        async with asyncio.timeout(10):
            while (
                warmer.last.get("qwen2.5:14b") != "loaded in 1.0 s"
                or sum(model == "llama3.2" for model, *_ in ollama.calls) < 3
            ):
                await asyncio.sleep(0.01)
        await warmer.stop()
        assert ollama.calls[0] == ("qwen2.5:14b", "30m", 8192)
        assert sum(model == "llama3.2" for model, *_ in ollama.calls) >= 3
        assert warmer.last["qwen2.5:14b"] == "loaded in 1.0 s"
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_warm_up_of_an_unknown_model_says_so() -> None:
    async def main() -> None:
        warmer = Warmer(lambda _: None, lambda _: None, retry_s=[0.01])
        warmer.follow([WarmUp(model="x")])
        await asyncio.sleep(0.02)
        await warmer.stop()
        assert warmer.last == {"x": "no upstream has this model"}

    asyncio.run(main())
