"""`aicc experiments`: what runs, who gets what, what was found."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from aicc_hooks.commands import _home
from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.experiments.assignment import Facts, choose
from aicc_hooks.experiments.overview import state
from aicc_hooks.experiments.report import ExperimentReport, build, load_rows
from aicc_hooks.experiments.schema import Experiments
from aicc_hooks.experiments.show import HEAD, as_html, cells, chart, panel_lines
from aicc_hooks.experiments.store import parse_experiments
from aicc_hooks.gateway_config import default_config_path, load_config
from aicc_hooks.home import home_dir


@click.group("experiments")
def command() -> None:
    """Prompt and model experiments of AICC_HOME/experiments.yaml."""


def _load() -> tuple[Experiments, frozenset[str]]:
    path = home_dir() / "experiments.yaml"
    if not path.exists():
        raise GatewayConfigError(
            f"{path}: does not exist; copy litellm_config/experiments.yaml there and edit it"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayConfigError(f"{path}: cannot be read ({type(error).__name__})") from None
    groups = frozenset(load_config(default_config_path()).groups)
    return parse_experiments(text, source=str(path), groups=groups), groups


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """Experiments of the file, and whether they run now."""
    found, _ = _load()
    rows = [(e, state(found, e, time.time())) for e in found.experiments]
    if as_json:
        tree = [{**e.model_dump(mode="json"), "state": word} for e, word in rows]
        _home.echo_json(tree)
    elif not rows:
        click.echo("No experiments; see docs/experiments.md.")
    else:
        table = [
            (
                e.name,
                word,
                " ".join(f"{v.name}={v.weight:g}" for v in e.variants),
                f"{e.percentage:g}%",
                e.metric,
            )
            for e, word in rows
        ]
        click.echo(_home.table(table, ("experiment", "state", "variants", "of requests", "metric")))


@command.command("assign")
@click.option("--user", default="", help="User id as clients send it.")
@click.option("--session", default="", help="Session id.")
@click.option("--client", default="", help="User-agent family.")
@click.option("--model", default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def assign(user: str, session: str, client: str, model: str, as_json: bool) -> None:
    """Which variant somebody gets. Needs no gateway: the same on every machine."""
    found, groups = _load()
    facts = Facts("chat", model, client=client, user=user, session=session, now=time.time(), local=groups)
    chosen = choose(found, facts, groups)
    if as_json:
        click.echo(
            json.dumps(None if chosen is None else {"experiment": chosen[0].name, "variant": chosen[1].name})
        )
    else:
        click.echo("in no experiment" if chosen is None else f"{chosen[0].name}:{chosen[1].name}")


@command.command("report")
@click.argument("names", nargs=-1)
@_home.since_option("30d")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML file.")
def report(names: tuple[str, ...], since: float, as_json: bool, page: Path | None) -> None:
    """Per variant: requests, errors, times, tokens, cache, scores; and what differs."""
    found, _ = _load()
    known = {e.name: e for e in found.experiments}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no experiment {unknown[0]!r}; the file has: {', '.join(known) or 'none'}")
    with _home.open_reader() as reader:
        rows = load_rows(reader, since=since)
    reports = [build(known[name], rows.get(name, [])) for name in names or known]
    if page is not None:
        page.write_text(_document(reports), encoding="utf-8")
        click.echo(f"written: {page}")
    elif as_json:
        _home.echo_json([r.as_dict() for r in reports])
    else:
        click.echo("\n\n".join(as_text(r) for r in reports) or "No experiments.")


def as_text(report: ExperimentReport) -> str:
    lines = [
        f"{report.name}: {report.verdict}",
        "",
        _home.table([cells(v) for v in report.variants], HEAD),
        "",
    ]
    lines += [f"{c.variant}: {c.verdict}" for c in report.comparisons]
    lines += ["", *panel_lines(report)] if any(v.requests for v in report.variants) else []
    lines += (
        ["", f"difference to {report.variants[0].name} ({report.metric})", *drawn]
        if (drawn := chart(report))
        else []
    )
    return "\n".join([*lines, *(f"note: {warning}" for warning in report.warnings)])


def _document(reports: list[ExperimentReport]) -> str:
    style = "body{font:15px system-ui;margin:2rem;max-width:70rem}table{border-collapse:collapse}td,th{padding:.25rem .75rem;text-align:right}td:first-child,th:first-child{text-align:left}"
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    body = "".join(as_html(r) for r in reports)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Experiments</title><style>{style}</style><h1>Experiments</h1>{body}<p>{made}</p></html>'
