"""Alerts in usage.db: states, history, what is still to be told, silences."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from aicc_hooks.errors import SpoolError
from aicc_hooks.record.alerts.config import AlertsConfig
from aicc_hooks.record.alerts.state import AlertState, Reading, step
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.workers import has_table
from aicc_hooks.record.writer import Writer

_COLUMNS: Final = "key, rule, subject, status, since, value, detail, good_since, notified, checked"
_EVENTS: Final = "seq, at, kind, rule, subject, value, detail, silenced, owed, tries"
_KEEP_EVENTS: Final = 2_000
_KEEP_SAMPLES_S: Final = 90_000.0
_SAMPLE_EVERY_S: Final = 30.0
_MAX_TRIES: Final = 60
_MAX_AGE_S: Final = 3_600.0  # an hour later the news is old; `aicc alerts list` still has it


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was, or is to be, told."""

    seq: int
    at: float
    kind: str
    rule: str
    subject: str
    value: float | None
    detail: str
    silenced: bool = False
    owed: tuple[str, ...] = ()
    tries: int = 0


def matches(pattern: str, rule: str, subject: str) -> bool:
    """A silence covers `all`, a rule, or one subject of it (`rule:subject`)."""
    return pattern in ("all", rule, f"{rule}:{subject}")


def advance(
    writer: Writer, config: AlertsConfig, seen: Sequence[Reading], *, now: float, sinks: Sequence[str],
    counters: Mapping[str, int],
) -> list[Event]:  # fmt: skip
    """One round in one transaction: new states, events with what is owed to which sink. Raises SpoolError."""
    with writer.transaction() as db:
        known = {row[0]: AlertState(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM alerts")}  # noqa: S608
        muted = [
            row[0] for row in db.execute("SELECT pattern FROM silences WHERE until > ?", (now,)).fetchall()
        ]
        db.execute("DELETE FROM silences WHERE until <= ?", (now,))
        _sample(db, counters, now)
        current = {r.key: r for r in seen}
        for key, state in known.items():
            if key not in current and _enabled(config, state.rule):
                current[key] = Reading(state.rule, state.subject, None, None, "no longer there")
            elif key not in current:
                db.execute("DELETE FROM alerts WHERE key = ?", (key,))
        events = []
        for key, reading in current.items():
            rule = config.rule(reading.rule)  # type: ignore[arg-type]
            silenced = any(matches(p, reading.rule, reading.subject) for p in muted)
            before = known.get(key)
            state, kind = step(before, reading, rule, now, silenced=silenced, remind_s=config.remind_s)
            if state.status == "ok" and reading.detail == "no longer there":
                db.execute("DELETE FROM alerts WHERE key = ?", (key,))
            else:
                db.execute(
                    f"INSERT OR REPLACE INTO alerts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                    astuple(state),
                )
            was = before.status if before else "ok"
            changed = {
                ("ok", "firing"): "fired",
                ("pending", "firing"): "fired",
                ("firing", "ok"): "recovered",
            }
            quiet = changed.get((was, state.status), "") if not kind else ""
            if kind or quiet:
                events.append(_note(db, state, kind or quiet, now, not kind, sinks if kind else ()))
        db.execute(
            "DELETE FROM alert_events WHERE seq <= (SELECT max(seq) FROM alert_events) - ?", (_KEEP_EVENTS,)
        )
    return events


def owed(writer: Writer, *, now: float, limit: int = 20) -> list[Event]:
    """Events some sink has not got, oldest first."""
    with writer.reading() as db:
        rows = db.execute(
            f"SELECT {_EVENTS} FROM alert_events WHERE owed != '' AND tries < ? AND at > ? ORDER BY seq LIMIT ?",  # noqa: S608
            (_MAX_TRIES, now - _MAX_AGE_S, limit),
        ).fetchall()
    return [_event(row) for row in rows]


def note(writer: Writer, events: Sequence[Event]) -> None:
    """Add events that were told without the file to the history."""
    with writer.transaction() as db:
        db.executemany(
            "INSERT INTO alert_events (at, kind, rule, subject, value, detail, silenced, owed) VALUES (?, ?, ?, ?, ?, ?, 0, '')",
            [(e.at, e.kind, e.rule, e.subject, e.value, e.detail) for e in events],
        )


def settle(writer: Writer, event: Event, left: Sequence[str]) -> None:
    """Note which sinks still lack an event after one more try."""
    with writer.transaction() as db:
        db.execute(
            "UPDATE alert_events SET owed = ?, tries = tries + 1 WHERE seq = ?", (",".join(left), event.seq)
        )


def silence(writer: Writer, pattern: str, until: float, reason: str = "") -> None:
    """Tell nobody about `pattern` until then."""
    with writer.transaction() as db:
        db.execute(
            "INSERT INTO silences (pattern, until, reason) VALUES (?, ?, ?) "
            "ON CONFLICT (pattern) DO UPDATE SET until = excluded.until, reason = excluded.reason",
            (pattern, until, reason[:200]),
        )


def unsilence(writer: Writer, pattern: str) -> bool:
    """End a silence; False when there was none."""
    with writer.transaction() as db:
        return db.execute("DELETE FROM silences WHERE pattern = ?", (pattern,)).rowcount > 0


def told(reader: SpoolReader, key: str) -> bool:
    """Whether an alert stands in the file as firing and told. False when that cannot be read."""
    with contextlib.suppress(SpoolError):
        rows = reader.query(
            "SELECT 1 FROM alerts WHERE key = ? AND status = 'firing' AND notified IS NOT NULL", [key]
        )
        return bool(rows)
    return False


def read_alerts(reader: SpoolReader, *, now: float, events: int = 50) -> dict[str, list[dict[str, Any]]]:
    """{"alerts", "events", "silences"} for pages and lists; empty from a file of an older release. Raises SpoolError."""
    if not has_table(reader, "alerts"):
        return {"alerts": [], "events": [], "silences": []}
    silences = [
        {"pattern": pattern, "until": until, "reason": reason}
        for pattern, until, reason in reader.query(
            "SELECT pattern, until, reason FROM silences WHERE until > ? ORDER BY until", [now]
        )
    ]
    states = [
        dict(zip(_COLUMNS.split(", "), row, strict=True))
        for row in reader.query(f"SELECT {_COLUMNS} FROM alerts ORDER BY status = 'firing' DESC, key")  # noqa: S608
    ]
    for state in states:
        state["silenced"] = any(matches(s["pattern"], state["rule"], state["subject"]) for s in silences)
    history = [
        dict(zip(_EVENTS.split(", "), row, strict=True))
        for row in reader.query(f"SELECT {_EVENTS} FROM alert_events ORDER BY seq DESC LIMIT ?", [events])  # noqa: S608
    ]
    return {"alerts": states, "events": history, "silences": silences}


def _enabled(config: AlertsConfig, name: str) -> bool:
    try:
        return config.rule(name).enabled  # type: ignore[arg-type]
    except KeyError:  # a rule of another release
        return False


def _note(
    db: sqlite3.Connection, state: AlertState, kind: str, now: float, silenced: bool, sinks: Sequence[str]
) -> Event:
    cursor = db.execute(
        "INSERT INTO alert_events (at, kind, rule, subject, value, detail, silenced, owed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (now, kind, state.rule, state.subject, state.value, state.detail, silenced, ",".join(sinks)),
    )
    return Event(cursor.lastrowid or 0, now, kind, state.rule, state.subject, state.value, state.detail, silenced,
                 tuple(sinks))  # fmt: skip


def _event(row: Sequence[Any]) -> Event:
    seq, at, kind, rule, subject, value, detail, silenced, sinks, tries = row
    return Event(
        seq,
        at,
        kind,
        rule,
        subject,
        value,
        detail,
        bool(silenced),
        tuple(s for s in sinks.split(",") if s),
        tries,
    )


def _sample(db: sqlite3.Connection, counters: Mapping[str, int], now: float) -> None:
    last = db.execute("SELECT max(at) FROM samples").fetchone()[0]
    if last is not None and 0 <= now - last < _SAMPLE_EVERY_S:
        return
    db.execute("INSERT OR REPLACE INTO samples (at, body) VALUES (?, ?)", (now, json.dumps(dict(counters))))
    db.execute("DELETE FROM samples WHERE at < ? OR at > ?", (now - _KEEP_SAMPLES_S, now))
