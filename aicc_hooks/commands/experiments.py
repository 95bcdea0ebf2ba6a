"""`aicc experiments`: what runs, who gets what, what was found."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from aicc_hooks.commands import _home
from aicc_hooks.errors import GatewayConfigError, PolicyError
from aicc_hooks.experiments.assignment import ENDPOINTS, Facts, deal, offers
from aicc_hooks.experiments.load import offered_by, read_experiments
from aicc_hooks.experiments.overview import state
from aicc_hooks.experiments.report import ExperimentReport, build
from aicc_hooks.experiments.rows import load_rows
from aicc_hooks.experiments.schema import ExperimentConfig, Variant
from aicc_hooks.experiments.show import as_html, cells, chart, head, panel_lines
from aicc_hooks.experiments.units import UNNAMED, Unit
from aicc_hooks.field_names import closest
from aicc_hooks.gateway_config import GatewayConfig, default_config_path, load_config, offline_catalog
from aicc_hooks.home import home_dir, policy_path
from aicc_hooks.locality import Locality
from aicc_hooks.policy import Policy, load_policy


@click.group("experiments")
def command() -> None:
    """Prompt and model experiments of AICC_HOME/experiments.yaml."""


def _place() -> Path:
    path = home_dir() / "experiments.yaml"
    if not path.exists():
        raise GatewayConfigError(f"{path}: does not exist; `aicc init` writes it, with examples")
    return path


def _policy(config: GatewayConfig) -> Policy | None:
    try:
        return load_policy(policy_path(config.path)).policy
    except PolicyError:
        return None  # `aicc doctor` tells; here only its aliases and hosts matter


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """Experiments of the file, and whether they run now."""
    config = load_config(default_config_path())
    found = read_experiments(_place(), offered_by(config, _policy(config)))
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
                e.unit,
                e.metric,
            )
            for e, word in rows
        ]
        click.echo(_home.table(table, ("experiment", "state", "variants", "of requests", "unit", "metric")))


@command.command("assign")
@click.option("--user", default="", help="User id as clients send it.")
@click.option("--session", default="", help="Session id.")
@click.option("--message", default="", help="First user message, for experiments that deal by conversation.")
@click.option("--client", default="", help="What the User-Agent begins with, or its family.")
@click.option("--model", default="auto", show_default=True, help="As the client names it.")
@click.option("--route", default="", help="The group the policy would choose; a model named is its own.")
@click.option("--endpoint", type=click.Choice(ENDPOINTS), default="chat", show_default=True)
@click.option(
    "--metadata", "pairs", multiple=True, metavar="NAME=VALUE", help="Of the body's metadata; again for more."
)
@click.option("--private", is_flag=True, help="A request that must stay on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def assign(
    user: str,
    session: str,
    message: str,
    client: str,
    model: str,
    route: str,
    endpoint: str,
    pairs: tuple[str, ...],
    private: bool,
    as_json: bool,
) -> None:
    """Which variant somebody gets. Needs no gateway: the same on every machine."""
    config = load_config(default_config_path())
    policy = _policy(config)
    offered = offered_by(config, policy)
    found = read_experiments(_place(), offered)
    for option, name, allowed in (
        ("model", model, (*offered.chat, *offered.aliases)),
        ("route", route, offered.chat),
    ):
        if name and name not in allowed:
            raise click.BadParameter(
                f"config.yaml has no such chat model{closest(name, allowed)}", param_hint=f"--{option}"
            )
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.BadParameter(f"found {wrong[0]!r}; send NAME=VALUE", param_hint="--metadata")
    route = route or (model if model in offered.chat else "")
    here = offline_catalog(config, Locality(policy.local_hosts if policy else ()))
    facts = Facts(
        endpoint, model, route=route, client=client, user=user, session=session, opening=message, metadata=dict(pair.split("=", 1) for pair in pairs),
        private=private, now=time.time(), local=[g.name for g in here.groups.values() if g.only_local],
    )  # fmt: skip
    dealt = None
    for experiment, unit in offers(found, facts, offered.chat):
        # What draws again with each request has no variant to tell before it comes.
        variant = None if unit.kind == "request" else deal(found.salt, experiment, unit)
        if variant is not None or unit.kind == "request":
            dealt = (experiment, unit, variant)
            break
    if as_json:
        names = dealt and {
            "experiment": dealt[0].name,
            "variant": dealt[2] and dealt[2].name,
            "unit": dealt[1].kind,
        }
        click.echo(json.dumps(names))
        return
    click.echo(_dealt(dealt[0], dealt[2]) if dealt else "in no experiment")
    if dealt:
        click.echo(f"note: {_because(*dealt[:2])}", err=True)
    routed = [e.name for e in found.experiments if e.target.routes and e.runs_at(facts.now)]
    if routed and not route:
        click.echo(f"note: {', '.join(routed)} takes requests by their route; add --route", err=True)


def _dealt(experiment: ExperimentConfig, variant: Variant | None) -> str:
    return (
        f"{experiment.name}:{variant.name}"
        if variant
        else f"{experiment.name}: another draw with each request"
    )


def _because(experiment: ExperimentConfig, unit: Unit) -> str:
    wanted = experiment.unit
    if unit.kind == UNNAMED:
        missing = "user or session" if wanted == "user" else "session"
        return (
            f"there is no {missing}: all such requests get this variant, and the report compares without them"
        )
    if unit.kind == wanted:
        return f"by {wanted}"
    return f"by {unit.kind}, for there is no {'first message' if wanted == 'conversation' else wanted}"


@command.command("report")
@click.argument("names", nargs=-1)
@_home.since_option("30d")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML file.")
def report(names: tuple[str, ...], since: float, as_json: bool, page: Path | None) -> None:
    """Per variant: requests, errors, times, tokens, cache, scores; and what differs."""
    found = read_experiments(_place())  # also of a model that config.yaml no longer has
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
        _home.table([cells(v) for v in report.variants], head(report)),
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
