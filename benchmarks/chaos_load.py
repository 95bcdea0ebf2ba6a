"""Steady load whose answers can be checked: every prompt holds a number that the model repeats."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field

import httpx


@dataclass(slots=True)
class Sample:
    """One request. Times are monotonic seconds; `kind`: ok, told (an error of ours), cut (no proper end), wrong."""

    began: float
    took: float
    kind: str
    detail: str = ""


@dataclass(slots=True)
class Load:
    """`rate` requests a second to `urls` in turn, open loop: a slow gateway gets no rest. Every third is a stream.

    With `connections`, so many clients ask without a pause instead (closed loop): as much as the machine can do.
    """

    urls: tuple[str, ...]
    key: str
    rate: float
    timeout_s: float = 60
    connections: int = 0
    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    samples: list[Sample] = field(default_factory=list)
    _number: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, until: asyncio.Event) -> None:
        """Send until `until` is set, then wait for what is under way."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        async with httpx.AsyncClient(
            trust_env=False,
            timeout=self.timeout_s,
            limits=limits,
            headers={"authorization": f"Bearer {self.key}"},
        ) as client:
            if self.connections:
                await asyncio.gather(*(self._again(client, until) for _ in range(self.connections)))
                return
            due = time.monotonic()
            while not until.is_set():
                task = asyncio.create_task(self._one(client, self._next()))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                due += 1 / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self._tasks:
                await asyncio.wait(set(self._tasks), timeout=self.timeout_s)

    async def _again(self, client: httpx.AsyncClient, until: asyncio.Event) -> None:
        while not until.is_set():
            await self._one(client, self._next())

    def _next(self) -> int:
        self._number += 1
        return self._number - 1

    async def _one(self, client: httpx.AsyncClient, number: int) -> None:
        began = time.monotonic()
        nonce = f"{self.tag}{number:06d}end"  # never asked before: the cache must not help
        stream = number % 3 == 0
        body = {
            "model": "qwen-local",
            "stream": stream,
            "messages": [{"role": "user", "content": f"[[echo]] {nonce}"}],
        }
        url = self.urls[number % len(self.urls)] + "/v1/chat/completions"
        try:
            if stream:
                kind, detail = await self._stream(client, url, body, nonce)
            else:
                answer = await client.post(url, json=body)
                kind, detail = judge(answer.status_code, answer.text, nonce)
        except httpx.HTTPError as error:
            kind, detail = "cut", f"{type(error).__name__} {error}"
        self.samples.append(Sample(began, time.monotonic() - began, kind, detail))

    async def _stream(
        self, client: httpx.AsyncClient, url: str, body: dict[str, object], nonce: str
    ) -> tuple[str, str]:
        async with client.stream("POST", url, json=body) as answer:
            text = (await answer.aread()).decode("utf-8", "replace")
        if answer.status_code != 200:
            return judge(answer.status_code, text, nonce)
        words: list[str] = []
        done = False
        for line in text.splitlines():
            if line == "data: [DONE]":
                done = True
            elif line.startswith("data: {"):
                event = json.loads(line[6:])
                if "error" in event:
                    return "told", str(event["error"].get("type"))
                words += [c.get("delta", {}).get("content") or "" for c in event.get("choices") or []]
        if not done:
            return "cut", "no end"
        return ("ok", "") if nonce in "".join(words) else ("wrong", "other text")


def judge(status: int, text: str, nonce: str) -> tuple[str, str]:
    """What a whole answer is worth."""
    if status == 200:
        return ("ok", "") if nonce in text else ("wrong", "other text")
    try:
        code = str(json.loads(text)["error"]["type"])
    except (ValueError, KeyError, TypeError):
        return "cut", f"HTTP {status} without our error"
    return "told", code


def p95(samples: list[Sample]) -> float:
    """Of the answered requests, in ms; 0 when there is none."""
    times = sorted(s.took for s in samples if s.kind == "ok")
    return 1000 * times[min(len(times) - 1, int(len(times) * 0.95))] if times else 0.0
