"""Does the gateway's process die under load, and with which native library left out does it not?

    python -m benchmarks.crash_hunt                              # stock LiteLLM and ours, everything in: about 4 minutes
    python -m benchmarks.crash_hunt --off uvloop --off hiredis   # one after the other left out as well
    python -m benchmarks.crash_hunt --kind stock --requests 5000 --connections 64
    python -m benchmarks.crash_hunt --kind stock --streams --amplify debug --amplify malloc

Redis is on; the load is streams, clients that leave, prompts of 100 kB, wrong requests and failing upstreams. faulthandler is on: what a
dead process leaves on stderr is printed. Another Python is tried by running this with it. `--amplify` makes use of freed or foreign memory
fatal where it happens: Python's own debug allocator, or glibc's malloc that fills what is freed and checks its neighbours, each with 14 times the
garbage collections.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import platform
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import aiohttp

from benchmarks.client import long_text, unique_ask
from benchmarks.crash_gateway import OFF
from benchmarks.servers import Backend, backend, gateway
from tests.harness import GatewayProcess

_BIG = 100_000
_MIX = ("stream",) * 8 + ("leave",) * 4 + ("chat",) * 5 + ("big", "wrong", "cut")
_STREAMS = ("stream",) * 2 + ("leave",) * 2 + ("cut",)
_COLLECT = {"PYTHON_GC_THRESHOLD": "50,5,5"}  # read by LiteLLM; Python's own is 700,10,10
AMPLIFIERS = {
    "": {},
    "debug": {"PYTHONMALLOC": "debug", **_COLLECT},
    # glibc: each thread's cache would hand freed memory out again before it is filled; MALLOC_CHECK_ does nothing here (2.36).
    "malloc": {
        "PYTHONMALLOC": "malloc", **_COLLECT,
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0:glibc.malloc.perturb=165",
    },
}  # fmt: skip


@dataclass(slots=True)
class Hunt:
    """What one run saw."""

    kind: str
    off: str
    amplify: str = ""
    requests: int = 0
    seconds: float = 0.0
    died: int | None = None  # exit code; negative: the signal
    outcomes: Counter[str] = field(default_factory=Counter)
    stack: str = ""

    @property
    def bound(self) -> float:
        """With 95 % confidence a process dies less often than once in so many requests (rule of three)."""
        return self.requests / 3


async def _one(session: aiohttp.ClientSession, url: str, kind: str) -> str:
    text = long_text(_BIG) if kind == "big" else unique_ask()
    stream = kind in ("stream", "leave", "cut")
    model = {"big": "big-local", "leave": "qwen-local", "cut": "qwen-local", "wrong": "no-such-model"}.get(
        kind, "llama-fast"
    )
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]}
    async with session.post(url, json=body) as answer:
        if kind == "leave":
            await answer.content.readany()
            answer.close()
        elif kind == "cut":  # leaves before the first byte of the answer
            answer.close()
        else:
            await answer.read()
        return f"{kind} {answer.status}"


async def _load(
    running: GatewayProcess, hunt: Hunt, mix: tuple[str, ...], requests: int, connections: int, seconds: float
) -> None:
    begin = time.monotonic()
    timeout = aiohttp.ClientTimeout(total=60)
    headers = {"authorization": f"Bearer {running.key}"}
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:

        async def loop() -> None:
            while hunt.requests < requests and time.monotonic() - begin < seconds:
                if running.returncode is not None:
                    return
                hunt.requests += 1
                try:
                    hunt.outcomes[
                        await _one(session, running.url + "/v1/chat/completions", random.choice(mix))
                    ] += 1
                except (aiohttp.ClientError, TimeoutError) as error:
                    hunt.outcomes[type(error).__name__] += 1
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(loop() for _ in range(connections)))
    hunt.seconds = time.monotonic() - begin


def _let_some_fail(back: Backend, rate: float) -> None:
    """A share of the upstream's streams ends in the middle."""
    body = json.dumps({"kind": "half_close", "after": 2, "rate": rate}).encode()
    request = urllib.request.Request(back.url + "/_stub/faults", body, method="POST")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=5):
        pass


def hunt(
    kind: str,
    off: str,
    requests: int,
    connections: int,
    seconds: float,
    *,
    amplify: str = "",
    mix: tuple[str, ...] = _MIX,
) -> Hunt:
    """One gateway, one library left out, until `requests` were sent, the time is over or it died."""
    found = Hunt(kind, off, amplify)
    with backend() as back:
        running = gateway(kind, back)
        running._command = (
            "python", "-m", "benchmarks.crash_gateway", "--config", str(running.config), "--host", "127.0.0.1",
        )  # fmt: skip
        running.env |= {"AICC_HUNT_OFF": off, **AMPLIFIERS[amplify]}
        with running:
            _let_some_fail(back, 0.03)
            asyncio.run(_load(running, found, mix, requests, connections, seconds))
            time.sleep(1)
            found.died = running.returncode
            if found.died is not None:
                found.stack = running.tail(6000)
    return found


def run(
    kinds: list[str],
    outs: list[str],
    requests: int,
    connections: int,
    seconds: float,
    amplifiers: Sequence[str] = ("",),
    mix: tuple[str, ...] = _MIX,
) -> str:
    """Every gateway with every library of `outs` left out; Markdown."""
    rows = [
        "| Python | gateway | left out | amplified | requests | seconds | deaths | fewer than one in (95 %) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        for off, amplify in product(outs, amplifiers):
            found = hunt(kind, off, requests, connections, seconds, amplify=amplify, mix=mix)
            print(json.dumps(dict(found.outcomes)), flush=True)
            if found.stack:
                print(found.stack, flush=True)
            rows.append(
                f"| {platform.python_version()} | {kind} | {off or 'nothing'} | {amplify or 'no'} | {found.requests} | {found.seconds:.0f} | "
                f"{'0' if found.died is None else f'1 ({found.died})'} | {'-' if found.died else round(found.bound)} |"
            )
            print(rows[-1], flush=True)
    return "\n".join(rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", action="append", default=[], choices=("stock", "ours"))
    parser.add_argument("--off", action="append", default=[], choices=OFF, help="also with this one left out")
    parser.add_argument("--only-off", action="store_true", help="do not run with everything in")
    parser.add_argument("--amplify", action="append", default=[], choices=[a for a in AMPLIFIERS if a])
    parser.add_argument(
        "--streams", action="store_true", help="only streams, half of them left by the client"
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=120, help="at most, for each run")
    given = parser.parse_args()
    outs = [*([] if given.only_off else [""]), *given.off]
    print(
        run(
            given.kind or ["stock", "ours"], outs, given.requests, given.connections, given.seconds,
            given.amplify or [""], _STREAMS if given.streams else _MIX,
        )
    )  # fmt: skip


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
