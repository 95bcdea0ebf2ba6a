"""`aicc backup`: one private tarball of the folder, its databases and, when it runs, the compose stack."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from aicc_hooks import __version__
from aicc_hooks.errors import OpsError
from aicc_hooks.ops import archive
from aicc_hooks.ops.files import explain, free_name, locked, private_dir, remove_leftovers, stamp
from aicc_hooks.ops.stack import Stack

NAME: Final = re.compile(r"^aicc-(\d{8})-(\d{6})(?:\.\d+)?\.tar\.gz$")
# Derived or useless elsewhere. gateway.jsonl repeats usage.db; locks and temporary files mean nothing later.
_LEFT_OUT: Final = re.compile(
    r"^(backups|logs|\.cache|__pycache__|workers|\.venv|venv)(/|$)|(^|/)(__pycache__/.*|\.aicc-tmp-[^/]*|\.DS_Store|[^/]*\.lock)$"
    r"|^\.restore-in-progress$|\.db\.corrupt-"
)
_SQLITE: Final = b"SQLite format 3\x00"
Stage = Callable[[str, int, int], None]  # what is done now, done, total


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup."""

    path: Path
    manifest: archive.Manifest
    removed: tuple[str, ...] = ()


def create(
    home: Path,
    *,
    output: Path | None = None,
    logs: bool = False,
    redis: tuple[str, int] | None = None,
    stack: Stack | None = None,
    stage: Stage = lambda what, done, total: None,
) -> Made:
    """Back up `home` while it serves; rotates unless `output` names a file of its own. Raises OpsError."""
    if not home.is_dir():
        raise OpsError(f"{home} does not exist; nothing to back up")
    backups = home / "backups"
    private_dir(backups)
    with locked(backups / ".lock", "backup"):
        remove_leftovers(backups)
        for old in backups.glob(".staging-*"):
            shutil.rmtree(old, ignore_errors=True)
        target = free_name(output or backups / f"aicc-{stamp()}.tar.gz")
        if output is not None and output.exists():
            raise OpsError(f"{output} exists already; choose another name")
        staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=backups))
        try:
            manifest = _gather(home, staging, logs, redis, stack, stage)
            total = sum(entry.size for entry in manifest.files)
            archive.pack(target, manifest, lambda name: staging / name, _counter("writing", total, stage))
            # Read back: a backup that cannot be read is found now, not on the day it is needed.
            archive.unpack(target, None, _counter("checking", total, stage))
        except OSError as error:
            raise explain(error, target) from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        removed = rotate(backups) if output is None else ()
    return Made(target, manifest, tuple(removed))


def _gather(
    home: Path, staging: Path, logs: bool, redis: tuple[str, int] | None, stack: Stack | None, stage: Stage
) -> archive.Manifest:
    notes: list[str] = []
    schema = 0
    found = list(_files(home, logs, notes))
    for number, (name, path) in enumerate(found):
        stage("copying", number, len(found))
        target = staging / "home" / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_sqlite(path):
            user_version = copy_database(path, target, lambda done, total: stage("usage.db", done, total))
            schema = user_version if name == "usage.db" else schema
        else:
            _copy(path, target)
    if redis is not None:
        _redis(staging, *redis)
    if stack is not None and stack.running():
        _langfuse(staging, stack, stage)
    elif stack is not None:
        notes.append("Langfuse was not running; it is not in this backup")
    files = []
    for path in sorted(p for p in staging.rglob("*") if p.is_file()):
        size, digest = archive.hash_file(path)
        files.append(
            archive.Entry(path.relative_to(staging).as_posix(), size, digest, path.stat().st_mode & 0o777)
        )
    versions = {"python": platform.python_version()}
    for package in ("litellm", "langfuse", "redis"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return archive.Manifest(time.time(), __version__, schema, versions=versions, notes=notes, files=files)


def _files(home: Path, logs: bool, notes: list[str]) -> Iterator[tuple[str, Path]]:
    """Relative name and path of everything worth keeping, links to files followed."""
    for folder, folders, names in os.walk(home):
        base = Path(folder)
        inside = base.relative_to(home).as_posix()
        prefix = "" if inside == "." else inside + "/"
        folders[:] = sorted(f for f in folders if _wanted(f"{prefix}{f}", logs))
        for name in sorted(names):
            path, relative = base / name, f"{prefix}{name}"
            if not _wanted(relative, logs) or re.search(r"\.(db|sqlite3?)-(wal|shm|journal)$", name):
                continue
            if not path.is_file():  # sockets, pipes, dangling links
                notes.append(f"{relative} is no file; left out")
            elif not archive.safe_name(f"home/{relative}"):
                notes.append("a file with control characters or a backslash in its name; left out")
            else:
                yield relative, path


def _wanted(relative: str, logs: bool) -> bool:
    if logs and re.match(r"logs(/|$)", relative):
        return True
    return not _LEFT_OUT.search(relative)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
        target.chmod(source.stat().st_mode & 0o777)
    except FileNotFoundError:
        return  # deleted while we looked
    except OSError as error:
        raise explain(error, source) from None


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError as error:
        raise explain(error, path) from None


def copy_database(source: Path, target: Path, progress: Callable[[int, int], None]) -> int:
    """A consistent copy of a database that others write; its `user_version`. Raises OpsError."""
    try:
        with (
            contextlib.closing(
                sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
            ) as origin,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            # A read transaction pins one state: without it every commit of the gateway would start the
            # copy anew, and under load it would never end.
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
            origin.backup(copy, pages=512, progress=lambda _, left, total: progress(total - left, total))
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no -wal beside it
            if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise OpsError(
                    f"{source.name} is damaged; open the status page: the gateway then replaces it; then back up again"
                )
            user_version = int(copy.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        if name == "SQLITE_FULL":
            raise OpsError(
                f"{target.parent}: no space left on the disk; free some and run it again"
            ) from None
        raise OpsError(f"{source.name} could not be copied ({name}); nothing was written") from None
    target.chmod(0o600)
    return user_version


def _redis(staging: Path, host: str, port: int) -> None:
    tool = shutil.which("redis-cli")
    if tool is None:
        raise OpsError("--redis needs redis-cli: brew install redis")
    folder = staging / "redis"
    folder.mkdir(mode=0o700)
    try:
        done = subprocess.run(
            [tool, "-h", host, "-p", str(port), "--rdb", str(folder / "dump.rdb")],
            capture_output=True,
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OpsError(f"Redis at {host}:{port} could not be saved ({type(error).__name__})") from None
    if done.returncode != 0 or not (folder / "dump.rdb").exists():
        raise OpsError(
            f"Redis at {host}:{port} could not be saved; does it answer? redis-cli -h {host} -p {port} ping"
        )


def _langfuse(staging: Path, stack: Stack, stage: Stage) -> None:
    """Postgres as a custom dump, ClickHouse tables in its Native format, MinIO's objects as a tar."""
    folder = staging / "langfuse"
    (folder / "clickhouse").mkdir(mode=0o700, parents=True)
    stage("Langfuse: Postgres", 0, 3)
    with (folder / "postgres.dump").open("wb") as out:
        stack.stream_out(
            ["exec", "-T", "postgres", "pg_dump", "-U", "langfuse", "-d", "langfuse", "-Fc"], out
        )
    stage("Langfuse: ClickHouse", 1, 3)
    for table in stack.tables():
        with (folder / "clickhouse" / f"{table}.native").open("wb") as out:
            stack.stream_out(stack.clickhouse(f"SELECT * FROM default.{table} FORMAT Native"), out)  # noqa: S608 - table names of the server
    stage("Langfuse: MinIO", 2, 3)
    with (folder / "minio.tar").open("wb") as out:
        stack.volume_out("minio", out)


def rotate(backups: Path, *, daily: int = 7, weekly: int = 4) -> list[str]:
    """Keep the newest of each of the last `daily` days and `weekly` weeks that have one; names of the removed."""
    found = sorted((p for p in backups.iterdir() if NAME.match(p.name)), reverse=True)
    keep: set[Path] = set(found[:1])
    days: dict[str, Path] = {}
    weeks: dict[tuple[int, int], Path] = {}
    for path in found:
        match = NAME.match(path.name)
        assert match is not None
        try:
            day = datetime.strptime(match.group(1), "%Y%m%d")
        except ValueError:
            keep.add(path)  # a date that does not exist is not ours
            continue
        days.setdefault(match.group(1), path)
        weeks.setdefault(day.isocalendar()[:2], path)
    keep.update(list(days.values())[:daily])
    keep.update(list(weeks.values())[:weekly])
    removed = []
    for path in found:
        if path not in keep:
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(path.name)
    return removed


def newest(backups: Path) -> Path | None:
    """The latest backup, by name."""
    try:
        return max((p for p in backups.iterdir() if NAME.match(p.name)), default=None)
    except OSError:
        return None


def _counter(what: str, total: int, stage: Stage) -> archive.Progress:
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        stage(what, done, total)

    return count
