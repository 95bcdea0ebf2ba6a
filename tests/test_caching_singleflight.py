"""Identical requests at the same time share one upstream call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from aicc_hooks.cache.singleflight import FollowerTooSlow, SingleFlight


class Upstream:
    """Counts its calls; streams what it is told, a step at a time."""

    def __init__(
        self,
        chunks: list[bytes],
        fail: Callable[[int, int], bool] = lambda call, chunk: False,
        step: float = 0.002,
    ) -> None:
        self.chunks, self.fail, self.step = chunks, fail, step
        self.calls = self.finished = self.cancelled = 0

    async def __call__(self) -> AsyncIterator[bytes]:
        self.calls += 1
        call = self.calls
        try:
            for number, chunk in enumerate(self.chunks):
                await asyncio.sleep(self.step)
                if self.fail(call, number):
                    raise OSError("upstream broke")
                yield chunk
            self.finished += 1
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


async def collect(flights: SingleFlight[bytes], upstream: Upstream, key: str | None = "k") -> bytes:
    return b"".join([chunk async for chunk in flights.join(key, upstream)])


def test_fifty_at_once_make_one_call() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight()
        upstream = Upstream([b"a", b"b", b"c"])
        answers = await asyncio.gather(*(collect(flights, upstream) for _ in range(50)))
        assert set(answers) == {b"abc"}
        assert (upstream.calls, flights.counters.led, flights.counters.followed) == (1, 1, 49)
        assert len(flights) == 0

    asyncio.run(main())


def test_a_plain_call_is_shared_too_and_none_is_not() -> None:
    async def main() -> None:
        flights: SingleFlight[Any] = SingleFlight()
        calls = 0

        async def call() -> int:
            nonlocal calls
            calls += 1
            mine = calls
            await asyncio.sleep(0.005)
            return mine

        assert await asyncio.gather(*(flights.run("k", call) for _ in range(5))) == [1] * 5
        assert sorted(await asyncio.gather(*(flights.run(None, call) for _ in range(3)))) == [2, 3, 4]

    asyncio.run(main())


def test_followers_get_chunks_as_they_arrive_and_late_ones_the_backlog() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight()
        gate = asyncio.Event()

        async def upstream() -> AsyncIterator[bytes]:
            yield b"first"
            await gate.wait()
            yield b"second"

        leader = flights.join("k", upstream)
        assert await anext(leader) == b"first"
        late = flights.join("k", upstream)
        assert await asyncio.wait_for(anext(late), 10) == b"first"
        gate.set()
        assert [c async for c in late] == [b"second"]
        assert [c async for c in leader] == [b"second"]

    asyncio.run(main())


def test_a_failed_leader_does_not_fail_the_others() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight()
        upstream = Upstream([b"a", b"b"], fail=lambda call, chunk: call == 1)
        results = await asyncio.gather(
            *(collect(flights, upstream) for _ in range(10)), return_exceptions=True
        )
        assert [type(r) for r in results if r != b"ab"] == [OSError]
        assert (upstream.calls, flights.counters.promoted) == (2, 1)

    asyncio.run(main())


def test_a_dead_upstream_does_not_make_followers_wait_in_line_for_ever() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight()
        upstream = Upstream([b"a"], fail=lambda call, chunk: True, step=0.1)
        started = asyncio.get_running_loop().time()
        results = await asyncio.gather(
            *(collect(flights, upstream) for _ in range(40)), return_exceptions=True
        )
        assert all(isinstance(r, OSError) for r in results)
        assert asyncio.get_running_loop().time() - started < 20 * 0.1

    asyncio.run(main())


def test_an_error_in_the_middle_reaches_those_who_saw_the_beginning() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight()
        upstream = Upstream([b"a", b"b"], fail=lambda call, chunk: chunk == 1)
        results = await asyncio.gather(
            *(collect(flights, upstream) for _ in range(4)), return_exceptions=True
        )
        assert [type(r) for r in results] == [OSError] * 4
        assert upstream.calls == 1

    asyncio.run(main())


def test_a_leader_who_disconnects_does_not_end_the_call_for_others() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight()
        upstream = Upstream([b"a"] * 20)
        leader = asyncio.ensure_future(collect(flights, upstream))
        await asyncio.sleep(0.01)
        follower = asyncio.ensure_future(collect(flights, upstream))
        await asyncio.sleep(0.005)
        leader.cancel()
        assert await follower == b"a" * 20
        assert (upstream.calls, upstream.cancelled) == (1, 0)

    asyncio.run(main())


def test_the_call_ends_when_nobody_listens_any_more() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight()
        upstream = Upstream([b"a"] * 1000)
        readers = [asyncio.ensure_future(collect(flights, upstream)) for _ in range(3)]
        await asyncio.sleep(0.01)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert (upstream.cancelled, upstream.finished, len(flights)) == (1, 0, 0)
        assert await asyncio.wait_for(collect(flights, Upstream([b"new"])), 10) == b"new"

    asyncio.run(main())


def test_the_backlog_is_bounded_whoever_reads_slowly() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight(max_backlog_bytes=10_000)
        held: list[int] = []

        async def upstream() -> AsyncIterator[bytes]:
            for _ in range(300):
                held.append(flight._bytes)
                yield b"x" * 500
                await asyncio.sleep(0)

        slow = flights.join("k", upstream)
        first = asyncio.ensure_future(anext(slow))
        await asyncio.sleep(0)
        flight = flights._flights["k"]
        assert await first == b"x" * 500
        fast = asyncio.ensure_future(collect(flights, upstream))  # type: ignore[arg-type]
        assert await fast == b"x" * 150_000
        assert max(held) <= 21_000
        with pytest.raises(FollowerTooSlow):
            [c async for c in slow]
        assert flights.counters.overflowed == 1

    asyncio.run(main())


def test_upstream_waits_for_a_lone_slow_reader() -> None:
    async def main() -> None:
        flights: SingleFlight[bytes] = SingleFlight(max_backlog_bytes=1000)
        sent = 0

        async def upstream() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(100):
                sent += 1
                yield b"x" * 100

        lone = flights.join("k", upstream)
        await anext(lone)
        await asyncio.sleep(0.02)
        assert sent < 20
        assert len([c async for c in lone]) == 99

    asyncio.run(main())
