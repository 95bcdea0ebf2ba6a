"""What a report costs, counted by SQLite itself: a clock would measure the machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from aicc_hooks.record import SpoolReader

_EVERY = 100


def cost_of(reader: SpoolReader, work: Callable[[], Any]) -> tuple[int, set[str]]:
    """Steps of SQLite's virtual machine and the tables that were read while `work` ran."""
    steps, tables = 0, set()

    def step() -> int:
        nonlocal steps
        steps += _EVERY
        return 0

    def may(action: int, table: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table:
            tables.add(table)
        return sqlite3.SQLITE_OK

    reader.latest()  # opens the file
    connection = reader._connection
    assert connection is not None
    connection.set_progress_handler(step, _EVERY)
    connection.set_authorizer(may)
    try:
        work()
    finally:
        connection.set_progress_handler(None, _EVERY)
        connection.set_authorizer(None)
    assert reader._connection is connection, "it was counted on another connection"
    return steps, tables
