"""A fair, bounded queue in front of models and addresses.

LiteLLM's `max_parallel_requests` rejects instead of queueing; Ollama's own queue is first come, first served over
all clients. Here a client waits in line with itself only: turns go round the clients, in order within each.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from aicc_hooks.errors import Refusal
from aicc_hooks.resilience.address import address_key
from aicc_hooks.resilience.config import LimitsConfig


class Slot:
    """The right to run one request. Release it once, whenever the stream, the error or the client ends it."""

    __slots__ = ("__weakref__", "_limiter", "_since", "address", "model", "waited_s")

    def __init__(self, limiter: FairLimiter, model: str, address: str, waited_s: float, since: float) -> None:
        self._limiter: FairLimiter | None = limiter
        self._since = since
        self.model = model
        self.address = address
        self.waited_s = waited_s

    def release(self) -> None:
        """Gives the slot back. Calling it again does nothing, so every end of a request may call it."""
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter._release(self.address, self.model, self._since)

    def __enter__(self) -> Slot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        # The last net: a dropped slot would shrink the limit for ever. The collector may run in any thread.
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter._dropped(self.address, self.model, self._since)


class _Waiter:
    __slots__ = ("future", "model", "since")

    def __init__(self, model: str, future: asyncio.Future[Slot], since: float) -> None:
        self.model = model
        self.future = future
        self.since = since


class _Lane:
    """One address: what runs there, by model, and who waits, by client (in turn order)."""

    __slots__ = ("by_model", "held_s", "queues", "running", "waiting")

    def __init__(self) -> None:
        self.running = 0
        self.by_model: dict[str, int] = {}
        self.queues: OrderedDict[str, deque[_Waiter]] = OrderedDict()
        self.waiting = 0
        self.held_s = 0.0  # moving average of how long a slot is held


class FairLimiter:
    """Per-model and per-address limits with a fair queue. One event loop; only `configure` may come from a thread."""

    def __init__(
        self, config: LimitsConfig | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.refused = 0
        self.timed_out = 0
        self.lost = 0  # slots the collector had to give back: a bug in the caller
        self._apply(config or LimitsConfig())

    def configure(self, config: LimitsConfig) -> None:
        """Takes reloaded limits. A raised one wakes waiters now; a lowered one holds as running requests end.

        From any thread: waiters belong to their loop, which is told to do it.
        """
        loop = self._loop
        if loop is None or loop.is_closed() or loop is _running_loop():
            self._take(config)
        else:
            with contextlib.suppress(RuntimeError):  # the loop closed between the two lines
                loop.call_soon_threadsafe(self._take, config)

    def _take(self, config: LimitsConfig) -> None:
        self._apply(config)
        for address, lane in list(self._lanes.items()):
            self._pump(address, lane)

    async def acquire(self, model: str, address: str, client: str = "") -> Slot:
        """Waits for a slot. Raises Refusal `aicc_overloaded` (429) when the queue is full or the wait too long.

        Cancelling the waiting task (the client hung up) gives its place, or a slot just granted, back.
        """
        self._loop = asyncio.get_running_loop()
        address = address_key(address)
        lane = self._lanes.get(address)
        if lane is None:
            lane = self._lanes[address] = _Lane()
        now = self._clock()
        if self._fits(address, lane, model):
            return self._grant(lane, model, address, 0.0, now)
        if (refusal := self.refusal(model, address, client)) is not None:
            self.refused += 1
            raise refusal
        waiter = _Waiter(model, self._loop.create_future(), now)
        queue = lane.queues.get(client)
        if queue is None:
            queue = lane.queues[client] = deque()
        queue.append(waiter)
        lane.waiting += 1
        try:
            async with asyncio.timeout(self._config.max_wait_s):
                return await waiter.future
        except TimeoutError:
            if (slot := _granted(waiter)) is not None:
                return slot  # it came in the same turn of the loop
            self._forget(address, lane, client, waiter)
            self.timed_out += 1
            raise self._overloaded(
                lane, address, model, f"no place within {self._config.max_wait_s:g} s"
            ) from None
        except BaseException:
            if (slot := _granted(waiter)) is not None:
                slot.release()
            else:
                self._forget(address, lane, client, waiter)
            raise

    def refusal(self, model: str, address: str, client: str = "") -> Refusal | None:
        """What `acquire` would raise at once; None where there is a place, or one in the queue."""
        address = address_key(address)
        lane = self._lanes.get(address)
        if lane is None or self._fits(address, lane, model):
            return None
        if self._config.queue_per_client == 0:
            return self._overloaded(lane, address, model, "queueing is off")
        full = lane.waiting >= self._config.queue_length
        if full or len(lane.queues.get(client, ())) >= self._config.queue_per_client:
            what = "queue is full" if full else "queue of this client is full"
            return self._overloaded(lane, address, model, f"{what} ({lane.waiting} waiting)")
        return None

    def snapshot(self) -> dict[str, Any]:
        """Per address: running, waiting, limits; and the counters. For health, metrics and the page."""
        lanes = {
            address: {
                "running": lane.running,
                "limit": self._address_limit(address),
                "waiting": lane.waiting,
                "clients_waiting": len(lane.queues),
                "models": {
                    model: {"running": running, "limit": self._model_limit(model)}
                    for model, running in lane.by_model.items()
                },
            }
            for address, lane in self._lanes.items()
        }
        return {"addresses": lanes, "refused": self.refused, "timed_out": self.timed_out, "lost": self.lost}

    # -- inside -------------------------------------------------------------------------------------------------

    def _apply(self, config: LimitsConfig) -> None:
        self._config = config
        self._by_address = {address_key(a): n for a, n in config.addresses.items()}

    def _address_limit(self, address: str) -> int:
        return self._by_address.get(address, self._config.per_address)

    def _model_limit(self, model: str) -> int:
        return self._config.models.get(model, self._config.per_model)

    def _fits(self, address: str, lane: _Lane, model: str) -> bool:
        """Nobody may pass a waiter of the same model; one of another, saturated model is no obstacle."""
        free = lane.by_model.get(model, 0) < self._model_limit(model)
        if not free or lane.running >= self._address_limit(address):
            return False
        return not (lane.waiting and self._waits(lane, model))

    @staticmethod
    def _waits(lane: _Lane, model: str) -> bool:
        return any(w.model == model for queue in lane.queues.values() for w in queue)

    def _grant(self, lane: _Lane, model: str, address: str, waited: float, now: float) -> Slot:
        lane.running += 1
        lane.by_model[model] = lane.by_model.get(model, 0) + 1
        return Slot(self, model, address, waited, now)

    def _pump(self, address: str, lane: _Lane) -> None:
        """Hands free places out, one client after the other, until nobody waiting fits."""
        while lane.waiting and lane.running < self._address_limit(address):
            taken = self._next(lane)
            if taken is None:
                return
            client, waiter = taken
            self._unqueue(lane, client, waiter, turn_over=True)
            now = self._clock()
            waiter.future.set_result(self._grant(lane, waiter.model, address, now - waiter.since, now))

    def _next(self, lane: _Lane) -> tuple[str, _Waiter] | None:
        saturated: set[str] = set()
        for client, queue in lane.queues.items():
            for waiter in queue:
                if waiter.model in saturated or waiter.future.done():
                    continue
                if lane.by_model.get(waiter.model, 0) < self._model_limit(waiter.model):
                    return client, waiter
                saturated.add(waiter.model)
        return None

    @staticmethod
    def _unqueue(lane: _Lane, client: str, waiter: _Waiter, *, turn_over: bool) -> bool:
        queue = lane.queues.get(client)
        if queue is None or waiter not in queue:
            return False
        queue.remove(waiter)
        lane.waiting -= 1
        if not queue:
            del lane.queues[client]
        elif turn_over:
            lane.queues.move_to_end(client)
        return True

    def _forget(self, address: str, lane: _Lane, client: str, waiter: _Waiter) -> None:
        if self._unqueue(lane, client, waiter, turn_over=False):
            self._tidy(address, lane)

    def _release(self, address: str, model: str, since: float) -> None:
        lane = self._lanes.get(address)
        if lane is None:
            return
        lane.running -= 1
        left = lane.by_model.get(model, 0) - 1
        if left > 0:
            lane.by_model[model] = left
        else:
            lane.by_model.pop(model, None)
        held = max(0.0, self._clock() - since)
        lane.held_s = held if lane.held_s == 0 else 0.8 * lane.held_s + 0.2 * held
        self._pump(address, lane)
        self._tidy(address, lane)

    def _dropped(self, address: str, model: str, since: float) -> None:
        self.lost += 1
        loop = self._loop
        if loop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop closed between the two lines
                loop.call_soon_threadsafe(self._release, address, model, since)

    def _tidy(self, address: str, lane: _Lane) -> None:
        # Keep lanes of real addresses (their average is useful); only unbounded growth is cut.
        if len(self._lanes) > 1024 and not lane.running and not lane.waiting:
            self._lanes.pop(address, None)

    def _overloaded(self, lane: _Lane, address: str, model: str, why: str) -> Refusal:
        places = min(self._address_limit(address), self._model_limit(model))
        seconds = min(60, max(1, math.ceil((lane.held_s or 1.0) * (lane.waiting + 1) / places)))
        return Refusal(
            "aicc_overloaded",
            f"Too many requests for '{model}': {why}. Retry in {seconds} s, or raise resilience.limits in policy.yaml.",
            429,
            retry_after=seconds,
        )


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _granted(waiter: _Waiter) -> Slot | None:
    future = waiter.future
    return (
        future.result() if future.done() and not future.cancelled() and future.exception() is None else None
    )
