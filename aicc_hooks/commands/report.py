"""`aicc report`: the scorecard in the terminal, or a self-contained web page."""

from __future__ import annotations

import os
from pathlib import Path

import click

from aicc_hooks.commands import _home
from aicc_hooks.commands.experiments import as_text
from aicc_hooks.experiments.overview import overview_of
from aicc_hooks.home import home_dir
from aicc_hooks.record.scorecard import detector, scorecard
from aicc_hooks.web.report import render


@click.command("report")
@_home.since_option("7d")
@click.option(
    "--html",
    "html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with charts to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the scorecard as JSON.")
def command(since: float, html: Path | None, as_json: bool) -> None:
    """The success metrics with target and actual; with --html, charts and tables too."""
    policy = _home.current_policy()
    with _home.open_reader() as reader:
        scores = scorecard(reader, since=since, flagged=detector(policy))
        tried = overview_of(reader, home_dir() / "experiments.yaml")
        if html is not None:
            _write_private(html, render(reader, since=since, scores=scores, experiments=tried))
    if as_json:
        _home.echo_json([score.to_dict() for score in scores])
        return
    words = {"yes": "met", "no": "missed", "unknown": "no data"}
    rows = [(s.name, s.target, s.shown, words[s.met], s.basis) for s in scores]
    click.echo(_home.table(rows, ("metric", "target", "actual", "", "measured on")))
    if tried.problem:
        click.echo(f"\nexperiments: {tried.problem}")
    for state, report in tried.reports:
        click.echo(f"\nexperiment ({state}) {as_text(report)}")
    if html is not None:
        click.echo(f"\nwritten: {html}")


def _write_private(path: Path, text: str) -> None:
    """0600: names of models, clients and errors are nobody else's business."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be written ({type(error).__name__})", param_hint="--html"
        ) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
