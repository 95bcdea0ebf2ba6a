"""Minutes of mixed load: does memory, the number of descriptors or of threads grow?"""

from __future__ import annotations

import asyncio
import subprocess
import time
from typing import Any

import httpx

from benchmarks.chaos import child_of
from benchmarks.chaos_load import Load
from tests.harness import GatewayProcess
from tests.harness.process import memory_mb, open_files
from tests.ollama_stub import OllamaStub


async def _rude(gateway: GatewayProcess, until: asyncio.Event) -> None:
    """Clients that leave in the middle of a stream, wrong requests, embeddings: one of each a second."""
    headers = {"authorization": f"Bearer {gateway.key}"}
    async with httpx.AsyncClient(
        trust_env=False, timeout=30, headers=headers, base_url=gateway.url
    ) as client:
        number = 0
        while not until.is_set():
            number += 1
            body: dict[str, Any] = {
                "model": "llama-fast",
                "stream": True,
                "messages": [{"role": "user", "content": f"[[words: 200]] {number}"}],
            }
            async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                async for _ in answer.aiter_bytes():
                    break
            await client.post("/v1/chat/completions", json={"model": "no-such-model", "messages": []})
            await client.post("/v1/embeddings", json={"model": "embed-local", "input": f"text {number}"})
            await asyncio.sleep(1)


def _threads(pid: int) -> int:
    out = subprocess.run(
        ["ps", "-M" if _mac() else "-L", "-p", str(pid)], capture_output=True, text=True, timeout=10
    )
    return max(0, len(out.stdout.splitlines()) - 1)


def _mac() -> bool:
    import sys

    return sys.platform == "darwin"


async def _run(seconds: float, rate: float) -> str:
    rows: list[tuple[float, float, int, int]] = []
    with OllamaStub() as ollama:
        for model in ollama.models.values():
            model.token_delay = 0.005
        with GatewayProcess(ollama_url=ollama.url, command=("aicc", "serve")) as gateway:
            stop, child, began = asyncio.Event(), child_of(gateway.pid), time.monotonic()
            load = Load(gateway.url, gateway.key, rate)
            tasks = [asyncio.create_task(load.run(stop)), asyncio.create_task(_rude(gateway, stop))]
            while (age := time.monotonic() - began) < seconds:
                await asyncio.sleep(min(15.0, seconds / 10))
                rows.append((age, memory_mb(child), open_files(child), _threads(child)))
            stop.set()
            await asyncio.gather(*tasks)
            await asyncio.sleep(5)
            rows.append((time.monotonic() - began, memory_mb(child), open_files(child), _threads(child)))
            same = child_of(gateway.pid) == child
    warm = rows[len(rows) // 5]
    last = rows[-1]
    lines = [
        f"{at:6.0f} s  {memory:7.1f} MB  {files:4d} descriptors  {threads:3d} threads"
        for at, memory, files, threads in rows
    ]
    bad = sum(s.kind != "ok" for s in load.samples)
    lines.append(
        f"{len(load.samples)} requests, {bad} not answered right; the process {'never died' if same else 'DIED'}; memory from "
        f"{warm[1]:.1f} MB at {warm[0]:.0f} s to {last[1]:.1f} MB: {100 * (last[1] / warm[1] - 1):+.1f} %"
    )
    return "\n".join(lines)


def soak(seconds: float, rate: float) -> str:
    """A table of what was seen, and a sentence."""
    return asyncio.run(_run(seconds, rate))
