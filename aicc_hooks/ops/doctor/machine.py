"""Checks of the machine: launchd, disk, sizes, clock, backups, crashes, proxies."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aicc_hooks.ops import backup
from aicc_hooks.ops.doctor.model import Context, Finding
from aicc_hooks.ops.launchd import GATEWAY, MAINTENANCE, Places, agent_path, launchctl, status
from aicc_hooks.record import schema
from aicc_hooks.resilience.crashes import read_crashes

_DAY = 86_400


def launch_agent(context: Context) -> Iterator[Finding]:
    """Installed, with today's paths, loaded."""
    if sys.platform != "darwin":
        yield Finding("launchd", "off", "not macOS")
        return
    for state in status(Places(context.aicc, context.home, context.user_home), os.getuid(), launchctl):
        name = "launchd" if state.label == GATEWAY else "launchd.maintenance"
        if not state.installed:
            yield Finding(
                name,
                "off",
                f"{state.label} is not installed: nothing starts at login",
                "aicc launchd install",
            )
        elif not state.current:
            yield Finding(
                name, "warn", f"{state.label} names paths that are not today's", "aicc launchd install"
            )
        elif not state.loaded:
            yield Finding(name, "fail", f"{state.label} is not loaded", "aicc launchd install")
        elif state.last_exit not in ("", "0", "(never exited)") and state.pid is None:
            yield Finding(
                name,
                "fail",
                f"{state.label} ended with {state.last_exit}",
                f"tail {context.home}/logs/gateway.err.log",
            )
        else:
            yield Finding(name, "ok", f"loaded{f', pid {state.pid}' if state.pid else ''}")


def disk(context: Context) -> Iterator[Finding]:
    """Room for records, and nothing of ours that grows without end."""
    place = context.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    least = 2_000_000_000
    if free < 500_000_000:
        yield Finding(
            "disk",
            "fail",
            f"{free / 1e9:.1f} GB free: records may be lost",
            f"du -sh {context.home}/* | sort -h",
        )
    elif free < least:
        yield Finding("disk", "warn", f"{free / 1e9:.1f} GB free", f"du -sh {context.home}/* | sort -h")
    else:
        yield Finding("disk", "ok", f"{free / 1e9:.0f} GB free")
    logs, backups = _size(context.home / "logs"), _size(context.home / "backups")
    much = logs > 1_000_000_000
    yield Finding(
        "logs", "warn" if much else "ok", f"{logs / 1e6:.1f} MB", "aicc maintenance" if much else ""
    )
    if backups > 10_000_000_000:
        yield Finding(
            "backups.size",
            "warn",
            f"{backups / 1e9:.1f} GB",
            f"ls -lh {context.home}/backups {context.home}/backups/replaced",
        )


def _size(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(base, name)).st_size
    return total


def records(context: Context) -> Iterator[Finding]:
    """usage.db can be read, is not full, and delivers; its times agree with the clock."""
    path = context.home / "usage.db"
    if not path.exists():
        yield Finding("records", "off", "no records yet")
        return
    try:
        with contextlib.closing(schema.open_readonly(path, busy_ms=500)) as db:
            count, newest = db.execute("SELECT count(*), max(end) FROM records").fetchone()
            waiting = db.execute("SELECT count(*) FROM outbox WHERE dead = 0").fetchone()[0]
            dead = db.execute("SELECT count(*) FROM outbox WHERE dead != 0").fetchone()[0]
            counters = dict(db.execute("SELECT name, value FROM counters"))
    except sqlite3.Error as error:
        broken = schema.is_damaged(error)
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        yield Finding(
            "records",
            "fail" if broken else "warn",
            f"usage.db cannot be read ({name})",
            "aicc restore FILE (aicc backup --list)" if broken else "aicc doctor",
        )
        return
    except Exception as error:
        yield Finding("records", "warn", str(error), "aicc init --upgrade")
        return
    yield Finding("records", "ok", f"{count} requests")
    if newest and newest > time.time() + 60:
        yield Finding(
            "clock",
            "warn",
            "the newest record is in the future: the clock was set back",
            "sudo sntp -sS time.apple.com",
        )
    elif time.time() < datetime(2026, 1, 1, tzinfo=UTC).timestamp():
        yield Finding("clock", "fail", "the clock is wrong", "sudo sntp -sS time.apple.com")
    else:
        yield Finding("clock", "ok", "plausible")
    if waiting > 10_000:
        yield Finding(
            "records.waiting", "warn", f"{waiting} records wait for Langfuse", "aicc langfuse status"
        )
    if dead:
        yield Finding(
            "records.refused", "warn", f"Langfuse refused {dead} records for good", "aicc langfuse status"
        )
    if lost := counters.get("dropped", 0) + counters.get("failed", 0):
        yield Finding(
            "records.lost",
            "warn",
            f"{lost} records were not written since the file began",
            "record.queue_size in policy.yaml; free disk space",
        )


def backups(context: Context) -> Iterator[Finding]:
    """One of the last day where the nightly job runs, of the last week elsewhere."""
    newest = backup.newest(context.home / "backups")
    if newest is None:
        yield Finding("backup", "warn", "there is no backup", "aicc backup")
        return
    nightly = sys.platform == "darwin" and agent_path(MAINTENANCE, context.user_home).exists()
    try:
        age = time.time() - newest.stat().st_mtime
    except OSError:
        return
    late = age > (2 * _DAY if nightly else 7 * _DAY)
    words = f"{newest.name}, {age / _DAY:.1f} days old"
    yield Finding(
        "backup",
        "warn" if late else "ok",
        words,
        ("aicc maintenance" if nightly else "aicc backup") if late else "",
    )


def crashes(context: Context) -> Iterator[Finding]:
    """Of the gateway, within a day."""
    seen = read_crashes(context.home / "logs", since=datetime.now(UTC) - timedelta(days=1))
    seen += read_crashes(context.home, since=datetime.now(UTC) - timedelta(days=1))
    if seen:
        last = seen[-1].get("signal") or f"exit code {seen[-1].get('exit_code')}"
        yield Finding(
            "crashes",
            "warn",
            f"the gateway died {len(seen)} time(s) within a day, last of {last}",
            f"tail {context.home}/logs/gateway.err.log",
        )
    else:
        yield Finding("crashes", "ok", "none within a day")


def proxies(context: Context) -> Iterator[Finding]:
    """A proxy for the internet must not get what is meant for this machine."""
    proxy = next((n for n in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY") if os.environ.get(n)), "")
    excepted = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    if proxy and not {"localhost", "127.0.0.1", "*"} & {part.strip() for part in excepted}:
        yield Finding(
            "proxy",
            "warn",
            f"{proxy} is set: programs may send local requests through it",
            "export NO_PROXY=localhost,127.0.0.1",
        )
