"""usage.db on disk: tables, migrations, private files, and what to do when the file is damaged."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aicc_hooks.errors import NoRecords, SpoolError
from aicc_hooks.record import beside

log = logging.getLogger("aicc.record")

# Texts live in `bodies`: a report over 50,000 records reads the narrow table only (about 15 MB
# instead of every prompt). Add a migration by appending a script; never edit a released one.
MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        start REAL NOT NULL, end REAL NOT NULL,
        endpoint TEXT NOT NULL, requested TEXT NOT NULL, route TEXT NOT NULL, reason TEXT NOT NULL,
        deployment TEXT NOT NULL, tier TEXT NOT NULL, cache TEXT NOT NULL, variant TEXT NOT NULL,
        client TEXT NOT NULL, mode TEXT NOT NULL, user TEXT NOT NULL, session TEXT NOT NULL,
        status INTEGER NOT NULL, error TEXT NOT NULL, stream INTEGER NOT NULL,
        cold_start INTEGER NOT NULL, local_only INTEGER NOT NULL, attempts INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
        gate_ms REAL, hooks_ms REAL, cache_ms REAL, upstream_ms REAL, first_token_ms REAL, total_ms REAL,
        injection REAL NOT NULL, injection_rules TEXT NOT NULL,
        privacy TEXT NOT NULL  -- ",email,us_ssn,": a filter is LIKE '%,us_ssn,%'
    );
    CREATE INDEX records_end ON records (end);
    CREATE TABLE bodies (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE outbox (
        sink TEXT NOT NULL, seq INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (sink, seq)
    ) WITHOUT ROWID;
    CREATE TABLE feedback (id TEXT PRIMARY KEY, score REAL NOT NULL, comment TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
    """,
    # Sticky locality asks "was this session ever private?" once a session and process.
    "CREATE INDEX records_private ON records (session) WHERE local_only = 1 AND session != '';",
    # What workers tell each other, alerts, and the sums behind /aicc/metrics (docs/alerts.md, docs/metrics.md).
    """
    CREATE TABLE workers (owner TEXT PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE samples (at REAL PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE alerts (
        key TEXT PRIMARY KEY, rule TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL, since REAL NOT NULL,
        value REAL, detail TEXT NOT NULL, good_since REAL, notified REAL, checked REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE alert_events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, rule TEXT NOT NULL,
        subject TEXT NOT NULL, value REAL, detail TEXT NOT NULL, silenced INTEGER NOT NULL,
        owed TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE silences (pattern TEXT PRIMARY KEY, until REAL NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE metric_totals (
        metric TEXT NOT NULL, labels TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (metric, labels)
    ) WITHOUT ROWID;
    """,
    # The prompt of Langfuse an experiment's variant used; version 0: its fallback text.
    """
    ALTER TABLE records ADD COLUMN prompt_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE records ADD COLUMN prompt_version INTEGER NOT NULL DEFAULT 0;
    """,
    # What an experiment dealt to, which content its variant had, and whether a score was given as thumbs.
    """
    ALTER TABLE records ADD COLUMN unit TEXT NOT NULL DEFAULT '';
    ALTER TABLE records ADD COLUMN variant_content TEXT NOT NULL DEFAULT '';
    ALTER TABLE feedback ADD COLUMN kind TEXT NOT NULL DEFAULT '';
    """,
)

# Table → schema from which on it has columns, and what stands in for them before.
_ADDED: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "records": ((4, "'' AS prompt_name, 0 AS prompt_version"), (5, "'' AS unit, '' AS variant_content")),
    "feedback": ((5, "'' AS kind"),),
}


def open_writable(path: Path, *, busy_ms: int = 2_000, migrate: bool = True) -> sqlite3.Connection:
    """A read-write connection with the schema in place. Raises SpoolError or sqlite3.Error."""
    return open_as_found(path, busy_ms=busy_ms, migrate=migrate)[0]


def open_as_found(
    path: Path, *, busy_ms: int = 2_000, migrate: bool = True
) -> tuple[sqlite3.Connection, int]:
    """`open_writable`, and the inode by which to tell later that the file was replaced.

    The inode is asked for before the file is opened: of a file replaced in between the caller then notices, and opens
    again, instead of writing for ever to the one that is gone. Raises SpoolError, sqlite3.Error or OSError.
    """
    _make_private(path)
    inode = beside.settle(path)
    # One at a time: while one turns a new file into a WAL one SQLite tells the others "locked" without waiting (in 5 % of
    # 300 starts of eight threads).
    with beside.exclusive(path):
        return _open(path, busy_ms, migrate), inode


def _open(path: Path, busy_ms: int, migrate: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has effect on a new file only
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit is on disk before it counts as acknowledged, also through a power cut. It
        # costs one fsync a batch (at most a few a second) on a thread no request waits for.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        if migrate:
            _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_readonly(path: Path, *, busy_ms: int = 2_000) -> sqlite3.Connection:
    """A connection that cannot write. Raises SpoolError when there is no file or the schema is foreign."""
    if not path.exists():
        raise NoRecords(f"no records yet: {path.name} does not exist; it appears with the first request")
    with contextlib.suppress(OSError):  # a folder that only lets read
        beside.settle(path)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=busy_ms / 1000, isolation_level=None,
        check_same_thread=False,
    )  # fmt: skip
    try:
        version = _version(connection)
        _check_version(version, path)
        for table, added in _ADDED.items():
            missing = [columns for since, columns in added if version < since]
            if missing:
                # After an update commands read before the gateway has restarted and migrated; they must not migrate
                # below an older gateway that still runs. A temporary view hides the table of the same name.
                connection.execute(
                    f"CREATE TEMP VIEW {table} AS SELECT *, {', '.join(missing)} FROM main.{table}"  # noqa: S608 - ours
                )
    except BaseException:
        connection.close()
        raise
    return connection


def is_damaged(error: sqlite3.Error) -> bool:
    """True when the file itself is broken, not merely busy, full or read-only."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return False


def set_aside(path: Path) -> Path | None:
    """Move a damaged database away so that a new one can be made; None when another process already did.

    The copy keeps whatever `sqlite3 .recover` can still read from it.
    """
    with contextlib.suppress(OSError):
        beside.settle(path)  # not below: it takes the same lock
    with beside.exclusive(path) as owner:
        if _is_sound(path):
            return None
        target = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}")
        for suffix in (*beside.SIDE_FILES, ""):
            source = path.with_name(path.name + suffix)
            if source.exists():
                os.replace(source, target.with_name(target.name + suffix))
        beside.disown(owner)
        log.error("usage.db was damaged; it was moved to %s and a new one begins", target.name)
        return target


def _is_sound(path: Path) -> bool:
    try:
        _make_private(path)
        with contextlib.closing(_open(path, 2_000, migrate=True)) as probe:
            return bool(probe.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error as error:
        if is_damaged(error):
            return False
        raise


def remove_set_aside(path: Path, before: float) -> int:
    """Delete damaged copies older than `before`: retention covers them too."""
    removed = 0
    for old in path.parent.glob(path.name + ".corrupt-*"):
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < before:
                old.unlink()
                removed += 1
    return removed


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives -wal and -shm the mode of the database file, so the file must be private first. One that is there must
    # not be opened here: closing it ends the locks of every connection of this process (POSIX), and whoever closes the
    # file in another process then takes itself for the last and removes the -wal we write to.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            name = path.with_name(path.name + suffix)
            if name.stat().st_mode & 0o077:
                name.chmod(0o600)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(version: int, path: Path) -> None:
    if version > len(MIGRATIONS):
        raise SpoolError(
            f"{path.name} was written by a newer aicc (schema {version}, this one knows {len(MIGRATIONS)}): "
            "update aicc, or move the file away"
        )
    if version == 0:
        raise NoRecords(f"{path.name} holds no records yet")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")  # of several workers that start together one migrates
    try:
        version = _version(connection)
        if version > len(MIGRATIONS):
            _check_version(version, path)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def statements(script: str) -> Iterator[str]:
    """Single statements: `executescript` would commit in between."""
    buffer = ""
    for line in script.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            yield buffer
            buffer = ""
