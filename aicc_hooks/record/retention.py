"""Old records go first: by age, then by size. What goes undelivered is counted."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from aicc_hooks.record.rows import bump

_CHUNK = 500  # rows a transaction: other workers' commits wait milliseconds, not seconds


@dataclass(frozen=True, slots=True)
class Expired:
    """What one pass removed."""

    by_age: int = 0
    by_size: int = 0
    undelivered: int = 0


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes that hold data; free pages do not count, they are reused."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def expire(
    connection: sqlite3.Connection, *, days: float, max_bytes: int, now: float | None = None
) -> Expired:
    """Delete until both limits hold. Raises sqlite3.Error."""
    cutoff = (time.time() if now is None else now) - days * 86_400
    by_age = by_size = undelivered = 0
    while True:
        removed, lost = _delete(
            connection,
            "SELECT seq FROM records WHERE end < ? ORDER BY end LIMIT ?",
            (cutoff, _CHUNK),
            "expired_age",
        )
        by_age, undelivered = by_age + removed, undelivered + lost
        if removed < _CHUNK:
            break
    while used_bytes(connection) > max_bytes:
        chunk = max(
            1, min(_CHUNK, int(connection.execute("SELECT count(*) FROM records").fetchone()[0]) // 20)
        )
        removed, lost = _delete(
            connection, "SELECT seq FROM records ORDER BY seq LIMIT ?", (chunk,), "expired_size"
        )
        by_size, undelivered = by_size + removed, undelivered + lost
        if not removed:
            break  # the limit is smaller than an empty database
    if by_age or by_size:
        connection.execute("DELETE FROM feedback WHERE at < ?", (cutoff,))
        connection.execute("PRAGMA incremental_vacuum(2000)").fetchall()
    return Expired(by_age, by_size, undelivered)


def _delete(
    connection: sqlite3.Connection, query: str, args: tuple[float, ...], counter: str
) -> tuple[int, int]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        seqs = [(row[0],) for row in connection.execute(query, args)]
        for table in ("records", "bodies"):
            connection.executemany(f"DELETE FROM {table} WHERE seq = ?", seqs)  # noqa: S608
        lost = connection.executemany("DELETE FROM outbox WHERE seq = ?", seqs).rowcount if seqs else 0
        bump(connection, {counter: len(seqs), "expired_undelivered": max(lost, 0)})
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return len(seqs), max(lost, 0)
