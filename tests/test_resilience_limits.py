"""The queue: fair, bounded, and without leaks whatever ends a request."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicc_hooks.errors import Refusal
from aicc_hooks.resilience.config import LimitsConfig
from aicc_hooks.resilience.limits import FairLimiter, Slot

A = "http://localhost:11434"


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 20))


async def settle(rounds: int = 5) -> None:
    for _ in range(rounds):
        await asyncio.sleep(0)


def running(limiter: FairLimiter) -> int:
    return sum(lane["running"] for lane in limiter.snapshot()["addresses"].values())


def waiting(limiter: FairLimiter) -> int:
    return sum(lane["waiting"] for lane in limiter.snapshot()["addresses"].values())


def test_it_queues_instead_of_rejecting_and_serves_in_order() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1))
        order: list[int] = []

        async def request(number: int) -> None:
            with await limiter.acquire("qwen", A, "me"):
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*(request(n) for n in range(20)))
        assert order == list(range(20))
        assert running(limiter) == waiting(limiter) == 0

    run(main())


def test_a_flood_of_one_client_does_not_hold_back_another() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1))
        order: list[str] = []

        async def request(client: str) -> None:
            with await limiter.acquire("qwen", A, client):
                order.append(client)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(request("flood")) for _ in range(50)]
        await settle()
        tasks += [asyncio.create_task(request("small")) for _ in range(3)]
        await asyncio.gather(*tasks)
        places = [i for i, client in enumerate(order) if client == "small"]
        first = places[0]
        assert places == [first, first + 2, first + 4], order
        assert first <= 8

    run(main())


def test_a_saturated_model_does_not_block_another_on_the_same_address() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1, per_address=2))
        slow = await limiter.acquire("qwen", A, "a")
        stuck = asyncio.create_task(limiter.acquire("qwen", A, "a"))
        await settle()
        with await asyncio.wait_for(limiter.acquire("llama", A, "a"), 1):
            assert not stuck.done()
        slow.release()
        (await stuck).release()

    run(main())


def test_the_address_limit_holds_over_all_its_models() -> None:
    async def main() -> None:
        limiter = FairLimiter(
            LimitsConfig(per_model=4, per_address=8, addresses={"http://127.0.0.1:11434": 2})
        )
        slots = [await limiter.acquire(m, A) for m in ("a", "b")]
        third = asyncio.create_task(limiter.acquire("c", A))
        elsewhere = await limiter.acquire("c", "http://other:1")
        await settle()
        assert not third.done()
        slots[0].release()
        (await third).release()
        slots[1].release()
        elsewhere.release()
        assert running(limiter) == 0

    run(main())


def test_a_full_queue_refuses_at_once_with_429_and_retry_after() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1, queue_length=2))
        slot = await limiter.acquire("qwen", A)
        tasks = [asyncio.create_task(limiter.acquire("qwen", A, str(i))) for i in range(2)]
        await settle()
        with pytest.raises(Refusal) as refusal:
            await limiter.acquire("qwen", A, "late")
        assert (refusal.value.code, refusal.value.status) == ("aicc_overloaded", 429)
        assert refusal.value.retry_after is not None
        assert 1 <= refusal.value.retry_after <= 60
        slot.release()
        for task in tasks:
            (await task).release()
        assert running(limiter) == 0
        assert limiter.refused == 1

    run(main())


def test_one_client_cannot_fill_the_queue() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1, queue_length=10, queue_per_client=2))
        slot = await limiter.acquire("qwen", A)
        tasks = [asyncio.create_task(limiter.acquire("qwen", A, "flood")) for _ in range(2)]
        await settle()
        with pytest.raises(Refusal):
            await limiter.acquire("qwen", A, "flood")
        other = asyncio.create_task(limiter.acquire("qwen", A, "other"))
        await settle()
        assert not other.done()
        slot.release()
        for task in (tasks[0], other, tasks[1]):  # turns go round the clients
            (await task).release()

    run(main())


def test_too_long_a_wait_is_refused_and_leaves_no_trace() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1, max_wait_s=0.05))
        slot = await limiter.acquire("qwen", A)
        with pytest.raises(Refusal, match=r"no place within 0\.05 s"):
            await limiter.acquire("qwen", A)
        assert waiting(limiter) == 0
        slot.release()
        (await limiter.acquire("qwen", A)).release()

    run(main())


def test_a_client_that_hangs_up_while_waiting_loses_its_place_only() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1))
        slot = await limiter.acquire("qwen", A)
        gone = asyncio.create_task(limiter.acquire("qwen", A, "gone"))
        stays = asyncio.create_task(limiter.acquire("qwen", A, "stays"))
        await settle()
        gone.cancel()
        slot.release()  # in the same turn: the grant must not go to the one who left
        assert (await asyncio.wait_for(stays, 1)).model == "qwen"
        with pytest.raises(asyncio.CancelledError):
            await gone
        (await stays).release()
        assert running(limiter) == waiting(limiter) == 0

    run(main())


def test_a_slot_granted_to_a_client_that_hangs_up_in_the_same_turn_comes_back() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1))
        slot = await limiter.acquire("qwen", A)
        task = asyncio.create_task(limiter.acquire("qwen", A))
        await settle()
        slot.release()  # grants it
        task.cancel()  # before the task ran again
        with pytest.raises(asyncio.CancelledError):
            await task
        assert running(limiter) == 0

    run(main())


def test_release_is_idempotent() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=2))
        first, second = await limiter.acquire("qwen", A), await limiter.acquire("qwen", A)
        for _ in range(3):
            first.release()
        assert running(limiter) == 1
        second.release()
        assert running(limiter) == 0

    run(main())


def test_a_forgotten_slot_is_given_back_and_counted() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1))
        await limiter.acquire("qwen", A)  # nobody keeps it
        gc.collect()
        (await asyncio.wait_for(limiter.acquire("qwen", A), 1)).release()
        assert limiter.lost == 1

    run(main())


def test_reloaded_limits_wake_waiters_or_hold_them() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1))
        first = await limiter.acquire("qwen", A)
        tasks = [asyncio.create_task(limiter.acquire("qwen", A)) for _ in range(3)]
        await settle()
        limiter.configure(LimitsConfig(models={"qwen": 3}))
        await settle()
        assert [t.done() for t in tasks] == [True, True, False]
        limiter.configure(LimitsConfig(per_model=1))
        first.release()
        tasks[0].result().release()
        await settle()
        assert not tasks[2].done(), "one still runs and one is the limit"
        tasks[1].result().release()
        (await tasks[2]).release()

    run(main())


def test_snapshot_names_what_runs() -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=3))
        with await limiter.acquire("qwen", A):
            lane = limiter.snapshot()["addresses"]["localhost:11434"]
            assert lane["models"] == {"qwen": {"running": 1, "limit": 3}}
            assert (lane["running"], lane["limit"], lane["waiting"]) == (1, 8, 0)

    run(main())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), per_model=st.integers(1, 3), per_address=st.integers(1, 4))
def test_whatever_ends_requests_no_limit_is_passed_and_nothing_leaks(
    seed: int, per_model: int, per_address: int
) -> None:
    async def main() -> None:
        dice = random.Random(seed)
        limiter = FairLimiter(
            LimitsConfig(per_model=per_model, per_address=per_address, queue_length=12, queue_per_client=6)
        )
        held: set[Slot] = set()

        async def request(model: str, client: str) -> None:
            try:
                slot = await limiter.acquire(model, A, client)
            except Refusal:
                return
            held.add(slot)
            try:
                assert len(held) <= per_address
                assert sum(s.model == model for s in held) <= per_model
                for _ in range(dice.randrange(4)):
                    await asyncio.sleep(0)
                if dice.random() < 0.2:
                    raise RuntimeError("upstream failed")
            finally:
                held.discard(slot)
                slot.release()

        tasks: list[asyncio.Task[None]] = []
        for _ in range(40):
            tasks.append(asyncio.create_task(request(dice.choice("ab"), dice.choice("xyz"))))
            if dice.random() < 0.5:
                await asyncio.sleep(0)
            if dice.random() < 0.3:
                dice.choice(tasks).cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [r for r in results if isinstance(r, AssertionError)]
        assert running(limiter) == waiting(limiter) == 0
        assert limiter.lost == 0

    run(main())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40))
def test_between_two_turns_of_a_client_every_other_waiting_client_had_one(arrivals: list[str]) -> None:
    async def main() -> None:
        limiter = FairLimiter(LimitsConfig(per_model=1))
        blocker = await limiter.acquire("m", A, "blocker")
        order: list[tuple[str, int]] = []

        async def request(client: str, number: int) -> None:
            with await limiter.acquire("m", A, client):
                order.append((client, number))

        tasks = [asyncio.create_task(request(c, i)) for i, c in enumerate(arrivals)]
        await settle()
        blocker.release()
        await asyncio.gather(*tasks)
        left = {c: arrivals.count(c) for c in set(arrivals)}
        last: dict[str, int] = {}
        for turn, (client, number) in enumerate(order):
            mine = [n for c, n in order[:turn] if c == client]
            assert all(n < number for n in mine), "first in, first out within a client"
            if client in last:
                between = {c for c, _ in order[last[client] + 1 : turn]}
                assert between >= {c for c, n in left.items() if n > 0 and c != client}
            last[client] = turn
            left[client] -= 1

    run(main())


def test_five_hundred_starts_hang_ups_errors_and_timeouts_leave_no_trace() -> None:
    ends: Counter[str] = Counter()
    refusals: list[Refusal] = []

    async def main(seed: int) -> None:
        dice = random.Random(seed)
        limiter = FairLimiter(
            LimitsConfig(per_model=2, per_address=3, queue_length=20, queue_per_client=8, max_wait_s=0.02)
        )
        arrived: dict[tuple[str, str], int] = {}
        served: dict[tuple[str, str], list[tuple[float, int]]] = {}  # when a place was given, and to which

        async def request(model: str, client: str) -> None:
            number = arrived[model, client] = arrived.get((model, client), 0) + 1
            try:
                slot = await limiter.acquire(model, A, client)
            except Refusal as refusal:
                refusals.append(refusal)
                ends["timeout" if "no place within" in refusal.message else "full"] += 1
                return
            except asyncio.CancelledError:
                ends["hung up waiting"] += 1
                raise
            # By the limiter's clock: one whose time ran out in the turn of its grant wakes up a turn later.
            served.setdefault((model, client), []).append((slot._since, number))
            try:
                kind = dice.choices(["ok", "error", "slow"], [6, 2, 2])[0]
                await asyncio.sleep(0.03 if kind == "slow" else dice.random() * 0.004)
                if kind == "error":
                    raise ConnectionError
                ends["ok"] += 1
            except ConnectionError:
                ends["error"] += 1
            except asyncio.CancelledError:
                ends["hung up served"] += 1
                raise
            finally:
                for _ in range(
                    dice.randrange(1, 3)
                ):  # more than one end of a request may give its place back
                    slot.release()

        # More at once than a queue holds, however slow the machine is.
        tasks = [asyncio.create_task(request("a", "x")) for _ in range(40)]
        await asyncio.sleep(0)
        for _ in range(500):
            tasks.append(asyncio.create_task(request(dice.choice("ab"), dice.choice("xyz"))))
            await asyncio.sleep(0)  # requests arrive in this order
            if dice.random() < 0.3:
                await asyncio.sleep(0.005)
            if dice.random() < 0.25:
                dice.choice(tasks[-20:]).cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [r for r in results if isinstance(r, Exception)]
        for order in served.values():
            numbers = [number for _, number in sorted(order)]
            assert numbers == sorted(numbers), "first in, first out within a client"
        lane = limiter.snapshot()["addresses"]["localhost:11434"]
        assert (lane["running"], lane["waiting"], lane["clients_waiting"], lane["models"]) == (0, 0, 0, {})
        assert limiter.lost == 0
        slots = [await limiter.acquire(model, A) for model in "aab"]  # every place is there again
        assert len(slots) == 3

    for seed in range(4):
        run(main(seed))
    assert set(ends) == {"ok", "error", "timeout", "full", "hung up waiting", "hung up served"}, ends
    assert {(r.code, r.status) for r in refusals} == {("aicc_overloaded", 429)}
    assert all(r.retry_after is not None and r.retry_after >= 1 for r in refusals)
