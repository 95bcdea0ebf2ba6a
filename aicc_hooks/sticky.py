"""Once a conversation was private, its later turns stay on this machine, in every worker and after a restart.

A record is written when its request has ended; the next turn may come sooner, and to another worker. So the hash of a private
session is appended to a small file as soon as the verdict is known, and every process reads what the others appended.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from aicc_hooks.errors import NoRecords, SpoolError
from aicc_hooks.record import schema

_LIMIT = 50_000
_CLEAN_TTL_S = 1.0  # a record of before this file may have been restored meanwhile
_LEDGER_BYTES = 1 << 20  # 60,000 sessions; then the older half goes (usage.db still knows them)


class StickySessions:
    """Knows private sessions from memory, from the file beside usage.db, and from usage.db itself.

    `names`: the forms under which a session id is stored in records (hash, and plain where the policy says so).
    """

    def __init__(
        self,
        database: Path,
        names: Callable[[str], tuple[str, ...]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._ledger = database.with_name("private_sessions")
        self._inode = self._read = 0
        self._names = names
        self._clock = clock
        self._private: OrderedDict[str, None] = OrderedDict()
        self._clean: OrderedDict[str, float] = OrderedDict()

    def mark(self, session: str) -> None:
        """The session held something sensitive."""
        if not session:
            return
        key = self._names(session)[0]
        if key not in self._private and key != session:  # never a session id as it is
            self._publish(key)
        self._learn(key)

    def _learn(self, key: str) -> None:
        self._private[key] = None
        self._private.move_to_end(key)
        self._clean.pop(key, None)
        if len(self._private) > _LIMIT:
            self._private.popitem(last=False)

    def _publish(self, key: str) -> None:
        """Tell the other workers. One short append, which the system does not mix with another's; no sync to disk."""
        with contextlib.suppress(OSError):  # usage.db tells them a little later
            handle = os.open(self._ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, key.encode() + b"\n")
                full = os.fstat(handle).st_size > _LEDGER_BYTES
            finally:
                os.close(handle)
            if full:
                self._shorten()

    def _shorten(self) -> None:
        kept = self._ledger.read_bytes()[-_LEDGER_BYTES // 2 :].partition(b"\n")[2]
        temporary = self._ledger.with_name(f"{self._ledger.name}.{os.getpid()}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(kept)
        temporary.replace(self._ledger)

    def _catch_up(self) -> None:
        """Read what was appended since. Costs one `stat` when nothing was."""
        with contextlib.suppress(OSError):
            found = os.stat(self._ledger)
            if found.st_ino != self._inode or found.st_size < self._read:
                self._inode, self._read = found.st_ino, 0
            if found.st_size > self._read:
                with self._ledger.open("rb") as file:
                    file.seek(self._read)
                    lines = file.read(_LEDGER_BYTES * 2)
                whole = lines.rpartition(b"\n")[0]
                self._read += len(whole) + 1 if whole else 0
                for key in whole.split():
                    self._learn(key.decode("ascii", "replace"))

    def cached(self, session: str) -> bool | None:
        """What memory knows; None when usage.db must be asked."""
        if not session:
            return False
        key = self._names(session)[0]
        self._catch_up()
        if key in self._private:
            return True
        known = self._clean.get(key)
        return False if known is not None and self._clock() - known < _CLEAN_TTL_S else None

    def look_up(self, session: str) -> bool:
        """Ask usage.db. Reads a disk: call off the loop. A database that does not answer counts as private."""
        names = self._names(session)
        try:
            with closing(schema.open_readonly(self._database, busy_ms=500)) as connection:
                marks = ",".join("?" for _ in names)
                query = f"SELECT 1 FROM records WHERE local_only = 1 AND session != '' AND session IN ({marks}) LIMIT 1"  # noqa: S608
                found = connection.execute(query, names).fetchone() is not None
        except NoRecords:
            found = False
        except (SpoolError, sqlite3.Error):
            return True
        if found:
            self.mark(session)
        else:
            self._clean[names[0]] = self._clock()
            if len(self._clean) > _LIMIT:
                self._clean.popitem(last=False)
        return found
