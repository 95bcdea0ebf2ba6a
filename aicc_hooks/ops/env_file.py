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
