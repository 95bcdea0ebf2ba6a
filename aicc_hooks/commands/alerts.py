"""`aicc alerts`: evaluate the rules, list what fires, try the sinks, silence."""

from __future__ import annotations

import sys
import time
from typing import Any, get_args

import click

from aicc_hooks.commands import _home
from aicc_hooks.record.alerts import rules, sinks, store
from aicc_hooks.record.alerts.config import AlertsConfig, RuleName
from aicc_hooks.record.alerts.state import Reading
from aicc_hooks.record.alerts.store import Event
from aicc_hooks.record.alerts.watch import free_mb
from aicc_hooks.record.usage import parse_since
from aicc_hooks.record.workers import merge, read_workers
from aicc_hooks.record.writer import Writer


@click.group("alerts")
def command() -> None:
    """Rules over requests and health: what is wrong now, who is told, and silences."""


@command.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(as_json: bool) -> None:
    """Evaluate every rule now and tell nobody. Exit code 1 when one is breached."""
    config = _home.current_policy().alerts
    now = time.time()
    with _home.open_reader() as reader:
        workers = read_workers(reader, now=now)
        scene = rules.Scene(reader, now, merge(workers) if workers else None, lambda: free_mb(reader.path))
        found = [_judge(config, reading) for reading in rules.readings(config, scene)]
    if as_json:
        _home.echo_json({"gateway_running": bool(workers), "rules": found})
    else:
        rows = [
            (r["state"], r["rule"], r["subject"] or "-", _shown(r), _limit(r), r["detail"]) for r in found
        ]
        click.echo(_home.table(rows, ("state", "rule", "of", "value", "limit", "detail")))
        if not workers:
            click.echo("\nNo gateway is running, so dependencies, breakers and self-tests are not known.")
        for r in found:
            if r["state"] == "breach":
                click.echo(f"\n{r['rule']}: {r['what']}.\n  {r['help']}")
    sys.exit(1 if any(r["state"] == "breach" for r in found) else 0)


@command.command("list")
@click.option(
    "--events", default=10, show_default=True, type=click.IntRange(0, 1000), help="How much history."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(events: int, as_json: bool) -> None:
    """What fires, the last events, and silences."""
    with _home.open_reader() as reader:
        found = store.read_alerts(reader, now=time.time(), events=events)
    if as_json:
        _home.echo_json(found)
        return
    firing = [a for a in found["alerts"] if a["status"] == "firing"]
    if not firing:
        click.echo(
            "Nothing is wrong." if found["alerts"] else "No rule was evaluated yet: is the gateway running?"
        )
    for alert in firing:
        quiet = " (silenced)" if alert["silenced"] else ""
        click.echo(f"{_label(alert)}{quiet}: {alert['detail']}, since {_home.clock(alert['since'])}")
    if found["silences"]:
        click.echo("\nSilenced:")
        for one in found["silences"]:
            click.echo(f"  {one['pattern']} until {_home.clock(one['until'])}  {one['reason']}".rstrip())
    if found["events"]:
        click.echo("\nLast events:")
        rows = [(_home.clock(e["at"]), e["kind"], _label(e), e["detail"]) for e in found["events"]]
        click.echo(_home.table(rows, ("when", "what", "rule", "detail")))


@command.command("test")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def test(as_json: bool) -> None:
    """Send a test through every sink. Exit code 1 when one fails."""
    config = _home.current_policy().alerts
    event = Event(0, time.time(), "test", "test", "", None, "sent by `aicc alerts test`")
    results = {name: tell(event) for name, tell in sinks.build(config, _home.environment()).items()}
    if as_json:
        _home.echo_json({name: {"ok": not problem, "problem": problem} for name, problem in results.items()})
    else:
        for name, problem in results.items():
            click.echo(f"{name}: {problem or 'sent'}")
        if not results:
            click.echo("No sink is on: see `alerts` in policy.yaml.")
    sys.exit(1 if any(results.values()) or not results else 0)


@command.command("silence")
@click.argument("what")
@click.option("--for", "duration", default="2h", show_default=True, help="30m, 2h, 7d, 2w.")
@click.option("--reason", default="", help="A note for later.")
@click.option("--clear", is_flag=True, help="End the silence instead.")
def silence(what: str, duration: str, reason: str, clear: bool) -> None:
    """Tell nobody about WHAT for a while: a rule, rule:subject, or `all`."""
    names = get_args(RuleName)
    if what != "all" and what.split(":", 1)[0] not in names:
        raise click.BadParameter(f"no such rule; allowed: all, {', '.join(names)}", param_hint="WHAT")
    with Writer(_home.database()) as writer:
        if clear:
            click.echo("ended" if store.unsilence(writer, what) else "there was no such silence")
            return
        now = time.time()
        try:
            until = 2 * now - parse_since(duration, now=now)
        except ValueError:
            until = now
        if not now < until <= now + 366 * 86_400:
            raise click.BadParameter("allowed: 1m to 366d, such as 30m, 2h, 7d", param_hint="--for")
        store.silence(writer, what, until, reason)
        click.echo(f"{what} is silent until {_home.clock(until)}")


def _judge(config: AlertsConfig, reading: Reading) -> dict[str, Any]:
    rule = config.rule(reading.rule)  # type: ignore[arg-type]
    few = reading.sample is not None and reading.sample < rule.min_sample
    if reading.value is None or few:
        state = "too few" if few and reading.value is not None else "unknown"
    else:
        state = "breach" if rule.breached(reading.value) else "ok"
    return {
        "rule": reading.rule,
        "subject": reading.subject,
        "state": state,
        "value": reading.value,
        "above": rule.above,
        "threshold": rule.threshold,
        "unit": rule.unit,
        "sample": reading.sample,
        "detail": reading.detail,
        "severity": rule.severity,
        "what": rule.what,
        "help": rule.help,
    }


def _shown(entry: dict[str, Any]) -> str:
    value, unit = entry["value"], entry["unit"]
    if value is None:
        return "-"
    return _amount(value, unit) if unit else "yes" if value > entry["threshold"] else "no"


def _limit(entry: dict[str, Any]) -> str:
    if not entry["unit"]:
        return "-"
    return ("> " if entry["above"] else "< ") + _amount(entry["threshold"], entry["unit"])


def _amount(value: float, unit: str) -> str:
    if unit == "share":
        return _home.share(value)
    return _home.span(value) if unit == "ms" else f"{value:,.0f} {unit}"


def _label(entry: dict[str, Any]) -> str:
    return f"{entry['rule']}:{entry['subject']}" if entry["subject"] else str(entry["rule"])
