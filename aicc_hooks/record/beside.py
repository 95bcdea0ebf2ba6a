"""What lies beside usage.db: `-wal` and `-shm` of one file must never be met by another one of the same name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SIDE_FILES: Final = ("-wal", "-shm")
_WAIT_S: Final = 10.0

_known: dict[str, int] = {}  # path → inode this process last opened there
_lock = threading.Lock()


def settle(path: Path) -> int:
    """Inode of `path`; call it before the file is opened. Raises OSError.

    A file moved over usage.db while it is open (`mv old.db usage.db`) would be read together with the `-wal` of the one
    it replaced; and SQLite, opening both in one process, cuts the `-shm` that the older connections have mapped: SIGBUS,
    once in some hundred runs of five threads (https://sqlite.org/howtocorrupt.html, "unlinking or renaming a database
    file while in use"). So both are removed, by the first of all processes to notice. One that knew no other file leaves
    them alone: for it they are what a crash left behind.
    """
    inode = os.stat(path).st_ino
    with _lock:
        known = _known.get(str(path))
        if known != inode:
            with exclusive(path) as owner:
                inode = os.stat(path).st_ino
                belongs = os.pread(owner, 40, 0)
                if known is not None and belongs not in (b"", str(inode).encode()):
                    for suffix in SIDE_FILES:
                        path.with_name(path.name + suffix).unlink(missing_ok=True)
                if known is not None or not belongs:
                    _write(owner, str(inode))
        _known[str(path)] = inode
    return inode


def disown(owner: int) -> None:
    """Under `exclusive`: file and side files are gone; the next file's belong to whoever opens it."""
    _write(owner, "")


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """One at a time, of all processes. Yields the lock file, which holds the inode the side files belong to.

    Raises TimeoutError after 10 s: a process stopped in the middle must not stop the others.
    """
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(handle)
        yield handle
    finally:
        os.close(handle)


def _wait_for(handle: int) -> None:
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise TimeoutError("usage.db.lock is held by another process") from None
            time.sleep(0.005)


def _write(owner: int, text: str) -> None:
    os.ftruncate(owner, 0)
    os.pwrite(owner, text.encode(), 0)
