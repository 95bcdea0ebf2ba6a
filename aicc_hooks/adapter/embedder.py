"""The embedder behind the semantic tier, and when that tier is on: policy, calibration and the embedder agree."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.cache import CacheConfig
from aicc_hooks.cache.calibrate import FILE, Calibration, load, tier_threshold
from aicc_hooks.cache.embedder_id import NoEmbedder
from aicc_hooks.cache.metrics import CacheMetrics
from aicc_hooks.cache.semantic import SemanticTier
from aicc_hooks.detect.complexity import split_ask
from aicc_hooks.file_stamp import file_stamp
from aicc_hooks.payload import extract
from aicc_hooks.redis_link import RedisLink
from aicc_hooks.verdict import Decision, Verdict

log = logging.getLogger("aicc_hooks")

Embed = Callable[[str, str], Awaitable[list[float]]]
_KNOWN_S = 60.0  # a pulled model has another digest: look again this often
_UNKNOWN_S = 5.0


class SemanticSwitch:
    """Decides which semantic tier runs, if any. `identify(group)` names the embedder or raises NoEmbedder."""

    def __init__(self, home: Path, embed: Embed, identify: Callable[[str], Awaitable[str]]) -> None:
        self._file = home / FILE
        self._embed = embed
        self._identify = identify
        self._asked = float("-inf")
        self._seen: tuple[object, ...] = ()
        self.embedder = ""  # its exact name; "" while nobody knows
        self.threshold: float | None = None
        self.reason = "the gateway has just started"  # why it is off
        self._calibration: Calibration | None = None

    async def look(self, config: CacheConfig) -> bool:
        """True when another tier, or none, should run from now on. Called every second."""
        if config.semantic == "off":
            return self._settle(("off",), None, "off by policy")
        now = time.monotonic()
        if now - self._asked > (_KNOWN_S if self.embedder else _UNKNOWN_S):
            self._asked = now
            try:
                self.embedder = await self._identify(config.semantic_embedder)
            except NoEmbedder as error:
                # An Ollama that is away for a moment keeps its vectors.
                if not self.embedder.startswith(f"{config.semantic_embedder}="):
                    self.embedder, self.reason = "", str(error)
        if not self.embedder:
            return self._settle(("unknown",), None, self.reason)
        stamp = await asyncio.to_thread(file_stamp, self._file)
        seen = (self.embedder, stamp, config)
        if seen == self._seen:
            return False
        self._calibration = await asyncio.to_thread(load, self._file, self.embedder)
        threshold, reason = tier_threshold(config.semantic, self._calibration, bound=config.false_hit_bound)
        return self._settle(seen, threshold, reason)

    def forget(self) -> None:
        """A new policy may name another embedder: look at once."""
        self._asked, self.embedder = float("-inf"), ""

    def state(self) -> dict[str, Any]:
        """For `aicc cache`: which embedder, on or why not, and the figures of its calibration."""
        known = self._calibration
        figures = {} if known is None else {"hit_rate": known.hit_rate, "false_rate": known.false_rate}
        return {
            "on": self.threshold is not None,
            "why": self.reason,
            "embedder": self.embedder,
            "threshold": self.threshold,
            "calibration": figures,
        }

    def _settle(self, seen: tuple[object, ...], threshold: float | None, reason: str) -> bool:
        changed = seen != self._seen
        if changed and (threshold, reason) != (self.threshold, self.reason):
            log.info("semantic cache: %s", "on" if threshold is not None else reason)
        self._seen, self.threshold, self.reason = seen, threshold, reason
        return changed

    def tier(
        self, config: CacheConfig, *, secret: bytes, link: RedisLink, metrics: CacheMetrics
    ) -> SemanticTier | None:
        """A tier as `look` found it; None: off."""
        if self.threshold is None or self._calibration is None:
            return None

        async def embed(text: str) -> list[float]:
            return await self._embed(config.semantic_embedder, text)

        return SemanticTier(
            config, embed=embed, embedder=self.embedder, threshold=self.threshold, dims=self._calibration.dims,
            split=split_ask, secret=secret, link=link, metrics=metrics,
        )  # fmt: skip


async def embed_with(
    router: Any, model: str, text: str, close: Callable[[list[Attempt]], None]
) -> list[float]:
    """A vector from LiteLLM's router, as a call of our own that may only go to a local model.

    `close` ends the attempts that nobody ended: a call given up at its time limit must free its place in the queue.
    """
    inner = Call(
        endpoint="embeddings",
        requested=model,
        verdict=Verdict(),
        extract=extract("embeddings", {"input": text}),
    )
    inner.decision = Decision(route=model, local_only=True, cache=False)

    async def ask() -> list[float]:
        calls.enter(inner)
        try:
            response = await router.aembedding(model=model, input=[text])
        finally:
            close(inner.attempts)
        row = response.data[0]
        return list(row["embedding"] if isinstance(row, dict) else row.embedding)

    # A context of its own: hooks must find this inner call, and the request's call stays as it is.
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().create_task(ask(), context=context)
