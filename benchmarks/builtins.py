"""What LiteLLM has built in for the same jobs and runs offline, beside ours: CPU time of one request, in one process.

    python -m benchmarks.builtins [--repeat N] [--json FILE]

LiteLLM's parts as it ships them: its complexity router's default heuristic, its content filter with the patterns and the
prompt-injection categories named in benchmarks/detection_peers.py (it has none on by default), its Redis cache (key and
answer). How well they judge stands in docs/detect-*.md (`python -m benchmarks.detection`). Every request is a new text,
looked up twice where it is a hit. Redis is started here and answers at once; its own work is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from aicc_hooks.cache import CacheConfig, CacheRequest, ResponseCache
from aicc_hooks.payload import extract
from aicc_hooks.redis_env import RedisSettings
from aicc_hooks.redis_link import RedisLink
from aicc_hooks.verdict import Segment
from benchmarks import detection_complexity, detection_peers
from benchmarks.hooks import ANSWER, shapes
from benchmarks.tables import forgetful, table
from tests.harness import RedisProcess

Body = dict[str, Any]
Work = Callable[[Body], Any]
SHAPES = ("short ask", "20 turns, 8 kB", "100 kB")


def _texts(body: Body) -> list[str]:
    return [message["content"] for message in body["messages"]]


def _segments(body: Body) -> tuple[Segment, ...]:
    return tuple(extract("chat", body).segments)


def detectors() -> dict[str, tuple[Work, Work]]:
    """Job → (ours, LiteLLM's). Ours judges every text anew."""
    ours = forgetful()
    spans = detection_peers.litellm_patterns()
    flags: Callable[[str], bool] = detection_peers.litellm_categories()
    classify = detection_complexity.litellm_heuristic()
    if classify is None:
        raise detection_peers.Absent("LiteLLM's complexity router has moved")
    row = lambda body: {"messages": [m for m in body["messages"] if m["role"] == "user"][-1:]}  # noqa: E731
    return {
        "privacy : content filter, 28 patterns": (
            lambda body: ours.privacy.inspect(_segments(body)),
            lambda body: [spans(text) for text in _texts(body)],
        ),
        "injection : content filter, 3 categories": (
            lambda body: ours.injection.inspect(_segments(body)),
            lambda body: [flags(text) for text in _texts(body)],
        ),
        "complexity : complexity router": (
            lambda body: ours.complexity.inspect(_segments(body)),
            lambda body: classify(row(body)),
        ),
    }


def measure_detectors(repeat: int) -> dict[str, dict[str, list[float]]]:
    """Median ms of ours and LiteLLM's by job and shape."""
    out: dict[str, dict[str, list[float]]] = {}
    makers = shapes()
    for job, pair in detectors().items():
        for shape in SHAPES:
            count = {"short ask": repeat, "20 turns, 8 kB": repeat // 5, "100 kB": max(3, repeat // 60)}[
                shape
            ]
            sides: list[list[float]] = [[], []]
            for number in range(count + 3):
                body = makers[shape]()
                for side, work in enumerate(pair):
                    began = time.thread_time_ns()
                    work(body)
                    if number >= 3:
                        sides[side].append((time.thread_time_ns() - began) / 1e6)
            out.setdefault(job, {})[shape] = [statistics.median(side) for side in sides]
    return out


async def measure_cache(repeat: int, url: str) -> dict[str, dict[str, list[float]]]:
    """Key, look-up and answer of a hit and of a miss; ours without its tier in memory, so that both ask Redis."""
    from litellm import ModelResponse
    from litellm.caching.caching import Cache
    from litellm.types.caching import LiteLLMCacheType

    host, port = url.removeprefix("redis://").split("/")[0].split(":")
    # By default it neither looks up nor keeps a request of more than four messages.
    theirs = Cache(type=LiteLLMCacheType.REDIS, host=host, port=port, max_messages=None)
    answer = ModelResponse(**orjson.loads(ANSWER))
    link = RedisLink(RedisSettings(url=url, timeout_ms=1_000))
    ours = ResponseCache(CacheConfig(max_memory_bytes=0), secret=b"s" * 32, link=link)
    makers = shapes()
    out: dict[str, dict[str, list[float]]] = {"exact hit : redis cache": {}, "exact miss : redis cache": {}}

    async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
        began = time.thread_time_ns()
        found = await work()
        return (time.thread_time_ns() - began) / 1e6, found

    for shape in SHAPES:
        hits: list[list[float]] = [[], []]
        misses: list[list[float]] = [[], []]
        for number in range(
            {"short ask": repeat, "20 turns, 8 kB": repeat // 2, "100 kB": repeat // 10}[shape]
        ):
            body = makers[shape]()
            kwargs = {"model": "auto", "messages": body["messages"], "caching": True}

            def request(body: Body = body) -> CacheRequest:
                return CacheRequest(group="llama-fast", body=body, endpoint="chat")

            ask = partial(theirs.async_get_cache, **kwargs)
            miss_ours, found = await timed(lambda r=request: ours.get(r()))
            miss_theirs, other = await timed(ask)
            assert found is other is None
            await ours.put(request(), ANSWER)
            await ours.flush()
            await theirs.async_add_cache(answer, **kwargs)
            hit_ours, found = await timed(lambda r=request: ours.get(r()))
            hit_theirs, other = await timed(ask)
            assert found is not None
            assert other is not None
            if number >= 3:
                for side, value in enumerate((miss_ours, miss_theirs)):
                    misses[side].append(value)
                for side, value in enumerate((hit_ours, hit_theirs)):
                    hits[side].append(value)
        out["exact hit : redis cache"][shape] = [statistics.median(side) for side in hits]
        out["exact miss : redis cache"][shape] = [statistics.median(side) for side in misses]
    await ours.aclose()
    return out


def shown(found: dict[str, dict[str, list[float]]]) -> str:
    """Markdown: ours : LiteLLM's."""
    body = [
        [
            job,
            *(
                f"{row[shape][0]:.3g} : {row[shape][1]:.3g} ({row[shape][0] / row[shape][1]:.2f}×)"
                for shape in SHAPES
            ),
        ]
        for job, row in found.items()
    ]
    return table(["ms CPU p50, ours : LiteLLM's", *SHAPES], body)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.builtins", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--repeat", type=int, default=300)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = measure_detectors(options.repeat)
    with RedisProcess() as redis:
        found |= asyncio.run(measure_cache(options.repeat, redis.url))
    print(shown(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
