"""Measure the semantic cache: hits and false hits by kind and source, guard and lookup times.

    python benchmarks/semantic.py --pairs FILE.jsonl.gz --vectors FILE.npz [--threshold 0.7]
    python benchmarks/semantic.py --latency

Pairs: JSON lines `a`, `b`, `same_answer`, `kind`, `source`; vectors: float16 [n, d] with index arrays `a`, `b`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from aicc_hooks.cache.calibrate import Pair, choose, shipped_pairs
from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.guard import judge
from aicc_hooks.cache.index import NumpyIndex, Question
from aicc_hooks.cache.key import exact_key
from aicc_hooks.cache.match import match
from aicc_hooks.cache.request import CacheRequest
from aicc_hooks.cache.tiers import ResponseCache
from aicc_hooks.redis_env import RedisSettings
from aicc_hooks.redis_link import RedisLink


def pairs(file: Path, vectors: Path, threshold: float) -> None:
    """Hit and false-hit rates: cosine alone, guard and cosine."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    stored = np.load(vectors)
    matrix = stored["vectors"].astype(np.float32)
    similarity = (matrix[stored["a"]] * matrix[stored["b"]]).sum(1)
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row, cosine in zip(rows, similarity, strict=True):
        said = match(row["a"], row["b"], float(cosine), threshold)
        family = "adversarial" if row["source"].startswith(("CheckList", "QQP")) else "request-like"
        source = row["source"].split("/")[0]
        for group in ((f"all {family}", ""), (source, ""), (source, row["kind"])):
            tally = groups[(*group, "paraphrases" if row["same_answer"] else "traps")]
            tally[0] += 1
            tally[1] += said.hit
            tally[2] += float(cosine) >= threshold
    print(
        f"threshold {threshold}\n\n| source | kind | pairs | served | cosine alone |\n|---|---|---|---|---|"
    )
    for (source, kind, what), (total, hits, near) in sorted(groups.items()):
        print(f"| {source} | {kind} {what} | {total} | {hits / total:.1%} | {near / total:.1%} |")
    labelled = [Pair(r["a"], r["b"], bool(r["same_answer"]), r["source"], r["kind"]) for r in rows]
    asked = [i for i, r in enumerate(rows) if not r["source"].startswith(("CheckList", "QQP"))]
    chosen = choose(
        [labelled[i] for i in asked], [float(similarity[i]) for i in asked],
        embedder="minilm", dims=matrix.shape[1], bound=0.005,
    )  # fmt: skip
    print(f"\na calibration on the request-like pairs would choose {chosen.threshold}")


def latency() -> None:
    """Times of the parts, one thread."""
    shipped = shipped_pairs()
    _report("guard, a pair (texts not seen before)", [_ms(lambda p=p: judge(p.a, p.b)) for p in shipped])
    random = np.random.default_rng(1)
    matrix = random.standard_normal((50_000, 768)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    index = NumpyIndex(768, 50_000)
    for n in range(50_000):
        index.add(Question(f"{n:032x}", "s", f"what is the answer to question number {n}?", 1e12), matrix[n])
    found = [
        _ms(lambda n=n: index.nearest("s", matrix[n], floor=0.7, limit=8, now=0))
        for n in range(0, 50_000, 250)
    ]
    _report("index lookup, 50,000 x 768, one scope", found)
    print(f"index memory: {index.bytes / 1e6:.0f} MB")
    for size in (1_000, 100_000, 1_000_000):
        request = CacheRequest(
            "m", {"messages": [{"role": "user", "content": "lorem ipsum " * (size // 12)}]}
        )
        _report(
            f"exact key, {size:,} characters",
            [_ms(lambda r=request: exact_key(r, secret=b"s", scope="machine")) for _ in range(20)],
        )


async def tiers(port: int) -> None:
    """Times of `get` by tier against a Redis on this machine."""
    link = RedisLink(RedisSettings(port=port))
    cache = ResponseCache(CacheConfig(), secret=b"benchmark", link=link)
    value = json.dumps({"choices": [{"finish_reason": "stop", "message": {"content": "word " * 400}}]})
    requests = [
        CacheRequest("bench", {"messages": [{"role": "user", "content": f"question {n}"}]})
        for n in range(500)
    ]
    times: dict[str, list[float]] = defaultdict(list)

    async def get(request: CacheRequest) -> None:
        started = time.perf_counter()
        hit = await cache.get(request)
        times[hit.tier if hit else "miss"].append((time.perf_counter() - started) * 1000)

    for request in requests:
        await get(request)
        await cache.put(request, value)
        await cache.flush()
    for request in requests:
        await get(request)
    cache.memory.clear()
    for request in requests:
        await get(request)
    for tier, measured in times.items():
        _report(f"get: {tier}", measured)
    await cache.clear()
    await cache.aclose()
    await link.aclose()


def _ms(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return (time.perf_counter() - started) * 1000


def _report(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    print(
        f"{name}: p50 {statistics.median(ordered):.2f} ms, p95 {ordered[int(len(ordered) * 0.95)]:.2f} ms (n={len(ordered)})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--latency", action="store_true")
    parser.add_argument(
        "--redis-port",
        type=int,
        help="also time the tiers against this Redis; writes aicc: keys and clears them",
    )
    options = parser.parse_args()
    if options.pairs and options.vectors:
        pairs(options.pairs, options.vectors, options.threshold)
    if options.latency:
        latency()
    if options.redis_port:
        asyncio.run(tiers(options.redis_port))


if __name__ == "__main__":
    main()
