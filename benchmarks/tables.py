"""Labelled rows of `../shared/data` and tables in Markdown, for the detectors' benchmarks."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aicc_hooks.detect.complexity import ComplexityDetector
from aicc_hooks.detect.injection import InjectionDetector
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.inspection import Inspector
from aicc_hooks.policy.schema import Policy

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


def forgetful(policy: Policy | None = None) -> Inspector:
    """An inspector that judges a text anew each time: what a text never seen costs."""
    policy = policy or Policy()
    return Inspector(
        PrivacyDetector(policy.privacy, 0),
        InjectionDetector(policy.injection, remember=0),
        ComplexityDetector(policy.complexity),
    )
