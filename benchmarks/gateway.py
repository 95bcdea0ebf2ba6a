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
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gateway_bench import FULL, QUICK, Bench, Measured, Plan
from benchmarks.gateway_report import picture, rows_of, table
from benchmarks.servers import KINDS, backend

PARTS = ("load", "single", "hit", "stream", "big", "memory", "workers", "start")


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
