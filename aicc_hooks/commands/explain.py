"""`aicc explain`: verdict, decision and sentence for one prompt. Calls no model and no gateway."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from aicc_hooks.decide import decide
from aicc_hooks.explain import as_dict, as_lines
from aicc_hooks.gateway_config import load_all, offline_catalog
from aicc_hooks.inspection import Inspector
from aicc_hooks.locality import Locality
from aicc_hooks.payload import extract


@click.command("explain")
@click.argument("prompt", required=False)
@click.option("--model", default="auto", show_default=True, help="The model the client would ask for.")
@click.option("--system", default="", help="A system prompt to go with it.")
@click.option(
    "--body",
    type=click.File("r"),
    help="A whole chat body as JSON instead of a prompt ('-' reads standard input).",
)
@click.option("--config", type=click.Path(path_type=Path), help="config.yaml to decide by.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    prompt: str | None, model: str, system: str, body: Any, config: Path | None, as_json: bool
) -> None:
    """Show what the gateway would decide for PROMPT (or standard input), and why."""
    if body is not None:
        try:
            tree = json.load(body)
        except json.JSONDecodeError as error:
            raise click.UsageError(
                f"--body is not JSON (line {error.lineno}, column {error.colno})"
            ) from None
        if not isinstance(tree, dict):
            raise click.UsageError("--body must be a JSON object such as a chat request")
    else:
        text = prompt if prompt is not None else sys.stdin.read()
        messages = [{"role": "system", "content": system}] if system else []
        tree = {"model": model, "messages": [*messages, {"role": "user", "content": text}]}
    loaded, policy = load_all(config)
    found = extract("chat" if "messages" in tree else "responses", tree)
    verdict = Inspector.of(policy.policy).inspect(found.segments, tools=found.tools)
    catalog = offline_catalog(loaded, Locality(policy.policy.local_hosts))
    decision = decide(
        verdict, policy.policy, catalog, requested=str(tree.get("model") or ""), needs=found.needs
    )
    if as_json:
        click.echo(json.dumps(as_dict(verdict, decision, found), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(as_lines(verdict, decision)))
