"""The response cache through the whole gateway, beside stock LiteLLM with its `redis` cache: docs/cache.md.

python -m benchmarks.cache [--quick] [--no-memory] [--json FILE]

Both gateways and one Redis are up at once and take turns within every round, so that other load on the machine meets
them alike. A model call takes the stand-in `MODEL_S`, so a hit shows what it spares. Paraphrases: pairs of the shipped
calibration set that the guard passes, with the stand-in embedder; stock's redis cache has no semantic tier.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from aicc_hooks.cache.calibrate import FILE, Calibration, save, shipped_pairs
from aicc_hooks.cache.guard import PASS, judge
from benchmarks.client import unique_ask
from benchmarks.figures import percentile
from benchmarks.servers import Backend, config_of
from tests.harness import GatewayProcess, RedisProcess, wait_until
from tests.ollama_stub import OllamaStub
from tests.standins.answers import embedding

MODEL_S = 0.25  # what the stand-in takes for an answer
CROWD = 20  # identical requests at once
KINDS = ("stock", "ours")


class Asker:
    """One gateway's client; notes latencies in ms by what was measured."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.gateway = gateway
        self.times: dict[str, list[float]] = defaultdict(list)
        self.tiers: dict[str, list[str]] = defaultdict(list)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"authorization": f"Bearer {gateway.key}"},
            timeout=aiohttp.ClientTimeout(total=120),
        )

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, text: str, measure: str = "") -> float:
        """Milliseconds of one request. Raises RuntimeError for anything but a 200."""
        body = {"model": "llama-fast", "messages": [{"role": "user", "content": text}]}
        begin = time.perf_counter()
        async with self._session.post(self.gateway.url + "/v1/chat/completions", json=body) as response:
            answer = await response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {answer[:200]!r}")
        spent = (time.perf_counter() - begin) * 1000
        if measure:
            self.times[measure].append(spent)
            self.tiers[measure].append(response.headers.get("x-aicc-cache", ""))
        return spent


def start(kind: str, back: Backend, memory: bool) -> GatewayProcess:
    """A gateway that is not started yet; ours may answer semantically once calibrated."""
    policy = {
        "cache": {} if memory else {"max_memory_bytes": 0},
        "resilience": {
            "cold_start": {"prefer_loaded": False},
            "limits": {"per_model": 64, "per_address": 64},
        },
    }
    return GatewayProcess(
        config_of(kind, back.url),
        policy=policy if kind == "ours" else None,
        ollama_url=back.url,
        env=back.env(),
        start_timeout=240,
    )


def calibrate(gateway: GatewayProcess) -> None:
    """Write the calibration that `aicc cache calibrate` finds for the stand-in embedder, and wait for the tier."""
    client = gateway.httpx()

    def semantic() -> dict[str, Any]:
        time.sleep(0.2)
        found: dict[str, Any] = client.get("/aicc/cache").json()["semantic"]
        return found

    wait_until(lambda: semantic()["embedder"], 60)
    save(gateway.home / FILE, Calibration(semantic()["embedder"], 768, 0.5, 0.005, 0.0, 0.0, 0))
    wait_until(lambda: semantic()["on"], 60)
    time.sleep(1)


def paraphrases(count: int) -> list[tuple[str, str]]:
    """Pairs the semantic tier should serve: the guard passes them and the stand-in embedder finds them near."""
    found: list[tuple[str, str]] = []
    seen: set[str] = set()
    for pair in shipped_pairs():
        if not pair.same or {pair.a, pair.b} & seen or judge(pair.a, pair.b) != PASS:
            continue
        near = sum(x * y for x, y in zip(embedding(pair.a), embedding(pair.b), strict=True))
        if near >= 0.55:
            found.append((pair.a, pair.b))
            seen |= {pair.a, pair.b}
    random.Random(5).shuffle(found)
    return found[:count]


async def measure(askers: dict[str, Asker], stub: OllamaStub, rounds: int, each: int) -> dict[str, list[int]]:
    """Fill the askers' latencies; returns upstream calls of each crowd by gateway."""
    pairs = paraphrases(rounds * each)
    for asker in askers.values():
        for _ in range(5):
            await asker.ask(unique_ask())
    for kind, asker in askers.items():
        for text, _ in pairs:
            await asker.ask(text)
        print(f"{kind}: {len(pairs)} questions asked once")
    await asyncio.sleep(1)
    calls: dict[str, list[int]] = defaultdict(list)
    for number in range(rounds):
        order = sorted(askers.items(), reverse=bool(number % 2))
        for kind, asker in order:
            texts = [unique_ask() for _ in range(each)]
            for text in texts:
                await asker.ask(text, "miss")
            await asyncio.sleep(0.2)  # writes follow the answer
            for text in texts:
                await asker.ask(text, "hit")
            for _, other in pairs[number * each : (number + 1) * each]:
                await asker.ask(other, "paraphrase")
            before = chats(stub)
            text = unique_ask()
            begin = time.perf_counter()
            await asyncio.gather(*(asker.ask(text) for _ in range(CROWD)))
            asker.times["crowd"].append((time.perf_counter() - begin) * 1000)
            calls[kind].append(chats(stub) - before)
    return calls


def chats(stub: OllamaStub) -> int:
    """Chat requests the stand-in has had."""
    return sum(call.path == "/api/chat" for call in stub.calls)


def table(askers: dict[str, Asker], calls: dict[str, list[int]]) -> str:
    """The rows of docs/cache.md."""

    def cell(values: Sequence[float], what: Callable[[Sequence[float]], float]) -> str:
        return f"{what(values):.0f}" if values else "-"

    def p95(values: Sequence[float]) -> float:
        return percentile(values, 0.95)

    rows = ["| through the gateway, ms | ours p50 | p95 | stock p50 | p95 |", "|---|---|---|---|---|"]
    names = {
        "hit": "exact hit",
        "miss": f"miss (the model takes {MODEL_S * 1000:.0f})",
        "paraphrase": "paraphrase of a known question",
        "crowd": f"{CROWD} identical requests at once, until the last has its answer",
    }
    for name, title in names.items():
        cells = [
            cell(askers[kind].times[name], what)
            for kind in ("ours", "stock")
            for what in (statistics.median, p95)
        ]
        rows.append(f"| {title} | " + " | ".join(cells) + " |")
    served = askers["ours"].tiers["paraphrase"]
    rows += [
        "",
        f"Paraphrases answered from the cache: {sum(t == 'semantic' for t in served)} of {len(served)} (stock: none). "
        f"Model calls for {CROWD} identical requests: ours {statistics.median(calls['ours']):.0f}, "
        f"stock {statistics.median(calls['stock']):.0f}.",
    ]
    return "\n".join(rows)


async def run(
    stub: OllamaStub, gateways: dict[str, GatewayProcess], rounds: int, each: int
) -> tuple[str, dict[str, Any]]:
    askers = {kind: Asker(gateways[kind]) for kind in KINDS}
    try:
        calls = await measure(askers, stub, rounds, each)
    finally:
        for asker in askers.values():
            await asker.close()
    raw = {
        kind: {"times": dict(a.times), "tiers": dict(a.tiers), "calls": calls[kind]}
        for kind, a in askers.items()
    }
    return table(askers, calls), raw


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="About a minute on a quiet machine.")
    parser.add_argument(
        "--no-memory", action="store_true", help="Without our memory tier: hits come from Redis."
    )
    parser.add_argument("--json", type=Path, help="Write every latency there.")
    options = parser.parse_args()
    rounds, each = (3, 15) if options.quick else (8, 25)
    with OllamaStub() as stub, RedisProcess() as redis:
        stub.fail("slow", path="/api/chat", seconds=MODEL_S)
        back = Backend(stub.url, redis)
        gateways = {kind: start(kind, back, not options.no_memory) for kind in KINDS}
        try:
            for gateway in gateways.values():
                gateway.start()
            calibrate(gateways["ours"])
            text, raw = asyncio.run(run(stub, gateways, rounds, each))
        finally:
            for gateway in gateways.values():
                gateway.close()
    print(text)
    if options.json:
        options.json.write_text(json.dumps(raw))


if __name__ == "__main__":
    main()
