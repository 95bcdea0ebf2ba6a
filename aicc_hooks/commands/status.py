"""`aicc status`: one screen about the gateway, read from usage.db."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from aicc_hooks.commands import _home
from aicc_hooks.errors import SpoolError
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.workers import merge, read_workers
from aicc_hooks.web import data

_COLOURS = {"up": "green", "ok": "green", "off": "bright_black", "unknown": "yellow", "down": "red"}


@click.command("status")
@click.option("--watch", is_flag=True, help="Show it again every --every seconds until Ctrl-C.")
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(0.2, 3600))
@click.option("--range", "span", type=click.Choice(list(data.RANGES)), default="1h", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(watch: bool, every: float, span: str, as_json: bool) -> None:
    """Health, requests, times, routes, alerts and waiting records on one screen."""
    with _home.open_reader() as reader:
        if not watch:
            found = gather(reader, span)
            _home.echo_json(found) if as_json else click.echo("\n".join(screen(found)))
            return
        try:
            while True:
                try:
                    lines = screen(gather(reader, span))
                except SpoolError as error:  # the gateway may be replacing the file: look again
                    lines = [f"aicc: {error}"]
                click.clear()
                click.echo("\n".join(lines))
                time.sleep(every)
        except KeyboardInterrupt:
            click.echo()


def gather(reader: SpoolReader, span: str) -> dict[str, Any]:
    """What the screen shows. Raises SpoolError."""
    workers = read_workers(reader)
    return {
        "gateway": merge(workers) if workers else None,
        **data.overview(reader, span),
        "delivery": data.delivery(reader),
        "alerts": data.alerts(reader, events=5),
    }


def screen(found: Mapping[str, Any]) -> list[str]:
    """Lines for a terminal of 80 columns and more."""
    gateway, totals = found["gateway"], found["totals"]
    lines = [_headline(gateway, found["now"]), ""]
    for name, seen in (gateway or {}).get("health", {}).items():
        state = str(seen.get("status"))
        mark = click.style(f"{state:<8}", fg="yellow" if seen.get("warning") else _COLOURS.get(state, "red"))
        latency = _home.span(seen["latency_ms"]) if seen.get("latency_ms") is not None else ""
        lines.append(f"  {name:<10} {mark} {latency:>8}  {seen.get('detail') or ''}".rstrip())
    lines += ["", click.style(f"Last {found['range']['name']}", bold=True)]
    lines += [
        f"  requests   {totals['requests']:,}  ({totals['per_minute']:.1f} a minute)   errors {_home.share(totals['error_rate'])}",
        f"  time       p50 {_home.span(totals['p50_ms'])}   p95 {_home.span(totals['p95_ms'])}   "
        f"first token {_home.span(totals['first_token_p50_ms'])}   overhead p95 {_home.span(totals['overhead_p95_ms'])}",
        f"  cache      {_home.share(totals['cache_hit_rate'])} hits   saved {_home.span(found['cache']['saved_ms'])}   "
        + _counts(found["cache"]["tiers"]),
        f"  privacy    {found['privacy']['kept_local']} kept on this machine   {_counts(found['privacy']['types'])}".rstrip(),
        f"  injection  {found['injection']['flagged']} flagged, {found['injection']['blocked']} blocked",
        f"  cold       {totals['cold_starts']} cold starts",
    ]
    for route in found["routes"]:
        portion = _home.share(route["requests"] / max(1, totals["requests"]))
        lines.append(f"  → {route['route']:<20} {portion:>8}   {_counts(route['why'])}")
    lines += ["", click.style("Alerts", bold=True)]
    firing = found["alerts"]["firing"]
    lines += [
        click.style(f"  {a['rule']}{':' + a['subject'] if a['subject'] else ''}", fg="red")
        + f"  {a['detail']}"
        for a in firing
    ] or ["  none"]
    opened = [
        f"{key} {circuit['state']}"
        for circuits in (gateway or {}).get("breakers", {}).values()
        for key, circuit in circuits.items()
        if circuit.get("state") != "closed"
    ]
    sent = found["delivery"]
    lines += [
        "",
        f"Breakers   {', '.join(opened) or 'all closed'}",
        f"Record     {sent['records']:,} requests, {sent['used_bytes'] / 1e6:.1f} MB; {sent['waiting']:,} wait for Langfuse, "
        f"{sent['delivered']:,} delivered; {sent['dropped'] + sent['failed']:,} lost",
    ]
    return lines


def _headline(gateway: Mapping[str, Any] | None, now: float) -> str:
    if gateway is None:
        return click.style(
            "The gateway is not running (or has just started); this is the record.", fg="yellow"
        )
    count = gateway["workers"]
    up = _home.span(max(0.0, now - float(gateway.get("started") or now)) * 1000)
    parts = [f"{count} process{'es' if count != 1 else ''}", f"up {up}"]
    if gateway.get("policy_version"):
        parts.append(f"policy {gateway['policy_version']}")
    if gateway.get("problems"):
        parts.append(click.style(f"problems: {', '.join(gateway['problems'])}", fg="red"))
    return click.style("AI Command Center", bold=True) + "  " + ", ".join(parts)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
