"""Loads chosen models before anybody asks, at start and by schedule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from aicc_hooks.resilience.classify import classify
from aicc_hooks.resilience.config import KeepAlive, WarmUp

_log = logging.getLogger(__name__)


class Loader(Protocol):
    """`OllamaClient.warm_up`'s shape."""

    async def warm_up(
        self,
        model: str,
        *,
        keep_alive: KeepAlive | None = None,
        num_ctx: int | None = None,
        timeout_s: float = 600,
    ) -> float:
        """Loads a model; returns seconds."""


class Warmer:
    """One task a model; the loads themselves go one after the other, so that they do not evict each other."""

    def __init__(
        self,
        loader_of: Callable[[str], Loader | None],
        num_ctx_of: Callable[[str], int | None],
        *,
        retry_s: Sequence[float] = (5, 15, 60, 300),  # Ollama often starts after us
    ) -> None:
        """`loader_of(model)`: the client of the address that has it. `num_ctx_of(model)`: the bucket requests use."""
        self._loader_of = loader_of
        self._num_ctx_of = num_ctx_of
        self._retry_s = tuple(retry_s)
        self._lock = asyncio.Lock()
        self._tasks: dict[WarmUp, asyncio.Task[None]] = {}
        self.last: dict[str, str] = {}  # what happened last, by model: a fault is logged once

    def follow(self, rules: Sequence[WarmUp]) -> None:
        """Starts one task a rule on the running loop, and ends those of rules that are gone. Requests never wait for it."""
        wanted = {rule for rule in rules if rule.at_start or rule.every_s}
        for rule in self._tasks.keys() - wanted:
            self._tasks.pop(rule).cancel()
        for rule in rules:
            if rule in wanted and rule not in self._tasks:
                self._tasks[rule] = asyncio.get_running_loop().create_task(
                    self._run(rule), name=f"aicc-warm-{rule.model}"
                )

    async def stop(self) -> None:
        """Ends the tasks; a load under way is cancelled."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, rule: WarmUp) -> None:
        if not rule.at_start and rule.every_s:
            await asyncio.sleep(rule.every_s)
        failures = 0
        while True:
            if await self._load(rule):
                failures = 0
                if not rule.every_s:
                    return
                await asyncio.sleep(rule.every_s)
            else:
                await asyncio.sleep(self._retry_s[min(failures, len(self._retry_s) - 1)])
                failures += 1

    async def _load(self, rule: WarmUp) -> bool:
        loader = self._loader_of(rule.model)
        if loader is None:
            self.last[rule.model] = "no upstream has this model"
            return False
        async with self._lock:
            try:
                seconds = await loader.warm_up(
                    rule.model, keep_alive=rule.keep_alive, num_ctx=self._num_ctx_of(rule.model)
                )
            except Exception as error:
                kind = classify(error).value
                if self.last.get(rule.model) != kind:
                    _log.warning("warm-up of %s failed: %s", rule.model, kind)
                self.last[rule.model] = kind
                return False
        self.last[rule.model] = f"loaded in {seconds:.1f} s"
        return True
