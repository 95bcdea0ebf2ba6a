"""What grows: the cost of a request and of a page against records kept, questions indexed and patterns in the policy.

    python -m benchmarks.growth [--json FILE] [--only records semantic patterns] [--most 1000000]

CPU time, median. The store of records is built in a temporary folder (about 0.4 GB for a million) and deleted after.
Its newest records come one every 36 s whatever its size, so that a page over one hour always shows 100 of them.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from aicc_hooks.cache.index import NumpyIndex, Question
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.policy import Policy
from aicc_hooks.record import rows, schema, totals, usage
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.model import Record
from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.record.spool import Spool
from aicc_hooks.record.writer import Writer
from aicc_hooks.web import data
from benchmarks.client import unique_ask
from benchmarks.hooks import Steps, turns
from benchmarks.tables import table

RECORDS = (100, 10_000, 100_000, 1_000_000)
QUESTIONS = (10, 1_000, 10_000, 50_000)
PATTERNS = (1, 10, 100, 1_000, 2_000)
DIMS = 768  # of nomic-embed-text, the shipped embedder
EVERY_S = 36.0
KEEP = RecordConfig(retention_days=3_650, max_bytes=10**12)  # or the oldest would go while we measure
Table = dict[str, dict[int, float]]


def cpu_ms(work: Callable[[], Any], repeat: int) -> float:
    """Median CPU time of all threads, in ms."""
    times = []
    for _ in range(repeat):
        began = time.process_time_ns()
        work()
        times.append((time.process_time_ns() - began) / 1e6)
    return statistics.median(times)


# --- records --------------------------------------------------------------------------------------


def record(number: int, now: float) -> Record:
    """One of a few thousand sessions; every tenth private, every fiftieth failed."""
    at = now - number * EVERY_S
    private = number % 10 == 0
    return Record(
        id=f"{random.getrandbits(128):032x}", start=at - 1.0, end=at, endpoint="chat", requested="auto",
        route=("llama-fast", "qwen-local", "deepseek-local")[number % 3], reason="privacy:email" if private else "complexity:simple",
        tier=("simple", "medium", "complex")[number % 3], privacy=("email",) if private else (), local_only=private,
        session=f"{number % 5_000:016x}", status=500 if number % 50 == 0 else 200, error="aicc_upstream_down" if number % 50 == 0 else "",
        client="curl", cache="miss", prompt_tokens=20, completion_tokens=30, gate_ms=1.0, hooks_ms=0.7, cache_ms=0.2,
        upstream_ms=900.0, total_ms=950.0, deployment="ollama_chat/m",
    )  # fmt: skip


def fill(path: Path, have: int, want: int, now: float) -> None:
    """Older records below those that are there; straight into the tables, without waiting for the disk."""
    connection = schema.open_writable(path)
    connection.execute("PRAGMA synchronous = OFF")
    for first in range(have, want, 20_000):
        connection.execute("BEGIN")
        batch = [record(n, now) for n in range(first, min(want, first + 20_000))]
        # The text of a real record is longer; what is looked at here lives in the narrow table and its indexes.
        rows.insert(connection, [(r, f'{{"id":"{r.id}","start":1,"end":2}}') for r in batch], ())
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def records(most: int) -> Table:
    """Steps by the number of records kept."""
    out: Table = {}
    folder = Path(tempfile.mkdtemp(prefix="aicc-growth-"))
    try:
        path, now, have = folder / "usage.db", time.time(), 0
        for size in (n for n in RECORDS if n <= most):
            fill(path, have, size, now)
            have = size
            spool = Spool(path, KEEP, sinks=("langfuse",)).start()
            for name, (work, repeat) in _steps(path, spool, now).items():
                out.setdefault(name, {})[size] = cpu_ms(work, repeat)
            spool.close()
        return out
    finally:
        shutil.rmtree(folder)


def _steps(path: Path, spool: Spool, now: float) -> dict[str, tuple[Callable[[], Any], int]]:
    reader, writer = SpoolReader(path), Writer(path)
    known = [row[0] for row in reader.query("SELECT id FROM records ORDER BY seq LIMIT 100")]
    totals.fold(writer)  # sums go on from here

    def write() -> None:
        spool.put(record(0, time.time()))
        spool.flush()

    def private() -> None:
        # The question of `sticky`, once a session and process.
        reader.query("SELECT 1 FROM records WHERE local_only = 1 AND session != '' AND session IN (?) LIMIT 1", [f"{random.randrange(5_000):016x}"])  # fmt: skip

    def fold() -> None:
        write()
        totals.fold(writer)

    return {
        "write a record": (write, 60),
        "was this session private?": (private, 200),
        "one record by id": (lambda: reader.get(random.choice(known)), 200),
        "sums for /aicc/metrics, after one more record": (fold, 20),
        "latest 50": (lambda: reader.recent(50), 20),
        "latest 50 of a session": (lambda: reader.recent(50, filters=Filters(session=f"{7:016x}")), 5),
        "latest 50 failed": (lambda: reader.recent(50, filters=Filters(errors=True)), 5),
        "latest 50 of a variant nobody has": (lambda: reader.recent(50, filters=Filters(variant="b")), 3),
        "status page, one hour (100 records)": (lambda: data.overview(reader, "1h", now=now), 10),
        "status page, 30 days (up to 72,000)": (lambda: data.overview(reader, "30d", now=now), 2),
        "delivery": (lambda: data.delivery(reader), 5),
        "aicc usage, 24 hours (up to 2,400)": (lambda: usage.usage(reader, since=now - 86_400), 5),
    }


# --- questions ------------------------------------------------------------------------------------


def semantic() -> Table:
    """Look-up among questions of one scope, and adding one: clustered unit vectors, as embeddings are."""
    random_vectors = np.random.default_rng(1)
    centres = random_vectors.standard_normal((64, DIMS))
    index = NumpyIndex(DIMS, QUESTIONS[-1])
    out: Table = {"semantic look-up": {}, "add a question": {}}
    asked: list[Any] = []
    have = 0
    for size in QUESTIONS:
        times = []
        while have < size:
            count = min(2_000, size - have)
            block = centres[random_vectors.integers(0, 64, count)] + 0.9 * random_vectors.standard_normal(
                (count, DIMS)
            )
            block = (block / np.linalg.norm(block, axis=1, keepdims=True)).astype(np.float32)
            asked += list(block[:20])
            for vector in block:
                began = time.process_time_ns()
                index.add(
                    Question(f"{have:032x}", "s", f"what is the answer to question {have}?", 1e12), vector
                )
                times.append((time.process_time_ns() - began) / 1e6)
                have += 1
        places = iter(random.choices(asked, k=200))
        out["semantic look-up"][size] = cpu_ms(
            lambda places=places: index.nearest("s", next(places), floor=0.7, limit=8, now=0), 100
        )
        out["add a question"][size] = statistics.median(times)
    return out


# --- patterns -------------------------------------------------------------------------------------


def patterns(repeat: int = 150) -> Table:
    """Cost of a short ask and of a text of 2 KB, and of loading the policy, by the number of the owner's patterns."""
    out: Table = {}
    texts = [" ".join(unique_ask() for _ in range(30))[:2_000] for _ in range(40)]
    for count in PATTERNS:
        custom = [{"name": f"project_{n}", "pattern": rf"\bPRJ-{n:05d}-[A-Z]{{3}}\b"} for n in range(count)]
        policy = Policy.model_validate({"privacy": {"custom": custom}})
        out.setdefault("load the patterns", {})[count] = cpu_ms(
            lambda p=policy: PrivacyDetector(p.privacy), 1
        )
        steps = Steps(policy)
        raws = [orjson.dumps({"model": "auto", "messages": turns(1, 0)}) for _ in range(repeat)]
        found = [steps.run(raw)["inspect (all three)"] for raw in raws]
        out.setdefault("inspect a short ask", {})[count] = statistics.median(found)
        fresh = PrivacyDetector(policy.privacy, remember=0)
        left = iter(texts)
        out.setdefault("privacy, 2 KB", {})[count] = cpu_ms(
            lambda f=fresh, t=left: f.find(next(t)), len(texts)
        )
    return out


def shown(found: Table) -> str:
    """Markdown."""
    sizes = list(next(iter(found.values())))
    body = [[name, *(f"{ms:.3g}" for ms in row.values())] for name, row in found.items()]
    return table(["ms CPU", *(f"{size:,}" for size in sizes)], body)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__.splitlines()[0])
    parts: dict[str, Callable[..., Table]] = {"records": records, "semantic": semantic, "patterns": patterns}
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts), metavar="PART")
    parser.add_argument("--most", type=int, default=RECORDS[-1], help="records to grow to")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = {}
    for name in options.only:
        found[name] = records(options.most) if name == "records" else parts[name]()
        print(f"\n## {name}\n\n{shown(found[name])}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
