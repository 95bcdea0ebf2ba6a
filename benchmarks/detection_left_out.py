"""The learned detectors judged with whole sources left out, and what else runs offline on the same rows."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aicc_hooks.detect.complexity import ComplexityConfig
from aicc_hooks.detect.complexity.evaluate import evaluate as evaluate_complexity
from aicc_hooks.verdict import Role
from benchmarks import detection_complexity, detection_peers
from benchmarks.detection_peers import Absent
from benchmarks.tables import ROOT, Row, share, table, times


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
        "`classifier: rules`": detection_complexity.ours(ComplexityConfig(classifier="rules")),
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
