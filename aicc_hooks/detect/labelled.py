"""Labelled rows as people keep them: JSON lines, gzipped or not. What is wrong is named by line and field.

Messages never repeat a row's text: files to measure on hold what detectors look for.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from aicc_hooks.errors import DetectorError

Row = dict[str, Any]
LINE: Final = "_line"  # key under which a row carries its line number, from 1


def read_labelled(path: Path, problem: Callable[[Row], str]) -> Iterator[Row]:
    """Rows in file order, each with its line number under `LINE`; blank lines are skipped.

    `problem(row)` says what is wrong with a row ("field: found …; allowed: …") or "". Raises DetectorError.
    """
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for number, raw in enumerate(lines, 1):
                if not raw.strip():
                    continue
                row = _parse(raw, f"{path.name}: line {number}")
                wrong = problem(row)
                if wrong:
                    raise DetectorError(f"{path.name}: line {number}: {wrong}")
                row[LINE] = number
                yield row
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DetectorError(f"{path.name}: not a whole gzip file (after line {number})") from None
    except OSError as error:
        raise DetectorError(f"{path.name}: cannot be read ({error.strerror})") from None


def _parse(raw: bytes, where: str) -> Row:
    try:
        row = json.loads(raw)
    except UnicodeDecodeError as error:
        raise DetectorError(f"{where}: not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise DetectorError(f"{where}: not JSON (column {error.colno}); expected one object a line") from None
    except (ValueError, RecursionError):
        raise DetectorError(f"{where}: not JSON; expected one object a line") from None
    if not isinstance(row, dict):
        raise DetectorError(f"{where}: found {named(row)}; expected one object a line")
    return row


def named(value: Any) -> str:
    """What a value is, for a message that must not repeat it."""
    if value is None:
        return "null"
    kinds = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string"),
        (list, "a list"),
        (dict, "an object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


def text_problem(row: Row) -> str:
    """What is wrong with the field `text`, or ""."""
    if "text" not in row:
        return "text: missing; expected a string"
    return "" if isinstance(row["text"], str) else f"text: found {named(row['text'])}; expected a string"
