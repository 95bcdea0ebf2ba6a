"""`aicc usage`: requests, errors, tokens and times by model, route, day, client or variant."""

from __future__ import annotations

from typing import Any

import click

from aicc_hooks.commands import _home
from aicc_hooks.record.usage import By, rows_to_csv, usage


@click.command("usage")
@_home.since_option("7d")
@click.option(
    "--by",
    type=click.Choice(["model", "route", "day", "client", "variant"]),
    default="route",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def command(since: float, by: By, as_json: bool, as_csv: bool) -> None:
    """Sums over the record (usage.db); needs no running gateway."""
    if as_json and as_csv:
        raise click.UsageError("choose --json or --csv")
    with _home.open_reader() as reader:
        rows = usage(reader, by=by, since=since)
    if as_json:
        _home.echo_json(rows)
    elif as_csv:
        click.echo(rows_to_csv(rows), nl=False)
    elif not rows:
        click.echo(f"No requests since {_home.clock(since)}.")
    else:
        click.echo(_home.table([_cells(row) for row in rows], (by, *_HEAD)))


_HEAD = ("requests", "errors", "tokens", "p50", "p95", "first token", "cache hits", "overhead p95")


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["key"],
        f"{row['requests']:,}",
        _home.share(row["error_rate"]),
        f"{row['tokens']:,}",
        _home.span(row["p50_ms"]),
        _home.span(row["p95_ms"]),
        _home.span(row["first_token_p50_ms"]),
        _home.share(row["cache_hit_rate"]),
        _home.span(row["overhead_p95_ms"]),
    )
