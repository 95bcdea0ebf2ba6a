"""Breaker state shared by several gateways: a background exchange, never on the request path."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aicc_hooks.resilience.address import CLOUD
from aicc_hooks.resilience.circuit import State
from aicc_hooks.resilience.circuit_breaker import CircuitBreaker
from aicc_hooks.resilience.permit import Key, Transition

_log = logging.getLogger(__name__)
_KEY, _TTL_S = "aicc:breaker", 600


class SharedStore(Protocol):
    """A small shared map. Any exception means "not there now"."""

    async def put(self, field: str, value: str) -> None:
        """Sets one field."""

    async def all(self) -> Mapping[str, str]:
        """Every field."""


class RedisStore:
    """`SharedStore` on one Redis hash, over the gateway's own `RedisLink`: its time limit and breaker hold here too."""

    def __init__(self, link: Any) -> None:
        self._link = link

    async def put(self, field: str, value: str) -> None:
        """Sets one field; the hash goes away when no gateway writes any more. Raises ConnectionError: no Redis."""

        async def write(client: Any) -> bool:
            await client.hset(_KEY, field, value)
            await client.expire(_KEY, _TTL_S)
            return True

        if not await self._link.run(write, False, write=True):
            raise ConnectionError("Redis is not there")

    async def all(self) -> Mapping[str, str]:
        """Every field, as text. Raises ConnectionError when Redis is not there."""
        raw = await self._link.run(lambda client: client.hgetall(_KEY), None)
        if raw is None:
            raise ConnectionError("Redis is not there")
        return {_text(k): _text(v) for k, v in raw.items()}


class BreakerSync:
    """Exchanges transitions with other gateways: at once when one happens here, else every `sync_interval_s`.

    An entry carries the seconds left, not a deadline, so hosts whose clocks differ agree; each entry is taken once,
    by its id. `localhost` is another machine on every host, and the way to a cloud another one with another key, so what
    was learnt about them is for this host's gateways only. Without a store, or while it fails, the breaker simply stays local.
    """

    def __init__(
        self,
        breaker: CircuitBreaker,
        store: SharedStore,
        *,
        instance: str = "",
        host: str = "",
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._breaker = breaker
        self._store = store
        self._instance = instance or uuid.uuid4().hex[:12]
        self._host = host or platform.node()
        self._wall = wall
        self._dirty: dict[Key, Transition] = {}
        self._seen: dict[str, str] = {}
        self._serial = 0
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self.healthy = True
        self._met = False  # the first exchange is over
        breaker.subscribe(self._on_transition)

    def start(self) -> None:
        """Starts the background task on the running loop. Idempotent."""
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._wake = asyncio.Event()
            self._task = self._loop.create_task(self._run(), name="aicc-breaker-sync")

    async def stop(self) -> None:
        """Ends the task."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def sync(self) -> bool:
        """One exchange; False when the store did not answer in time. Nothing is lost: it is sent next time."""
        config = self._breaker.config
        if not (config.enabled and config.shared):
            return True
        dirty, self._dirty = self._dirty, {}
        try:
            async with asyncio.timeout(config.store_timeout_s * 4):
                for key in list(dirty):
                    async with asyncio.timeout(config.store_timeout_s):
                        await self._store.put(self._field(key), self._entry(key))
                    del dirty[key]
                async with asyncio.timeout(config.store_timeout_s):
                    entries = await self._store.all()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._dirty = dirty | self._dirty
            if self.healthy:
                _log.warning("breaker state stays local: the shared store failed (%s)", type(error).__name__)
            self.healthy = False
            return False
        self.healthy = True
        for field, value in entries.items():
            self._take(field, value)
        self._met = True
        return True

    def _on_transition(self, transition: Transition) -> None:
        if transition.remote:
            return
        self._dirty[(transition.scope, transition.key)] = transition
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def _field(self, key: Key) -> str:
        scope, name = key
        address = name if scope == "address" else self._breaker.address_of(name)
        return f"{scope}|{self._host if address.startswith(('localhost:', CLOUD)) else ''}|{name}"

    def _entry(self, key: Key) -> str:
        state, remaining, reason = self._breaker.open_circuits().get(key, (State.CLOSED, 0.0, ""))
        if state is State.HALF_OPEN:
            # Our trial holds theirs back for one cooldown, not for a whole cold start.
            remaining = self._breaker.config.cooldown_s
        self._serial += 1
        body = {
            "id": f"{self._instance}:{self._serial}",
            "state": state.value,
            "left": round(remaining, 3),
            "reason": reason,
            "at": round(self._wall(), 1),
        }
        self._seen[self._field(key)] = str(body["id"])
        return json.dumps(body)

    def _take(self, field: str, value: str) -> None:
        try:
            scope, host, key = field.split("|", 2)
            body = json.loads(value)
            ident, state, left = str(body["id"]), State(body["state"]), float(body["left"])
            age = abs(self._wall() - float(body["at"]))
            reason = str(body.get("reason", ""))[:200]
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return  # not ours, or of another version
        if scope not in ("address", "deployment") or not key or host not in ("", self._host):
            return
        if self._seen.get(field) == ident:
            return
        self._seen[field] = ident
        # Only a gateway that just started meets old entries; a changed one was written since our last look, whatever
        # the clock of its host says.
        if not self._met and age > self._breaker.config.max_cooldown_s * 2:
            return
        # A trial under way there (half-open) means "wait" here: exactly one of us probes.
        shown = State.CLOSED if state is State.CLOSED else State.OPEN
        self._breaker.adopt(scope, key, shown, left, reason)  # type: ignore[arg-type]

    async def _run(self) -> None:
        wake = self._wake
        assert wake is not None
        while True:
            await self.sync()
            pause = self._breaker.config.sync_interval_s * (1 if self.healthy else 5)
            try:
                async with asyncio.timeout(pause):
                    await wake.wait()
            except TimeoutError:
                pass
            if not self.healthy:
                await asyncio.sleep(
                    self._breaker.config.sync_interval_s
                )  # a burst of transitions is no hammer
            wake.clear()


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
