"""Complexity: this detector beside what else runs offline on the same rows, and its latency by size.

    python -m benchmarks.detection_complexity [FILE.jsonl[.gz]]

The shipped weights have seen the `use: train` rows of the development data, so only rows marked `use: eval` (or a file
of your own) say anything here; `python training/train_complexity.py --no-write` leaves whole sources out instead.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from aicc_hooks.detect.complexity import ComplexityConfig, ComplexityDetector
from aicc_hooks.detect.complexity.evaluate import Report, evaluate, read_rows, segments_of
from aicc_hooks.verdict import Role, Segment, Tier

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "complexity.jsonl.gz"
SIZES = (200, 2_048, 6_144, 20_000, 100_000, 1_000_000)
Classify = Callable[[Mapping[str, Any]], Tier]

ASK = "Could you explain how the committee reached its decision and which of the members were against it? "
PROSE = "The committee met on Tuesday to review the figures, and its members agreed that the second proposal was sound. "
CODE = "def merge(left, right):\n    out = []\n    while left and right:\n        out.append(min(left[0], right[0]))\n    return out\n\n"
SHAPES = {
    "an ask of that length": lambda size: (ASK * (size // len(ASK) + 1))[:size],
    "question + article": lambda size: "When did they meet?\n\n" + (PROSE * (size // len(PROSE) + 1))[:size],
    "question + code": lambda size: "What does this return?\n\n" + (CODE * (size // len(CODE) + 1))[:size],
}


def ours(config: ComplexityConfig) -> Classify:
    """This package's detector."""
    detector = ComplexityDetector(config)
    return lambda row: detector.inspect(segments_of(row), tools=len(row.get("tools") or ())).tier


def litellm_heuristic() -> Classify | None:
    """LiteLLM's rule-based complexity router, or None where it is not installed or has moved."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or its import waits for the network
    try:
        from unittest.mock import MagicMock

        from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter

        router = ComplexityRouter(model_name="bench", litellm_router_instance=MagicMock())
        names = {"simple": "simple", "medium": "medium", "complex": "complex", "reasoning": "complex"}

        def classify(row: Mapping[str, Any]) -> Tier:
            segments = segments_of(row)
            user = [segment.text for segment in segments if segment.role is Role.USER]
            system = [segment.text for segment in segments if segment.role is Role.SYSTEM]
            tier = router.classify(user[-1] if user else "", system[-1] if system else None)[0]
            return cast(Tier, names[str(getattr(tier, "value", tier)).lower()])

        classify({"text": "hi"})
    except Exception as error:
        print(f"LiteLLM's heuristic is left out: {type(error).__name__}", file=sys.stderr)
        return None
    return classify


def latency() -> str:
    """Milliseconds for one `inspect`, as a Markdown table."""
    detector = ComplexityDetector(ComplexityConfig())
    lines = [
        "| characters | " + " | ".join(f"{name}, p50 / p95 ms" for name in SHAPES) + " |",
        "|---:|" + "---:|" * len(SHAPES),
    ]
    for size in SIZES:
        cells = []
        for make in SHAPES.values():
            segments = [Segment(make(size), Role.USER, 0)]
            times = []
            for _ in range(300 if size < 50_000 else 60):
                start = time.perf_counter()
                detector.inspect(segments)
                times.append((time.perf_counter() - start) * 1000)
            times.sort()
            cells.append(f"{statistics.median(times):.2f} / {times[int(len(times) * 0.95)]:.2f}")
        lines.append(f"| {size:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _line(name: str, report: Report) -> str:
    total = report.total
    rates = (total.acceptable_rate, total.complex_on_small, total.simple_on_small)
    return f"| {name} | " + " | ".join("–" if rate is None else f"{100 * rate:.1f}%" for rate in rates) + " |"


def main(argv: list[str]) -> int:
    """Print both tables."""
    path = Path(argv[0]) if argv else DATA
    if path.exists():
        rows = [row for row in read_rows(path) if argv or row.get("use") == "eval"]
        peers: dict[str, Classify | None] = {
            "this detector": ours(ComplexityConfig()),
            "classifier: rules": ours(ComplexityConfig(classifier="rules")),
            "LiteLLM's heuristic": litellm_heuristic(),
            "always medium": lambda row: "medium",
        }
        print(
            f"{len(rows)} rows\n\n| classifier | acceptable | complex on small | simple on small |\n|---|---:|---:|---:|"
        )
        for name, classify in peers.items():
            if classify is not None:
                print(_line(name, evaluate(rows, classify)))
        print()
    else:
        print(f"no rows at {path}: only latency is measured\n", file=sys.stderr)
    print(latency())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
