"""usage.db as its writer holds it: opened anew when replaced, moved aside when damaged; and which records it can take."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import rows, schema
from aicc_hooks.record.model import Record

log = logging.getLogger("aicc.record")


class WritableFile:
    """One connection, of one thread."""

    def __init__(self, path: Path, *, busy_ms: int) -> None:
        self._path = path
        self._busy_ms = busy_ms
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def connection(self) -> sqlite3.Connection:
        """The open connection; a new one when the file was replaced under us. Raises sqlite3.Error, SpoolError, OSError."""
        if self._connection is not None:
            try:
                if os.stat(self._path).st_ino == self._inode:
                    return self._connection
            except FileNotFoundError:
                pass
            self.close()
        self._connection, self._inode = schema.open_as_found(self._path, busy_ms=self._busy_ms)
        return self._connection

    def close(self) -> None:
        """Raises sqlite3.Error."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def set_aside_if_damaged(self, error: Exception) -> bool:
        """True when `error` tells of a damaged file and it was moved away: the next connection makes a new one."""
        return isinstance(error, sqlite3.Error) and schema.is_damaged(error) and self.set_aside()

    def set_aside(self) -> bool:
        """True when the whole file was looked through, is damaged and was moved away. Close the connection first."""
        try:
            return bool(schema.set_aside(self._path))
        except (OSError, sqlite3.Error, SpoolError) as again:
            log.error("the damaged usage.db could not be moved aside: %s", type(again).__name__)
            return False


def fitting(encoded: list[tuple[Record, str]]) -> list[tuple[Record, str]]:
    """Those of a refused batch that SQLite can bind; none when no single one is to blame, rather than spin."""
    probe = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for script in schema.MIGRATIONS:
            for statement in schema.statements(script):
                probe.execute(statement)
        good = []
        for item in encoded:
            try:
                rows.insert(probe, [item], ())
                good.append(item)
            except (sqlite3.Error, OverflowError):
                continue
        return [] if len(good) == len(encoded) else good
    finally:
        probe.close()
