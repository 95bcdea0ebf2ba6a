"""Loads that go on although whoever asked for them has left."""

from __future__ import annotations

import asyncio
import contextlib

import httpx

from aicc_hooks.resilience.config import KeepAlive
from aicc_hooks.resilience.ollama import OllamaClient, OllamaError


class Loads:
    """One request without text per load, however many wait for it: it returns when the model is in memory."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, str, int], asyncio.Task[None]] = {}

    def join(
        self, client: OllamaClient, model: str, num_ctx: int, keep_alive: KeepAlive | None = None
    ) -> asyncio.Task[None]:
        """The task that ends with the load, or its failure; it never raises. Needs a running loop."""
        key = (client.base_url, model, num_ctx)
        task = self._tasks.get(key)
        if task is None:
            work = _wait(client, model, num_ctx, keep_alive)
            task = self._tasks[key] = asyncio.get_running_loop().create_task(work, name="aicc-load")
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        return task

    async def stop(self) -> None:
        """End the tasks."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _wait(client: OllamaClient, model: str, num_ctx: int, keep_alive: KeepAlive | None) -> None:
    with contextlib.suppress(OllamaError, httpx.HTTPError):
        await client.warm_up(model, keep_alive=keep_alive, num_ctx=num_ctx)
