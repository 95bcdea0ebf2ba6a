"""One upstream call for identical requests that are under way at the same time, streams included.

Works within one process and one event loop: two workers may each make the call. Generic over what a chunk is: bytes
of a response body at the gate, ASGI messages, or one whole answer behind a cache seam.

    async for chunk in flights.join(cache.flight_key(request), open_upstream): ...

The call runs in a task of its own, so that a leader who disconnects does not end it for the others; it is cancelled
when nobody listens any more. `open_upstream` should put the answer into the cache before it ends, so that there is no
gap between the flight and the cache, and must raise for an answer that is an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")
MAX_BACKLOG_BYTES: Final = 8 * 1024 * 1024
MAX_PROMOTIONS: Final = 2


class FollowerTooSlow(Exception):
    """This reader fell further behind than the backlog may grow; the others go on."""


@dataclass(slots=True)
class FlightCounters:
    """What single-flight did since the start."""

    led: int = 0
    followed: int = 0
    promoted: int = 0  # followers that became leaders after a failure
    overflowed: int = 0  # flights too large to be joined late


class SingleFlight(Generic[T]):
    """Flights by key. `size` measures a chunk in bytes."""

    def __init__(
        self, *, max_backlog_bytes: int = MAX_BACKLOG_BYTES, size: Callable[[T], int] | None = None
    ) -> None:
        self.counters = FlightCounters()
        self._max = max_backlog_bytes
        self._size = size or _length
        self._flights: dict[str, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(
        self, key: str | None, open_upstream: Callable[[], AsyncIterator[T]]
    ) -> AsyncGenerator[T, None]:
        """Chunks of the flight under `key`, from its beginning; leads a new one when there is none.

        A flight that fails before this reader got anything is tried again, led by one of its readers; the leader
        itself, and readers who have seen part of the answer, get the error. Who leaves last waits until the call has
        ended. `key=None`: a call of its own.
        """
        promoted = 0
        while True:
            # Waiting in line for one failing call after another would add up their time limits.
            if key is None or promoted > MAX_PROMOTIONS:
                async with aclosing(_as_generator(open_upstream())) as own:
                    async for chunk in own:
                        yield chunk
                return
            flight = self._flights.get(key)
            leading = flight is None
            if flight is None:
                flight = _Flight(self, key, open_upstream)
                self._flights[key] = flight
                flight.start()
            if leading:
                self.counters.led += 1
                self.counters.promoted += promoted > 0
            elif not promoted:
                self.counters.followed += 1
            reader = flight.attach()
            received = False
            try:
                while True:
                    item = await flight.next(reader)
                    if item is None:
                        return
                    received = True
                    yield item[0]
            except FollowerTooSlow:
                raise
            except Exception:
                if leading or received or flight.failure is None:
                    raise
                promoted += 1
            finally:
                await flight.detach(reader)

    async def run(self, key: str | None, call: Callable[[], Awaitable[T]]) -> T:
        """The same for a call with one result."""

        async def once() -> AsyncIterator[T]:
            yield await call()

        async with aclosing(self.join(key, once)) as results:
            async for result in results:
                return result
        raise RuntimeError("the call gave no result")

    def _land(self, flight: _Flight[T]) -> None:
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]


@dataclass(slots=True, eq=False)
class _Reader:
    at: int = 0  # number of the next chunk
    lag: int = 0  # bytes not yet read


class _Flight(Generic[T]):
    """One upstream call, its backlog and its readers."""

    def __init__(
        self, flights: SingleFlight[T], key: str, open_upstream: Callable[[], AsyncIterator[T]]
    ) -> None:
        self.key = key
        self.failure: BaseException | None = None
        self._flights, self._open = flights, open_upstream
        self._chunks: list[T] = []
        self._dropped = 0  # chunks no longer held
        self._bytes = 0  # of the chunks held
        self._whole = True  # nothing dropped: late readers may still join
        self._done = False
        self._readers: set[_Reader] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._pump(), name="aicc-flight")

    def attach(self) -> _Reader:
        reader = _Reader(at=0, lag=self._bytes)
        self._readers.add(reader)
        return reader

    async def detach(self, reader: _Reader) -> None:
        self._readers.discard(reader)
        if not self._readers and not self._done and self._task is not None:
            self._flights._land(self)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        else:
            self._trim()
            self._tell()

    async def next(self, reader: _Reader) -> tuple[T] | None:
        """The reader's next chunk (in a tuple, so that a chunk may be None); None at the end."""
        while True:
            if reader.at < self._dropped:
                raise FollowerTooSlow
            place = reader.at - self._dropped
            if place < len(self._chunks):
                chunk = self._chunks[place]
                reader.at += 1
                reader.lag -= self._flights._size(chunk)
                if not self._whole:
                    self._trim()
                self._tell()
                return (chunk,)
            if self._done:
                if self.failure is not None:
                    raise self.failure
                return None
            await self._news.wait()

    async def _pump(self) -> None:
        try:
            async with aclosing(_as_generator(self._open())) as chunks:
                async for chunk in chunks:
                    self._push(chunk)
                    # Upstream waits while even the fastest reader has a full backlog before it.
                    while self._readers and min(r.lag for r in self._readers) > self._flights._max:
                        await self._news.wait()
        except asyncio.CancelledError:
            self.failure = ConnectionAbortedError("the shared call was cancelled")
            raise
        except BaseException as error:
            self.failure = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._done = True
            self._flights._land(self)
            self._tell()

    def _push(self, chunk: T) -> None:
        size = self._flights._size(chunk)
        self._chunks.append(chunk)
        self._bytes += size
        for reader in self._readers:
            reader.lag += size
        if self._bytes > self._flights._max:
            if self._whole:
                self._whole = False
                self._flights.counters.overflowed += 1
                self._flights._land(self)
            self._trim()
        self._tell()

    def _trim(self) -> None:
        """Drop what all have read, and what keeps the backlog too large though somebody has not."""
        if self._whole or not self._readers:
            return
        slowest = min(r.at for r in self._readers)
        fastest = max(r.at for r in self._readers)
        while self._chunks and (
            self._dropped < slowest or (self._bytes > 2 * self._flights._max and self._dropped < fastest)
        ):
            self._bytes -= self._flights._size(self._chunks.pop(0))
            self._dropped += 1

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def _length(chunk: object) -> int:
    with suppress(TypeError):
        return len(chunk)  # type: ignore[arg-type]
    return 1024


async def _as_generator(source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """A generator over any async iterator, so that it can be closed."""
    try:
        async for item in source:
            yield item
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
