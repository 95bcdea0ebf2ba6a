"""Break everything around the real gateway, one thing at a time, under steady load.

    python -m benchmarks.chaos                # short: about 7 minutes
    python -m benchmarks.chaos --seconds 30   # longer phases
    python -m benchmarks.chaos --workers 2    # two worker processes; --gateways 2: two of them sharing Redis
    python -m benchmarks.chaos --case redis_kill --case ollama_freeze
    python -m benchmarks.chaos --soak 600     # memory, descriptors, sockets, threads and tasks under mixed load
    python -m benchmarks.chaos --soak 600 --connections 16 --cache-mb 3   # as much as the machine can do
    python -m benchmarks.chaos --hunt         # does a process die of SIGSEGV? (benchmarks/crash_hunt.py has more)

Ollama, the spare Ollama and Langfuse are stand-ins on loopback; Redis and the gateway (`aicc serve`) are real. The clock cases need
libfaketime (Debian: apt-get install libfaketime; elsewhere AICC_LIBFAKETIME=path) and are left out without it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.chaos_cases import CASES, Case
from benchmarks.chaos_load import Load, Sample, p95
from benchmarks.chaos_world import World, config_with_spare, faketime, faketime_env, served
from tests.harness import RedisProcess
from tests.ollama_stub import OllamaStub
from tests.standins.langfuse import LangfuseStandIn

# Owed records go to another worker when the lease of the dead one is over: 60 s, and a round.
_DELIVERY_S = 75.0


@dataclass(slots=True)
class Result:
    """One row of the table. Times in ms, `recover_s` in seconds after the fault ended."""

    case: str
    requests: int
    lost: int
    told: int  # of the lost: an error of ours, in the API's shape
    wrong: int
    p95_before: float
    p95_during: float
    p95_after: float
    recover_s: float
    records_missing: int
    owed: int  # records that Langfuse did not get
    details: dict[str, int]


async def measure(world: World, case: Case, rate: float, seconds: float) -> Result:
    """Load throughout: a quarter of `seconds` before, `seconds` broken, then until well again (at least `seconds`)."""
    await _warm(world)
    load, stop = _load(world, rate), asyncio.Event()
    running = asyncio.create_task(load.run(stop))
    await asyncio.sleep(max(2.0, seconds / 4))
    broke = time.monotonic()
    await asyncio.to_thread(case.start, world)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(case.end, world)
    healed = time.monotonic()
    await asyncio.sleep(seconds)
    limit = time.monotonic() + 40
    while time.monotonic() < limit and not _well(load.samples):
        await asyncio.sleep(0.5)
    stop.set()
    await running
    await asyncio.sleep(1.5)
    missing, owed = await asyncio.to_thread(_left_behind, world, load.samples)
    return summarise(case.name, load.samples, broke, healed, missing, owed)


def _load(world: World, rate: float) -> Load:
    urls = tuple(gateway.url for gateway in world.gateways)
    return Load(urls, world.gateway.key, rate)


async def _warm(world: World) -> None:
    """The first requests of a process are slow; they are not what is measured."""
    stop, load = asyncio.Event(), _load(world, 4)
    running = asyncio.create_task(load.run(stop))
    limit = time.monotonic() + 30
    while time.monotonic() < limit and not _well(load.samples):
        await asyncio.sleep(0.2)
    stop.set()
    await running
    await asyncio.sleep(1)
    with contextlib.suppress(Exception):
        world.seen = {"records": await asyncio.to_thread(world.records)}


def _well(samples: list[Sample]) -> bool:
    last = samples[-10:]
    return len(last) == 10 and all(s.kind == "ok" for s in last)


def _left_behind(world: World, samples: list[Sample]) -> tuple[int, int]:
    """Answers that left no record (kill -9 may lose the last quarter of a second); records Langfuse did not get."""
    answered = sum(s.kind in ("ok", "told") for s in samples)
    owed = world.owed(_DELIVERY_S)
    return max(0, answered - (world.records() - world.seen.get("records", 0))), owed


def summarise(
    name: str, samples: list[Sample], broke: float, healed: float, missing: int, owed: int
) -> Result:
    """Numbers of one case."""
    before = [s for s in samples if s.began < broke]
    during = [s for s in samples if broke <= s.began < healed]
    after = [s for s in samples if s.began >= healed + 1]
    bad = [s for s in samples if s.kind != "ok"]
    last_bad = max((s.began for s in bad), default=0.0)
    return Result(
        name, len(samples), len(bad), sum(s.kind == "told" for s in bad), sum(s.kind == "wrong" for s in bad),
        round(p95(before)), round(p95(during)), round(p95(after)),
        round(max(0.0, last_bad - healed), 1), missing, owed, dict(Counter(f"{s.kind}:{s.detail}" for s in bad)),
    )  # fmt: skip


def table(results: list[Result]) -> str:
    """Markdown, for docs/resilience-measured.md."""
    rows = [
        "| broken | requests | lost | told | wrong | p95 before / during / after ms | well again after s | records missing | owed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {r.case.replace('_', ' ')} | {r.requests} | {r.lost} | {r.told} | {r.wrong} | "
        f"{r.p95_before:.0f} / {r.p95_during:.0f} / {r.p95_after:.0f} | {r.recover_s:g} | {r.records_missing} | {r.owed} |"
        for r in results
    ]
    return "\n".join(rows)


@contextlib.contextmanager
def _world(needs: str, options: dict[str, Any], gateways: int, parts: dict[str, Any]) -> Iterator[World]:
    """Running gateways as the cases need them."""
    with contextlib.ExitStack() as stack:
        clock = None
        prefix: tuple[str, ...] = ()
        extra = dict(options["env"])
        if needs == "clock":
            clock = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aicc-clock-"))) / "offset"
            extra |= faketime_env(clock)
        elif needs == "full_disk":
            prefix = ("bash", "-c", 'ulimit -f 600; exec "$@"', "bash")
        config = config_with_spare(parts["spare"].url)
        first = served(config, prefix=prefix, **{**options, "env": extra})
        running = [stack.enter_context(first)]
        for _ in range(gateways - 1):
            running.append(stack.enter_context(served(config, key=first.key, **options)))
        yield World(gateways=running, clock=clock, **parts)


async def chaos(names: list[str], rate: float, seconds: float, workers: int, gateways: int) -> list[Result]:
    """Run the cases, those that need a gateway of their own kind one after the other."""
    results = []
    wanted = [c for c in CASES if not names or c.name in names]
    if not faketime() and any(c.needs == "clock" for c in wanted):
        print("libfaketime is not installed: the clock is left alone", flush=True)
        wanted = [c for c in wanted if c.needs != "clock"]
    wanted = [c for c in wanted if c.needs != "workers" or workers > 1]
    with (
        OllamaStub() as ollama,
        OllamaStub() as spare,
        RedisProcess() as redis,
        LangfuseStandIn() as langfuse,
    ):
        for stub in (ollama, spare):
            for model in stub.models.values():
                model.token_delay = 0.005
        env = {"REDIS_URL": redis.url, **langfuse.env}
        options: dict[str, Any] = {"ollama_url": ollama.url, "env": env, "num_workers": workers}
        parts = {"ollama": ollama, "spare": spare, "redis": redis, "langfuse": langfuse}
        kinds: dict[str, list[Case]] = {}
        for case in wanted:
            kinds.setdefault(case.needs.replace("workers", ""), []).append(case)
        for needs, cases in kinds.items():
            with _world(needs, options, gateways, parts) as world:
                for case in cases:
                    busy = max(rate, 20) if needs == "full_disk" else rate  # enough to reach the limit
                    results.append(await measure(world, case, busy, seconds))
                    print(json.dumps(asdict(results[-1])), flush=True)
                    await asyncio.sleep(2)
    return results


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5, help="length of each broken phase (at most 60)")
    parser.add_argument("--rate", type=float, default=8, help="requests a second")
    parser.add_argument("--workers", type=int, default=1, help="--num_workers of each gateway")
    parser.add_argument("--gateways", type=int, default=1, help="gateways that share Redis")
    parser.add_argument(
        "--case",
        action="append",
        default=[],
        choices=[case.name for case in CASES],
        help="only this one (repeat for more)",
    )
    parser.add_argument("--soak", type=float, default=0, help="seconds of mixed load instead of the cases")
    parser.add_argument(
        "--connections", type=int, default=0, help="of the soak: clients that never pause, in place of --rate"
    )
    parser.add_argument("--cache-mb", type=float, default=64, help="bound of the soak's memory cache")
    parser.add_argument("--hunt", action="store_true", help="look for SIGSEGV instead")
    given = parser.parse_args()
    if given.soak:
        from benchmarks.soak import soak

        print(soak(given.soak, given.rate, given.cache_mb, given.connections))
        return
    if given.hunt:
        from benchmarks.crash_gateway import OFF
        from benchmarks.crash_hunt import run

        print(run(["stock", "ours"], ["", *OFF], 10_000, 32, 120))
        return
    results = asyncio.run(
        chaos(given.case, given.rate, min(60.0, given.seconds), given.workers, given.gateways)
    )
    print(table(results))
    lossy = [
        r.case
        for r in results
        if r.wrong or (r.lost and next((c.fallback for c in CASES if c.name == r.case), True))
    ]
    if lossy:
        raise SystemExit(f"lost or wrong although something else could answer: {', '.join(lossy)}")


if __name__ == "__main__":
    main()
