"""Reading usage.db: lists, one record, and quick sums for pages, reports, metrics and alerts."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import retention, rows, schema
from aicc_hooks.record.model import Record

_LIST = "seq, " + ", ".join(rows.COLUMNS)


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on records, all of which must hold; "" and None mean any."""

    route: str = ""
    reason: str = ""  # exact, or a kind: `privacy` finds `privacy:us_ssn`
    client: str = ""
    variant: str = ""
    tier: str = ""
    cache: str = ""
    session: str = ""
    privacy: str = ""  # an entity name, or `any`
    errors: bool | None = None
    injection_min: float | None = None
    since: float | None = None
    until: float | None = None

    def where(self) -> tuple[str, list[Any]]:
        """SQL condition and its arguments."""
        parts: list[str] = []
        args: list[Any] = []
        for name in ("route", "client", "variant", "tier", "cache", "session"):
            if value := getattr(self, name):
                parts.append(f"{name} = ?")
                args.append(value)
        if self.reason:
            parts.append("(reason = ? OR substr(reason, 1, ?) = ?)")
            args += [self.reason, len(self.reason) + 1, self.reason + ":"]
        if self.privacy == "any":
            parts.append("privacy != ''")
        elif self.privacy:
            parts.append("instr(privacy, ?) > 0")
            args.append(f",{self.privacy},")
        if self.errors is not None:
            parts.append(("" if self.errors else "NOT ") + "(status >= 400 OR error != '')")
        for name, condition in (
            ("injection_min", "injection >= ?"),
            ("since", "end >= ?"),
            ("until", "end < ?"),
        ):
            if (bound := getattr(self, name)) is not None:
                parts.append(condition)
                args.append(bound)
        return (" AND ".join(parts) or "1"), args


class SpoolReader:
    """Read-only and thread-safe; opens the file when first asked and again when it was replaced.

    Every method raises SpoolError, with a sentence for the user, when the file is absent, locked or
    damaged; of damage it also tells `on_damage`. Call it through `asyncio.to_thread` from the loop.
    """

    def __init__(
        self, path: Path, *, busy_ms: int = 2_000, on_damage: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self._on_damage = on_damage
        self._busy_ms = busy_ms
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._drop()

    def recent(
        self, limit: int = 50, *, filters: Filters | None = None, before: int | None = None
    ) -> list[dict[str, Any]]:
        """Newest first, without texts. Page on with `before` = the last `seq` seen."""
        where, args = (filters or Filters()).where()
        if before is not None:
            where, args = f"seq < ? AND {where}", [before, *args]
        return self._list(f"WHERE {where} ORDER BY seq DESC LIMIT ?", [*args, _page(limit)])

    def since(self, seq: int, limit: int = 500, *, filters: Filters | None = None) -> list[dict[str, Any]]:
        """Oldest first, after `seq`: what a live list or `tail` asks for. Start at `latest()`."""
        where, args = (filters or Filters()).where()
        return self._list(f"WHERE seq > ? AND {where} ORDER BY seq LIMIT ?", [seq, *args, _page(limit)])

    def latest(self) -> int:
        """Highest seq, 0 when empty."""
        return int(self.query("SELECT coalesce(max(seq), 0) FROM records")[0][0])

    def get(self, record_id: str) -> Record | None:
        """One whole record by its id."""
        found = self.query(
            "SELECT body FROM bodies WHERE seq = (SELECT seq FROM records WHERE id = ?)", [record_id]
        )
        return rows.decode_body(found[0][0]) if found else None

    def feedback(self, record_id: str) -> dict[str, Any] | None:
        """Feedback given on one record: score, comment, at, kind (thumbs, score, "" when not known)."""
        found = self.query("SELECT score, comment, at, kind FROM feedback WHERE id = ?", [record_id])
        return dict(zip(("score", "comment", "at", "kind"), found[0], strict=True)) if found else None

    def records(self, *, filters: Filters | None = None, after: int = 0) -> Iterator[tuple[int, Record]]:
        """Every matching record with its texts, oldest first, a page at a time; damaged rows are skipped."""
        where, args = (filters or Filters()).where()
        while True:
            page = self.query(
                f"SELECT r.seq, b.body FROM records r JOIN bodies b USING (seq) WHERE r.seq > ? AND {where} "  # noqa: S608
                "ORDER BY r.seq LIMIT 200",
                [after, *args],
            )
            if not page:
                return
            for seq, body in page:
                with contextlib.suppress(ValueError):
                    yield seq, rows.decode_body(body)
            after = page[-1][0]

    def columns(self, names: Sequence[str], filters: Filters | None = None) -> list[tuple[Any, ...]]:
        """Chosen columns of all matching records, oldest first: the raw material of reports."""
        unknown = set(names) - {*rows.COLUMNS, "seq"}
        if unknown:
            raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
        chosen = filters or Filters()
        where, args = chosen.where()
        # "+" keeps SQLite from walking the whole table in order of seq, which it prefers to the index of a stretch that
        # is open on one side: 113 ms for a day of a million records, 12 with it.
        order = "seq" if chosen.since is None and chosen.until is None else "+seq"
        return self.query(f"SELECT {', '.join(names)} FROM records WHERE {where} ORDER BY {order}", args)  # noqa: S608

    def counters(self) -> dict[str, int]:
        """Counts over all processes and restarts: accepted, committed, dropped, failed, expired_…"""
        return dict(self.query("SELECT name, value FROM counters"))

    def coverage(self) -> float:
        """Share of requests whose record was written, 0 to 1; 1 when nothing happened yet."""
        counts = self.counters()
        seen = counts.get("accepted", 0) + counts.get("dropped", 0)
        return 1.0 if not seen else 1 - (counts.get("dropped", 0) + counts.get("failed", 0)) / seen

    def lost(self) -> int:
        """Records that were never written, over all processes and restarts."""
        counts = self.counters()
        return counts.get("dropped", 0) + counts.get("failed", 0)

    def size(self) -> dict[str, int]:
        """records, used_bytes and file_bytes."""
        with self._lock, self._guarded() as connection:
            used = retention.used_bytes(connection)
            count = int(connection.execute("SELECT count(*) FROM records").fetchone()[0])
        files = [self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal")]
        return {
            "records": count,
            "used_bytes": used,
            "file_bytes": sum(f.stat().st_size for f in files if f.exists()),
        }

    def query(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a SELECT. `sql` is ours; values only through `args`."""
        with self._lock, self._guarded() as connection:
            return connection.execute(sql, args).fetchall()

    def _list(self, tail: str, args: list[Any]) -> list[dict[str, Any]]:
        names = ("seq", *rows.COLUMNS)
        listed = []
        for row in self.query(f"SELECT {_LIST} FROM records {tail}", args):  # noqa: S608
            entry = dict(zip(names, row, strict=True))
            entry["privacy"] = rows.unwrap(entry["privacy"])
            entry["injection_rules"] = rows.unwrap(entry["injection_rules"])
            listed.append(entry)
        return listed

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._open()
        except sqlite3.Error as error:
            self._drop()
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            hint = "try again"
            if schema.is_damaged(error):
                hint = "it is damaged; a running gateway replaces it"
                if self._on_damage is not None:
                    self._on_damage()
            raise SpoolError(f"{self.path.name} cannot be read now ({name}): {hint}") from None

    def _open(self) -> sqlite3.Connection:
        try:
            inode = os.stat(self.path).st_ino
        except OSError:
            self._drop()
            raise SpoolError(
                f"no records yet: {self.path.name} does not exist; it appears with the first request"
            ) from None
        if self._connection is None or inode != self._inode:
            self._drop()
            self._connection, self._inode = schema.open_readonly(self.path, busy_ms=self._busy_ms), inode
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _page(limit: int) -> int:
    return max(1, min(limit, 10_000))
