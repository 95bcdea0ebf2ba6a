"""What is still owed to a sink: at-least-once delivery that survives restarts, one worker at a time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import rows, schema
from aicc_hooks.record.model import Feedback, Record


@dataclass(frozen=True, slots=True)
class Owed:
    """A record waiting for delivery; `tries` counts the sink's refusals of this record."""

    seq: int
    tries: int
    record: Record


class Outbox:
    """Delivery state in usage.db. Blocking: call it from a thread. Raises SpoolError."""

    def __init__(self, path: Path, sink: str, *, busy_ms: int = 2_000) -> None:
        self.path = path
        self.sink = sink
        self.owner = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._busy_ms = busy_ms
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._drop()

    def lease(self, ttl_s: float) -> bool:
        """Become, or stay, the one worker that delivers; False while another holds the lease."""
        now = time.time()
        with self._transaction() as connection:
            return (
                connection.execute(
                    "INSERT INTO leases (name, owner, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                    "SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until < ?",
                    (self.sink, self.owner, now + ttl_s, now),
                ).rowcount
                == 1
            )

    def release(self) -> None:
        """Give the lease back so that another worker takes over at once."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM leases WHERE name = ? AND owner = ?", (self.sink, self.owner))

    def has_due(self) -> bool:
        """Whether anything waits now; a plain read, so that an idle gateway leaves the disk alone."""
        with self._guarded() as connection:
            return bool(
                connection.execute(
                    "SELECT 1 FROM outbox WHERE sink = ? AND dead = 0 AND next_at <= ? LIMIT 1",
                    (self.sink, time.time()),
                ).fetchone()
            )

    def due(self, limit: int, *, now: float | None = None) -> list[Owed]:
        """Records to deliver now, oldest first. An unreadable one is set aside, counted, not returned."""
        with self._transaction() as connection:
            found = connection.execute(
                "SELECT o.seq, o.tries, b.body FROM outbox o LEFT JOIN bodies b USING (seq) "
                "WHERE o.sink = ? AND o.dead = 0 AND o.next_at <= ? ORDER BY o.seq LIMIT ?",
                (self.sink, time.time() if now is None else now, limit),
            ).fetchall()
            owed = []
            for seq, tries, body in found:
                try:
                    owed.append(Owed(seq, tries, rows.decode_body(body or "")))
                except ValueError:
                    connection.execute(
                        "UPDATE outbox SET dead = 1 WHERE sink = ? AND seq = ?", (self.sink, seq)
                    )
            return owed

    def ack(self, seqs: Sequence[int]) -> None:
        """The sink has them."""
        with self._transaction() as connection:
            cursor = connection.executemany(
                "DELETE FROM outbox WHERE sink = ? AND seq = ?", [(self.sink, seq) for seq in seqs]
            )
            rows.bump(connection, {f"delivered_{self.sink}": max(cursor.rowcount, 0)})

    def refuse(self, seq: int, *, next_at: float, max_tries: int) -> bool:
        """The sink refused this record; True when it was set aside for good."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE outbox SET tries = tries + 1, next_at = ?, dead = (tries + 1 >= ?) WHERE sink = ? AND seq = ?",
                (next_at, max_tries, self.sink, seq),
            )
            row = connection.execute(
                "SELECT dead FROM outbox WHERE sink = ? AND seq = ?", (self.sink, seq)
            ).fetchone()
            return bool(row and row[0])

    def postpone(self, seq: int, next_at: float) -> None:
        """Try this one later, without counting a refusal."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE outbox SET next_at = ? WHERE sink = ? AND seq = ?", (next_at, self.sink, seq)
            )

    def revive(self) -> int:
        """Owe what was set aside again; returns how many."""
        with self._transaction() as connection:
            return connection.execute(
                "UPDATE outbox SET dead = 0, tries = 0, next_at = 0 WHERE sink = ? AND dead = 1", (self.sink,)
            ).rowcount

    def hasten(self) -> None:
        """Forget waiting times: `flush` wants to try now."""
        with self._transaction() as connection:
            connection.execute("UPDATE outbox SET next_at = 0 WHERE sink = ? AND dead = 0", (self.sink,))

    def backfill(self, since: float = 0.0) -> int:
        """Owe all records since then, delivered or not (ids make a second delivery harmless)."""
        with self._transaction() as connection:
            return connection.execute(
                "INSERT OR IGNORE INTO outbox (sink, seq) SELECT ?, seq FROM records WHERE end >= ?",
                (self.sink, since),
            ).rowcount

    def state(self) -> dict[str, Any]:
        """pending, rejected, delivered, expired_undelivered, oldest_pending (epoch s or None), lease owner."""
        with self._transaction() as connection:
            pending, rejected, oldest = connection.execute(
                "SELECT coalesce(sum(1 - dead), 0), coalesce(sum(dead), 0), min(CASE dead WHEN 0 THEN seq END) "
                "FROM outbox WHERE sink = ?",
                (self.sink,),
            ).fetchone()
            when = connection.execute("SELECT end FROM records WHERE seq = ?", (oldest,)).fetchone()
            counts = dict(connection.execute("SELECT name, value FROM counters"))
            holder = connection.execute(
                "SELECT owner FROM leases WHERE name = ? AND until >= ?", (self.sink, time.time())
            ).fetchone()
        return {
            "pending": pending,
            "rejected": rejected,
            "delivered": counts.get(f"delivered_{self.sink}", 0),
            "expired_undelivered": counts.get("expired_undelivered", 0),
            "oldest_pending": when[0] if when else None,
            "lease": holder[0] if holder else None,
        }

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._open()
            except sqlite3.Error as error:
                self._drop()
                name = getattr(error, "sqlite_errorname", type(error).__name__)
                raise SpoolError(f"the delivery state in {self.path.name} is out of reach ({name})") from None
            except OSError as error:
                self._drop()
                raise SpoolError(f"{self.path.name} cannot be opened ({type(error).__name__})") from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._guarded() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.rollback()
                raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and (
            not self.path.exists() or os.stat(self.path).st_ino != self._inode
        ):
            self._drop()
        if self._connection is None:
            self._connection = schema.open_writable(self.path, busy_ms=self._busy_ms)
            self._inode = os.stat(self.path).st_ino
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def give_feedback(
    path: Path, record_id: str, score: float, comment: str = "", *, at: float | None = None
) -> Feedback:
    """Store a score for a record, once. `comment` must be redacted already. Raises SpoolError."""
    box = Outbox(path, "feedback")
    try:
        with box._transaction() as connection:
            if not connection.execute("SELECT 1 FROM records WHERE id = ?", (record_id,)).fetchone():
                return "unknown"
            stored = connection.execute(
                "INSERT OR IGNORE INTO feedback (id, score, comment, at) VALUES (?, ?, ?, ?)",
                (record_id, score, comment, time.time() if at is None else at),
            ).rowcount
            return "stored" if stored == 1 else "duplicate"
    finally:
        box.close()
