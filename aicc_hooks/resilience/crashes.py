"""The crash log: one JSON line per dead gateway process. No arguments, no environment, no output of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CRASH_FILE = "crashes.jsonl"
_MARKS = "workers"
_MAX_BYTES = 1_000_000  # about 5,000 crashes; one older file is kept


@dataclass(frozen=True, slots=True)
class CrashEvent:
    """One unexpected end of the process. `signal` is empty when it exited by itself with `exit_code`."""

    time: str
    pid: int
    exit_code: int
    signal: str
    uptime_s: float
    crashes_in_a_row: int
    restart_in_s: float | None  # None: given up


def signal_name(returncode: int) -> str:
    """`-11` -> `SIGSEGV`; empty for an ordinary exit."""
    if returncode >= 0:
        return ""
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"SIG{-returncode}"


def write_crash(directory: Path, event: CrashEvent) -> None:
    """Appends one line. A full disk must not stop the restart, so failures are swallowed."""
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / CRASH_FILE
        if path.exists() and path.stat().st_size > _MAX_BYTES:
            path.replace(directory / f"{CRASH_FILE}.1")
        line = json.dumps(asdict(event)) + "\n"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)


def read_crashes(directory: Path, *, since: datetime | None = None, last: int = 100) -> list[dict[str, Any]]:
    """The newest crashes, oldest first; a torn line is skipped. For health, alerts and doctor."""
    try:
        with (directory / CRASH_FILE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 64_000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    out: list[dict[str, Any]] = []
    for line in lines:
        try:
            event = json.loads(line)
            when = datetime.fromisoformat(event["time"])
        except (ValueError, KeyError, TypeError):
            continue
        if since is None or when >= since:
            out.append(event)
    return out[-last:]


def now_text() -> str:
    """The time of a crash, UTC with offset."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def mark_worker(directory: Path) -> Callable[[], None]:
    """For each worker of `--num_workers N`: leaves a mark, finds those of dead workers, returns how to remove it.

    uvicorn replaces a dead worker by itself and tells nobody; the replacement finds the mark and writes the crash.
    """
    mark = directory / _MARKS / str(os.getpid())
    with contextlib.suppress(OSError):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_bytes(b"")
    known = {event.get("pid") for event in read_crashes(directory)}
    for other in _marks_of_dead(directory):
        with contextlib.suppress(OSError):
            age = datetime.now(UTC).timestamp() - other.stat().st_mtime
            other.unlink()  # whoever removes it reports it: a second worker fails here
            if int(other.name) not in known:
                event = CrashEvent(now_text(), int(other.name), -1, "unknown", round(age, 1), 1, 0.0)
                write_crash(directory, event)
    return lambda: mark.unlink(missing_ok=True)


def forget_workers(directory: Path) -> None:
    """Remove the marks of dead workers unreported: they ended with their parent, or with the machine."""
    for mark in _marks_of_dead(directory):
        with contextlib.suppress(OSError):
            mark.unlink()


def _marks_of_dead(directory: Path) -> list[Path]:
    try:
        marks = list((directory / _MARKS).iterdir())
    except OSError:
        return []
    return [mark for mark in marks if mark.name.isdigit() and not _alive(int(mark.name))]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
