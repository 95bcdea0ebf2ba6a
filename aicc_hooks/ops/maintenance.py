"""The nightly work: rotate what launchd writes, expire records, back up, tidy. One failure does not stop the rest."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aicc_hooks.errors import AiccError
from aicc_hooks.ops import backup
from aicc_hooks.ops.files import explain
from aicc_hooks.ops.stack import Stack
from aicc_hooks.policy import load_policy
from aicc_hooks.record import retention, schema
from aicc_hooks.record.alerts.config import AlertsConfig
from aicc_hooks.record.alerts.sinks import build
from aicc_hooks.record.alerts.store import Event
from aicc_hooks.record.alerts.watch import Watch
from aicc_hooks.record.workers import Sources

# launchd appends to these for ever; gateway.jsonl is rotated by its writer.
_OUTPUTS: Final = ("gateway.out.log", "gateway.err.log", "maintenance.out.log", "maintenance.err.log")
_ROTATE_AT: Final = 1_000_000
_KEEP_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Done:
    """One job's end; `error` is "" when it worked."""

    name: str
    detail: str
    error: str = ""


def maintain(
    home: Path,
    policy_file: Path | None,
    *,
    langfuse_days: int = 30,
    env: Mapping[str, str] = MappingProxyType({}),
) -> list[Done]:
    """Run all jobs, tell the alert sinks what failed. Never raises for what one of them meets."""
    jobs: Mapping[str, Callable[[], str]] = {
        "logs": lambda: rotate_logs(home / "logs"),
        "records": lambda: expire(home, policy_file),
        "backup": lambda: back_up(home),
        "langfuse": lambda: langfuse(home, langfuse_days),
        "alerts": lambda: alerts(home, policy_file, env),
    }
    out = []
    for name, job in jobs.items():
        try:
            out.append(Done(name, job()))
        except AiccError as error:
            out.append(Done(name, "", str(error)))
        except Exception as error:  # the backup must run also when a log cannot be rotated
            out.append(Done(name, "", type(error).__name__))
    with contextlib.suppress(
        Exception
    ):  # a policy that cannot be read has no sinks; the exit code still tells
        _tell([done for done in out if done.error], load_policy(policy_file).policy.alerts, env)
    return out


def alerts(home: Path, policy_file: Path | None, env: Mapping[str, str]) -> str:
    """One round of the rules, for the night in which no gateway runs; a running one holds the lease."""
    if not (home / "usage.db").exists():
        return "no records yet"
    config = load_policy(policy_file).policy.alerts
    watch = Watch(home / "usage.db", lambda: config, Sources(), env=env)
    try:
        events = watch.round()
    finally:
        watch.close()
    return f"{len(events)} new"


def _tell(failed: list[Done], config: AlertsConfig, env: Mapping[str, str]) -> None:
    for sink in build(config, env).values():
        for done in failed:
            sink(Event(0, time.time(), "fired", "maintenance", done.name, None, done.error))


def rotate_logs(folder: Path, *, at: int = _ROTATE_AT, now: float | None = None) -> str:
    """Compress a copy of each big output and empty it in place: launchd keeps the file open. Raises OpsError."""
    moment = time.time() if now is None else now
    rotated = 0
    for name in _OUTPUTS:
        path = folder / name
        try:
            if not path.exists() or path.stat().st_size < at:
                continue
            stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(moment))
            target = folder / f"{name}.{stamp}.gz"
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with path.open("rb") as source, os.fdopen(handle, "wb") as raw, gzip.open(raw, "wb") as out:
                shutil.copyfileobj(source, out)
            # launchd writes with O_APPEND, so the next line lands at the new beginning. What it wrote
            # between the copy and this line is lost: a few lines at most, of output nobody acknowledged.
            os.truncate(path, 0)
            rotated += 1
        except OSError as error:
            raise explain(error, path) from None
    for old in folder.glob("*.log.*.gz") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < moment - _KEEP_DAYS * 86_400:
                old.unlink()
    return f"{rotated} rotated"


def expire(home: Path, policy_file: Path | None) -> str:
    """Records beyond the policy's limits go, also while no gateway runs."""
    path = home / "usage.db"
    if not path.exists():
        return "no records yet"
    config = load_policy(policy_file).policy.record
    try:
        with contextlib.closing(schema.open_writable(path, busy_ms=10_000)) as connection:
            gone = retention.expire(connection, days=config.retention_days, max_bytes=config.max_bytes)
    except sqlite3.Error as error:
        raise AiccError(f"usage.db: {getattr(error, 'sqlite_errorname', type(error).__name__)}") from None
    schema.remove_set_aside(path, time.time() - config.retention_days * 86_400)
    return f"{gone.by_age + gone.by_size} expired"


def back_up(home: Path) -> str:
    """A rotated backup, with Langfuse when its stack runs."""
    stack: Stack | None = None
    with contextlib.suppress(AiccError):
        stack = Stack.of(home)
    made = backup.create(home, stack=stack)
    return f"{made.path.name}, {len(made.removed)} old removed"


def langfuse(home: Path, days: int) -> str:
    """Retention of a running stack; new tables of a newer Langfuse get it too."""
    try:
        stack = Stack.of(home)
    except AiccError:
        return "no Docker"
    if not stack.running():
        return "not running"
    return f"{len(stack.set_retention(days))} tables keep {days} days"
