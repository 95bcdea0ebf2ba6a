"""Reading .env as data: KEY=VALUE lines, never executed."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from aicc_hooks.errors import GatewayConfigError

_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")


def read_env_file(path: Path) -> dict[str, str]:
    """Values of a .env file; {} when there is none. Raises GatewayConfigError naming the line, never its value."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayConfigError(
            f"{path}: cannot be read ({type(error).__name__}); check its permissions"
        ) from None
    values: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise GatewayConfigError(f"{path}: line {number}: allowed: NAME=value, comments and empty lines")
        values[match.group(1)] = _unquote(match.group(2), path, number)
    return values


def open_to_others(path: Path) -> bool:
    """True when group or others may read the file."""
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _unquote(value: str, path: Path, number: int) -> str:
    for quote in ('"', "'"):
        if value.startswith(quote):
            end = value.find(quote, 1)
            if end < 0:
                raise GatewayConfigError(
                    f"{path}: line {number}: the quote is not closed; the file looks half-written"
                )
            after = value[end + 1 :].lstrip()
            if after and not after.startswith("#"):
                raise GatewayConfigError(
                    f"{path}: line {number}: text after the closing quote; quote the whole value, or use the other kind of quote"
                )
            return value[1:end]
    return "" if value.startswith("#") else re.split(r"\s#", value, maxsplit=1)[0].rstrip()


def salvage(text: str) -> tuple[dict[str, str], list[int]]:
    """Values of the readable lines of a damaged .env, and the numbers of the others."""
    values: dict[str, str] = {}
    broken: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        try:
            if match is None:
                raise GatewayConfigError("")
            values[match.group(1)] = _unquote(match.group(2), Path(), number)
        except GatewayConfigError:
            broken.append(number)
    return values, broken


def with_values(text: str, values: dict[str, str]) -> str:
    """`text` with these names set: in place where they stand, else at the end; comments and order stay."""
    left = dict(values)
    lines = text.split("\n")
    for index, line in enumerate(lines):
        match = _LINE.match(line)
        if match is not None and match.group(1) in values:
            name = match.group(1)
            # The last of several wins when read, so every one of them must change.
            lines[index] = f"{name}={quote(values[name])}"
            left.pop(name, None)
    while lines and not lines[-1]:
        lines.pop()
    lines += [f"{name}={quote(value)}" for name, value in left.items()]
    return "\n".join(lines) + "\n"


def quote(value: str) -> str:
    """A value as `read_env_file` and docker compose read it back. Raises GatewayConfigError for what no line can hold."""
    if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII):
        return value
    if "\n" in value or "\r" in value or "'" in value:
        raise GatewayConfigError("a value in .env cannot hold line breaks or single quotes")
    return f"'{value}'"  # single quotes: docker compose expands $ in double ones
