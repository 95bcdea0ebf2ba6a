"""One circuit: rolling counts, consecutive failures, cooldown with back-off. Knows nothing of addresses or Redis."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from aicc_hooks.resilience.config import BreakerConfig

_SLICES = 10  # the window moves in tenths: constant time and memory whatever the traffic


class State(StrEnum):
    """What a circuit lets through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Circuit:
    """State of one upstream address or deployment. `now` is a monotonic time in seconds, passed in."""

    __slots__ = (
        "_fails", "_slice", "_slice_s", "_totals", "address", "consecutive", "opened_at", "openings", "reason",
        "sources", "state", "trial_since", "trial_token", "until",
    )  # fmt: skip

    def __init__(self, window_s: float) -> None:
        self.address = ""  # a deployment's upstream, as last seen
        self.state = State.CLOSED
        self.until = 0.0  # open: when a trial may go
        self.opened_at = 0.0
        self.openings = 0  # since the last success: the exponent of the back-off
        self.consecutive = 0
        self.sources: set[str] = set()  # who failed since the last success
        self.reason = ""
        self.trial_since = -1.0  # half-open: when the trial left (-1: none under way)
        self.trial_token = 0
        self._slice_s = window_s / _SLICES
        self._slice = 0
        self._totals = [0] * _SLICES
        self._fails = [0] * _SLICES

    def due(self, now: float) -> bool:
        """Open, and its cooldown is over."""
        return self.state is State.OPEN and now >= self.until

    def trial_running(self, now: float, timeout_s: float) -> bool:
        """A half-open trial is under way and not given up."""
        return self.state is State.HALF_OPEN and self.trial_since >= 0 and now - self.trial_since < timeout_s

    def wait(self, now: float, trial_timeout_s: float) -> float:
        """Seconds until an attempt may go; 0: now."""
        if self.state is State.CLOSED:
            return 0.0
        if self.state is State.OPEN:
            return max(0.0, self.until - now)
        return 1.0 if self.trial_running(now, trial_timeout_s) else 0.0

    def describe(self, now: float) -> dict[str, Any]:
        """For health, metrics and the page. An opening whose cooldown is over shows as half-open."""
        total, failed = self.rates(now)
        state = State.HALF_OPEN if self.due(now) else self.state
        return {
            "state": state.value,
            "requests": total,
            "failures": failed,
            "consecutive_failures": self.consecutive,
            "retry_in_s": round(max(0.0, self.until - now), 1) if state is State.OPEN else 0.0,
            "due_for_s": 0.0 if state is State.CLOSED else round(max(0.0, now - self.until), 1),
            "reason": self.reason,
        }

    def count(self, failed: bool, now: float, source: str = "") -> None:
        """Adds one finished attempt: to the window and, by `source`, to the run of failures it makes or ends."""
        self._advance(now)
        index = self._slice % _SLICES
        self._totals[index] += 1
        if failed:
            self._fails[index] += 1
            self.consecutive += 1
            self.sources.add(source)
        else:
            self.consecutive = 0
            if self.sources:
                self.sources.clear()

    def rates(self, now: float) -> tuple[int, int]:
        """(attempts, failures) within the window."""
        self._advance(now)
        return sum(self._totals), sum(self._fails)

    def tripped(self, config: BreakerConfig, now: float, min_sources: int) -> str:
        """Why it should open now, else ""."""
        if len(self.sources) < min_sources:
            return ""
        if self.consecutive >= config.consecutive_failures:
            return f"{self.consecutive} failures in a row"
        total, failed = self.rates(now)
        if total >= config.min_requests and failed / total >= config.error_rate:
            return f"{failed} of {total} requests failed within {config.window_s:g} s"
        return ""

    def open(self, config: BreakerConfig, now: float, reason: str, spread: float) -> float:
        """Opens it and returns the cooldown. `spread` in [0, 1) places it within the jitter."""
        cooldown = min(config.max_cooldown_s, config.cooldown_s * config.backoff ** min(self.openings, 30))
        cooldown *= 1 + config.jitter * (2 * spread - 1)
        self.state = State.OPEN
        self.until = now + cooldown
        self.opened_at = now
        self.openings += 1
        self.reason = reason
        self.trial_since = -1.0
        return cooldown

    def close(self) -> None:
        """A success: forget the failures."""
        self.state = State.CLOSED
        self.openings = 0
        self.consecutive = 0
        self.sources.clear()
        self.reason = ""
        self.trial_since = -1.0
        self._totals = [0] * _SLICES
        self._fails = [0] * _SLICES

    def _advance(self, now: float) -> None:
        current = int(now / self._slice_s)
        passed = current - self._slice
        if passed == 0:
            return
        self._slice = current
        if passed < 0 or passed >= _SLICES:  # idle for a whole window (or a foreign clock)
            self._totals = [0] * _SLICES
            self._fails = [0] * _SLICES
            return
        for step in range(passed):
            index = (current - step) % _SLICES
            self._totals[index] = self._fails[index] = 0
