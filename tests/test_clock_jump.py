"""A clock that is set back must not stop what waits for a time of day."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aicc_hooks.record.alerts.config import AlertsConfig
from aicc_hooks.record.alerts.state import AlertState, Reading, step
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.outbox import Outbox
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.spool import Spool
from aicc_hooks.record.workers import publish, read_workers
from aicc_hooks.record.writer import Writer

HOUR = 3600.0


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "usage.db"
    spool = Spool(path, RecordConfig()).start()
    spool.close()
    return path


def test_a_dead_workers_lease_of_the_later_clock_is_taken_over(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with Writer(database) as dead, Writer(database) as alive:
        dead.owner, alive.owner = "host:1:a", "host:2:b"
        monkeypatch.setattr(time, "time", lambda: now + HOUR)
        assert dead.take_lease("langfuse", 30)
        monkeypatch.setattr(time, "time", lambda: now + HOUR + 10)
        assert not alive.take_lease("langfuse", 30)
        monkeypatch.setattr(time, "time", lambda: now)
        assert alive.take_lease("langfuse", 30)
        assert not dead.take_lease("langfuse", 30)


def test_a_wait_of_the_later_clock_does_not_hold_a_record_back(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with Outbox(database, "langfuse") as box:
        with box.transaction() as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(
                "INSERT INTO outbox (sink, seq, next_at) VALUES ('langfuse', 1, ?)", (now + 60,)
            )
        assert not box.has_due()
        monkeypatch.setattr(time, "time", lambda: now - HOUR)
        assert box.has_due()


def test_a_dead_workers_picture_of_the_later_clock_is_not_shown(database: Path) -> None:
    now = time.time()
    with Writer(database) as dead, Writer(database) as alive:
        dead.owner, alive.owner = "host:1:a", "host:2:b"
        publish(dead, {"health": {}}, {}, now=now + HOUR)
        publish(alive, {"health": {}}, {}, now=now)
        found = read_workers(SpoolReader(database), now=now)
    assert [worker["owner"] for worker in found] == ["host:2:b"]


def test_an_alert_that_was_about_to_fire_fires_in_time() -> None:
    rule = AlertsConfig().rule("error_rate").model_copy(update={"for_s": 60.0, "min_sample": 1})
    bad = Reading("error_rate", "", 1.0, 100)
    state: AlertState | None = None
    kinds = []
    clock = 10_000.0
    for number in range(8):
        if number == 4:
            clock -= HOUR
        state, kind = step(state, bad, rule, clock, silenced=False, remind_s=0)
        kinds.append(kind)
        clock += 15
    assert kinds.count("fired") == 1
    assert kinds.index("fired") in (4, 5)
