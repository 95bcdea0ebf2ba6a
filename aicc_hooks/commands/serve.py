"""`aicc serve`: check, prepare the environment, run LiteLLM and keep it running."""

from __future__ import annotations

import os
from pathlib import Path

import click

from aicc_hooks.home import home_dir
from aicc_hooks.ops.serve import prepare, run
from aicc_hooks.ops.single import claim


@click.command("serve", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="config.yaml; default: the one in AICC_HOME, else the shipped one.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port; default: AICC_ROUTER_PORT, else 4000.")
@click.option(
    "--host", default=None, help="Address; default 127.0.0.1. Others need `lan: true` in policy.yaml."
)
@click.option(
    "--demo", is_flag=True, help="Stand-in models inside LiteLLM; needs no Ollama, Redis or Langfuse."
)
@click.pass_context
def command(ctx: click.Context, config: Path | None, port: int | None, host: str | None, demo: bool) -> None:
    """Run the gateway. Options not listed here are passed on to LiteLLM (e.g. --num_workers 2)."""
    plan = prepare(
        config=config, port=port, host=host, demo=demo, env=dict(os.environ), extra=tuple(ctx.args)
    )
    for line in plan.notes:
        click.echo(line, err=True)
    if not demo:
        claim(home_dir(plan.env).absolute(), int(plan.env["AICC_ROUTER_PORT"]))
    ctx.exit(run(plan))
