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
import gzip
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicc_hooks.detect.complexity import ComplexityConfig
from aicc_hooks.detect.complexity.evaluate import evaluate as evaluate_complexity
from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.detect.privacy import evaluate as privacy
from aicc_hooks.inspection import Active, Inspector
from aicc_hooks.policy.schema import Policy
from aicc_hooks.verdict import Finding, Role, Segment
from benchmarks import chat_texts, detection_complexity, detection_peers
from benchmarks.detection_peers import Absent, Spans

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
Row = dict[str, Any]


def load(data: Path, name: str) -> list[Row]:
    """Rows of one file; empty, saying so, where it is absent."""
    path = data / f"{name}.jsonl.gz"
    if not path.exists():
        print(f"{name}: no rows at {path}, left out", file=sys.stderr)
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def share(hits: int, of: int) -> str:
    """Per cent of a count."""
    return f"{hits / of:.1%}" if of else "–"


def times(ours: float, theirs: float) -> str:
    """How many times as much ours is."""
    return f"{ours / theirs:.1f}" if theirs else "∞"


# --- privacy --------------------------------------------------------------------------------------


def privacy_peers(rows: Sequence[Row], sample: int) -> str:
    """Span recall and clean texts flagged, of the core rows."""
    rows = [row for row in rows if row.get("tier", "core") == "core"]
    rows = random.Random(1).sample(rows, min(sample, len(rows)))
    texts = [row["text"] for row in rows]
    detector = PrivacyDetector(PrivacyConfig())

    def each(find: Callable[[str], Spans]) -> Callable[[], list[Spans]]:
        return lambda: [find(text) for text in texts]

    def ours(text: str) -> Spans:
        return [(f.start, f.end) for f in detector.find(text)]

    def ours_sensitive(text: str) -> Spans:
        return [(f.start, f.end) for f in detector.find(text) if f.action == "route"]

    makers: list[tuple[str, Callable[[], Callable[[], list[Spans]]]]] = [
        ("this detector, all findings", lambda: each(ours)),
        ("this detector, what makes private", lambda: each(ours_sensitive)),
        ("the plan's five regexes + entropy", lambda: each(detection_peers.plan_rule)),
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


# --- injection ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    label: int
    role: str
    source: str
    category: str
    lang: str


def _dumped(line: str) -> tuple[_Text, float]:
    score, label, category, source, lang, role, text = json.loads(line)
    return _Text(text, label, role, source, category, lang), score


def injection(sample: int, scores: Path | None) -> tuple[str, str]:
    """`(tables with sources left out, peers)`; needs scikit-learn. `scores`: what the training's --dump wrote, instead of fitting again."""
    sys.path.insert(0, str(ROOT / "training"))
    try:
        import train_injection as training
    except ImportError as error:
        print(f"injection: left out, {error.name} is missing (pip install -e '.[train]')", file=sys.stderr)
        return "", ""
    if scores:
        scored = [_dumped(line) for line in scores.read_text(encoding="utf-8").splitlines()]
    else:
        items = training.load()
        for item in items:
            training.prepare(item)
        scored = [
            (_Text(t.text, t.label, t.role, t.source, t.category, t.lang), s)
            for t, s in training.leave_out(items)
        ]
    benign = sorted(
        (s for t, s in scored if not t.label and t.role != "system" and t.category != "extra"), reverse=True
    )
    threshold = benign[int(0.01 * len(benign))]
    measured = [(t, s > threshold) for t, s in scored if t.category != "extra"]
    parts = []
    for title, key in (("category", "category"), ("source", "source"), ("language", "lang")):
        groups: dict[tuple[str, str], list[bool]] = {}
        for text, hit in measured:
            if text.role != "system":
                groups.setdefault(("attack" if text.label else "benign", getattr(text, key)), []).append(hit)
        parts.append(
            table(
                ("label", title, "rows", "flagged"),
                [
                    [label, name, str(len(h)), share(sum(h), len(h))]
                    for (label, name), h in sorted(groups.items())
                ],
            )
        )
    attacks = [hit for text, hit in measured if text.label]
    clean = [hit for text, hit in measured if not text.label and text.role != "system"]
    extra = [s > threshold for t, s in scored if t.category == "extra"]
    system = [s + training.ROLE_SHIFT[Role.SYSTEM] > threshold for t, s in scored if t.role == "system"]
    top = (
        f"Recall **{share(sum(attacks), len(attacks))}** of {len(attacks)} attacks at **{sum(clean) / len(clean):.2%}** false alarms of {len(clean)} benign texts; "
        f"{sum(extra) / len(extra):.2%} of {len(extra)} further benign prompts and code files; {share(sum(system), len(system))} of {len(system)} system prompts in the system role."
    )
    # Peers: the heuristic takes seconds a text, so short texts are sampled apart for it.
    chosen = random.Random(2).sample(measured, min(sample, len(measured)))
    chosen = [pair for pair in chosen if pair[0].role != "system"]
    lines = []
    for name, make, longest, most in (
        ("LiteLLM's content filter, injection categories", detection_peers.litellm_categories, 10**9, sample),
        (
            "LiteLLM's similarity heuristic (texts to 300 characters)",
            detection_peers.litellm_similarity,
            300,
            80,
        ),
    ):
        try:
            flags = make()
        except Absent as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        part = [pair for pair in chosen if len(pair[0].text) <= longest][:most]
        began = time.process_time()
        theirs = [flags(text.text) for text, _ in part]
        ms = (time.process_time() - began) * 1e3 / max(1, len(part))
        a = [(hit, their) for (text, hit), their in zip(part, theirs, strict=True) if text.label]
        b = [(hit, their) for (text, hit), their in zip(part, theirs, strict=True) if not text.label]
        ours_recall, their_recall = (sum(x[i] for x in a) / max(1, len(a)) for i in (0, 1))
        lines.append([name, str(len(part)), f"{their_recall:.1%}", share(sum(x[1] for x in b), len(b)), f"{ours_recall:.1%}", share(sum(x[0] for x in b), len(b)),
                      times(ours_recall, their_recall), f"{ms:.1f}"])  # fmt: skip
    head = (
        "peer",
        "rows",
        "its recall",
        "its false alarms",
        "our recall there",
        "our false alarms there",
        "our recall : its",
        "its ms a text",
    )
    return top + "\n\n" + "\n\n".join(parts), table(head, lines)


# --- complexity -----------------------------------------------------------------------------------


def complexity(rows: Sequence[Row]) -> tuple[str, str]:
    """`(tables with sources left out, peers on all rows)`."""
    sys.path.insert(0, str(ROOT / "training"))
    report = None
    try:
        import complexity_data
        import train_complexity as training

        report, _ = training.leave_sources_out(complexity_data.load(complexity_data.DATA), True)
    except ImportError as error:
        print(
            f"complexity: leave-source-out left out, {error.name} is missing (pip install -e '.[train]')",
            file=sys.stderr,
        )
    peers: dict[str, detection_complexity.Classify | None] = {
        "the plan's rule (`classifier: rules`)": detection_complexity.ours(
            ComplexityConfig(classifier="rules")
        ),
        "LiteLLM's complexity router": detection_complexity.litellm_heuristic(),
        "always medium": lambda row: "medium",
    }
    ours = report.total.acceptable_rate or 0.0 if report else 0.0
    lines = []
    for name, tally in (
        ("this detector, sources left out", report.total if report else None),
        *((n, evaluate_complexity(rows, c).total) for n, c in peers.items() if c),
    ):
        if tally is None:
            continue
        rates = (tally.acceptable_rate, tally.complex_on_small, tally.simple_on_small)
        lines.append(
            [
                name,
                *("–" if rate is None else f"{rate:.1%}" for rate in rates),
                times(ours, tally.acceptable_rate or 0.0),
            ]
        )
    head = ("classifier", "acceptable", "complex on small", "simple on small", "our acceptable : its")
    return (f"{report.table()}\n\n{report.confusion_table()}" if report else ""), table(head, lines)


# --- latency --------------------------------------------------------------------------------------


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
    inspector = Inspector.of(Policy())
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
