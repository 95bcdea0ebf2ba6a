"""`aicc traces`: what waits for Langfuse, send it, export it, follow requests as they come."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import click

from aicc_hooks import __version__
from aicc_hooks.commands import _home
from aicc_hooks.errors import GatewayConfigError, SpoolError
from aicc_hooks.record.config import LangfuseAccess
from aicc_hooks.record.export import export_lines
from aicc_hooks.record.outbox import Outbox
from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.web import data


@click.group("traces")
def command() -> None:
    """Delivery of records to Langfuse, export, and a live tail."""


@command.command("status")
@click.option("--check", is_flag=True, help="Ask Langfuse whether the keys work.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(check: bool, as_json: bool) -> None:
    """How many records wait, were delivered, refused or lost."""
    with _home.open_reader() as reader:
        found: dict[str, Any] = data.delivery(reader)
        oldest = reader.query(
            "SELECT r.end FROM outbox o JOIN records r USING (seq) WHERE o.dead = 0 ORDER BY o.seq LIMIT 1"
        )
    access = _access()
    found["oldest_waiting"] = oldest[0][0] if oldest else None
    found["langfuse"] = access.host if access else None
    if check and access:
        found["reachable"], found["detail"] = asyncio.run(_auth(access))
    if as_json:
        _home.echo_json(found)
        return
    click.echo(f"Langfuse   {found['langfuse'] or 'off (no keys are set)'}")
    if check and access:
        click.echo(f"keys       {found['detail']}")
    click.echo(
        f"waiting    {found['waiting']:,}"
        + (f", oldest of {_home.clock(found['oldest_waiting'])}" if oldest else "")
    )
    click.echo(f"delivered  {found['delivered']:,}")
    click.echo(f"refused    {found['refused']:,}")
    click.echo(
        f"lost       {found['dropped']:,} dropped, {found['failed']:,} not written, "
        f"{found['expired_undelivered']:,} expired before delivery"
    )
    click.echo(f"coverage   {_home.share(found['coverage'])} of requests have a trace")


@command.command("flush")
@click.option("--timeout", default=60.0, show_default=True, type=click.FloatRange(1, 3600), help="Seconds.")
@click.option("--refused", is_flag=True, help="Also what Langfuse refused for good.")
@click.option("--all", "backfill", is_flag=True, help="Every record once more (ids make it harmless).")
def flush(timeout: float, refused: bool, backfill: bool) -> None:
    """Deliver what waits, now. Exit code 1 when something is left."""
    access = _access()
    if access is None:
        raise GatewayConfigError(
            "Langfuse is off: put LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY into .env, then try again"
        )
    if not _home.database().exists():
        raise SpoolError("no records yet: usage.db appears with the first request")
    left = asyncio.run(_flush(access, timeout, refused, backfill))
    click.echo(
        "everything is delivered"
        if not left
        else f"{left:,} records still wait; `aicc traces status --check` says why"
    )
    sys.exit(1 if left else 0)


@command.command("export")
@_home.since_option("30d")
@click.option("--route", default="", help="Only this route.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def export(since: float, route: str, limit: int | None) -> None:
    """Records as JSON lines (input, expected_output, metadata), redacted as they were written."""
    with _home.open_reader() as reader:
        for line in export_lines(reader, filters=Filters(route=route, since=since), limit=limit):
            click.echo(line)


@command.command("tail")
@click.option(
    "-n", "count", default=10, show_default=True, type=click.IntRange(0, 1000), help="Earlier ones first."
)
@click.option("--follow/--no-follow", "-f", default=True, show_default=True, help="Wait for new ones.")
@click.option("--errors", is_flag=True, help="Only failed requests.")
@click.option("--route", default="", help="Only this route.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
def tail(count: int, follow: bool, errors: bool, route: str, as_json: bool) -> None:
    """The last requests, then each new one as it is written. Without texts."""
    filters = Filters(route=route, errors=True if errors else None)
    with _home.open_reader() as reader:
        seq = reader.latest()
        earlier = reader.recent(count, filters=filters) if count else []
        for entry in reversed(earlier):
            click.echo(_line(entry, as_json))
        try:
            while follow:
                seq = _more(reader, seq, filters, as_json)
                time.sleep(0.5)
        except KeyboardInterrupt:
            click.echo()


def _more(reader: SpoolReader, seq: int, filters: Filters, as_json: bool) -> int:
    try:
        latest = reader.latest()
        new = reader.since(min(seq, latest), filters=filters)
    except SpoolError as error:
        click.echo(f"aicc: {error}", err=True)
        time.sleep(2)
        return seq
    for entry in new:
        click.echo(_line(entry, as_json))
    return int(new[-1]["seq"]) if new else latest


def _line(entry: dict[str, Any], as_json: bool) -> str:
    if as_json:
        return json.dumps(entry, default=str)
    when = time.strftime("%H:%M:%S", time.localtime(entry["end"]))
    flags = " ".join(
        part
        for part in (
            f"cache:{entry['cache']}" if entry["cache"] in ("exact", "semantic") else "",
            f"privacy:{','.join(entry['privacy'])}" if entry["privacy"] else "",
            "cold" if entry["cold_start"] else "",
            entry["error"],
        )
        if part
    )
    colour = (
        "red"
        if entry["status"] >= 500 or entry["status"] == 0
        else "yellow"
        if entry["status"] >= 400
        else None
    )
    status_text = click.style(str(entry["status"] or "-"), fg=colour)
    return (
        f"{when}  {status_text}  {_home.span(entry['total_ms']):>8}  {entry['route'] or '-':<16} {entry['reason']:<24} "
        f"{entry['prompt_tokens']}+{entry['completion_tokens']} tok  {entry['client']}  {flags}  {entry['id']}"
    )


def _access() -> LangfuseAccess | None:
    env = _home.environment()
    return LangfuseAccess.from_env(_home.current_policy(env).langfuse, env)


async def _auth(access: LangfuseAccess) -> tuple[bool, str]:
    from aicc_hooks.record.langfuse_api import LangfuseApi

    api = LangfuseApi(access, 5.0)
    try:
        return await api.auth_check()
    finally:
        await api.aclose()


async def _flush(access: LangfuseAccess, timeout_s: float, refused: bool, backfill: bool) -> int:
    from aicc_hooks.record.langfuse import SINK, LangfuseExporter

    box = Outbox(_home.database(), SINK)
    config = _home.current_policy().langfuse
    exporter = LangfuseExporter(box, access, config, version=__version__)
    try:
        if refused:
            await asyncio.to_thread(box.revive)
        if backfill:
            await asyncio.to_thread(box.backfill)
        await exporter.flush(timeout_s)
        return int((await asyncio.to_thread(box.state))["pending"])
    finally:
        await exporter.stop()
