"""What commands that read the record share: where it is, which policy holds, how tables and times look."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from aicc_hooks.gateway_config import default_config_path
from aicc_hooks.home import home_dir, policy_path
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.policy import Policy, load_policy
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.usage import parse_since

_Command = TypeVar("_Command", bound=Callable[..., Any])


def database() -> Path:
    """usage.db of AICC_HOME."""
    return home_dir() / "usage.db"


def open_reader() -> SpoolReader:
    """A reader; its methods raise SpoolError with a sentence when there is nothing to read."""
    return SpoolReader(database())


def environment() -> dict[str, str]:
    """The environment over AICC_HOME/.env, as `aicc serve` has it."""
    return {**read_env_file(home_dir() / ".env"), **os.environ}


def current_policy(env: Mapping[str, str] = os.environ) -> Policy:
    """The policy the gateway would use. Raises PolicyError."""
    return load_policy(policy_path(default_config_path(env), env)).policy


def since_option(default: str) -> Callable[[_Command], _Command]:
    """`--since`, parsed to epoch seconds."""

    def parse(ctx: click.Context, param: click.Parameter, value: str) -> float:
        try:
            return parse_since(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(
        "--since", default=default, show_default=True, callback=parse, help="90m, 24h, 7d, 2w or a date."
    )


def echo_json(value: Any) -> None:
    """One JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(rows: Sequence[Sequence[Any]], head: Sequence[str]) -> str:
    """Aligned columns; numbers to the right."""
    cells = [list(head), *([str(c) for c in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    right = [bool(rows) and all(_numeric(str(row[i])) for row in rows) for i in range(len(head))]
    lines = []
    for row in cells:
        parts = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def _numeric(text: str) -> bool:
    return text == "-" or text[:1].isdigit()


def clock(at: float | None) -> str:
    """Local date and time, "-" for none."""
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def share(value: float | None) -> str:
    """0.153 → 15.3 %."""
    return "-" if value is None else f"{value * 100:.1f} %"


def span(ms: float | None) -> str:
    """Milliseconds as people read them."""
    if ms is None:
        return "-"
    return (
        f"{ms:.0f} ms" if ms < 1_000 else f"{ms / 1_000:.1f} s" if ms < 90_000 else f"{ms / 60_000:.1f} min"
    )
