"""logs/gateway.jsonl: one JSON object a request, without texts; rotated, compressed, private."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aicc_hooks.record.config import LogConfig
from aicc_hooks.record.model import Record

# Prompts and answers stay in usage.db, which has a retention by size: a log is copied, tailed and
# shipped by tools that know nothing of ours.
_LEFT_OUT = frozenset({"input", "output", "error_text"})


def line_of(record: Record) -> dict[str, Any]:
    """The documented fields of one log line; None, "" and empty lists are left out."""
    data = {k: v for k, v in record.to_dict().items() if k not in _LEFT_OUT and v not in (None, "", [], {})}
    when = datetime.fromtimestamp(record.end, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"time": when, "level": "error" if record.status >= 500 else "info", **data}


class JsonLog:
    """Appends records; several processes may share the file. Blocking: give it to the spool's `on_commit`."""

    def __init__(self, path: Path, config: LogConfig) -> None:
        self.path = path
        self._config = config

    def write(self, records: Sequence[Record]) -> None:
        """Append one line a record, rotating first when it is time. Raises OSError."""
        if not self._config.enabled:
            return
        lines = [
            json.dumps(line_of(r), ensure_ascii=True, separators=(",", ":"), default=str) for r in records
        ]
        data = "".join(line + "\n" for line in lines).encode()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            full = self._rotate()
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if os.fstat(handle).st_mode & 0o077:
                    os.fchmod(handle, 0o600)
                view = memoryview(data)
                while view:
                    view = view[os.write(handle, view) :]
            finally:
                os.close(handle)
        if full is not None:
            _compress(full)
            self._prune()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # Renaming under a lock is what keeps another process from appending to a file that is being
        # compressed.
        handle = os.open(
            self.path.with_name(f".{self.path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _rotate(self) -> Path | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        if stat.st_size == 0 or (stat.st_size < self._config.max_bytes and not self._too_old()):
            return None
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        target = self.path.with_name(f"{self.path.stem}-{stamp}{self.path.suffix}")
        self.path.rename(target)
        return target

    def _too_old(self) -> bool:
        """Age of the first line: files have no creation time everywhere."""
        try:
            with self.path.open("rb") as file:
                first = json.loads(file.readline(65_536))["time"]
            return time.time() - datetime.fromisoformat(first).timestamp() > self._config.max_age_hours * 3600
        except (ValueError, KeyError, TypeError):
            return True  # not a line of ours: begin a fresh file

    def rotated(self) -> list[Path]:
        """Earlier files, oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.stem}-*{self.path.suffix}*"))

    def _prune(self) -> None:
        files = self.rotated()
        for old in files[: max(len(files) - self._config.keep, 0)]:
            old.unlink(missing_ok=True)


def _compress(path: Path) -> None:
    target = path.with_name(path.name + ".gz")
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with (
        open(handle, "wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="") as out,
        path.open("rb") as source,
    ):
        shutil.copyfileobj(source, out)
    path.unlink()
