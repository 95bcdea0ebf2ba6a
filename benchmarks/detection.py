"""The detectors' tables, and what else runs offline on the same rows in the same run.

    python -m benchmarks.detection                   # everything there is rows for; prints
    python -m benchmarks.detection --write           # and puts the tables into docs/detect.md and docs/detect-*.md
    python -m benchmarks.detection --only latency

Rows are read from `../shared/data` beside the repository (`--data`). Ours are judged with whole sources left out where
there are weights to fit (injection, complexity; needs the `train` extra), privacy with its rules. Peers run on a seeded sample (`--sample`), and
ours is counted on that sample too, so that the ratio compares like with like.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.detect.privacy import evaluate as privacy
from aicc_hooks.inspection import Active
from aicc_hooks.verdict import Finding, Role, Segment
from benchmarks import chat_texts, detection_peers
from benchmarks.detection_left_out import complexity, injection
from benchmarks.detection_peers import Absent, Spans
from benchmarks.tables import DATA, ROOT, Row, forgetful, load, share, table, times


def privacy_peers(rows: Sequence[Row], sample: int) -> str:
    """Span recall and clean texts flagged, of the core rows."""
    rows = [row for row in rows if row.get("tier", "core") == "core"]
    rows = random.Random(1).sample(rows, min(sample, len(rows)))
    texts = [row["text"] for row in rows]
    detector = PrivacyDetector(PrivacyConfig(), remember=0)

    def each(find: Callable[[str], Spans]) -> Callable[[], list[Spans]]:
        return lambda: [find(text) for text in texts]

    def ours(text: str) -> Spans:
        return [(f.start, f.end) for f in detector.find(text)]

    def ours_sensitive(text: str) -> Spans:
        return [(f.start, f.end) for f in detector.find(text) if f.action == "route"]

    makers: list[tuple[str, Callable[[], Callable[[], list[Spans]]]]] = [
        ("this detector, all findings", lambda: each(ours)),
        ("this detector, what makes private", lambda: each(ours_sensitive)),
        ("five plain regexes + entropy", lambda: each(detection_peers.plan_rule)),
        ("LiteLLM's content filter patterns", lambda: each(detection_peers.litellm_patterns())),
        ("detect-secrets", lambda: lambda: detection_peers.detect_secrets(texts)),
    ]
    lines: list[list[str]] = []
    best = 0.0
    for name, make in makers:
        try:
            run = make()
            began = time.process_time(), time.perf_counter()
            found = run()
        except Absent as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        seconds = (
            time.perf_counter() - began[1] if name == "detect-secrets" else time.process_time() - began[0]
        )
        wanted = full = contextual = contextual_full = clean = alarms = 0
        for row, spans in zip(rows, found, strict=True):
            findings = sorted(
                (Finding("x", a, b, "route") for a, b in spans), key=lambda f: (f.start, -f.end)
            )
            for span in row.get("spans") or ():
                hit = privacy.covered(span["start"], span["end"], findings)
                if span["type"] in privacy.LOOSE:
                    contextual += 1
                    contextual_full += hit
                else:
                    wanted += 1
                    full += hit
            if not row.get("spans") and not row.get("label"):
                clean += 1
                alarms += bool(spans)
        recall = (full + contextual_full) / max(1, wanted + contextual)
        best = best or recall
        kilobytes = sum(map(len, texts)) / 1024
        lines.append(
            [
                name,
                share(full, wanted),
                share(contextual_full, contextual),
                share(alarms, clean),
                times(best, recall),
                f"{seconds * 1e3 / kilobytes:.2f}",
            ]
        )
    head = (
        "detector",
        "structured, full span",
        "contextual, full span",
        "clean texts flagged",
        "our recall : its",
        "ms a KB",
    )
    return f"{len(rows)} rows, tier core.\n\n{table(head, lines)}"


def machine() -> float:
    """Milliseconds for a fixed piece of Python: tells a slow or busy machine from slow code."""
    best = 9e9
    for _ in range(15):
        began = time.process_time()
        counts: dict[int, int] = {}
        for i in range(20_000):
            counts[i & 255] = counts.get(i & 255, 0) + 1
        best = min(best, time.process_time() - began)
    return best * 1e3


def latency(sizes: Sequence[int] = chat_texts.SIZES) -> str:
    """CPU milliseconds of `Inspector.inspect` on one user message, all three together and each alone; best of five for each text up to 6,000 characters."""
    inspector = forgetful()
    off = {"privacy": False, "injection": False, "complexity": False}
    sets = [Active(), *(Active(**{**off, name: True}) for name in off)]
    lines = []
    for size in sizes:
        together: list[list[float]] = [[] for _ in sets]
        for kind in chat_texts.KINDS:
            for text in chat_texts.texts(kind, size, max(1, min(16, 100_000 // size))):
                segments = [Segment(text, Role.USER, 0)]
                for which, active in enumerate(sets):
                    best = 9e9
                    for _ in range(5 if size <= 6_000 else 2 if size <= 20_000 else 1):
                        began = time.process_time()
                        inspector.inspect(segments, active=active)
                        best = min(best, time.process_time() - began)
                    together[which].append(best * 1e3)
        cells = []
        for values in together:
            values.sort()
            cells.append(
                f"{statistics.median(values):.2f} / {values[min(len(values) - 1, int(len(values) * 0.95))]:.2f}"
            )
        lines.append([f"{size:,}", *cells])
    head = ("characters", "together, p50 / p95 ms", *off)
    return f"A fixed piece of Python (20,000 dictionary updates) took {machine():.2f} ms on this machine then.\n\n{table(head, lines)}"


def write(name: str, parts: Mapping[str, str]) -> None:
    """Put tables between `<!-- benchmark: KEY -->` and `<!-- end -->` of docs/detect-NAME.md (latency: docs/detect.md)."""
    path = ROOT / "docs" / ("detect.md" if name == "latency" else f"detect-{name}.md")
    page = path.read_text(encoding="utf-8")
    for key, text in parts.items():
        begin = f"<!-- benchmark: {key} -->\n"
        if text and begin in page:
            head, rest = page.split(begin, 1)
            page = f"{head}{begin}{text}\n{rest[rest.index('<!-- end -->') :]}"
    path.write_text(page, encoding="utf-8")


def main(argv: list[str]) -> int:
    """Print, and with --write also put into the docs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", choices=("privacy", "injection", "complexity", "latency"))
    parser.add_argument("--sample", type=int, default=1_500, help="rows the peers run on")
    parser.add_argument(
        "--scores",
        type=Path,
        help="injection: what `train_injection.py --dump FILE` wrote, instead of fitting six times",
    )
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(argv)
    wanted = (options.only,) if options.only else ("latency", "privacy", "injection", "complexity")
    for name in wanted:
        parts: dict[str, str] = {}
        if name == "latency":
            parts = {"latency": latency()}
        elif rows := load(options.data, name):
            if name == "privacy":
                figures = privacy.table(
                    privacy.evaluate(rows), ("overall", "group", "tier", "type", "kind", "source")
                )
                parts = {"tables": figures, "peers": privacy_peers(rows, options.sample)}
            else:
                parts = dict(
                    zip(
                        ("tables", "peers"),
                        injection(options.sample, options.scores)
                        if name == "injection"
                        else complexity(rows),
                        strict=True,
                    )
                )
        for key, text in parts.items():
            print(f"\n## {name}: {key}\n\n{text}", flush=True)
        if options.write:
            write(name, parts)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
