"""Minutes of mixed load: does memory grow, or the number of descriptors, sockets, threads or tasks of the loop?"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.chaos_load import Load
from benchmarks.chaos_world import child_of
from benchmarks.servers import cpu_seconds
from tests.harness import GatewayProcess
from tests.harness.process import memory_mb, open_files
from tests.ollama_stub import OllamaStub

QUIET_S = 25.0  # after the load: connections idle out, and the gauge of tasks is written each 10 s
_TASKS = re.compile(r"^aicc_loop_tasks (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """The gateway's process at one moment, and its supervisor; -1: not to be had on this system."""

    at: float  # seconds since the load began
    memory: float  # MB
    files: int
    sockets: int
    threads: int
    tasks: int
    kept: int  # descriptors of the supervisor, which holds copies of connections


def look(gateway: GatewayProcess, child: int, at: float) -> Seen:
    """Everything that may leak."""
    kept = open_files(gateway.pid)
    return Seen(
        at, memory_mb(child), open_files(child), _sockets(child), _threads(child), _tasks(gateway), kept
    )


def _sockets(pid: int) -> int:
    folder = f"/proc/{pid}/fd"
    count = 0
    try:
        for name in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
            except FileNotFoundError:  # closed meanwhile
                continue
    except FileNotFoundError:
        return -1
    return count


def _threads(pid: int) -> int:
    flag = "-M" if sys.platform == "darwin" else "-L"
    out = subprocess.run(["ps", flag, "-p", str(pid)], capture_output=True, text=True, timeout=10)
    return max(0, len(out.stdout.splitlines()) - 1)


def _tasks(gateway: GatewayProcess) -> int:
    with httpx.Client(trust_env=False, timeout=20) as client:
        answer = client.get(
            gateway.url + "/aicc/metrics", headers={"authorization": f"Bearer {gateway.key}"}
        ).text
    found = _TASKS.search(answer)
    return int(found[1]) if found else -1


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


async def _run(seconds: float, rate: float, cache_mb: float, connections: int) -> str:
    rows: list[Seen] = []
    with OllamaStub(keep=10) as ollama:
        for model in ollama.models.values():
            model.token_delay = 0.005
        policy: dict[str, Any] = {"cache": {"max_memory_bytes": int(cache_mb * 1e6)}}
        if connections:  # the machine is the bound, not the queue
            policy["resilience"] = {"limits": {"per_model": connections, "per_address": connections + 4}}
        with GatewayProcess(ollama_url=ollama.url, policy=policy, command=("aicc", "serve")) as gateway:
            stop, child, began = asyncio.Event(), child_of(gateway.pid), time.monotonic()
            load = Load((gateway.url,), gateway.key, rate, connections=connections)
            await asyncio.sleep(12)  # the gauge is written by then
            rows.append(await asyncio.to_thread(look, gateway, child, time.monotonic() - began))
            tasks = [asyncio.create_task(load.run(stop)), asyncio.create_task(_rude(gateway, stop))]
            loaded, used = time.monotonic(), cpu_seconds(child)
            while time.monotonic() - began < seconds:
                await asyncio.sleep(min(60.0, seconds / 10))
                rows.append(await asyncio.to_thread(look, gateway, child, time.monotonic() - began))
            stop.set()
            await asyncio.gather(*tasks)
            took, busy = time.monotonic() - loaded, cpu_seconds(child) - used
            await asyncio.sleep(QUIET_S)
            rows.append(await asyncio.to_thread(look, gateway, child, time.monotonic() - began))
            same = child_of(gateway.pid) == child
    rate = f"{len(load.samples) / took:.0f} a second, which took {busy / took:.0%} of a processor"
    return report(rows, load, same, rate)


def report(rows: list[Seen], load: Load, same: bool, rate: str) -> str:
    """Markdown, and the sentence that says whether it held. Warm: after a fifth of the time."""
    lines = [
        "| after s | memory MB | descriptors | sockets | threads | loop tasks | supervisor's descriptors |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.at:.0f} | {s.memory:.1f} | {s.files} | {s.sockets} | {s.threads} | {s.tasks} | {s.kept} |"
        for s in rows
    ]
    warm = next((s for s in rows if s.at >= rows[-1].at / 5), rows[0])
    bad = sum(s.kind != "ok" for s in load.samples)
    lines.append(
        f"\n{len(load.samples)} checked requests, {rate}, {bad} not answered right; the process {'never died' if same else 'DIED'}; memory "
        f"from {warm.memory:.1f} MB at {warm.at:.0f} s to {rows[-1].memory:.1f} MB: {100 * (rows[-1].memory / warm.memory - 1):+.1f} %"
    )
    return "\n".join(lines)


def soak(seconds: float, rate: float, cache_mb: float, connections: int) -> str:
    """A table of what was seen, and a sentence. With a small cache it is full early: what grows then is a leak."""
    return asyncio.run(_run(seconds, rate, cache_mb, connections))
