"""The one way this package talks to Redis: bounded calls, a breaker, the `aicc:` namespace.

A Redis that dies or freezes costs the request that notices it one time limit, and nothing afterwards: calls
return their default at once until a background probe has found it up again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar
from weakref import WeakKeyDictionary

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from aicc_hooks.redis_client import MAX_CONNECTIONS, new_client
from aicc_hooks.redis_env import RedisSettings

log = logging.getLogger("aicc.redis")
T = TypeVar("T")
Status = Literal["off", "unknown", "up", "down"]

NAMESPACE: Final = "aicc"
FIRST_PROBE_S: Final = 0.1
MAX_PROBE_S: Final = 5.0
FLAP_WINDOW_S: Final = 10.0  # a trip this soon after a recovery doubles the wait before the next trust
PROBE_LIMIT_S: Final = 0.5
WRITE_PAUSE_S: Final = 5.0
# Replies by which a server that is up says it will not write: full, replica, failing snapshots, missing rights.
_NO_WRITE: Final = (
    "OOM",
    "READONLY",
    "MISCONF",
    "NOREPLICAS",
    "NOPERM",
    "command not allowed when used memory",
)


@dataclass(slots=True)
class RedisCounters:
    """What happened since the start; read by metrics."""

    calls: int = 0
    failures: int = 0
    timeouts: int = 0
    skipped: int = 0
    write_refusals: int = 0
    trips: int = 0
    recoveries: int = 0
    busy: int = 0


@dataclass(slots=True)
class _Loop:
    """What belongs to one event loop: asyncio objects must not be shared between loops."""

    client: Any
    generation: int
    slots: asyncio.Semaphore
    probe: asyncio.Task[None] | None = None
    ending: set[asyncio.Future[Any]] = field(default_factory=set)  # abandoned calls, old clients being closed

    def abandon(self, task: asyncio.Future[Any]) -> None:
        """Cancel a call and see it out without waiting for it."""
        task.cancel()
        self._see_out(task)

    def replace(self, client: Any, generation: int) -> None:
        """Close the old client in the background."""

        async def close(old: Any) -> None:
            with suppress(Exception):
                await old.aclose()

        self._see_out(asyncio.ensure_future(close(self.client)))
        self.client, self.generation = client, generation

    def _see_out(self, task: asyncio.Future[Any]) -> None:
        self.ending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self.ending.discard(task)
        if not task.cancelled():
            task.exception()  # seen: an abandoned call may fail as it likes


def key(*parts: str) -> str:
    """`aicc:part:part`."""
    return ":".join((NAMESPACE, *parts))


class RedisLink:
    """A shared, breaker-guarded Redis client. `settings=None` means that no Redis is configured."""

    def __init__(
        self, settings: RedisSettings | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.counters = RedisCounters()
        self._clock = clock
        self._lock = threading.Lock()
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()
        self._status: Status = "unknown" if settings else "off"
        self._detail = "" if settings else "not configured"
        self._generation = 0
        self._hold = FIRST_PROBE_S
        self._recovered_at = float("-inf")
        self._writes_from = float("-inf")
        self._latency_ms: float | None = None
        self._checked_at: float | None = None
        self._closed = False

    @property
    def status(self) -> Status:
        """`off` (not configured), `unknown` (never asked), `up` or `down` (breaker open)."""
        return self._status

    @property
    def usable(self) -> bool:
        """True when a call would be sent."""
        return not self._closed and self._status in ("up", "unknown")

    def health(self) -> dict[str, Any]:
        """The shape of `dependencies.redis` in the health contract; `detail` holds no credentials."""
        detail = self._detail
        if self._status == "up" and self._clock() < self._writes_from:
            detail = f"writes refused: {detail}"
        return {
            "status": self._status,
            "latency_ms": self._latency_ms,
            "checked_at": self._checked_at,
            "detail": detail,
        }

    async def run(
        self,
        operation: Callable[[Any], Awaitable[T]],
        default: T,
        *,
        write: bool = False,
        timeout_ms: float | None = None,
    ) -> T:
        """Result of `operation(client)`; `default` when Redis is off, down, too slow or refuses. Never raises."""
        if not self.usable:
            self._skip()
            return default
        if write and self._clock() < self._writes_from:
            self.counters.skipped += 1
            return default
        assert self.settings is not None
        here = self._here()
        limit = (timeout_ms or self.settings.timeout_ms) / 1000
        started = self._clock()
        task = asyncio.ensure_future(self._call(here, operation))
        try:
            await asyncio.wait({task}, timeout=limit)
            if not task.done() and self._clock() - started > 1.5 * limit:
                # The loop itself was held up: the reply may be here already, unread. Let it be read.
                for _ in range(3):
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            here.abandon(task)
            raise
        self.counters.calls += 1
        if not task.done():
            here.abandon(task)
            self.counters.timeouts += 1
            self._trip(here, f"no answer within {limit * 1000:.0f} ms")
            return default
        return self._judge(here, task, default, started)

    def _judge(self, here: _Loop, task: asyncio.Task[T], default: T, started: float) -> T:
        if task.cancelled():
            return default
        error = task.exception()
        if error is None:
            self._note_up((self._clock() - started) * 1000)
            return task.result()
        self.counters.failures += 1
        if isinstance(error, _Busy):
            self.counters.busy += 1
        elif _refuses_write(error):
            self.counters.write_refusals += 1
            first = self._clock() - self._writes_from > WRITE_PAUSE_S
            self._writes_from = self._clock() + WRITE_PAUSE_S
            self._detail = _describe(error)
            if first:
                log.warning(
                    "Redis at %s refuses writes: %s", self.settings and self.settings.where(), self._detail
                )
        elif isinstance(error, ResponseError) and not isinstance(
            error, AuthenticationError | BusyLoadingError
        ):
            # A server that answers is up; the command was wrong for it (old version, wrong type).
            log.debug("Redis refused a command: %s", type(error).__name__)
        elif isinstance(error, RedisError | OSError):
            self._trip(here, _describe(error))
        else:
            log.error("unexpected error in a Redis operation: %s", type(error).__name__)
        return default

    def limit(self, timeout_ms: float) -> None:
        """The longest wait for a call from now on (policy `cache.redis_timeout_ms`), also for connecting."""
        with self._lock:
            if self.settings is not None and self.settings.timeout_ms != timeout_ms:
                self.settings = replace(self.settings, timeout_ms=timeout_ms)
                self._generation += 1  # the sockets carry the limit too

    async def ping(self) -> bool:
        """Ask once, within the ordinary limit; used by health checks and at the start."""
        return await self.run(lambda r: r.ping(), False) is not False

    async def aclose(self) -> None:
        """Close this loop's connections and stop its probe."""
        self._closed = True
        here = self._loops.pop(asyncio.get_running_loop(), None)
        if here is None:
            return
        if here.probe is not None:
            here.probe.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await here.probe
        if here.ending:
            await asyncio.wait(set(here.ending), timeout=1.0)
        with suppress(Exception):
            await here.client.aclose()

    # -- connections -------------------------------------------------------------------------------------------

    def _here(self) -> _Loop:
        loop = asyncio.get_running_loop()
        assert self.settings is not None
        with self._lock:
            here = self._loops.get(loop)
            if here is None:
                here = _Loop(new_client(self.settings), self._generation, asyncio.Semaphore(MAX_CONNECTIONS))
                self._loops[loop] = here
            elif here.generation != self._generation:
                # After a trip the pooled connections are dead or carry half-read replies.
                here.replace(new_client(self.settings), self._generation)
            return here

    async def _call(self, here: _Loop, operation: Callable[[Any], Awaitable[T]]) -> T:
        async with here.slots:
            if not self.usable:
                raise _Busy
            return await operation(here.client)

    # -- breaker -----------------------------------------------------------------------------------------------

    def _skip(self) -> None:
        self.counters.skipped += 1
        if self._status == "down" and not self._closed:
            self._ensure_probe(self._here())

    def _trip(self, here: _Loop, why: str) -> None:
        with self._lock:
            if self._status == "down":
                return
            now = self._clock()
            flapping = now - self._recovered_at < FLAP_WINDOW_S
            self._hold = min(MAX_PROBE_S, self._hold * 2) if flapping else FIRST_PROBE_S
            self._status, self._detail, self._checked_at = "down", why, time.time()
            self._generation += 1
            self.counters.trips += 1
        log.warning(
            "Redis at %s is not usable (%s); going on without it",
            self.settings and self.settings.where(),
            why,
        )
        self._ensure_probe(here)

    def _note_up(self, latency_ms: float) -> None:
        self._latency_ms, self._checked_at = round(latency_ms, 2), time.time()
        if self._status == "unknown":
            self._status = "up"
        if self._detail and self._clock() >= self._writes_from:
            self._detail = ""

    def _ensure_probe(self, here: _Loop) -> None:
        if here.probe is None or here.probe.done():
            here.probe = asyncio.get_running_loop().create_task(self._probe(), name="aicc-redis-probe")

    async def _probe(self) -> None:
        assert self.settings is not None
        wait = self._hold
        while self._status == "down" and not self._closed:
            await asyncio.sleep(wait)
            wait = min(MAX_PROBE_S, wait * 1.5)
            client = new_client(self.settings)
            started = self._clock()
            try:
                async with asyncio.timeout(PROBE_LIMIT_S):
                    await client.ping()
                    warm = self._clock()
                    await client.ping()
                if self._clock() - warm > self.settings.timeout_ms / 1000:
                    # Up but slower than a request may wait: trusting it would cost every few requests a limit.
                    self._detail = "answers too slowly"
                    continue
                self._recover((self._clock() - started) * 1000)
            except (RedisError, OSError, TimeoutError) as error:
                self._detail = _describe(error)
                self._checked_at = time.time()
            finally:
                with suppress(Exception):
                    await client.aclose()

    def _recover(self, latency_ms: float) -> None:
        with self._lock:
            if self._status != "down":
                return
            self._status, self._detail = "up", ""
            self._latency_ms, self._checked_at = round(latency_ms, 2), time.time()
            self._recovered_at = self._clock()
            self._generation += 1
            self.counters.recoveries += 1
        log.warning("Redis at %s is back", self.settings and self.settings.where())


class _Busy(Exception):
    """The breaker opened while this call waited for a connection."""


def _refuses_write(error: BaseException) -> bool:
    # redis-py cuts the code off the message of errors it has a class for.
    if isinstance(error, AuthorizationError | ReadOnlyError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, ResponseError) and any(word in str(error) for word in _NO_WRITE)


def _describe(error: BaseException) -> str:
    """A short cause without addresses or credentials."""
    if isinstance(error, AuthenticationError) or "NOAUTH" in str(error) or "WRONGPASS" in str(error):
        return "authentication failed"
    if isinstance(error, RedisTimeoutError | TimeoutError):
        return "no answer in time"
    if isinstance(error, BusyLoadingError):
        return "loading its data"
    if isinstance(error, RedisConnectionError | OSError):
        return "connection failed"
    if isinstance(error, ReadOnlyError):
        return "READONLY replica"
    return str(error).split(" ", 1)[0][:20] if type(error) is ResponseError else type(error).__name__
