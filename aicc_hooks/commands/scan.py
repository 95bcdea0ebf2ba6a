"""`aicc scan`: JSON lines in, verdicts out, in order, one line at a time."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from aicc_hooks.gateway_config import load_all, offline_catalog
from aicc_hooks.locality import Locality
from aicc_hooks.scan import BadLine, Scanner, parse_line

# Line breaks of Unicode, legal in JSON: a reader that splits lines by them (str.splitlines) would lose its place.
_BREAKS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))


@click.command("scan")
@click.option("--role", type=click.Choice(["user", "system", "tool", "document"]), default="user", show_default=True,
              help="Role of lines that name none.")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), help="config.yaml to decide by.")
def command(role: str, config: Path | None) -> None:
    """Judge JSON lines from standard input; write one JSON object a line to standard output.

    A line holds `text` (and an optional `role`) or `messages` (and `tools`). A malformed line gives
    {"error": "…"} in its place.
    """
    loaded, policy = load_all(config)
    scanner = Scanner(policy.policy, offline_catalog(loaded, Locality(policy.policy.local_hosts)), role=role)
    out = sys.stdout.buffer
    for raw in sys.stdin.buffer:
        try:
            result = scanner.scan(parse_line(raw))
        except BadLine as error:
            result = {"error": str(error)}
        except Exception as error:  # one bad line must not end the run
            result = {"error": f"line could not be judged ({type(error).__name__})"}
        line = orjson.dumps(result)
        for raw_break, escaped in _BREAKS:
            line = line.replace(raw_break, escaped)
        out.write(line + b"\n")
        out.flush()
