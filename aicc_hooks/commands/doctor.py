"""`aicc doctor`: what is wrong, and the command that puts it right."""

from __future__ import annotations

# ruff: noqa: E402 - the clock must start before the imports are paid for
import time

_BEGAN = time.monotonic()  # before the imports below, which are part of what the person waits for

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from aicc_hooks.ops.doctor.model import Finding, exit_code
from aicc_hooks.ops.doctor.run import examine, examine_deeply, read_context

_SIGNS = {
    "ok": ("ok  ", "green"),
    "warn": ("WARN", "yellow"),
    "fail": ("FAIL", "red"),
    "off": ("off ", "bright_black"),
}


@click.command("doctor")
@click.option(
    "--deep", is_flag=True, help="Also start a gateway of its own and ask each model for one token (slow)."
)
@click.option("--config", type=click.Path(path_type=Path), help="config.yaml to check.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(deep: bool, config: Path | None, as_json: bool) -> None:
    """Look at everything that can be wrong. Exit code 0: nothing, 1: warnings, 2: something fails."""
    context = read_context(dict(os.environ), config)
    findings = examine(context, time.monotonic() - _BEGAN)
    if deep:
        findings = [f for f in findings if f.name != "seams"] + list(examine_deeply(context))
    if as_json:
        click.echo(json.dumps([asdict(f) for f in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            _show(finding)
    sys.stdout.flush()
    sys.exit(exit_code(findings))


def _show(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.level]
    click.echo(f"{click.style(sign, fg=colour)} {finding.name}: {finding.found}")
    if finding.fix and finding.level != "ok":
        click.echo(f"       → {finding.fix}")
