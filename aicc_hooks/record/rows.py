"""Record ⇄ row: the one place that knows both shapes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aicc_hooks.record.model import Record

COLUMNS: Final = (
    "id", "start", "end", "endpoint", "requested", "route", "reason", "deployment", "tier", "cache", "variant",
    "client", "mode", "user", "session", "status", "error", "stream", "cold_start", "local_only", "attempts",
    "prompt_tokens", "completion_tokens", "gate_ms", "hooks_ms", "cache_ms", "upstream_ms", "first_token_ms",
    "total_ms", "injection", "injection_rules", "privacy", "prompt_name", "prompt_version",
    "unit", "variant_content",
)  # fmt: skip
_INSERT: Final = (
    f"INSERT OR IGNORE INTO records ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
)


def _wrap(names: Sequence[str]) -> str:
    return f",{','.join(names)}," if names else ""


def unwrap(text: str) -> list[str]:
    """`,a,b,` → [a, b]."""
    return [name for name in text.split(",") if name]


def to_row(record: Record) -> tuple[Any, ...]:
    """Column values in the order of COLUMNS."""
    special = {
        "attempts": len(record.attempts),
        "injection_rules": _wrap(record.injection_rules),
        "privacy": _wrap(record.privacy),
    }
    values = (special[name] if name in special else getattr(record, name) for name in COLUMNS)
    # SQLite refuses lone surrogates, which JSON clients can send.
    return tuple(v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values)


def encode_body(record: Record) -> str:
    """The whole record as JSON; lone surrogates survive as escapes."""
    return json.dumps(
        record.to_dict(), separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=str
    )


def decode_body(body: str) -> Record:
    """Inverse of `encode_body`; ValueError when it is none."""
    return Record.from_dict(json.loads(body))


def insert(connection: sqlite3.Connection, batch: Iterable[tuple[Record, str]], sinks: Sequence[str]) -> int:
    """Write records inside the caller's transaction; returns how many were new (ids are unique)."""
    new = 0
    for record, body in batch:
        cursor = connection.execute(_INSERT, to_row(record))
        if cursor.rowcount != 1:
            continue
        new += 1
        seq = cursor.lastrowid
        connection.execute("INSERT OR REPLACE INTO bodies (seq, body) VALUES (?, ?)", (seq, body))
        for sink in sinks:
            connection.execute("INSERT OR IGNORE INTO outbox (sink, seq) VALUES (?, ?)", (sink, seq))
    return new


def bump(connection: sqlite3.Connection, counts: dict[str, int]) -> None:
    """Add to the counters every process shares."""
    for name, delta in counts.items():
        if delta:
            connection.execute(
                "INSERT INTO counters (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                (name, delta),
            )
