"""The spool: records go through a bounded queue to one writer thread and from there into usage.db."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import retention, rows, schema
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.model import Record
from aicc_hooks.record.writable import WritableFile, fitting

log = logging.getLogger("aicc.record")

_BATCH = 200
_RETENTION_EVERY_S = 60.0
_LOOK_EVERY_S = 10.0  # at least, between two looks through the whole file
_RETRY_S = (0.05, 0.1, 0.25, 0.5, 1.0)


class Spool:
    """Writer of one process; several processes may write the same file.

    `put` never blocks and never raises. A record is *acknowledged* once committed. While the database
    cannot be written (locked, disk full) the batch is kept and tried again; what then overflows the
    queue is counted in `dropped`. `sinks` names the deliveries each new record is owed.
    """

    def __init__(
        self,
        path: Path,
        config: RecordConfig,
        *,
        sinks: Sequence[str] = (),
        on_commit: Callable[[Sequence[Record]], None] | None = None,
        busy_ms: int = 2_000,
    ) -> None:
        self.path = path
        self._config = config
        self._sinks = tuple(sinks)
        self._on_commit = on_commit
        self._queue: queue.Queue[Record] = queue.Queue(config.queue_size)
        self._counts: Counter[str] = Counter()
        self._shared: Counter[str] = Counter()  # already added to the counters table
        self._done = threading.Condition()
        self._stopping = threading.Event()
        self._abandon = threading.Event()
        self._wake = threading.Event()
        self._suspected = threading.Event()
        self._next_look = 0.0  # monotonic
        self._thread: threading.Thread | None = None
        self._file = WritableFile(path, busy_ms=busy_ms)
        self.last_error = ""  # class of the last database error, "" after a commit
        self._failing_since = 0.0  # monotonic; 0: it writes

    def start(self) -> Spool:
        """Start the writer thread. It is a daemon: an exit never waits for a locked database."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="aicc-spool", daemon=True)
            self._thread.start()
        return self

    def configure(self, config: RecordConfig) -> None:
        """Take other limits into force, within a minute. The queue keeps its size."""
        self._config = config

    def put(self, record: Record) -> bool:
        """Queue a redacted record; False when it was dropped (queue full or closed), which is counted."""
        with self._done:
            if not self._stopping.is_set():
                try:
                    self._queue.put_nowait(record)
                    self._counts["accepted"] += 1
                    return True
                except queue.Full:
                    pass
            self._counts["dropped"] += 1
            return False

    def lost(self, count: int = 1) -> None:
        """Count records that were lost before they came here; they show as `dropped`."""
        with self._done:
            self._counts["dropped"] += count

    def suspect(self) -> None:
        """Somebody met damage in usage.db: look through it soon, and begin a new file when it is so.

        Writing alone may never meet it: a new record touches a few pages of the file, a page of it reads many.
        """
        self._suspected.set()

    def trouble(self) -> str:
        """Why nothing can be written now, for how long, and what waits or is lost; "" while it writes."""
        thread = self._thread
        if thread is not None and not thread.is_alive() and not self._stopping.is_set():
            return "the writer of usage.db has ended; restart the gateway"
        error, since = self.last_error, self._failing_since
        if not error or not since:
            return ""
        with self._done:
            waiting, dropped = self._backlog(), self._counts["dropped"]
        return (
            f"{self.path.name} cannot be written for {time.monotonic() - since:.0f} s ({error}): "
            f"{waiting} records wait in memory, {dropped} are lost"
        )

    def counters(self) -> dict[str, int]:
        """accepted, committed, duplicates, dropped, failed (unusable records), retried, recreated, backlog."""
        with self._done:
            names = (
                "accepted",
                "committed",
                "duplicates",
                "dropped",
                "failed",
                "retried",
                "recreated",
                "sink_errors",
            )
            return {name: self._counts[name] for name in names} | {"backlog": self._backlog()}

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything accepted so far is committed or failed; False on timeout."""
        with self._done:
            target = self._counts["accepted"]
            self._wake.set()
            return self._done.wait_for(lambda: self._settled() >= target, timeout)

    async def aflush(self, timeout: float = 5.0) -> bool:  # noqa: ASYNC109 - handed to a thread, not awaited
        """`flush` for the event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """Take no more, write what is queued, stop. What cannot be written in time is counted as dropped."""
        self._stopping.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        clean = not self._thread.is_alive()
        if not clean:
            self._abandon.set()
            log.error(
                "closing with %d records not written: %s", self._backlog(), self.last_error or "slow disk"
            )
        return clean

    def _settled(self) -> int:
        return self._counts["committed"] + self._counts["duplicates"] + self._counts["failed"]

    def _backlog(self) -> int:
        return self._counts["accepted"] - self._settled()

    def _run(self) -> None:
        next_retention = time.monotonic() + 1.0
        while not self._abandon.is_set():
            batch = self._gather()
            if batch:
                self._write(batch)
            elif self._stopping.is_set() and self._queue.empty():
                self._tell_losses()
                break
            elif not self.last_error:
                self._tell_losses()
            if self._suspected.is_set() and time.monotonic() >= self._next_look:
                self._look()
            if time.monotonic() >= next_retention:
                next_retention = time.monotonic() + _RETENTION_EVERY_S
                self._expire()
        with contextlib.suppress(sqlite3.Error):
            self._file.close()

    def _tell_losses(self) -> None:
        """Commit counts of what was lost while nothing else comes, so that every reader sees them."""
        with self._done:
            news = any(self._counts[name] != self._shared[name] for name in ("dropped", "failed"))
        if news:
            try:
                self._commit([])
            except (sqlite3.Error, SpoolError, OSError):
                return  # the next write tells

    def _gather(self) -> list[Record]:
        """Wait for a first record, then take what arrives within the commit interval."""
        try:
            batch = [self._queue.get(timeout=0.05 if self._stopping.is_set() else 0.25)]
        except queue.Empty:
            return []
        # Half of the interval gathers, the other half is left for the commit.
        until = time.monotonic() + self._config.commit_interval_ms / 2000
        while len(batch) < _BATCH:
            left = until - time.monotonic()
            urgent = left <= 0 or self._stopping.is_set() or self._wake.is_set()
            try:
                batch.append(self._queue.get_nowait() if urgent else self._queue.get(timeout=left))
            except queue.Empty:
                break
        self._wake.clear()
        return batch

    def _write(self, batch: list[Record]) -> None:
        encoded = []
        for record in batch:
            try:
                encoded.append((record, rows.encode_body(record)))
            except Exception:
                self._settle(failed=1)
        attempt = 0
        while encoded and not self._abandon.is_set():
            try:
                new = self._commit(encoded)
            except (
                sqlite3.InterfaceError,
                sqlite3.ProgrammingError,
                sqlite3.DataError,
                sqlite3.IntegrityError,
                OverflowError,
            ):
                # One record SQLite cannot bind must not hold back the others.
                good = fitting(encoded)
                self._settle(failed=len(encoded) - len(good))
                encoded = good
            except (sqlite3.Error, SpoolError, OSError) as error:
                self._recover(error)
                with self._done:
                    self._counts["retried"] += 1
                self._abandon.wait(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                attempt += 1
            else:
                if self._failing_since:
                    log.warning("usage.db is written again; lost so far: %d records", self._counts["dropped"])
                self.last_error, self._failing_since = "", 0.0
                self._settle(committed=new, duplicates=len(encoded) - new)
                self._notify([record for record, _ in encoded])
                return

    def _commit(self, encoded: list[tuple[Record, str]]) -> int:
        connection = self._file.connection()
        with self._done:
            pending = {
                n: self._counts[n] - self._shared[n] for n in ("accepted", "dropped", "failed", "recreated")
            }
        connection.execute("BEGIN IMMEDIATE")
        try:
            new = rows.insert(connection, encoded, self._sinks)
            rows.bump(connection, pending | {"committed": new, "duplicates": len(encoded) - new})
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
            raise
        self._shared.update(pending)
        return new

    def _recover(self, error: Exception) -> None:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        if name != self.last_error:
            log.error(
                "usage.db cannot be written (%s); records wait in memory (room for %d)",
                name,
                self._queue.maxsize,
            )
        self.last_error = name
        self._failing_since = self._failing_since or time.monotonic()
        with contextlib.suppress(sqlite3.Error):
            self._file.close()
        if self._file.set_aside_if_damaged(error):
            self._recreated()

    def _look(self) -> None:
        self._suspected.clear()
        began = time.monotonic()
        with contextlib.suppress(sqlite3.Error):
            self._file.close()
        if self._file.set_aside():
            self._recreated()
            with contextlib.suppress(sqlite3.Error, SpoolError, OSError):
                self._commit([])  # else pages would say that there is no file, until somebody asks something
        # Two gigabytes take seconds, and meanwhile records wait: a file somebody calls damaged without end costs a tenth.
        now = time.monotonic()
        self._next_look = now + max(_LOOK_EVERY_S, 10 * (now - began))

    def _recreated(self) -> None:
        self._suspected.clear()
        with self._done:
            self._counts["recreated"] += 1

    def _settle(self, **counts: int) -> None:
        with self._done:
            self._counts.update(counts)
            self._done.notify_all()

    def _notify(self, records: list[Record]) -> None:
        if self._on_commit is None:
            return
        try:
            self._on_commit(records)
        except Exception as error:
            with self._done:
                self._counts["sink_errors"] += 1
            log.error("a follower of the spool failed: %s", type(error).__name__)

    def _expire(self) -> None:
        try:
            gone = retention.expire(
                self._file.connection(), days=self._config.retention_days, max_bytes=self._config.max_bytes
            )
            schema.remove_set_aside(self.path, time.time() - self._config.retention_days * 86_400)
        except (sqlite3.Error, SpoolError, OSError):
            return  # the next write reports it
        if gone.undelivered:
            log.warning("records that left the spool before they were delivered: %d", gone.undelivered)
