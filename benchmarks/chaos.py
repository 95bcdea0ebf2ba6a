"""Break everything around the real gateway, one thing at a time, under steady load.

    python -m benchmarks.chaos                # short: about 5 minutes
    python -m benchmarks.chaos --seconds 30   # longer phases
    python -m benchmarks.chaos --case redis_kill --case ollama_freeze
    python -m benchmarks.chaos --soak 600     # memory, descriptors and threads under mixed load

Ollama, the spare Ollama and Langfuse are stand-ins on loopback; Redis and the gateway (`aicc serve`) are real.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from aicc_hooks.record import SpoolReader
from benchmarks.chaos_load import Load, Sample, p95
from tests.harness import GatewayProcess, RedisProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.langfuse import LangfuseStandIn


@dataclass(slots=True)
class World:
    """Everything a case may break."""

    ollama: OllamaStub
    spare: OllamaStub
    redis: RedisProcess
    langfuse: LangfuseStandIn
    gateway: GatewayProcess

    def kill_child(self, number: int) -> None:
        """Send a signal to LiteLLM's process below the supervisor."""
        os.kill(child_of(self.gateway.pid), number)


@dataclass(frozen=True, slots=True)
class Case:
    """`fallback`: something else can answer, so nothing may be lost."""

    name: str
    start: Callable[[World], object]
    end: Callable[[World], object]
    fallback: bool = True


def _fail(kind: str, **how: Any) -> Callable[[World], object]:
    return lambda w: w.ollama.fail(kind, **how)


def _heal(w: World) -> None:
    w.ollama.heal()


def _refuse_all(w: World) -> None:
    w.ollama.refuse()
    w.spare.refuse()


def _accept_all(w: World) -> None:
    w.ollama.accept()
    w.spare.accept()


def _nothing(w: World) -> None:
    """The damage is done once; the supervisor repairs it."""


CASES = (
    Case("nothing", _nothing, _nothing),
    Case("ollama_refuse", lambda w: w.ollama.refuse(), lambda w: w.ollama.accept()),
    Case("ollama_500", _fail("status"), _heal),
    Case("ollama_oom", _fail("oom"), _heal),
    Case("ollama_reset", _fail("reset"), _heal),
    Case("ollama_garbage", _fail("garbage"), _heal),
    Case("ollama_half_close", _fail("half_close", after=0), _heal),
    # Nothing is tried again once a word was read, so these may be lost, but never silently.
    Case("ollama_streams_break", _fail("half_close", after=4, rate=0.5), _heal, fallback=False),
    Case("ollama_slow", _fail("slow", seconds=0.5), _heal),
    Case("ollama_freeze", _fail("freeze"), _heal, fallback=False),
    Case("all_ollama_refuse", _refuse_all, _accept_all, fallback=False),
    Case("redis_kill", lambda w: w.redis.kill(), lambda w: w.redis.restart()),
    Case("redis_freeze", lambda w: w.redis.freeze(), lambda w: w.redis.thaw()),
    Case("langfuse_refuse", lambda w: w.langfuse.refuse(), lambda w: w.langfuse.accept()),
    Case("langfuse_freeze", lambda w: w.langfuse.fail("freeze"), lambda w: w.langfuse.heal()),
    Case("gateway_kill_9", lambda w: w.kill_child(signal.SIGKILL), _nothing, fallback=False),
    Case("gateway_segv", lambda w: w.kill_child(signal.SIGSEGV), _nothing, fallback=False),
)  # fmt: skip


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
    details: dict[str, int]


def child_of(pid: int) -> int:
    """The first child process."""
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, timeout=10).stdout.split()
    if not out:
        raise RuntimeError("the gateway has no child process")
    return int(out[0])


def config_with_spare(spare_url: str) -> dict[str, Any]:
    """The shipped config, and one more Ollama to fall back to."""
    config: dict[str, Any] = yaml.safe_load(SHIPPED_CONFIG.read_text(encoding="utf-8"))
    config["model_list"].append(
        {
            "model_name": "spare-local",
            "litellm_params": {"model": "ollama_chat/llama3.2:latest", "api_base": spare_url},
            "model_info": {"mode": "chat", "max_input_tokens": 65536, "supports_function_calling": True},
        }
    )
    # Every group that may be chosen in place of a broken one needs a way out of its own.
    for rule in config["router_settings"]["fallbacks"]:
        for others in rule.values():
            others[:] = ["spare-local"]
    return config


async def measure(world: World, case: Case, rate: float, seconds: float) -> Result:
    """Load throughout: a quarter of `seconds` before, `seconds` broken, then until well again (at least `seconds`)."""
    await _warm(world.gateway)
    load, stop = Load(world.gateway.url, world.gateway.key, rate), asyncio.Event()
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
    return summarise(
        case.name, load.samples, broke, healed, await asyncio.to_thread(_missing, world, load.samples)
    )


async def _warm(gateway: GatewayProcess) -> None:
    """The first requests of a process are slow; they are not what is measured."""
    stop, load = asyncio.Event(), Load(gateway.url, gateway.key, 4)
    running = asyncio.create_task(load.run(stop))
    limit = time.monotonic() + 30
    while time.monotonic() < limit and not _well(load.samples):
        await asyncio.sleep(0.2)
    stop.set()
    await running
    await asyncio.sleep(1)
    with contextlib.suppress(Exception):
        _SEEN[gateway.url] = _rows(gateway)


def _rows(gateway: GatewayProcess) -> int:
    return int(SpoolReader(gateway.home / "usage.db").query("SELECT count(*) FROM records")[0][0])


def _well(samples: list[Sample]) -> bool:
    last = samples[-10:]
    return len(last) == 10 and all(s.kind == "ok" for s in last)


def _missing(world: World, samples: list[Sample]) -> int:
    """Answers that left no record (kill -9 may lose the last quarter of a second)."""
    answered = sum(s.kind in ("ok", "told") for s in samples)
    return max(0, answered - (_rows(world.gateway) - _SEEN.get(world.gateway.url, 0)))


_SEEN: dict[str, int] = {}


def summarise(name: str, samples: list[Sample], broke: float, healed: float, missing: int) -> Result:
    """Numbers of one case."""
    before = [s for s in samples if s.began < broke]
    during = [s for s in samples if broke <= s.began < healed]
    after = [s for s in samples if s.began >= healed + 1]
    bad = [s for s in samples if s.kind != "ok"]
    last_bad = max((s.began for s in bad), default=0.0)
    return Result(
        name, len(samples), len(bad), sum(s.kind == "told" for s in bad), sum(s.kind == "wrong" for s in bad),
        round(p95(before)), round(p95(during)), round(p95(after)),
        round(max(0.0, last_bad - healed), 1), missing, dict(Counter(f"{s.kind}:{s.detail}" for s in bad)),
    )  # fmt: skip


def table(results: list[Result]) -> str:
    """Markdown, for docs/resilience.md."""
    rows = [
        "| broken | requests | lost | of those told | wrong | p95 before / during / after ms | well again after s | records missing |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {r.case.replace('_', ' ')} | {r.requests} | {r.lost} | {r.told} | {r.wrong} | "
        f"{r.p95_before:.0f} / {r.p95_during:.0f} / {r.p95_after:.0f} | {r.recover_s:g} | {r.records_missing} |"
        for r in results
    ]
    return "\n".join(rows)


async def chaos(names: list[str], rate: float, seconds: float) -> list[Result]:
    """Run the cases against one gateway, then the full disk against one of its own."""
    results = []
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
        options: dict[str, Any] = {"ollama_url": ollama.url, "env": env}
        wanted = [c for c in CASES if not names or c.name in names]
        gateway = GatewayProcess(config_with_spare(spare.url), **options)
        gateway._command = ("aicc", "serve", "--config", str(gateway.config))
        if wanted:
            with gateway:
                world = World(ollama, spare, redis, langfuse, gateway)
                for case in wanted:
                    results.append(await measure(world, case, rate, seconds))
                    print(json.dumps(asdict(results[-1])), flush=True)
                    await asyncio.sleep(2)
        if not names or "disk_full" in names:
            # A limit on file size is what every system has: usage.db and the logs cannot grow, as on a full disk.
            full = GatewayProcess(
                config_with_spare(spare.url),
                **options,
                prefix=("bash", "-c", 'ulimit -f 600; exec "$@"', "bash"),
            )
            full._command = ("aicc", "serve", "--config", str(full.config))
            with full:
                world = World(ollama, spare, redis, langfuse, full)
                results.append(
                    await measure(world, Case("disk_full", _nothing, _nothing), max(rate, 20), seconds)
                )
                print(json.dumps(asdict(results[-1])), flush=True)
    return results


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5, help="length of each broken phase (at most 60)")
    parser.add_argument("--rate", type=float, default=8, help="requests a second")
    parser.add_argument("--case", action="append", default=[], help="only this one (repeat for more)")
    parser.add_argument("--soak", type=float, default=0, help="seconds of mixed load instead of the cases")
    given = parser.parse_args()
    if given.soak:
        from benchmarks.soak import soak

        print(soak(given.soak, given.rate))
        return
    results = asyncio.run(chaos(given.case, given.rate, min(60.0, given.seconds)))
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
