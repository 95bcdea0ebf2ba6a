"""What is still owed to a sink: at-least-once delivery that survives restarts, one worker at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from aicc_hooks.record import rows
from aicc_hooks.record.model import Feedback, Record
from aicc_hooks.record.writer import Writer

# Waits (backoff, Retry-After) are shorter: what seems due later was written by a clock that has since been set back.
_FARTHEST_S: Final = 3600.0
_DUE: Final = "dead = 0 AND (next_at <= ? OR next_at > ?)"


@dataclass(frozen=True, slots=True)
class Owed:
    """A record waiting for delivery; `tries` counts the sink's refusals of this record."""

    seq: int
    tries: int
    record: Record


class Outbox(Writer):
    """Delivery state in usage.db. Blocking: call it from a thread. Raises SpoolError."""

    def __init__(
        self, path: Path, sink: str, *, busy_ms: int = 2_000, on_damage: Callable[[], None] | None = None
    ) -> None:
        super().__init__(path, busy_ms=busy_ms, on_damage=on_damage)
        self.sink = sink
        self.farthest_s = _FARTHEST_S

    def lease(self, ttl_s: float) -> bool:
        """Become, or stay, the one worker that delivers; False while another holds the lease."""
        return self.take_lease(self.sink, ttl_s)

    def release(self) -> None:
        """Give the lease back so that another worker takes over at once."""
        self.drop_lease(self.sink)

    def has_due(self) -> bool:
        """Whether anything waits now; a plain read, so that an idle gateway leaves the disk alone."""
        with self.reading() as connection:
            now = time.time()
            return bool(
                connection.execute(
                    f"SELECT 1 FROM outbox WHERE sink = ? AND {_DUE} LIMIT 1",  # noqa: S608
                    (self.sink, now, now + self.farthest_s),
                ).fetchone()
            )

    def due(self, limit: int, *, now: float | None = None) -> list[Owed]:
        """Records to deliver now, oldest first. An unreadable one is set aside, counted, not returned."""
        moment = time.time() if now is None else now
        with self.transaction() as connection:
            found = connection.execute(
                "SELECT o.seq, o.tries, b.body FROM outbox o LEFT JOIN bodies b USING (seq) "  # noqa: S608
                f"WHERE o.sink = ? AND {_DUE} ORDER BY o.seq LIMIT ?",
                (self.sink, moment, moment + _FARTHEST_S, limit),
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
        with self.transaction() as connection:
            cursor = connection.executemany(
                "DELETE FROM outbox WHERE sink = ? AND seq = ?", [(self.sink, seq) for seq in seqs]
            )
            rows.bump(connection, {f"delivered_{self.sink}": max(cursor.rowcount, 0)})

    def refuse(self, seq: int, *, next_at: float, max_tries: int) -> bool:
        """The sink refused this record; True when it was set aside for good."""
        with self.transaction() as connection:
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
        with self.transaction() as connection:
            connection.execute(
                "UPDATE outbox SET next_at = ? WHERE sink = ? AND seq = ?", (next_at, self.sink, seq)
            )

    def revive(self) -> int:
        """Owe what was set aside again; returns how many."""
        with self.transaction() as connection:
            return connection.execute(
                "UPDATE outbox SET dead = 0, tries = 0, next_at = 0 WHERE sink = ? AND dead = 1", (self.sink,)
            ).rowcount

    def hasten(self) -> None:
        """Forget waiting times: `flush` wants to try now."""
        with self.transaction() as connection:
            connection.execute("UPDATE outbox SET next_at = 0 WHERE sink = ? AND dead = 0", (self.sink,))

    def backfill(self, since: float = 0.0) -> int:
        """Owe all records since then, delivered or not (ids make a second delivery harmless)."""
        with self.transaction() as connection:
            return connection.execute(
                "INSERT OR IGNORE INTO outbox (sink, seq) SELECT ?, seq FROM records WHERE end >= ?",
                (self.sink, since),
            ).rowcount

    def state(self) -> dict[str, Any]:
        """pending, rejected, delivered, expired_undelivered, oldest_pending (epoch s or None), lease owner."""
        with self.transaction() as connection:
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


def give_feedback(
    path: Path,
    record_id: str,
    score: float,
    comment: str = "",
    *,
    kind: Literal["thumbs", "score", ""] = "",
    at: float | None = None,
) -> Feedback:
    """Store a score for a record, once. `kind`: how it was given. `comment` must be redacted already. Raises SpoolError."""
    box = Outbox(path, "feedback")
    try:
        with box.transaction() as connection:
            if not connection.execute("SELECT 1 FROM records WHERE id = ?", (record_id,)).fetchone():
                return "unknown"
            stored = connection.execute(
                "INSERT OR IGNORE INTO feedback (id, score, comment, at, kind) VALUES (?, ?, ?, ?, ?)",
                (record_id, score, comment, time.time() if at is None else at, kind),
            ).rowcount
            return "stored" if stored == 1 else "duplicate"
    finally:
        box.close()
