"""When an alert fires, stays and recovers: pure, one step a reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from aicc_hooks.record.alerts.config import Rule

Status = Literal["ok", "pending", "firing"]
Kind = Literal["", "fired", "reminder", "recovered"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule sees now. `value` None: nothing to measure. `detail` holds numbers and names, never request text."""

    rule: str
    subject: str = ""
    value: float | None = None
    sample: int | None = None  # None: the rule needs none
    detail: str = ""

    @property
    def key(self) -> str:
        """`rule`, or `rule:subject`."""
        return f"{self.rule}:{self.subject}" if self.subject else self.rule


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is remembered of one alert. Times in epoch seconds."""

    key: str
    rule: str
    subject: str = ""
    status: Status = "ok"
    since: float = 0.0  # when `status` began; for firing: when it became bad
    value: float | None = None
    detail: str = ""
    good_since: float | None = None
    notified: float | None = None  # when somebody was last told of this episode
    checked: float = 0.0


def step(
    state: AlertState | None, reading: Reading, rule: Rule, now: float, *, silenced: bool, remind_s: float
) -> tuple[AlertState, Kind]:
    """The next state, and what is to be told now ("" for nothing)."""
    if state is None:
        state = AlertState(reading.key, reading.rule, reading.subject, since=now)
    state = _on_this_clock(state, now)
    known = reading.value is not None and (reading.sample is None or reading.sample >= rule.min_sample)
    bad = known and reading.value is not None and rule.breached(reading.value)
    good = known and reading.value is not None and rule.cleared(reading.value)
    state = replace(state, value=reading.value, detail=reading.detail, checked=now)
    if state.status != "firing":
        return _calm(state, bad, rule, now, silenced)
    if known and not good:
        return _still(replace(state, good_since=None), now, silenced, remind_s)
    good_since = now if state.good_since is None else state.good_since
    # Silence is weaker evidence than a good value: it must last a whole window.
    needed = rule.clear_for_s if known else max(rule.clear_for_s, rule.window_s)
    if now - good_since < needed:
        return _still(replace(state, good_since=good_since), now, silenced, remind_s)
    told = state.notified is not None and not silenced
    return replace(state, status="ok", since=now, good_since=None, notified=None), (
        "recovered" if told else ""
    )


def _on_this_clock(state: AlertState, now: float) -> AlertState:
    """Durations as they were at the last look, when the clock was set back since then; else an alert would wait an hour."""
    back = state.checked - now
    if back <= 0:
        return state
    return replace(
        state,
        since=state.since - back,
        good_since=None if state.good_since is None else state.good_since - back,
        notified=None if state.notified is None else state.notified - back,
    )


def _calm(state: AlertState, bad: bool, rule: Rule, now: float, silenced: bool) -> tuple[AlertState, Kind]:
    if not bad:
        return (state if state.status == "ok" else replace(state, status="ok", since=now)), ""
    since = state.since if state.status == "pending" else now
    if now - since < rule.for_s:
        return replace(state, status="pending", since=since), ""
    fired = replace(state, status="firing", since=since, good_since=None)
    return (fired, "") if silenced else (replace(fired, notified=now), "fired")


def _still(state: AlertState, now: float, silenced: bool, remind_s: float) -> tuple[AlertState, Kind]:
    if silenced:
        return state, ""
    if state.notified is None:  # it began under a silence that has ended
        return replace(state, notified=now), "fired"
    if remind_s and now - state.notified >= remind_s:
        return replace(state, notified=now), "reminder"
    return state, ""
