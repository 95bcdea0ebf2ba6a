"""`aicc`: the command line. Commands live in aicc_hooks/commands, one module each."""

from __future__ import annotations

import importlib
import sys

import click

from aicc_hooks import __version__
from aicc_hooks.errors import AiccError

# name → what `aicc --help` says; the module is imported only when the command runs.
COMMANDS = {
    "init": "Set up the gateway's folder: files, generated keys, what this machine has.",
    "backup": "Save the gateway's folder, while it serves, in one private file.",
    "restore": "Put a backup in place; what it replaces is kept.",
    "maintenance": "The nightly work: rotation, retention, backup.",
    "langfuse": "Run the self-hosted Langfuse: up, down, status, retention.",
    "launchd": "Start at login and keep running (macOS LaunchAgents).",
    "serve": "Run the gateway (LiteLLM with the plugin) on 127.0.0.1:4000.",
    "doctor": "Say what is wrong, each with the command that puts it right.",
    "explain": "Show what the gateway would decide for a prompt, and why.",
    "scan": "Judge JSON lines from standard input, one JSON object a line out.",
    "eval": "Measure a detector on your own labelled file: privacy, injection, complexity.",
    "usage": "Sums over requests by model, route, day, client or variant.",
    "status": "One screen about the gateway, from its record.",
    "report": "A self-contained web page about a stretch of time, with charts and the scorecard.",
    "traces": "Delivery to Langfuse, export, and a live tail of requests.",
    "cache": "The response cache: figures, entries, clearing, calibration, match.",
    "alerts": "What is wrong now, who is told, and silences.",
    "experiments": "Prompt and model experiments: what runs, who gets what, what was found.",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"aicc_hooks.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aicc")
def group() -> None:
    """AI Command Center: a private AI gateway for one person's Mac."""


def main() -> None:
    """Entry point of the console script. Errors of ours are one line, never a stack trace."""
    try:
        group(standalone_mode=True)
    except AiccError as error:
        click.echo(f"aicc: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
