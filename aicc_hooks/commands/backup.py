"""`aicc backup`: everything of the gateway in one private file."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from aicc_hooks.errors import OpsError
from aicc_hooks.home import home_dir
from aicc_hooks.ops import archive
from aicc_hooks.ops.backup import NAME, create
from aicc_hooks.ops.bar import bar
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.ops.stack import Stack


@click.command("backup")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write this file instead; rotation leaves it alone."
)
@click.option("--logs", is_flag=True, help="Logs too.")
@click.option("--redis", is_flag=True, help="A snapshot of Redis too (a cache; it can be rebuilt).")
@click.option("--no-langfuse", is_flag=True, help="Leave Langfuse out also when it runs.")
@click.option("--list", "listing", is_flag=True, help="Show the backups there are.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    output: Path | None, logs: bool, redis: bool, no_langfuse: bool, listing: bool, as_json: bool
) -> None:
    """Back up the gateway's folder and, when it runs, Langfuse. The gateway goes on serving."""
    home = home_dir().absolute()
    if listing:
        _list(home, as_json)
        return
    env = read_env_file(home / ".env")
    stack: Stack | None = None
    if not no_langfuse:
        try:
            stack = Stack.of(home)
        except OpsError:
            stack = None  # no Docker: no Langfuse of ours to save
    address = (env.get("REDIS_HOST") or "127.0.0.1", int(env.get("REDIS_PORT") or 6379)) if redis else None
    with bar() as stage:
        made = create(
            home,
            output=output.absolute() if output else None,
            logs=logs,
            redis=address,
            stack=stack,
            stage=stage,
        )
    size = made.path.stat().st_size
    if as_json:
        click.echo(
            json.dumps(
                {
                    "path": str(made.path), "bytes": size, "files": len(made.manifest.files), "notes": made.manifest.notes,
                    "langfuse": any(e.name.startswith("langfuse/") for e in made.manifest.files), "removed": list(made.removed),
                },
                indent=2,
            )
        )  # fmt: skip
        return
    click.echo(f"{made.path}  {size / 1e6:.1f} MB, {len(made.manifest.files)} files, read back and checked")
    for note in made.manifest.notes:
        click.echo(f"note: {note}")
    click.echo("It holds your keys: keep copies of it where only you can read them.")
    click.echo(f"restore: aicc restore {shlex.quote(str(made.path))}")


def _list(home: Path, as_json: bool) -> None:
    rows = []
    folder = home / "backups"
    for path in sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []:
        if NAME.match(path.name):
            try:
                manifest = archive.read_manifest(path)
                rows.append(
                    {
                        "path": str(path),
                        "bytes": path.stat().st_size,
                        "created": manifest.created,
                        "version": manifest.version,
                    }
                )
            except OpsError as error:
                rows.append({"path": str(path), "bytes": path.stat().st_size, "error": str(error)})
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        said = row.get("error") or f"{archive.when(float(str(row['created'])))}, aicc {row['version']}"
        click.echo(f"{row['path']}  {int(str(row['bytes'])) / 1e6:.1f} MB  {said}")
    if not rows:
        click.echo("no backups yet; make one: aicc backup")
