"""The semantic tier: the answer to the same question in other words."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from aicc_hooks.cache.ask import ScopedAsk, Splitter, scoped_ask
from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.guard import PASS, judge
from aicc_hooks.cache.index import Floats, NumpyIndex, Question, VectorIndex
from aicc_hooks.cache.metrics import CacheMetrics
from aicc_hooks.cache.request import CacheRequest
from aicc_hooks.cache.sync import LogEntry, SemanticLog
from aicc_hooks.redis_link import RedisLink

log = logging.getLogger("aicc.cache")
Embedder = Callable[[str], Awaitable[Sequence[float]]]

CANDIDATES: Final = 8  # neighbours the guard is asked about
MAX_PENDING: Final = 1024  # questions whose answer is awaited
REST_AFTER: Final = 3  # failures in a row after which the embedder is left alone …
REST_S: Final = 30.0  # … for this long, so that a dead embedder does not cost every miss its time limit
LOAD_S: Final = (
    60.0  # how long one late embedding may go on: Ollama aborts the load of a model with the request
)


@dataclass(frozen=True, slots=True)
class Proposed:
    """An answer worth fetching: exact key, similarity, what the guard said."""

    key: str
    similarity: float
    reason: str = PASS


class SemanticSearch:
    """One lookup: the embedding is under way from the start."""

    def __init__(self, tier: SemanticTier, scoped: ScopedAsk, key: str) -> None:
        self._tier, self._scoped, self._key = tier, scoped, key
        self._task = asyncio.ensure_future(tier.embed(scoped.ask))

    async def proposals(self) -> list[Proposed]:
        """Candidates the guard lets through, most similar first; empty when the embedder failed or was too slow."""
        vector = await self._task
        if vector is None:
            return []
        self._tier.remember(self._key, vector)
        return self._tier.propose(self._scoped, vector)

    def cancel(self) -> None:
        """Stop the embedding if it still runs."""
        self._task.cancel()


class SemanticTier:
    """Finds answers by meaning within one scope. `threshold` is the calibrated one of this embedder."""

    def __init__(
        self,
        config: CacheConfig,
        *,
        embed: Embedder,
        embedder: str,
        threshold: float,
        split: Splitter,
        secret: bytes,
        link: RedisLink,
        dims: int | None = None,
        metrics: CacheMetrics | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        new_index: Callable[[int, int], VectorIndex] = NumpyIndex,
    ) -> None:
        self.config, self.threshold, self.embedder = config, threshold, embedder
        self.metrics = metrics or CacheMetrics()
        self._embed, self._split, self._link = embed, split, link
        self._secret = hashlib.blake2b(secret, person=b"aicc-scope", digest_size=32).digest()
        self._clock, self._wall, self._new_index = clock, wall, new_index
        self._index: VectorIndex | None = None
        self._log: SemanticLog | None = None
        self._pending: OrderedDict[str, Floats] = OrderedDict()
        self._failures = 0
        self._rest_until = float("-inf")
        self._late: asyncio.Task[Sequence[float]] | None = None
        self._dims = dims
        if dims is not None:
            self._open(dims)  # known from the calibration: what Redis holds is read before the first question

    # -- looking up --------------------------------------------------------------------------------------------

    def prepare(self, request: CacheRequest) -> None:
        """Split and hash a large request, in a thread."""
        self._scoped(request)

    def start(self, request: CacheRequest, key: str) -> SemanticSearch | None:
        """Begin a lookup; None when this request has no question in words or the embedder is resting."""
        if self._clock() < self._rest_until:
            return None
        scoped = self._scoped(request)
        return None if scoped is None else SemanticSearch(self, scoped, key)

    async def embed(self, text: str) -> Floats | None:
        """A unit vector within the time limit, or None."""
        try:
            vector = np.asarray(await self._within_limit(text), np.float32)
            length = float(np.linalg.norm(vector))
            if vector.ndim != 1 or not np.isfinite(length) or length == 0:
                raise ValueError("not a vector")
            if self._dims is not None and len(vector) != self._dims:
                raise ValueError("not the calibrated embedder")
        except Exception as error:  # whatever an embedder does, it is a miss
            self.metrics.embed_failures += 1
            self._failures += 1
            if self._failures >= REST_AFTER:
                self._rest_until = self._clock() + REST_S
                log.warning(
                    "the embedder failed %d times (%s); semantic lookups rest",
                    self._failures,
                    type(error).__name__,
                )
            return None
        self._failures = 0
        self._open(len(vector))
        return vector / np.float32(length)

    async def _within_limit(self, text: str) -> Sequence[float]:
        """The embedder's answer; TimeoutError at the limit. One late call goes on, so that a model can load."""
        task = asyncio.ensure_future(self._embed(text))
        try:
            await asyncio.wait({task}, timeout=self.config.embed_timeout_ms / 1000)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return task.result()
        if self._late is None:
            self._late = task
            task.add_done_callback(self._arrived)
            asyncio.get_running_loop().call_later(LOAD_S, task.cancel)
        else:
            task.cancel()
        raise TimeoutError

    def _arrived(self, task: asyncio.Future[Sequence[float]]) -> None:
        """A late answer: the embedder works, so lookups need not rest any longer."""
        self._late = None
        if not task.cancelled() and task.exception() is None:
            self._failures, self._rest_until = 0, float("-inf")

    def propose(self, scoped: ScopedAsk, vector: Floats) -> list[Proposed]:
        """Neighbours that the guard lets through; reasons of the others are counted."""
        if self._index is None:
            return []
        near = self._index.nearest(
            scoped.scope, vector, floor=self.threshold, limit=CANDIDATES, now=self._clock()
        )
        passed: list[Proposed] = []
        for one in near:
            said = judge(one.question.ask, scoped.ask)
            self.metrics.guard[said] += 1
            if said == PASS:
                passed.append(Proposed(one.question.key, one.similarity))
        return passed

    def remember(self, key: str, vector: Floats) -> None:
        """Keep the vector for the answer that will follow."""
        self._pending[key] = vector
        if len(self._pending) > MAX_PENDING:
            self._pending.popitem(last=False)

    # -- keeping -----------------------------------------------------------------------------------------------

    async def add(self, request: CacheRequest, key: str, ttl: float) -> None:
        """Index a question whose answer was just stored under `key`."""
        vector = self._pending.pop(key, None)
        scoped = self._scoped(request)
        if scoped is None:
            return
        if vector is None and self._clock() >= self._rest_until:
            vector = await self.embed(scoped.ask)
        if vector is None:
            return
        index, stream = self._open(len(vector))
        index.add(Question(key, scoped.scope, scoped.ask, self._clock() + ttl), vector)
        await stream.append(LogEntry(key, scoped.scope, scoped.ask, self._wall() + ttl, vector))

    def forget(self, key: str) -> None:
        """The answer is gone."""
        if self._index is not None:
            self._index.remove(key)

    def forget_all(self) -> None:
        """The cache was cleared: start anew, and read the stream from its start. A read under way is void."""
        self._pending.clear()
        if self._index is not None and self._log is not None:
            self._index.clear()
            self._log = self._new_log(self._log.dims)

    async def clear(self) -> int:
        """Forget everything here and in Redis; how many questions there were."""
        self.forget_all()
        count = await self._log.clear() if self._log is not None else 0
        self.forget_all()  # what was read meanwhile
        return count

    async def sync(self) -> None:
        """Send what Redis missed, read what other processes added; after a restart, everything."""
        stream, index = self._log, self._index
        if stream is None or index is None:
            return
        await stream.resend()
        now, wall = self._clock(), self._wall()
        for count, entry in enumerate(await stream.read_new()):
            if count % 200 == 199:
                await asyncio.sleep(0)
            if self._log is not stream:
                return  # cleared meanwhile
            index.add(Question(entry.key, entry.scope, entry.ask, now + entry.expires - wall), entry.vector)

    async def warm(self) -> bool:
        """Have the embedder loaded before the first question meets it."""
        try:
            async with asyncio.timeout(LOAD_S):
                vector = await self._embed("warm up")
            if self._dims is None:
                self._open(len(vector))
        except Exception as error:  # every lookup tries again within its own limit
            log.warning("the embedder could not be warmed up: %s", type(error).__name__)
            return False
        return True

    def stats(self) -> dict[str, Any]:
        """For metrics and `aicc cache stats`."""
        index = self._index
        return {
            "status": "resting" if self._clock() < self._rest_until else "on",
            "embedder": self.embedder,
            "threshold": self.threshold,
            "entries": 0 if index is None else len(index),
            "bytes": index.bytes if isinstance(index, NumpyIndex) else None,
        }

    def _scoped(self, request: CacheRequest) -> ScopedAsk | None:
        name = (self._secret, self.config.scope, self.config.semantic_max_ask_chars)
        if name not in request.memo:
            request.memo[name] = scoped_ask(
                request,
                split=self._split,
                secret=self._secret,
                owners=self.config.scope,
                max_chars=self.config.semantic_max_ask_chars,
            )
        found: ScopedAsk | None = request.memo[name]
        return found

    def _open(self, dims: int) -> tuple[VectorIndex, SemanticLog]:
        """The index for these dimensions: an embedder that changed them starts a new one."""
        if self._index is None or self._log is None or self._log.dims != dims:
            self._index = self._new_index(dims, self.config.semantic_entries)
            self._log = self._new_log(dims)
            self._pending.clear()
        return self._index, self._log

    def _new_log(self, dims: int) -> SemanticLog:
        return SemanticLog(
            self._link,
            embedder=self.embedder,
            dims=dims,
            capacity=self.config.semantic_entries,
            wall=self._wall,
        )
