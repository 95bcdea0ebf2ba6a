"""Tells who listens of every change of a circuit, in order and outside the breaker's lock."""

from __future__ import annotations

import logging
from threading import RLock

from aicc_hooks.resilience.circuit import State
from aicc_hooks.resilience.permit import Listener, Scope, Transition

_log = logging.getLogger(__name__)


class Transitions:
    """`lock`: the breaker's; held by whoever calls `note`, taken by `tell` for a moment."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._listeners: list[Listener] = []
        self._pending: list[Transition] = []

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` on every transition from now on."""
        self._listeners.append(listener)

    def note(
        self, scope: Scope, key: str, old: State, new: State, reason: str, cooldown: float, remote: bool
    ) -> None:
        """Remember a change until `tell`."""
        self._pending.append(Transition(scope, key, old, new, reason, round(cooldown, 3), remote))

    def tell(self) -> None:
        """Hand out what was noted; a listener that fails harms nobody."""
        if not self._pending:
            return
        with self._lock:
            pending, self._pending = self._pending, []
        for transition in pending:
            for listener in self._listeners:
                try:
                    listener(transition)
                except Exception:
                    _log.exception("a breaker listener failed")
