"""`aicc restore`: check everything first, then put file after file in place; what is replaced is kept."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

from aicc_hooks import __version__
from aicc_hooks.errors import OpsError
from aicc_hooks.ops import archive
from aicc_hooks.ops.backup import Stage
from aicc_hooks.ops.files import (
    explain,
    free_name,
    locked,
    private_dir,
    remove_leftovers,
    stamp,
    sync_dir,
    write_atomic,
)
from aicc_hooks.ops.stack import Stack
from aicc_hooks.record.schema import MIGRATIONS

MARKER: Final = ".restore-in-progress"
_BESIDE: Final = ("-wal", "-shm", "-journal")  # parts of a database; they must move with it


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one file of the folder."""

    name: str
    what: str  # new, replaced, same


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done, or would be done."""

    manifest: archive.Manifest
    changes: tuple[Change, ...]
    kept: Path | None  # where the replaced files are; None: nothing was replaced, or a dry run
    langfuse: bool = False


def restore(
    path: Path,
    home: Path,
    *,
    dry_run: bool = False,
    stack: Stack | None = None,
    stage: Stage = lambda what, done, total: None,
) -> Restored:
    """Restore `home` from a backup; `stack` also restores Langfuse into the running stack. Raises OpsError."""
    manifest = archive.read_manifest(path)
    check_versions(manifest, path)
    total = sum(entry.size for entry in manifest.files)
    done = 0

    def progress(number: int) -> None:
        nonlocal done
        done += number
        stage("checking", done, total)

    if dry_run:
        archive.unpack(path, None, progress)
        return Restored(manifest, tuple(_changes(manifest, home)), None)
    has_langfuse = any(entry.name.startswith("langfuse/") for entry in manifest.files)
    if stack is not None and not has_langfuse:
        raise OpsError(f"{path.name} holds no Langfuse data")
    private_dir(home)
    with locked(home / ".restore.lock", "restore"):
        _check_space(home, total)
        for old in home.glob(".restoring-*"):
            shutil.rmtree(old, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=".restoring-", dir=home))
        try:
            # Everything is unpacked and checked before the first file of the user is touched.
            archive.unpack(path, staging, progress)
            _check_database(staging / "home" / "usage.db")
            changes = tuple(_changes(manifest, home))
            kept = _kept_folder(home, path)
            write_atomic(
                home / MARKER, json.dumps({"archive": str(path.absolute()), "kept": str(kept)}) + "\n"
            )
            same = {change.name for change in changes if change.what == "same"}
            for entry in manifest.files:
                root, _, name = entry.name.partition("/")
                if root == "home" and name not in same:
                    _place(staging / entry.name, home, name, entry.mode, kept)
            if stack is not None:
                _langfuse(staging / "langfuse", stack)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        (home / MARKER).unlink(missing_ok=True)
        remove_leftovers(home)
        sync_dir(home)
    replaced = kept if kept.exists() else None
    return Restored(manifest, changes, replaced, stack is not None)


def interrupted(home: Path) -> str:
    """What to run when a restore was cut short; "" when none was."""
    if not (home / MARKER).exists():
        return ""
    try:
        archived = json.loads((home / MARKER).read_text(encoding="utf-8"))["archive"]
    except (OSError, ValueError, KeyError, TypeError):
        archived = "FILE"
    return f"a restore was interrupted; run it again: aicc restore '{archived}'"


def check_versions(manifest: archive.Manifest, path: Path) -> None:
    """Refuse what a newer aicc wrote: its files may mean something this one does not know. Raises OpsError."""
    if manifest.schema > len(MIGRATIONS):
        raise OpsError(
            f"{path.name}: its usage.db has schema {manifest.schema}, this aicc knows {len(MIGRATIONS)}; "
            f"install aicc-hooks {manifest.version} or newer"
        )
    try:
        newer = Version(manifest.version).release[:2] > Version(__version__).release[:2]
    except InvalidVersion:
        raise OpsError(f"{path.name}: its manifest names no version of aicc") from None
    if newer:
        raise OpsError(
            f"{path.name}: made by aicc {manifest.version}, this is {__version__}; update aicc first"
        )


def _changes(manifest: archive.Manifest, home: Path) -> list[Change]:
    out = []
    for entry in manifest.files:
        root, _, name = entry.name.partition("/")
        if root != "home":
            out.append(Change(entry.name, "in the archive"))
            continue
        place = home / name
        if not place.exists():
            out.append(Change(name, "new"))
        else:
            # A database whose newest commits stand in its -wal differs, whatever the main file says.
            alone = not any(place.with_name(place.name + suffix).exists() for suffix in _BESIDE)
            same = alone and place.is_file() and archive.hash_file(place) == (entry.size, entry.sha256)
            out.append(Change(name, "same" if same else "replaced"))
    return out


def _kept_folder(home: Path, path: Path) -> Path:
    """Where replaced files go; a restore that goes on after a cut uses the folder of the first try."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        before = json.loads((home / MARKER).read_text(encoding="utf-8"))
        if before["archive"] == str(path.absolute()):
            return Path(before["kept"])
    return free_name(home / "backups" / "replaced" / f"restore-{stamp()}")


def _place(source: Path, home: Path, name: str, mode: int, kept: Path) -> None:
    """Move one file into the folder; the one it replaces is moved away first."""
    target = home / name
    try:
        _parents(home, target.parent)
        if target.is_dir() and not target.is_symlink():
            raise OpsError(f"{target} is a folder, a file is to go there; move it and run the restore again")
        if target.is_symlink() or target.exists():
            for suffix in (*_BESIDE, ""):
                _keep(target.with_name(target.name + suffix), kept, home)
        else:
            # Parts of a database that is gone would be replayed into the restored one.
            for suffix in _BESIDE:
                _keep(target.with_name(target.name + suffix), kept, home)
        source.chmod(0o600 if name == ".env" else mode & 0o755)
        os.replace(source, target)
        sync_dir(target.parent)
    except OSError as error:
        raise explain(error, target) from None


def _keep(old: Path, kept: Path, home: Path) -> None:
    if not (old.is_symlink() or old.exists()):
        return
    place = kept / old.relative_to(home)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.is_symlink() or place.exists():
        return  # kept by the try before this one; what stands here now came from the archive
    # Within one folder tree, so a rename: whole at any moment.
    os.replace(old, place)


def _parents(home: Path, folder: Path) -> None:
    """Make folders below home; one that is a link could lead anywhere."""
    for part in [*reversed(folder.relative_to(home).parents), folder.relative_to(home)]:
        place = home / part
        if place.is_symlink() and place != home:
            raise OpsError(
                f"{place} is a link; a restore does not write through links. Remove it and run it again"
            )
        if not place.exists():
            place.mkdir(mode=0o755 if part.parts[:1] == ("compose",) else 0o700)


def _check_space(home: Path, needed: int) -> None:
    free = shutil.disk_usage(home).free
    if free < needed + (64 << 20):
        raise OpsError(
            f"{home}: {needed // 1_000_000 + 64} MB are needed, {free // 1_000_000} MB are free; nothing was changed"
        )


def _check_database(path: Path) -> None:
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as probe:
            sound = probe.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.Error:
        sound = False
    if not sound:
        raise OpsError("the usage.db in this backup is damaged; nothing was changed. Take an older backup")


def _langfuse(folder: Path, stack: Stack) -> None:
    """Into a running stack of the same Langfuse version, whose tables exist."""
    if not stack.running():
        raise OpsError("Langfuse is not running; start it (aicc langfuse up) and run the restore again")
    stack.run("stop", "langfuse-web", "langfuse-worker")
    with (folder / "postgres.dump").open("rb") as dump:
        stack.stream_in(
            ["exec", "-T", "postgres", "pg_restore", "-U", "langfuse", "-d", "langfuse", "--clean", "--if-exists", "--no-owner", "--exit-on-error"],
            dump,
        )  # fmt: skip
    for dump_path in sorted((folder / "clickhouse").glob("*.native")):
        table = dump_path.stem
        stack.query(f"TRUNCATE TABLE default.{table}")
        if dump_path.stat().st_size:
            with dump_path.open("rb") as dump:
                stack.stream_in(stack.clickhouse(f"INSERT INTO default.{table} FORMAT Native"), dump)
    stack.run("stop", "minio")
    with (folder / "minio.tar").open("rb") as dump:
        stack.volume_in("minio", dump)
    stack.run("up", "--detach", "--wait", "--wait-timeout", "600")
