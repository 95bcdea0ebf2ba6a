"""Writing to usage.db beside the spool: one connection, short transactions, leases among workers."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import schema
from aicc_hooks.record.writable import WritableFile


class Writer:
    """Thread-safe and blocking: call it from a thread. Every method raises SpoolError.

    The file is opened when first needed, and again when it was replaced. `on_damage` is called when it is damaged.
    """

    def __init__(
        self, path: Path, *, busy_ms: int = 2_000, on_damage: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self._on_damage = on_damage
        self.owner = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._file = WritableFile(path, busy_ms=busy_ms)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._drop()

    def take_lease(self, name: str, ttl_s: float) -> bool:
        """Become, or stay, the one worker that does `name`; False while another holds the lease.

        A lease that ends later than any taken now could was written by a clock that has since been set back: its
        holder, if it lives, renews it, and else nobody would do `name` until the old time comes again.
        """
        now = time.time()
        with self.transaction() as connection:
            return (
                connection.execute(
                    "INSERT INTO leases (name, owner, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                    "SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until < ? OR until > ?",
                    (name, self.owner, now + ttl_s, now, now + 2 * ttl_s),
                ).rowcount
                == 1
            )

    def drop_lease(self, name: str) -> None:
        """Give a lease back so that another worker takes over at once."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE name = ? AND owner = ?", (name, self.owner))

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for a plain read."""
        with self._lock:
            try:
                yield self._file.connection()
            except sqlite3.Error as error:
                self._drop()
                if self._on_damage is not None and schema.is_damaged(error):
                    self._on_damage()
                name = getattr(error, "sqlite_errorname", type(error).__name__)
                raise SpoolError(f"{self.path.name} is out of reach ({name})") from None
            except OSError as error:
                self._drop()
                raise SpoolError(f"{self.path.name} cannot be opened ({type(error).__name__})") from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE … COMMIT, or a rollback when the block raises."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.rollback()
                raise

    def _drop(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._file.close()
