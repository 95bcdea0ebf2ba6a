"""`aicc eval`: a detector's figures on somebody's own labelled rows, in the tables of its docs page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aicc_hooks.commands._home import echo_json
from aicc_hooks.detect.complexity import ComplexityDetector
from aicc_hooks.detect.complexity import evaluate as complexity
from aicc_hooks.detect.injection import InjectionDetector
from aicc_hooks.detect.injection import evaluate as injection
from aicc_hooks.detect.labelled import LINE
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.detect.privacy import evaluate as privacy
from aicc_hooks.errors import DetectorError
from aicc_hooks.gateway_config import load_all
from aicc_hooks.policy import Policy


@click.command("eval")
@click.argument("detector", type=click.Choice(["privacy", "injection", "complexity"]))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--config", type=click.Path(path_type=Path), help="config.yaml whose policy to measure.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(detector: str, file: Path, config: Path | None, as_json: bool) -> None:
    """Measure a DETECTOR on FILE, labelled JSON lines (.jsonl or .jsonl.gz); see docs/eval.md for the fields.

    Prints rates, counts and line numbers, never text of a row. Ends with 2 where a line cannot be used.
    """
    _, policy = load_all(config)
    figures, words = _MEASURES[detector](file, policy.policy)
    if as_json:
        echo_json(figures)
    else:
        click.echo(words)


def _rows(file: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not rows:
        raise DetectorError(f"{file.name}: holds no rows")
    return rows


def _privacy(file: Path, policy: Policy) -> tuple[dict[str, Any], str]:
    rows = _rows(file, list(privacy.read_rows(file)))
    for row in rows:
        row["id"] = f"line {row[LINE]}"  # a file's own ids may hold anything
    result = privacy.evaluate(rows, PrivacyDetector(policy.privacy))
    return result, privacy.text(result)


def _injection(file: Path, policy: Policy) -> tuple[dict[str, Any], str]:
    rows = _rows(file, list(injection.read_rows(file)))
    report = injection.evaluate(rows, InjectionDetector(policy.injection))
    return report.as_dict(), report.text()


def _complexity(file: Path, policy: Policy) -> tuple[dict[str, Any], str]:
    rows = _rows(file, list(complexity.read_rows(file)))
    report = complexity.evaluate_rows(rows, ComplexityDetector(policy.complexity))
    return report.as_dict(), report.text()


_MEASURES = {"privacy": _privacy, "injection": _injection, "complexity": _complexity}
