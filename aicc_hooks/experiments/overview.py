"""All experiments of an installation at once: their state, their reports, for page, report and doctor."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.experiments.load import read_experiments
from aicc_hooks.experiments.report import ExperimentReport, build
from aicc_hooks.experiments.rows import load_rows
from aicc_hooks.experiments.schema import ExperimentConfig, Experiments
from aicc_hooks.experiments.show import panels
from aicc_hooks.record.reader import SpoolReader

EMPTY: Final = (
    "No experiment is running. To start one, take the comment marks off an example in AICC_HOME/experiments.yaml, "
    "which `aicc init` writes; it is in force within 2 s (docs/experiments.md)."
)


@dataclass(frozen=True, slots=True)
class Overview:
    """Reports in the order of the file, each with its state. `problem`: why the file cannot be used."""

    reports: tuple[tuple[str, ExperimentReport], ...] = ()
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, with the chart's values."""
        return {
            "problem": self.problem,
            "empty": EMPTY,
            "experiments": [
                {**report.as_dict(), "state": state, "panels": panels(report)}
                for state, report in self.reports
            ],
        }


def overview(reader: SpoolReader, experiments: Experiments, *, problem: str = "") -> Overview:
    """Over the whole record: a part of a run would be judged by too few requests. Raises SpoolError."""
    if not experiments.experiments:
        return Overview(problem=problem)
    rows, now = load_rows(reader), time.time()
    return Overview(
        tuple((state(experiments, e, now), build(e, rows.get(e.name, []))) for e in experiments.experiments),
        problem,
    )


def overview_of(reader: SpoolReader, path: Path) -> Overview:
    """As the file says now; a file that cannot be used is told, not raised. Raises SpoolError."""
    try:
        return overview(reader, read_experiments(path))
    except GatewayConfigError as error:
        return Overview(problem=str(error))


def state(experiments: Experiments, experiment: ExperimentConfig, now: float) -> str:
    """runs, waits (for its start), over, off, or off (all)."""
    if not experiments.enabled:
        return "off (all)"
    if experiment.runs_at(now):
        return "runs"
    if not experiment.enabled:
        return "off"
    return "waits" if experiment.begins_after(now) else "over"


def shadowed(running: Sequence[ExperimentConfig]) -> Iterator[tuple[str, str]]:
    """Experiments no request can reach, with the earlier one that takes them all."""
    for number, later in enumerate(running):
        for earlier in running[:number]:
            empty = type(earlier.target)()
            if earlier.percentage >= 100 and earlier.target in (empty, later.target):
                yield later.name, earlier.name
                break
