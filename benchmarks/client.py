"""The load: one aiohttp client for every gateway, closed loops, every answer read to its end and checked."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.harness import GatewayProcess

_ASKS = (
    "Write a short note to the team about the meeting on {0}, item {1}.",
    "What is the difference between {0} and a plain list? Answer for case {1}.",
    "Summarise in one sentence: the project {0} was moved by {1} days.",
    "Give me three names for a cat that likes {0} number {1}.",
)
_SAID = re.compile(rb'"content": ?"[^"]')
_WORDS = [
    "garden",
    "river",
    "planning",
    "budget",
    "morning",
    "copper",
    "harbour",
    "letter",
    "window",
    "summer",
    "market",
    "valley",
    "engine",
    "paper",
]


@dataclass(slots=True)
class Sample:
    """Latencies in seconds of the requests of one round, and how long the round took."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0


def unique_ask() -> str:
    """A prompt nobody asked before."""
    return random.choice(_ASKS).format(random.choice(_WORDS), random.getrandbits(48))


def long_text(size: int) -> str:
    """About `size` characters of everyday sentences, never the same twice."""
    parts, length = [], 0
    while length < size:
        sentence = " ".join(random.choices(_WORDS, k=12)) + f" {random.getrandbits(20)}. "
        parts.append(sentence)
        length += len(sentence)
    return "".join(parts)[:size]


class Client:
    """Requests to one gateway over kept connections."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.url = gateway.url + "/v1/chat/completions"
        # uvicorn closes an idle connection after 5 s; one kept longer than that would fail the next POST.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
        headers = {"authorization": f"Bearer {gateway.key}"}
        timeout = aiohttp.ClientTimeout(total=120)
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout)

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, text: str, model: str = "auto") -> float:
        """Seconds until the whole answer was read. Raises RuntimeError for anything but a 200."""
        begin = time.perf_counter()
        body = {"model": model, "messages": [{"role": "user", "content": text}]}
        async with self._session.post(self.url, json=body) as response:
            answer = await response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {answer[:200]!r}")
        return time.perf_counter() - begin

    async def stream(self, text: str, model: str = "qwen-local") -> list[float]:
        """Seconds after sending at which each piece of text arrived."""
        times: list[float] = []
        begin = time.perf_counter()
        body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": True}
        async with self._session.post(self.url, json=body) as response:
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {(await response.read())[:200]!r}")
            async for line in response.content:
                if line.startswith(b"data: {") and _SAID.search(line):
                    times.append(time.perf_counter() - begin)
        return times

    async def load(self, requests: int, connections: int, *, same: str = "", pause: float = 0.0) -> Sample:
        """`requests` over `connections` closed loops; unique prompts unless `same` is given."""
        sample = Sample()
        left = iter(range(requests))

        async def loop() -> None:
            for _ in left:
                sample.latencies.append(await self.ask(same or unique_ask()))
                if pause:
                    await asyncio.sleep(pause)

        begin = time.perf_counter()
        await asyncio.gather(*(loop() for _ in range(connections)))
        sample.seconds = time.perf_counter() - begin
        return sample

    async def disturb(self, every: float, texts: Sequence[str], stop: asyncio.Event) -> list[float]:
        """Send a long prompt each `every` seconds, never two at once, until `stop`; returns their latencies."""
        latencies: list[float] = []
        while not stop.is_set():
            number = len(latencies)
            # Never the same twice: an answer from the cache would disturb nobody.
            text = f"{random.getrandbits(48)} {texts[number % len(texts)]}"
            latencies.append(await self.ask(text, "big-local"))
            await asyncio.sleep(max(0.0, every - latencies[-1]))
        return latencies
