"""The breaker: when it opens, what it lets through, what it forgets."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicc_hooks.resilience.circuit import State
from aicc_hooks.resilience.circuit_breaker import CircuitBreaker
from aicc_hooks.resilience.classify import FAILURES, Outcome
from aicc_hooks.resilience.config import BreakerConfig
from aicc_hooks.resilience.permit import Denied, Permit, Transition, upstream_down

A = "http://localhost:11434"
CONFIG = BreakerConfig(consecutive_failures=3, cooldown_s=5, max_cooldown_s=60, jitter=0, min_requests=10)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(config: BreakerConfig = CONFIG) -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    return CircuitBreaker(config, clock=clock, rng=lambda: 0.5), clock


def attempt(breaker: CircuitBreaker, outcome: Outcome, deployment: str = "qwen", address: str = A) -> Permit:
    permit = breaker.allow(address, deployment)
    assert isinstance(permit, Permit), permit
    breaker.record(permit, outcome)
    return permit


def state(breaker: CircuitBreaker, scope: str, key: str) -> str:
    return str(breaker.snapshot()[scope][key]["state"])


def test_one_refused_connection_opens_the_address_for_every_model_on_it_at_once() -> None:
    breaker, _ = make()
    attempt(breaker, Outcome.REFUSED, "qwen")
    denied = breaker.allow("http://127.0.0.1:11434/v1", "llama")  # same server, other spelling
    assert isinstance(denied, Denied)
    assert (denied.scope, denied.key, math.ceil(denied.retry_after)) == ("address", "localhost:11434", 5)
    assert breaker.allow("http://localhost:8080", "mlx"), "another address is not concerned"


def test_a_failing_model_opens_only_itself() -> None:
    breaker, _ = make()
    for _ in range(3):
        attempt(breaker, Outcome.SERVER_ERROR, "qwen")
    denied = breaker.allow(A, "qwen")
    assert isinstance(denied, Denied)
    assert denied.scope == "deployment"
    assert breaker.allow(A, "llama")


def test_several_failing_models_open_their_address() -> None:
    breaker, _ = make()
    attempt(breaker, Outcome.TIMEOUT, "qwen")
    attempt(breaker, Outcome.TIMEOUT, "llama")
    attempt(breaker, Outcome.TIMEOUT, "qwen")
    denied = breaker.allow(A, "embed")
    assert isinstance(denied, Denied)
    assert denied.scope == "address"


@pytest.mark.parametrize("outcome", [Outcome.LOADING, Outcome.CANCELLED, Outcome.CLIENT_ERROR])
def test_loading_hang_ups_and_bad_requests_never_open_anything(outcome: Outcome) -> None:
    breaker, _ = make()
    for _ in range(200):
        attempt(breaker, outcome)
    assert breaker.allow(A, "qwen")
    assert breaker.snapshot()["deployment"]["qwen"]["failures"] == 0


def test_they_do_not_hide_failures_either() -> None:
    breaker, _ = make()
    for outcome in (
        Outcome.SERVER_ERROR,
        Outcome.CLIENT_ERROR,
        Outcome.SERVER_ERROR,
        Outcome.CANCELLED,
        Outcome.OOM,
    ):
        attempt(breaker, outcome)
    assert not breaker.allow(A, "qwen")


def test_a_success_in_between_starts_the_count_anew() -> None:
    breaker, _ = make()
    for outcome in (Outcome.TIMEOUT, Outcome.TIMEOUT, Outcome.OK, Outcome.TIMEOUT, Outcome.TIMEOUT):
        attempt(breaker, outcome)
    assert breaker.allow(A, "qwen")


def test_the_error_rate_opens_although_failures_are_never_consecutive() -> None:
    breaker, clock = make()
    for index in range(10):
        clock.now += 0.1
        attempt(breaker, Outcome.OK if index % 2 else Outcome.SERVER_ERROR)
    attempt(breaker, Outcome.SERVER_ERROR)  # the window holds enough now: six of eleven
    denied = breaker.allow(A, "qwen")
    assert isinstance(denied, Denied)
    assert "of 11 requests failed" in denied.reason


def test_failures_older_than_the_window_are_forgotten() -> None:
    breaker, clock = make(CONFIG.model_copy(update={"consecutive_failures": 100}))
    for _ in range(9):
        attempt(breaker, Outcome.SERVER_ERROR)
    clock.now += 31
    for _ in range(9):
        attempt(breaker, Outcome.OK)
    attempt(breaker, Outcome.SERVER_ERROR)
    assert breaker.allow(A, "qwen")
    assert breaker.snapshot()["deployment"]["qwen"] | {"reason": ""} == {
        "state": "closed", "requests": 10, "failures": 1, "consecutive_failures": 1, "retry_in_s": 0.0, "due_for_s": 0.0, "reason": "",
    }  # fmt: skip


def test_half_open_lets_exactly_one_request_through() -> None:
    breaker, clock = make()
    attempt(breaker, Outcome.REFUSED)
    clock.now += 4.9
    assert not breaker.allow(A, "qwen")
    clock.now += 0.2
    trial = breaker.allow(A, "qwen")
    assert isinstance(trial, Permit)
    assert trial.trial
    assert not any(breaker.allow(A, name) for name in ("qwen", "llama", "embed"))
    breaker.record(trial, Outcome.OK)
    assert all(breaker.allow(A, name) for name in ("qwen", "llama", "embed"))


@pytest.mark.parametrize("scope", ["address", "deployment"])
def test_of_fifty_requests_at_once_exactly_one_is_the_trial(scope: str) -> None:
    breaker, clock = make()
    for _ in range(3):
        attempt(breaker, Outcome.REFUSED if scope == "address" else Outcome.SERVER_ERROR)
        if scope == "address":
            break
    for _ in range(20):  # a trial that fails is followed by exactly one again
        clock.now += 200
        start = threading.Barrier(50)

        def ask(_: int, start: threading.Barrier = start) -> Permit | Denied:
            start.wait(10)
            return breaker.allow(A, "qwen")

        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(ask, range(50)))
        trials = [a for a in answers if isinstance(a, Permit)]
        assert [t.trial for t in trials] == [True]
        breaker.record(trials[0], Outcome.TIMEOUT)
    clock.now += 200
    attempt(breaker, Outcome.OK)
    assert all(breaker.allow(A, "qwen") for _ in range(50))


def test_a_failed_trial_waits_longer_each_time_up_to_the_cap() -> None:
    breaker, clock = make()
    attempt(breaker, Outcome.REFUSED)
    waits = []
    for _ in range(6):
        denied = breaker.allow(A, "qwen")
        assert isinstance(denied, Denied)
        waits.append(denied.retry_after)
        clock.now += denied.retry_after
        attempt(breaker, Outcome.REFUSED)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_jitter_spreads_the_probe() -> None:
    waits = set()
    for spread in (0.0, 0.5, 0.99):
        clock = Clock()
        breaker = CircuitBreaker(
            CONFIG.model_copy(update={"jitter": 0.2}), clock=clock, rng=lambda s=spread: s
        )  # type: ignore[misc]
        attempt(breaker, Outcome.REFUSED)
        denied = breaker.allow(A, "qwen")
        assert isinstance(denied, Denied)
        waits.add(round(denied.retry_after, 2))
    assert waits == {4.0, 5.0, 5.98}


def test_a_trial_of_a_loading_model_or_of_a_client_that_left_is_no_news() -> None:
    breaker, clock = make()
    for _ in range(3):
        attempt(breaker, Outcome.SERVER_ERROR)
    clock.now += 6
    attempt(breaker, Outcome.CANCELLED)  # the trial
    trial = breaker.allow(A, "qwen")
    assert isinstance(trial, Permit)
    assert trial.trial, "the next request is the trial"
    breaker.record(trial, Outcome.LOADING)
    attempt(breaker, Outcome.OK)
    assert state(breaker, "deployment", "qwen") == "closed"


def test_a_trial_nobody_reports_is_given_up_in_the_end() -> None:
    breaker, clock = make()
    attempt(breaker, Outcome.REFUSED)
    clock.now += 6
    lost = breaker.allow(A, "qwen")
    assert isinstance(lost, Permit)
    assert not breaker.allow(A, "qwen")
    clock.now += CONFIG.trial_timeout_s
    second = breaker.allow(A, "qwen")
    assert isinstance(second, Permit)
    breaker.record(lost, Outcome.REFUSED)  # too late: the second trial decides
    assert state(breaker, "address", "localhost:11434") == "half_open"
    breaker.record(second, Outcome.OK)
    assert state(breaker, "address", "localhost:11434") == "closed"


def test_an_attempt_from_before_the_opening_does_not_close_it() -> None:
    breaker, _ = make()
    early = breaker.allow(A, "qwen")
    assert isinstance(early, Permit)
    attempt(breaker, Outcome.REFUSED)
    breaker.record(early, Outcome.OK)
    assert not breaker.allow(A, "qwen")


def test_a_health_probe_opens_and_closes_an_address() -> None:
    breaker, _ = make()
    breaker.unreachable(A)
    assert not breaker.allow(A, "qwen")
    breaker.reachable(A)
    permit = breaker.allow(A, "qwen")
    assert isinstance(permit, Permit)
    assert not permit.trial


def test_listing_usable_deployments_takes_no_trial() -> None:
    breaker, clock = make()
    attempt(breaker, Outcome.REFUSED)
    assert not breaker.usable(A, "qwen")
    assert breaker.retry_after([(A, "qwen"), ("http://other:1", "x")]) == 1
    assert breaker.retry_after([(A, "qwen")]) == 5
    clock.now += 6
    assert breaker.usable(A, "qwen")
    assert breaker.usable(A, "qwen")
    assert breaker.allow(A, "qwen")
    assert not breaker.usable(A, "qwen")


def test_the_refusal_says_when_to_come_back() -> None:
    breaker, _ = make()
    attempt(breaker, Outcome.REFUSED)
    refusal = upstream_down("qwen-local", breaker.retry_after([(A, "qwen")]), "connection refused")
    assert (refusal.code, refusal.status, refusal.retry_after) == ("aicc_upstream_down", 503, 5)
    assert "qwen-local" in refusal.message
    assert "connection refused" in refusal.message


def test_transitions_are_told_in_order_and_a_broken_listener_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    breaker, clock = make()
    seen: list[Transition] = []

    def broken(_: Transition) -> None:
        raise RuntimeError("x")

    breaker.subscribe(broken)
    breaker.subscribe(seen.append)
    attempt(breaker, Outcome.REFUSED)
    clock.now += 6
    attempt(breaker, Outcome.OK)
    assert [(t.key, t.old, t.new) for t in seen] == [
        ("localhost:11434", State.CLOSED, State.OPEN),
        ("localhost:11434", State.OPEN, State.HALF_OPEN),
        ("localhost:11434", State.HALF_OPEN, State.CLOSED),
    ]
    assert seen[0].cooldown_s == 5
    assert "a breaker listener failed" in caplog.text


def test_switched_off_it_allows_everything() -> None:
    breaker, _ = make(BreakerConfig(enabled=False))
    for _ in range(20):
        attempt(breaker, Outcome.REFUSED)
    breaker.unreachable(A)
    assert breaker.allow(A, "qwen")
    assert breaker.usable(A, "qwen")


def test_a_reload_keeps_what_is_open() -> None:
    breaker, _ = make()
    attempt(breaker, Outcome.REFUSED)
    breaker.configure(CONFIG.model_copy(update={"window_s": 60, "consecutive_failures": 1}))
    assert not breaker.allow(A, "qwen")
    attempt(breaker, Outcome.SERVER_ERROR, "x", "http://b:1")
    assert not breaker.allow("http://b:1", "x"), "the new threshold counts"


steps = st.lists(
    st.tuples(st.sampled_from(["ask", "end", "wait"]), st.integers(0, 3), st.sampled_from(list(Outcome))),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_never_two_trials_at_once_and_never_stuck(script: list[tuple[str, int, Outcome]]) -> None:
    breaker, clock = make(CONFIG.model_copy(update={"trial_timeout_s": 10_000}))
    running: list[Permit] = []
    for action, number, outcome in script:
        if action == "ask":
            answer = breaker.allow(A, f"m{number}")
            if isinstance(answer, Permit):
                running.append(answer)
            else:
                assert 0 < answer.retry_after <= CONFIG.max_cooldown_s
        elif action == "end" and running:
            breaker.record(running.pop(number % len(running)), outcome)
        else:
            clock.now += number * 2.5
        for trial in (p for p in running if p.trial):
            assert not breaker.usable(A, trial.deployment), "a second trial would go"
    for permit in running:
        breaker.record(permit, Outcome.CANCELLED)
    clock.now += CONFIG.max_cooldown_s
    for number in range(4):
        attempt(breaker, Outcome.OK, f"m{number}")
    assert {c["state"] for s in breaker.snapshot().values() for c in s.values()} <= {"closed"}


def test_failures_are_what_the_breaker_counts() -> None:
    for outcome in Outcome:
        breaker, _ = make(CONFIG.model_copy(update={"consecutive_failures": 1}))
        attempt(breaker, outcome)
        assert bool(breaker.usable(A, "qwen")) is (outcome not in FAILURES), outcome


def test_a_call_costs_microseconds() -> None:
    breaker = CircuitBreaker()
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(2000):
            permit = breaker.allow(A, "qwen")
            breaker.record(permit, Outcome.OK)  # type: ignore[arg-type]
        best = min(best, (time.perf_counter() - began) / 4000)
    # The aim is 10 µs a call; five times that here, because the machine is shared.
    assert best < 50e-6, f"{best * 1e6:.1f} µs a call"
