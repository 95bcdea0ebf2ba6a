"""The one alert that cannot rest on usage.db: that usage.db cannot be written. Its state lives in memory."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aicc_hooks.record.alerts import store
from aicc_hooks.record.alerts.config import AlertsConfig
from aicc_hooks.record.alerts.sinks import Sink
from aicc_hooks.record.alerts.state import AlertState, Reading, step
from aicc_hooks.record.alerts.store import Event
from aicc_hooks.record.writer import Writer

log = logging.getLogger("aicc.alerts")

_RULE: Final = "spool_failing"


class Blind:
    """One a process; of several processes the one that holds the folder's lock tells."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._state: AlertState | None = None
        self._handle = -1
        self._tells = False
        self._owed: dict[str, list[Event]] = {}
        self.history: list[Event] = []  # told, and not yet in the file

    @property
    def awake(self) -> bool:
        """Something was wrong at the last look, or is still to be noted."""
        return bool(self.history) or (self._state is not None and self._state.status != "ok")

    def round(self, config: AlertsConfig, sinks: Mapping[str, Sink], trouble: str, now: float) -> None:
        """One look; `trouble` "": it can be written. Tells the sinks at once. Blocking."""
        rule = config.rule("spool_failing")
        if not (config.enabled and rule.enabled):
            return
        reading = Reading(_RULE, "", float(bool(trouble)), None, trouble[:200] or "records are written again")
        # Firing ends here with the first write that works: it is proof, where a figure would only be a hint.
        rule = rule if trouble else rule.model_copy(update={"clear_for_s": 0.0})
        self._state, kind = step(self._state, reading, rule, now, silenced=False, remind_s=config.remind_s)
        # Who told the end must be who told the beginning; a reminder may be another's when the first has died.
        if kind and (self._tells if kind == "recovered" else self._first()):
            self._tells = kind != "recovered"
            event = Event(0, now, kind, _RULE, "", reading.value, reading.detail)
            self.history.append(event)
            for name in sinks:
                self._owed.setdefault(name, []).append(event)
        for name, tell in sinks.items():
            left = self._owed.pop(name, [])
            while left:
                if problem := tell(left[0]):
                    log.warning("alert not delivered by %s: %s", name, problem)
                    self._owed[name] = left[-10:]
                    break
                left.pop(0)
        if not trouble:
            self._release()

    def settle(self, writer: Writer) -> None:
        """Put what was told into the history. Raises SpoolError."""
        if self.history and (self._state is None or self._state.status == "ok"):
            store.note(writer, self.history)
            self.history.clear()

    def _first(self) -> bool:
        """Whether this process tells. A lock on the folder itself needs no space and no right to write."""
        if self._handle >= 0:
            return True
        try:
            handle = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
        self._handle = handle
        return True

    def _release(self) -> None:
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            with contextlib.suppress(OSError):
                os.close(handle)
