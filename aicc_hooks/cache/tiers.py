"""The cache as one object: memory, then Redis, then semantic."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from aicc_hooks.cache import report, rules
from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.envelope import CorruptEntry, Entry, ForeignVersion, unpack
from aicc_hooks.cache.key import exact_key
from aicc_hooks.cache.memory import MemoryTier
from aicc_hooks.cache.metrics import CacheMetrics
from aicc_hooks.cache.remote import RemoteStats, RemoteTier
from aicc_hooks.cache.request import CacheHit, CacheRequest
from aicc_hooks.cache.seam import Search, Semantic
from aicc_hooks.cache.writer import THREAD_FROM, RemoteWriter
from aicc_hooks.redis_link import RedisLink

log = logging.getLogger("aicc.cache")
MAX_PENDING_WRITES: Final = 256
_SYNC_EVERY_S: Final = 1.0
_LOOK_EVERY: Final = 10  # steps between two looks at what Redis holds


class ResponseCache:
    """Answers by request. `get` and `put` never raise for what Redis, the embedder or stored bytes do."""

    def __init__(
        self,
        config: CacheConfig,
        *,
        secret: bytes,
        link: RedisLink,
        semantic: Semantic | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        metrics: CacheMetrics | None = None,
    ) -> None:
        if not secret:
            raise ValueError(
                "the cache needs a secret: without one its keys could be guessed back to prompts"
            )
        self.config = config
        self.metrics = metrics or CacheMetrics()
        self.memory = MemoryTier(config.max_memory_bytes, clock=clock)
        self.remote = RemoteTier(link, config.max_redis_bytes)
        self.semantic = semantic
        self._secret = hashlib.blake2b(secret, person=b"aicc-cache", digest_size=32).digest()
        self._writer = RemoteWriter(self.remote, self.memory, self._secret)
        self._wall, self._clock, self._jitter = wall, clock, jitter
        self._writes: set[asyncio.Task[None]] = set()
        self._sync: asyncio.Task[None] | None = None
        self._generation: int | None = None
        self._clear_owed = False  # Redis has not heard of a clear yet: what it holds counts for nothing
        self._steps = 0
        self.shared: RemoteStats | None = None  # what Redis held at the last look

    def key(self, request: CacheRequest) -> str | None:
        """The exact key; also what single-flight should be keyed by. None: not cacheable."""
        name = (self._secret, self.config.scope)
        if name not in request.memo:
            request.memo[name] = exact_key(request, secret=self._secret, scope=self.config.scope)
        key: str | None = request.memo[name]
        return key

    def prepare(self, request: CacheRequest) -> None:
        """Make the keys of a large request, in a thread: later calls find them made."""
        if not rules.lookup_refusal(request, self.config) or not rules.store_refusal(request, self.config, 0):
            self.key(request)
            if self.semantic is not None:
                self.semantic.prepare(request)

    def flight_key(self, request: CacheRequest) -> str | None:
        """The key for single-flight; None when this request must have an answer of its own."""
        if rules.lookup_refusal(request, self.config) or rules.store_refusal(request, self.config, 0):
            return None
        return self.key(request) if request.control.max_age is None else None

    async def get(self, request: CacheRequest) -> CacheHit | None:
        """The stored answer, or None."""
        started = self._clock()
        if (why := rules.lookup_refusal(request, self.config)) != "":
            self.metrics.bypasses[why] += 1
            return None
        key = self.key(request)
        if key is None:
            self.metrics.bypasses["no identity"] += 1
            return None
        self.start()
        # While Redis was asked, an identical request may have been answered: its flight is over, so look again.
        hit = await self._look(request, key) or self._in_memory(key, request.control.max_age)
        tier = hit.tier if hit else "miss"
        self.metrics.timed(tier, (self._clock() - started) * 1000)
        if hit is None:
            self.metrics.misses += 1
        else:
            self.metrics.hits[hit.tier] += 1
        return hit

    async def _look(self, request: CacheRequest, key: str) -> CacheHit | None:
        limit = request.control.max_age
        if (hit := self._in_memory(key, limit)) is not None:
            return hit
        # The embedding runs while Redis is asked; an exact hit abandons it.
        search = self.semantic.start(request, key) if self.semantic is not None and request.semantic else None
        try:
            found = await self._from_redis(key, limit)
            if found is not None:
                return CacheHit(found[0].value, "redis", found[1], found[0].meta)
            return await self._similar(search, limit) if search is not None else None
        finally:
            if search is not None:
                search.cancel()

    def _in_memory(self, key: str, limit: float | None) -> CacheHit | None:
        found = self.memory.get(key)
        if found is None or (limit is not None and found[1] > limit):
            return None
        return CacheHit(found[0].value, "memory", found[1], found[0].meta)

    async def _from_redis(self, key: str, limit: float | None) -> tuple[Entry, float] | None:
        raw = None if self._clear_owed else await self.remote.get(key)
        if raw is None or self._clear_owed:
            return None
        try:
            entry = unpack(raw, key=key, secret=self._secret)
        except ForeignVersion:
            self.metrics.foreign += 1
            return None
        except CorruptEntry:
            self.metrics.corrupt += 1
            log.warning("a stored answer was corrupt; deleted it")
            self._later(self._drop(key))
            return None
        age = self._wall() - entry.created
        if age < 0 and limit is not None and age < -5:
            return None  # a clock jumped: the age is unknown, and the client cares
        age = max(0.0, age)
        # Redis expires entries itself; this catches a clock that jumped forward (a miss is the safe side).
        if age > entry.ttl or (limit is not None and age > limit):
            return None
        self.memory.put(key, entry, age=age)
        return entry, age

    async def _similar(self, search: Search, limit: float | None) -> CacheHit | None:
        for proposal in await search.proposals():
            found = self.memory.get(proposal.key) or await self._from_redis(proposal.key, None)
            if found is None:
                if self.semantic is not None:  # it may have been switched off while we waited
                    self.semantic.forget(proposal.key)
            elif limit is None or found[1] <= limit:
                return CacheHit(
                    found[0].value, "semantic", found[1], found[0].meta, proposal.similarity, proposal.reason
                )
        return None

    async def put(
        self, request: CacheRequest, value: bytes | str, meta: Mapping[str, Any] | None = None
    ) -> bool:
        """Keep an answer (JSON). True when it was kept. Redis is written in the background.

        `meta` is small, JSON-able and comes back with a hit; it must hold no request text.
        """
        data = value.encode() if isinstance(value, str) else value
        why = rules.store_refusal(request, self.config, len(data))
        if why:
            answer = rules.Answer(why)
        elif len(data) > THREAD_FROM:
            answer = await asyncio.to_thread(rules.judge_answer, data, request.endpoint)
        else:
            answer = rules.judge_answer(data, request.endpoint)
        key = self.key(request) if not answer.refusal else None
        if key is None:
            self.metrics.refused[answer.refusal or "no identity"] += 1
            return False
        wanted = request.control.ttl if request.control.ttl is not None else self.config.ttl
        ttl = round(wanted * (1 - self.config.ttl_jitter * self._jitter()))
        if ttl < 1:
            self.metrics.refused["ttl"] += 1
            return False
        entry = Entry(
            data, self._wall(), ttl, {**(meta or {}), "group": request.group, "endpoint": request.endpoint}
        )
        self.memory.put(key, entry)
        self.metrics.stores += 1
        self._later(self._write(request, key, entry, semantic=not answer.tool_calls))
        return True

    async def _write(self, request: CacheRequest, key: str, entry: Entry, *, semantic: bool) -> None:
        await self._writer.write(key, entry)
        if semantic and self.semantic is not None:
            await self.semantic.add(request, key, entry.ttl)

    async def _drop(self, key: str) -> None:
        await self.remote.delete(key)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Run after the answer is on its way; bounded, so that a slow Redis cannot pile up answers in memory."""
        if len(self._writes) >= MAX_PENDING_WRITES:
            self.metrics.dropped_writes += 1
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._writes.add(task)
        task.add_done_callback(self._written)

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a cache write failed: %s", type(error).__name__)

    async def flush(self) -> None:
        """Wait for the writes under way."""
        while self._writes:
            await asyncio.wait(set(self._writes))

    # -- in step with the other gateways -----------------------------------------------------------------------

    def start(self) -> None:
        """Follow the other gateways from now on; the first lookup does it too. Needs a running loop."""
        if self._sync is None or self._sync.done():
            self._sync = asyncio.get_running_loop().create_task(self._keep_in_step(), name="aicc-cache-sync")

    async def _keep_in_step(self) -> None:
        while True:
            try:
                await self.step()
            except Exception as error:  # the task must outlive any single failure
                log.error("cache synchronisation failed: %s", type(error).__name__)
            await asyncio.sleep(_SYNC_EVERY_S)

    async def step(self) -> None:
        """Once: notice a clear by another process, send what Redis missed, read what others added to the semantic index."""
        if self._clear_owed and self.remote.link.usable:
            await self._clear_shared()
        generation = await self.remote.generation()
        if generation is not None and generation != self._generation:
            # Also the first that is known: nobody can tell whether what is held here is from before a clear.
            self._forget()
            self._generation = generation
        await self._writer.resend()
        if self._steps % _LOOK_EVERY == 0:
            self.shared = await self.remote.stats()
        self._steps += 1
        if self.semantic is not None and self._generation is not None and not self._clear_owed:
            await self.semantic.sync()

    def _forget(self) -> None:
        self._writer.forget()
        self.memory.clear()
        if self.semantic is not None:
            self.semantic.forget_all()

    async def _clear_shared(self) -> int:
        """Empty Redis and tell the other gateways; how many entries went. Owed to the next step when Redis is not to be had."""
        if self.semantic is not None:
            await self.semantic.clear()
        removed, generation = await self.remote.clear()
        self._clear_owed = generation is None and self.remote.link.settings is not None
        if generation is not None:
            self._generation = generation
            self._forget()  # what was read while Redis was being emptied
        return removed

    # -- for `aicc cache` and metrics --------------------------------------------------------------------------

    def stats(self) -> dict[str, Any]:
        """This process: counters, bytes, evictions, latencies."""
        return report.stats(self)

    async def describe(self) -> dict[str, Any]:
        """`stats` plus what Redis holds for all gateways together (`shared`: null when it cannot be asked)."""
        return {**self.stats(), "shared": report.held(await self.remote.stats())}

    async def clear(self) -> int:
        """Forget everything, here and in Redis; other gateways follow within two seconds. How many entries went.

        A Redis that cannot be reached is emptied as soon as it can be, and not read until then.
        """
        await self.flush()
        self._writer.forget()
        local = self.memory.clear()
        return max(local, await self._clear_shared())

    async def inspect(self, limit: int = 20) -> list[dict[str, Any]]:
        """The newest stored entries without their text: key, age, ttl, bytes, meta, or what is wrong with them.

        Those of Redis; of this process where Redis is not usable.
        """
        now = self._wall()
        if not self.remote.link.usable:
            return [report.row(key, entry, age) for key, entry, age in self.memory.newest(limit)]
        return [report.stored(key, raw, self._secret, now) for key, raw in await self.remote.newest(limit)]

    async def aclose(self) -> None:
        """Finish the writes (at most one second) and stop the background task. Does not close the shared link."""
        if self._sync is not None:
            self._sync.cancel()
            await asyncio.gather(self._sync, return_exceptions=True)
        if self._writes:
            _, late = await asyncio.wait(set(self._writes), timeout=1.0)
            for task in late:
                task.cancel()
