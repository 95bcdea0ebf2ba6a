"""What is broken, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.chaos_world import KILL, SEGV, World

HOUR = 3600.0
Needs = Literal["", "workers", "clock", "full_disk"]


@dataclass(frozen=True, slots=True)
class Case:
    """`fallback`: something else can answer, so nothing may be lost. `needs`: a gateway started for it."""

    name: str
    start: Callable[[World], object]
    end: Callable[[World], object]
    fallback: bool = True
    needs: Needs = ""


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


def _kill_the_deliverer(w: World) -> None:
    w.langfuse.refuse()
    w.kill_worker(KILL)


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
    Case("ollama_streams_break", _fail("half_close", after=1, rate=0.5), _heal, fallback=False),
    Case("ollama_slow", _fail("slow", seconds=0.5), _heal),
    Case("ollama_freeze", _fail("freeze"), _heal, fallback=False),
    Case("all_ollama_refuse", _refuse_all, _accept_all, fallback=False),
    Case("redis_kill", lambda w: w.redis.kill(), lambda w: w.redis.restart()),
    Case("redis_freeze", lambda w: w.redis.freeze(), lambda w: w.redis.thaw()),
    Case("langfuse_refuse", lambda w: w.langfuse.refuse(), lambda w: w.langfuse.accept()),
    Case("langfuse_freeze", lambda w: w.langfuse.fail("freeze"), lambda w: w.langfuse.heal()),
    # New requests wait for the next process; those a killed one has are told, or cut where half an event is out.
    Case("worker_kill_9", _kill_the_deliverer, lambda w: w.langfuse.accept(), fallback=False, needs="workers"),
    Case("gateway_kill_9", lambda w: w.kill_child(KILL), _nothing, fallback=False),
    Case("gateway_segv", lambda w: w.kill_child(SEGV), _nothing, fallback=False),
    Case("clock_forward", lambda w: w.jump(HOUR), lambda w: w.jump(0), needs="clock"),
    Case("clock_back", lambda w: w.jump(-HOUR), lambda w: w.jump(0), needs="clock"),
    # A limit on file size is what every system has: usage.db and the logs cannot grow, as on a full disk.
    Case("disk_full", _nothing, _nothing, needs="full_disk"),
)  # fmt: skip
