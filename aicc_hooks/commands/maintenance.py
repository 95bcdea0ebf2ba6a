"""`aicc maintenance`: what the LaunchAgent runs at night."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict

import click

from aicc_hooks.errors import ConfigError
from aicc_hooks.home import home_dir, policy_path
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.ops.maintenance import maintain


@click.command("maintenance")
@click.option(
    "--langfuse-days",
    default=30,
    show_default=True,
    type=click.IntRange(3, 3650),
    help="Keep traces so long.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(langfuse_days: int, as_json: bool) -> None:
    """Rotate logs, expire records, back up, apply Langfuse's retention, evaluate alerts. Safe at any time."""
    home = home_dir().absolute()
    env = dict(os.environ)
    with contextlib.suppress(ConfigError):  # a damaged .env must not cost the backup; doctor reports it
        env = {**read_env_file(home / ".env"), **env}
    done = maintain(home, policy_path(home / "config.yaml"), langfuse_days=langfuse_days, env=env)
    if as_json:
        click.echo(json.dumps([asdict(job) for job in done], indent=2))
    else:
        for job in done:
            click.echo(f"{job.name}: {f'FAILED: {job.error}' if job.error else job.detail}")
    if any(job.error for job in done):
        raise SystemExit(1)
