"""The gateways under measurement and one method for each part: what `benchmarks/gateway.py` runs."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.client import Client, long_text, unique_ask
from benchmarks.figures import percentile
from benchmarks.servers import TOKEN_DELAY_S, Backend, cpu_seconds, gateway
from tests.harness import GatewayProcess

BIG_BYTES = 1_000_000
BIG_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: requests of one round and gateway, rounds, starts."""

    rounds: int = 7
    load: int = 300
    single: int = 100
    hits: int = 150
    streams: int = 12
    big_rounds: int = 4
    big: int = 250  # small requests, calm and again beside the long prompts
    starts: int = 4
    worker_rounds: int = 5


QUICK = Plan(
    rounds=5, load=96, single=40, hits=40, streams=4, big_rounds=2, big=100, starts=1, worker_rounds=2
)
FULL = Plan()


@dataclass(slots=True)
class Measured:
    """Values by (measure, gateway), one a round; raw latencies in ms by the same."""

    rounds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    raw: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, measure: str, kind: str, value: float) -> None:
        self.rounds[measure, kind].append(value)

    def latencies(self, measure: str, kind: str, seconds: Sequence[float]) -> None:
        ms = [s * 1000 for s in seconds]
        self.raw[measure, kind] += ms
        self.add(f"{measure} p50", kind, statistics.median(ms))
        self.add(f"{measure} p99", kind, percentile(ms, 0.99))

    def pairs(self, measure: str, one: str, other: str, how: Callable[[float, float], float]) -> list[float]:
        return [
            how(a, b)
            for a, b in zip(self.rounds[measure, one], self.rounds[measure, other], strict=True)
            if b
        ]


class Bench:
    """The measured gateways, and one method a part."""

    def __init__(self, back: Backend, plan: Plan, measured: Measured) -> None:
        self.back, self.plan, self.measured = back, plan, measured
        self.gateways: dict[str, GatewayProcess] = {}
        self.clients: dict[str, Client] = {}

    async def start(self, kinds: Sequence[str], workers: int = 1) -> None:
        for kind in kinds:
            name = kind if workers == 1 else f"{kind} ×{workers}"
            self.gateways[name] = gateway(kind, self.back, workers=workers).launch()
        for kind in kinds:
            name = kind if workers == 1 else f"{kind} ×{workers}"
            await asyncio.to_thread(self.gateways[name].wait_ready)
            self.clients[name] = Client(self.gateways[name])
            await self._warm(name)

    async def _warm(self, name: str) -> None:
        client = self.clients[name]
        await client.load(40, 8)
        await client.stream(unique_ask())
        for _ in range(3):
            await client.ask("the same words for all")
        await asyncio.sleep(1.5)

    async def stop(self) -> None:
        for client in self.clients.values():
            await client.close()
        for process in self.gateways.values():
            await asyncio.to_thread(process.close)
        self.gateways.clear()
        self.clients.clear()

    def _turns(self, number: int) -> list[str]:
        """Each round begins with another gateway."""
        names = [name for name in self.gateways if "×" not in name]
        return names[number % len(names) :] + names[: number % len(names)]

    async def load(self) -> None:
        """Unique prompts over 16 connections: throughput, CPU a request, latency."""
        for number in range(self.plan.rounds):
            for name in self._turns(number):
                await self._load(name, name, self.plan.load, 16)

    async def _load(self, name: str, label: str, requests: int, connections: int) -> None:
        pid = self.gateways[name].pid
        before = cpu_seconds(pid)
        sample = await self.clients[name].load(requests, connections)
        await asyncio.sleep(0.15)  # records and late writes belong to these requests
        spent = cpu_seconds(pid) - before
        self.measured.add("throughput", label, requests / sample.seconds)
        self.measured.add("cpu ms", label, spent / requests * 1000)
        self.measured.latencies("latency 16", label, sample.latencies)

    async def single(self) -> None:
        """Unique prompts over one connection."""
        for number in range(self.plan.rounds):
            for name in self._turns(number):
                sample = await self.clients[name].load(self.plan.single, 1)
                self.measured.latencies("latency 1", name, sample.latencies)

    async def hit(self) -> None:
        """One prompt, again and again."""
        for number in range(self.plan.rounds):
            ask = unique_ask()
            for name in self._turns(number):
                await self.clients[name].ask(ask)
                await asyncio.sleep(0.1)
                before = cpu_seconds(self.gateways[name].pid)
                sample = await self.clients[name].load(self.plan.hits, 1, same=ask)
                spent = cpu_seconds(self.gateways[name].pid) - before
                self.measured.latencies("hit", name, sample.latencies)
                self.measured.add("hit cpu ms", name, spent / self.plan.hits * 1000)

    async def stream(self) -> None:
        """Time to the first token, and what the gaps exceed the model's own pace by."""
        for number in range(self.plan.rounds):
            for name in self._turns(number):
                firsts, gaps = [], []
                for _ in range(self.plan.streams):
                    times = await self.clients[name].stream(unique_ask())
                    firsts.append(times[0])
                    gaps += [b - a - TOKEN_DELAY_S for a, b in pairwise(times)]
                self.measured.latencies("first token", name, firsts)
                self.measured.latencies("gap", name, gaps)

    async def big(self) -> None:
        """Small requests, alone and beside a client that sends 1 MB each half second (later where it must wait longer)."""
        texts = [long_text(BIG_BYTES) for _ in range(3)]
        for number in range(self.plan.big_rounds):
            for name in self._turns(number):
                client = self.clients[name]
                calm = await client.load(self.plan.big, 2, pause=0.01)
                stop = asyncio.Event()
                noise = asyncio.create_task(client.disturb(BIG_EVERY_S, texts, stop))
                await asyncio.sleep(0.05)
                loud = await client.load(self.plan.big, 2, pause=0.01)
                stop.set()
                long = await noise
                self.measured.latencies("calm", name, calm.latencies)
                self.measured.latencies("loud", name, loud.latencies)
                self.measured.latencies("1 MB", name, long)

    async def memory(self) -> None:
        """Resident memory after everything above."""
        for name in self._turns(0):
            self.measured.add("memory MB", name, self.gateways[name].memory_mb)

    async def workers(self) -> None:
        """Throughput of two workers beside one, over 32 connections."""
        await self.start(("stock", "ours"), workers=2)
        for number in range(self.plan.worker_rounds):
            for name in ("stock", "ours", "stock ×2", "ours ×2")[:: 1 if number % 2 else -1]:
                sample = await self.clients[name].load(self.plan.load, 32)
                self.measured.add("workers", name, self.plan.load / sample.seconds)

    async def starts(self) -> None:
        """From the command to the first answered chat request."""
        await self.stop()
        for number in range(self.plan.starts):
            for kind in ("stock", "ours")[:: 1 if number % 2 else -1]:
                process = gateway(kind, self.back)
                try:
                    begin = time.perf_counter()
                    process.launch()
                    await asyncio.to_thread(process.wait_ready)
                    client = Client(process)
                    await client.ask(unique_ask())
                    self.measured.add("start s", kind, time.perf_counter() - begin)
                    await client.close()
                finally:
                    await asyncio.to_thread(process.close)
