"""Privacy detection: the table of docs/detect-privacy.md and latency by size.

python -m benchmarks.detection_privacy FILE.jsonl[.gz]
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.detect.privacy.evaluate import evaluate, table

SIZES = (200, 2_000, 6_000, 20_000, 100_000, 1_000_000)


def load(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSON-lines file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def latency(
    rows: list[dict[str, Any]], sizes: tuple[int, ...] = SIZES, texts: int = 40
) -> list[dict[str, float]]:
    """Milliseconds per text of a size, built from the rows' own texts; best of three for each text.

    CPU time of the process, so that other load on the machine counts less.
    """
    detector = PrivacyDetector(PrivacyConfig(), remember=0)
    pool = "\n\n".join(row["text"] for row in rows)
    out = []
    for size in sizes:
        count = max(2, min(texts, 4_000_000 // size))
        times = []
        for i in range(count):
            at = (i * 7919 * 13) % max(1, len(pool) - size)
            text = (pool[at : at + size] * (size // max(1, len(pool[at : at + size])) + 1))[:size]
            best = float("inf")
            for _ in range(3 if size <= 20_000 else 1):
                began = time.process_time()
                detector.find(text)
                best = min(best, time.process_time() - began)
            times.append(best * 1000)
        times.sort()
        out.append(
            {
                "chars": size,
                "p50_ms": round(statistics.median(times), 3),
                "p95_ms": round(times[int(len(times) * 0.95) - 1], 3),
            }
        )
    return out


def main(argv: list[str]) -> None:
    """Print both tables."""
    rows = load(Path(argv[0]))
    result = evaluate(rows)
    print(table(result, ("overall", "group", "tier", "type", "kind", "source")))
    prompts = [
        r for r in rows if not r["spans"] and r.get("kind") in ("prompt", "code", "code_kw", "long_neg")
    ] or rows
    print("\n| characters | p50 ms | p95 ms |\n|---|---|---|")
    for line in latency(prompts):
        print(f"| {line['chars']:,} | {line['p50_ms']} | {line['p95_ms']} |")


if __name__ == "__main__":
    main(sys.argv[1:])
