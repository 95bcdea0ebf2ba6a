"""Writing files so that nothing is lost: whole or not at all, private, with a copy of what they replace."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aicc_hooks.errors import OpsError

_TEMP = ".aicc-tmp-"


def write_atomic(path: Path, data: bytes | str, mode: int = 0o600) -> None:
    """Replace `path` in one step; the old content stays when anything fails. Raises OpsError."""
    raw = data.encode() if isinstance(data, str) else data
    temp: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=_TEMP, dir=path.parent)
        temp = Path(name)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, path)
    except OSError as error:
        raise explain(error, path) from None
    finally:
        if temp is not None:
            temp.unlink(missing_ok=True)
    sync_dir(path.parent)


def sync_dir(folder: Path) -> None:
    """Make renames in `folder` survive a power cut, where the file system allows it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def private_dir(path: Path) -> None:
    """Make a folder that only its owner can enter. Raises OpsError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise explain(error, path) from None


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files that an interrupted run left."""
    with contextlib.suppress(OSError):
        for old in folder.glob(_TEMP + "*"):
            with contextlib.suppress(OSError):
                old.unlink()


def stamp() -> str:
    """Local time for file names; sorts by age and needs no quoting."""
    return time.strftime("%Y%m%d-%H%M%S")


def keep_copy(path: Path, backups: Path) -> Path:
    """Copy a file that is about to change into `backups`, private, under a name of its own. Raises OpsError."""
    private_dir(backups)
    target = free_name(backups / f"{path.name.lstrip('.')}.{stamp()}")
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out, path.open("rb") as source:
            shutil.copyfileobj(source, out)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise explain(error, target) from None
    return target


def free_name(path: Path) -> Path:
    """`path`, or the first `path.N` that does not exist."""
    number, found = 1, path
    while found.exists() or found.is_symlink():
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


@contextlib.contextmanager
def locked(path: Path, doing: str) -> Iterator[None]:
    """One at a time per folder. The lock ends with the process, also when it is killed. Raises OpsError."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise explain(error, path) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OpsError(f"another `aicc {doing}` works on {path.parent}; wait for it to end") from None
        yield
    finally:
        os.close(handle)


def explain(error: OSError, path: Path) -> OpsError:
    """What an operating system's refusal means for the person."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return OpsError(
                f"{path}: no space left on the disk; nothing was replaced. Free some space and run it again"
            )
        case errno.EACCES | errno.EPERM:
            return OpsError(f"{path}: permission denied; it must belong to you: ls -ld {path.parent}")
        case errno.EROFS:
            return OpsError(f"{path}: the disk is read-only")
        case errno.ENOTDIR | errno.EEXIST:
            return OpsError(f"{path}: something that is not a folder is in the way; move it and run it again")
        case errno.ENOENT:
            return OpsError(f"{path}: not found")
        case _:
            return OpsError(f"{path}: {error.strerror or type(error).__name__}")
