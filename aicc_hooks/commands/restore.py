"""`aicc restore`: the gateway's folder from a backup."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aicc_hooks.errors import ConfigError, OpsError
from aicc_hooks.home import home_dir
from aicc_hooks.ops import archive
from aicc_hooks.ops.bar import bar
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.ops.restore import restore
from aicc_hooks.ops.single import running
from aicc_hooks.ops.stack import Stack


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the file and show what would change.")
@click.option("--langfuse", is_flag=True, help="Langfuse's data too; its stack must run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: Path, dry_run: bool, langfuse: bool, as_json: bool) -> None:
    """Check FILE, put its files in place, keep what they replace."""
    home = home_dir().absolute()
    stack: Stack | None = None
    if not dry_run:
        if who := running(home, _port(home)):
            raise OpsError(
                f"the gateway runs ({who}); stop it first: aicc launchd uninstall, or end `aicc serve`"
            )
        if langfuse:
            stack = Stack.of(home)
            stack.check()
    with bar() as stage:
        result = restore(file, home, dry_run=dry_run, stack=stack, stage=stage)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "created": result.manifest.created, "version": result.manifest.version, "dry_run": dry_run,
                    "changes": {c.name: c.what for c in result.changes}, "kept": str(result.kept) if result.kept else None,
                },
                indent=2,
            )
        )  # fmt: skip
        return
    click.echo(
        f"{file.name}: sound, of {archive.when(result.manifest.created)}, aicc {result.manifest.version}"
    )
    for change in result.changes:
        if change.what != "same":
            click.echo(f"  {change.what}: {change.name}")
    if dry_run:
        click.echo("nothing was changed (--dry-run)")
        return
    if result.kept:
        click.echo(f"what was replaced is in {result.kept}")
    if not result.langfuse and any(e.name.startswith("langfuse/") for e in result.manifest.files):
        click.echo(
            "Langfuse's data is in the file too: aicc langfuse up, then the same command with --langfuse"
        )
    click.echo("start: aicc serve, or aicc launchd install")


def _port(home: Path) -> int:
    try:
        return int(read_env_file(home / ".env").get("AICC_ROUTER_PORT") or 4000)
    except (ConfigError, ValueError):
        return 4000
