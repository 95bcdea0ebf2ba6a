"""Speed of the whole gateway against stock LiteLLM: the tables of docs/performance.md.

python -m benchmarks.gateway [--quick] [--json FILE] [--svg FILE] [--only PART …]

All gateways are up at once and take turns in every round, so that other load on the machine meets them alike. A ratio is
formed within a round; the table gives the median over the rounds and the quartiles.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.client import Client, long_text, unique_ask
from benchmarks.figures import chart, percentile, spread
from benchmarks.servers import KINDS, TOKEN_DELAY_S, Backend, backend, cpu_seconds, gateway
from tests.harness import GatewayProcess

PARTS = ("load", "single", "hit", "stream", "big", "memory", "workers", "start")
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


async def run(plan: Plan, parts: Sequence[str]) -> Measured:
    """Measure `parts`."""
    measured = Measured()
    with backend() as back:
        bench = Bench(back, plan, measured)
        try:
            if set(parts) - {"start"}:
                await bench.start(KINDS)
            for part in PARTS:
                if part in parts:
                    began = time.monotonic()
                    await (bench.starts() if part == "start" else getattr(bench, part)())
                    print(f"# {part}: {time.monotonic() - began:.0f} s", flush=True)
        finally:
            await bench.stop()
    return measured


def _ratio(a: float, b: float) -> float:
    return a / b


def _minus(a: float, b: float) -> float:
    return a - b


# What is measured, the gateways compared, how, target as sign and number, unit.
TARGETS: tuple[tuple[str, str, str, str, Callable[[float, float], float], str, float, str], ...] = (
    ("throughput, 16 connections", "throughput", "ours", "stock", _ratio, "≥", 1.5, "×"),
    ("… against stock over openai/", "throughput", "ours", "openai", _ratio, "≥", 1.0, "×"),
    ("CPU a request", "cpu ms", "ours", "stock", _ratio, "≤", 1 / 1.5, "×"),
    ("p50, 1 connection", "latency 1 p50", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("p99, 1 connection", "latency 1 p99", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("p50, 16 connections", "latency 16 p50", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("p99, 16 connections", "latency 16 p99", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("exact hit, p50", "hit p50", "ours", "stock", _ratio, "≤", 0.25, "×"),
    ("time to first token, p50", "first token p50", "ours", "stock", _minus, "≤", 1.0, " ms"),
    ("gap between chunks, p50", "gap p50", "ours", "stock", _minus, "≤", 1.0, " ms"),
    ("gap between chunks, p99", "gap p99", "ours", "stock", _minus, "≤", 1.0, " ms"),
    ("small requests' p99 beside 1 MB prompts / calm", "loud p99", "ours", "calm p99", _ratio, "≤", 1.5, "×"),
    ("… the same of stock", "loud p99", "stock", "calm p99", _ratio, "", 0, "×"),
    ("memory of a worker", "memory MB", "ours", "stock", _minus, "≤", 60, " MB"),
    ("start to first answer", "start s", "ours", "stock", _ratio, "≤", 1.2, "×"),
)  # fmt: skip


def rows_of(measured: Measured) -> list[dict[str, Any]]:
    """The table against the targets."""
    rows = []
    for title, measure, one, other, how, sign, target, unit in TARGETS:
        if other == "calm p99":
            pairs = [
                a / b for a, b in zip(measured.rounds[measure, one], measured.rounds[other, one], strict=True)
            ]
        else:
            pairs = measured.pairs(measure, one, other, how)
        if pairs:
            rows.append(_row(title, pairs, sign, target, unit))
    one = [
        b / a
        for a, b in zip(
            measured.rounds["workers", "stock"], measured.rounds["workers", "stock ×2"], strict=True
        )
    ]
    two = [
        b / a
        for a, b in zip(
            measured.rounds["workers", "ours"], measured.rounds["workers", "ours ×2"], strict=True
        )
    ]
    if one:
        rows.append(_row("2 workers / 1 worker", two, "≥", statistics.median(one), "×"))
    return rows


def _row(title: str, values: Sequence[float], sign: str, target: float, unit: str) -> dict[str, Any]:
    middle, low, high = spread(values)
    met = None if not sign else (middle >= target if sign == "≥" else middle <= target)
    return {"what": title, "target": f"{sign} {target:.2f}{unit}" if sign else "", "median": middle, "low": low, "high": high,
            "unit": unit, "rounds": len(values), "met": met}  # fmt: skip


def table(measured: Measured) -> str:
    """Both tables as Markdown."""
    out = ["| what | target | median (quartiles) | rounds | met |", "|---|---|---|---|---|"]
    for row in rows_of(measured):
        met = {None: "", True: "yes", False: "**no**"}[row["met"]]
        value = f"{row['median']:.2f}{row['unit']} ({row['low']:.2f}–{row['high']:.2f})"
        out.append(f"| {row['what']} | {row['target']} | {value} | {row['rounds']} | {met} |")
    kinds = [k for k in (*KINDS, "stock ×2", "ours ×2") if any(kind == k for _, kind in measured.rounds)]
    out += ["", "| absolute, median of rounds | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    for measure in dict.fromkeys(name for name, _ in measured.rounds if measured.rounds):
        cells = []
        for kind in kinds:
            values = measured.rounds.get((measure, kind))
            cells.append(f"{statistics.median(values):.1f}" if values else "")
        out.append(f"| {measure} | " + " | ".join(cells) + " |")
    out += ["", "| all requests, ms | n | p50 | p95 | p99 |", "|---|---|---|---|---|"]
    for (measure, kind), values in measured.raw.items():
        shares = " | ".join(f"{percentile(values, share):.1f}" for share in (0.5, 0.95, 0.99))
        out.append(f"| {measure}, {kind} | {len(values)} | {shares} |")
    return "\n".join(out)


def picture(measured: Measured) -> str:
    """Ratios to stock as bars."""
    wanted = {"throughput": "throughput (more is better)", "cpu ms": "CPU a request", "latency 1 p50": "p50, 1 connection",
              "latency 16 p50": "p50, 16 connections", "latency 16 p99": "p99, 16 connections", "hit p50": "exact hit, p50",
              "first token p50": "time to first token", "loud p99": "p99 beside 1 MB prompts", "memory MB": "memory"}  # fmt: skip
    groups = {}
    for measure, title in wanted.items():
        if measured.rounds.get((measure, "stock")):
            groups[title] = {k: statistics.median(measured.pairs(measure, k, "stock", _ratio)) for k in KINDS}
    return chart("Against stock LiteLLM on the same machine", groups)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few minutes, wider spread")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=" ".join(PARTS)
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE")
    options = parser.parse_args()
    began, load_before = time.time(), os.getloadavg()[0]
    measured = asyncio.run(run(QUICK if options.quick else FULL, options.only))
    about = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count(),
             "seconds": round(time.time() - began), "load": [round(load_before, 1), round(os.getloadavg()[0], 1)]}  # fmt: skip
    print(table(measured))
    print("\n" + ", ".join(f"{name} {value}" for name, value in about.items()))
    if options.json:
        rounds = {f"{m} | {k}": v for (m, k), v in measured.rounds.items()}
        options.json.write_text(
            json.dumps({"about": about, "targets": rows_of(measured), "rounds": rounds}, indent=1)
        )
    if options.svg:
        options.svg.write_text(picture(measured))


if __name__ == "__main__":
    main()
