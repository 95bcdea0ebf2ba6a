"""CPU time of each step our own code takes for a request, in one process without LiteLLM.

python -m benchmarks.hooks [--repeat N] [--json FILE]

Thread CPU time, so that other load on the machine counts less. "all" is what a request costs before it is forwarded.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from aicc_hooks.cache.key import exact_key
from aicc_hooks.cache.request import CacheRequest
from aicc_hooks.catalog import address_of, build_catalog
from aicc_hooks.decide import decide
from aicc_hooks.inspection import Inspector
from aicc_hooks.payload import extract, strip_body
from aicc_hooks.payload.known_fields import drop_unknown
from aicc_hooks.payload.response import parse_response
from aicc_hooks.payload.validate import check_body
from aicc_hooks.policy import Policy
from aicc_hooks.record import RecordDraft, Redactor
from benchmarks.client import long_text, unique_ask
from benchmarks.figures import percentile
from benchmarks.servers import config_of
from benchmarks.tables import forgetful

URL = "http://127.0.0.1:11434"
ANSWER = orjson.dumps({"id": "x", "object": "chat.completion", "model": "auto", "usage": {"prompt_tokens": 20, "completion_tokens": 30},
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A short answer of a few words. " * 8}}]})  # fmt: skip


def turns(count: int, size: int) -> list[dict[str, str]]:
    """A conversation of `count` turns of `size` characters."""
    return [
        {"role": "assistant" if n % 2 else "user", "content": long_text(size) if size > 200 else unique_ask()}
        for n in range(count)
    ]


def shapes() -> dict[str, Callable[[], dict[str, Any]]]:
    """Requests by size."""
    return {
        "short ask": lambda: {"model": "auto", "messages": turns(1, 0)},
        "20 turns, 8 kB": lambda: {"model": "auto", "messages": turns(20, 400)},
        "100 kB": lambda: {"model": "auto", "messages": turns(1, 100_000)},
        "1 MB": lambda: {"model": "auto", "messages": turns(1, 1_000_000)},
    }


class Steps:
    """The steps of `Gate` and `Recorder` in their order; `run` times one request."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.inspector = Inspector.of(self.policy)  # knows the texts it has judged, as in the gateway
        self.alone = forgetful(self.policy)
        models = config_of("ours", URL)["model_list"]
        for model in models:
            params = model["litellm_params"]
            params["api_base"] = URL
        self.catalog = build_catalog(models, {address_of(m["litellm_params"]): True for m in models})
        self.redactor = Redactor(self.inspector.privacy, self.policy.redaction, b"k" * 32)

    def run(self, raw: bytes) -> dict[str, float]:
        """Milliseconds by step."""
        times: dict[str, float] = {}

        def timed(name: str, work: Callable[[], Any]) -> Any:
            begin = time.thread_time_ns()
            result = work()
            times[name] = (time.thread_time_ns() - begin) / 1e6
            return result

        body = timed("parse JSON", lambda: orjson.loads(raw))
        timed(
            "strip and check",
            lambda: (strip_body(body), check_body("chat", body), drop_unknown("chat", body)),
        )
        found = timed("extract", lambda: extract("chat", body))
        inspector, alone = self.inspector, self.alone
        timed("privacy", lambda: alone.privacy.inspect(found.segments))
        timed("injection", lambda: alone.injection.inspect(found.segments))
        timed("complexity", lambda: alone.complexity.inspect(found.segments, tools=found.tools))
        whole = timed("inspect (all three)", lambda: inspector.inspect(found.segments, tools=found.tools))
        decision = timed(
            "decide", lambda: decide(whole, self.policy, self.catalog, requested="auto", needs=found.needs)
        )
        request = CacheRequest(group=decision.route, body=body, endpoint="chat")
        timed("cache key", lambda: exact_key(request, secret=b"s" * 32, scope="machine"))
        timed("serialise", lambda: orjson.dumps(body))
        times["all before forwarding"] = sum(
            times[step]
            for step in (
                "parse JSON",
                "strip and check",
                "extract",
                "inspect (all three)",
                "decide",
                "cache key",
                "serialise",
            )
        )

        def record() -> None:
            draft = RecordDraft(
                id="x", start=1.0, end=2.0, endpoint="chat", verdict=whole, decision=decision, status=200
            )
            draft.input = {"messages": copy.copy(body["messages"])}
            draft.output = parse_response("chat", ANSWER, stream=False).output
            draft.build(self.redactor, user="pseudonym")

        timed("record (thread)", record)
        timed("inspect again, one turn later", lambda: inspector.inspect(found.segments, tools=found.tools))
        return times


def measure(repeat: int) -> dict[str, dict[str, tuple[float, float, int]]]:
    """(p50, p99, count) in ms by shape and step; every request is a new text."""
    steps, out = Steps(), {}
    for shape, make in shapes().items():
        count = {
            "short ask": repeat,
            "20 turns, 8 kB": repeat // 3,
            "100 kB": repeat // 20,
            "1 MB": repeat // 100,
        }
        rows: list[dict[str, float]] = []
        for _ in range(5):
            steps.run(orjson.dumps(make()))
        gc.collect()
        for _ in range(max(5, count[shape])):
            rows.append(steps.run(orjson.dumps(make())))
        out[shape] = {
            step: (
                statistics.median(r[step] for r in rows),
                percentile([r[step] for r in rows], 0.99),
                len(rows),
            )
            for step in rows[0]
        }
    return out


def growth(repeat: int) -> list[tuple[int, float]]:
    """Median ms of `inspect` on a short ask by the number of privacy patterns in the policy."""
    out = []
    for patterns in (1, 100, 2000):
        rows = [{"name": f"project_{n}", "pattern": rf"\bPRJ-{n:05d}-[A-Z]{{3}}\b"} for n in range(patterns)]
        steps = Steps(Policy.model_validate({"privacy": {"custom": rows}}))
        raws = [orjson.dumps({"model": "auto", "messages": turns(1, 0)}) for _ in range(repeat)]
        out.append((patterns, statistics.median(steps.run(raw)["inspect (all three)"] for raw in raws)))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hooks", description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=1000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = measure(options.repeat)
    names = list(found)
    print("| step, ms CPU p50 / p99 | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for step in found[names[0]]:
        cells = [f"{found[shape][step][0]:.3g} / {found[shape][step][1]:.3g}" for shape in names]
        print(f"| {step} | " + " | ".join(cells) + " |")
    print("| requests | " + " | ".join(str(found[shape]["decide"][2]) for shape in names) + " |")
    grown = growth(min(200, options.repeat))
    print("\ninspect, ms by policy patterns: " + ", ".join(f"{count}: {ms:.3g}" for count, ms in grown))
    if options.json:
        options.json.write_text(json.dumps({"steps": found, "patterns": grown}, indent=1))


if __name__ == "__main__":
    main()
