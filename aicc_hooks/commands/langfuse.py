"""`aicc langfuse`: the self-hosted Langfuse, up, down, how it is, and how long it keeps traces."""

from __future__ import annotations

import asyncio
import json

import click

from aicc_hooks.errors import OpsError
from aicc_hooks.home import home_dir
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.ops.stack import Stack
from aicc_hooks.record.config import LangfuseAccess, LangfuseConfig
from aicc_hooks.record.langfuse_api import LangfuseApi

DAYS = 30


def _stack() -> Stack:
    stack = Stack.of(home_dir().absolute())
    stack.check()
    return stack


@click.group("langfuse")
def command() -> None:
    """Run Langfuse in Docker, on this machine only."""


@command.command("up")
@click.option("--monitoring", is_flag=True, help="Prometheus and Grafana too.")
@click.option(
    "--days", default=DAYS, show_default=True, type=click.IntRange(3, 3650), help="Keep traces so long."
)
def up(monitoring: bool, days: int) -> None:
    """Start it (the first time takes some minutes: images are fetched) and set the retention."""
    stack = _stack()
    click.echo("starting; the first time fetches about 3 GB …", err=True)
    profile = ("--profile", "monitoring") if monitoring else ()
    stack.run(*profile, "up", "--detach", "--wait", "--wait-timeout", "600", timeout=3600)
    tables = stack.set_retention(days)
    env = read_env_file(stack.home / ".env")
    click.echo(
        f"Langfuse: {env['LANGFUSE_HOST']}  (user {env['LANGFUSE_ADMIN_EMAIL']}, password: LANGFUSE_ADMIN_PASSWORD in .env)"
    )
    click.echo(f"traces are kept {days} days ({len(tables)} tables)")
    if monitoring:
        click.echo("Grafana: http://localhost:3002  (user admin, password: GRAFANA_ADMIN_PASSWORD in .env)")


@command.command("down")
@click.option("--delete-data", is_flag=True, help="Delete all traces and settings of Langfuse too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def down(delete_data: bool, yes: bool) -> None:
    """Stop it. Data stays, unless --delete-data; records wait in usage.db until it is back."""
    stack = _stack()
    if delete_data and not yes:
        click.confirm("Delete all traces in Langfuse for good?", abort=True)
    volumes = ("--volumes",) if delete_data else ()
    stack.run("--profile", "monitoring", "down", *volumes)
    click.echo("stopped" + (", data deleted" if delete_data else "; the data stays"))


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Containers, and whether the gateway's keys are accepted."""
    home = home_dir().absolute()
    containers: list[dict[str, str]] = []
    problem = ""
    try:
        stack = Stack.of(home)
        stack.check()
        containers = stack.services()
    except OpsError as error:
        problem = str(error)
    accepted, sentence = asyncio.run(_keys(read_env_file(home / ".env")))
    if as_json:
        click.echo(
            json.dumps(
                {
                    "containers": containers,
                    "docker": problem or "ok",
                    "keys_accepted": accepted,
                    "detail": sentence,
                },
                indent=2,
            )
        )
    else:
        for row in containers:
            click.echo(f"{row['service']:<16} {row['state']} {row['health']}".rstrip())
        if problem:
            click.echo(problem)
        click.echo(f"keys: {sentence}")
    if not accepted:
        raise SystemExit(1)


@command.command("retention")
@click.option(
    "--days", default=DAYS, show_default=True, type=click.IntRange(3, 3650), help="14 to 30 suit one person."
)
def retention(days: int) -> None:
    """Delete traces older than this, now and from now on (Langfuse's own setting needs a licence)."""
    tables = _stack().set_retention(days)
    click.echo(f"older than {days} days goes from: {', '.join(tables) or 'no table yet'}, and stored events")


async def _keys(env: dict[str, str]) -> tuple[bool, str]:
    access = LangfuseAccess.from_env(LangfuseConfig(), env)
    if access is None:
        return False, "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set; run: aicc init"
    api = LangfuseApi(access, 3.0)
    try:
        return await api.auth_check()
    finally:
        await api.aclose()
