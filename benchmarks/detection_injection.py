"""Latency by size and figures on a labelled file: `python benchmarks/detection_injection.py [--rows FILE]`.

Without `--rows` the shared development data is used where it lies beside the repository. Those figures are of the shipped
weights on rows they were trained on, so they flatter; leave-source-out figures come from `training/train_injection.py`.
One core is enough; nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from aicc_hooks.detect.injection import InjectionConfig, InjectionDetector
from aicc_hooks.detect.injection.evaluate import evaluate, read_rows

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "injection.jsonl.gz"
PROSE = (
    "The harbour town wakes early. Fishermen mend their nets while the bakery on the corner sells the first loaves, and by "
    "eight the school bus has crossed the bridge. Could you summarise the minutes below and list what each person must do "
    "before Friday? Anna will ask for three offers, Ben checks the contract, and Carla writes to the council about parking. "
)
CODE = (
    "def total(rows: list[dict[str, float]]) -> float:\n    # skip rows that carry no amount\n    return sum(row['amount'] for row in "
    "rows if row.get('amount') is not None)\n\n\nclass Ledger:\n    def __init__(self, path: str) -> None:\n        self.path = path\n\n"
)
TABLE = "| 2024-03-01 | 17 | 4f2a9c | open | 1.25 |\n| 2024-03-02 | 23 | 9be011 | closed | 0.75 |\n"
SIZES = (200, 2_000, 6_000, 20_000, 100_000, 1_000_000)


def latency(detector: InjectionDetector) -> list[tuple[str, int, float, float]]:
    """`(kind, characters, p50 ms, p95 ms)`."""
    found = []
    for kind, unit in (("prose", PROSE), ("code", CODE), ("table", TABLE)):
        for size in SIZES:
            text = (unit * (size // len(unit) + 1))[:size]
            detector.score(text)
            times = []
            for _ in range(max(5, min(200, 400_000 // size))):
                began = time.perf_counter()
                detector.score(text)
                times.append((time.perf_counter() - began) * 1e3)
            times.sort()
            found.append((kind, size, statistics.median(times), times[int(len(times) * 0.95)]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, default=DATA, help="JSON lines with text and label")
    parser.add_argument("--latency-only", action="store_true")
    options = parser.parse_args()
    detector = InjectionDetector(InjectionConfig(), remember=0)
    print("| text | characters | p50 ms | p95 ms |\n|---|---|---|---|")
    for kind, size, p50, p95 in latency(detector):
        print(f"| {kind} | {size:,} | {p50:.2f} | {p95:.2f} |")
    if not options.latency_only and options.rows.exists():
        print()
        print(evaluate(read_rows(options.rows), detector).table())


if __name__ == "__main__":
    main()
