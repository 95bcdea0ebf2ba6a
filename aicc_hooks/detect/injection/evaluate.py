"""Measure the detector on a labelled file: the tables of docs/detect-injection.md for anybody's own data.

A row is a JSON object with `text` and `label` (1 attack, 0 benign); `role`, `category`, `source` and `lang` are optional.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aicc_hooks.detect.injection.detector import InjectionDetector
from aicc_hooks.detect.labelled import LINE, read_labelled, text_problem
from aicc_hooks.verdict import Role

# In shared data sets the role follows from the category; a row's own `role` wins.
CATEGORY_ROLES = {
    "indirect": Role.DOCUMENT,
    "long_document": Role.DOCUMENT,
    "email": Role.DOCUMENT,
    "agent_transcript": Role.TOOL,
    "system_prompt": Role.SYSTEM,
}


@dataclass(frozen=True, slots=True)
class Group:
    """How many rows of one label and name there are, and how many were flagged."""

    label: int
    by: str  # "category", "source" or "lang"
    name: str
    rows: int
    flagged: int

    @property
    def share(self) -> float:
        """Recall for attacks, false-alarm rate for benign rows."""
        return self.flagged / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Figures over one file. `misses` and `false_alarms` hold line numbers (from 1), never text."""

    attacks: int
    caught: int
    benign: int
    alarmed: int
    failed: int
    milliseconds_p50: float
    milliseconds_p95: float
    groups: tuple[Group, ...] = ()
    misses: tuple[int, ...] = ()
    false_alarms: tuple[int, ...] = field(default=())

    @property
    def recall(self) -> float:
        """Share of the attacks that were flagged."""
        return self.caught / self.attacks if self.attacks else 0.0

    @property
    def false_alarm_rate(self) -> float:
        """Share of the benign rows that were flagged."""
        return self.alarmed / self.benign if self.benign else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "recall": round(self.recall, 4),
            "false_alarm_rate": round(self.false_alarm_rate, 4),
            "attacks": self.attacks,
            "benign": self.benign,
            "failed": self.failed,
            "latency_ms": {"p50": round(self.milliseconds_p50, 3), "p95": round(self.milliseconds_p95, 3)},
            "groups": [
                {"label": g.label, "by": g.by, "name": g.name, "rows": g.rows, "flagged": g.flagged}
                for g in self.groups
            ],
            "misses": list(self.misses),
            "false_alarms": list(self.false_alarms),
        }

    def text(self) -> str:
        """The tables, and by line what was missed and what was flagged wrongly: what the command line prints."""
        lists = (("missed", self.misses), ("flagged wrongly", self.false_alarms))
        return "\n".join((self.table(), *(f"\n{name}: {len(at)}{_lines(at)}" for name, at in lists)))

    def table(self) -> str:
        """Markdown: the totals, then one line per group."""
        lines = [
            f"recall {self.recall:.1%} of {self.attacks} attacks, false alarms {self.false_alarm_rate:.2%} of {self.benign}; "
            f"p50 {self.milliseconds_p50:.2f} ms, p95 {self.milliseconds_p95:.2f} ms",
            "",
            "| by | label | name | rows | flagged |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {g.by} | {'attack' if g.label else 'benign'} | {g.name} | {g.rows} | {g.share:.1%} |"
            for g in self.groups
        ]
        return "\n".join(lines)


def _lines(numbers: tuple[int, ...], most: int = 50) -> str:
    if not numbers:
        return ""
    return f" (line {', '.join(map(str, numbers[:most]))}{' …' if len(numbers) > most else ''})"


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON-lines file, gzipped or not. Raises DetectorError naming the line and field that is wrong."""
    return read_labelled(path, _problem)


def _problem(row: dict[str, Any]) -> str:
    if wrong := text_problem(row):
        return wrong
    if row.get("label") not in (0, 1):
        return "label: missing or unknown; allowed: 1 (attack), 0 (benign)"
    if row.get("role") and row["role"] not in tuple(Role):
        return f"role: unknown; allowed: {', '.join(Role)}"
    return ""


def role_of(row: Mapping[str, Any]) -> Role:
    """The row's role, else the one its category implies, else user."""
    if row.get("role"):
        return Role(row["role"])
    return CATEGORY_ROLES.get(str(row.get("category", "")), Role.USER)


def evaluate(rows: Iterable[Mapping[str, Any]], detector: InjectionDetector) -> Report:
    """Run the detector over labelled rows."""
    counts: dict[tuple[int, str, str], list[int]] = {}
    times: list[float] = []
    misses, alarms, failed, totals = [], [], 0, [0, 0]
    for index, row in enumerate(rows, 1):
        number = row.get(LINE, index)
        began = time.perf_counter()
        result = detector.score(row["text"], role_of(row))
        times.append((time.perf_counter() - began) * 1e3)
        label = int(row["label"])
        failed += result.failed
        totals[label] += 1
        if label and not result.flagged:
            misses.append(number)
        elif not label and result.flagged:
            alarms.append(number)
        for by in ("category", "source", "lang"):
            if row.get(by):
                count = counts.setdefault((label, by, str(row[by])), [0, 0])
                count[0] += 1
                count[1] += result.flagged
    times.sort()
    order = {"category": 0, "source": 1, "lang": 2}
    groups = sorted(counts.items(), key=lambda item: (order[item[0][1]], -item[0][0], item[0][2]))
    return Report(
        attacks=totals[1],
        caught=totals[1] - len(misses),
        benign=totals[0],
        alarmed=len(alarms),
        failed=failed,
        milliseconds_p50=times[len(times) // 2] if times else 0.0,
        milliseconds_p95=times[int(len(times) * 0.95)] if times else 0.0,
        groups=tuple(Group(label, by, name, rows, hits) for (label, by, name), (rows, hits) in groups),
        misses=tuple(misses),
        false_alarms=tuple(alarms),
    )
