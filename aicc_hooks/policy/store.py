"""The policy in force: reloads a changed file, keeps the last good one, remembers what was wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from aicc_hooks.errors import PolicyError
from aicc_hooks.file_stamp import file_stamp
from aicc_hooks.policy.load import LoadedPolicy, load_policy

Listener = Callable[[LoadedPolicy], None]


class PolicyStore:
    """Holds one LoadedPolicy. `poll()` is cheap (one stat) and safe from any thread.

    With a file that is bad from the start there is no good one to keep: `current` stays None and
    the gate refuses to serve, because guessing would drop the owner's own privacy rules.
    """

    def __init__(
        self, path: Path | None, *, groups: Callable[[], Iterable[str] | None] | None = None
    ) -> None:
        self.path = path
        self._groups = groups
        self._stamp: tuple[int, int, int] | None = None
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self.current: LoadedPolicy | None = None
        self.error: str = ""
        self.reloads = 0
        self.poll()

    def on_change(self, listener: Listener) -> None:
        """Call `listener` now (when a policy is in force) and after every accepted change."""
        self._listeners.append(listener)
        if self.current is not None:
            listener(self.current)

    def poll(self, *, force: bool = False) -> bool:
        """Reload when the file changed. True when a new policy came into force."""
        with self._lock:
            stamp = file_stamp(self.path) if self.path is not None else None
            if not force and stamp == self._stamp and (self.current is not None or self.error):
                return False
            self._stamp = stamp
            groups = self._groups() if self._groups else None
            try:
                loaded = load_policy(self.path, groups=groups)
            except PolicyError as error:
                self.error = str(error)
                return False
            try:
                if self.current is not None and loaded.version == self.current.version and not self.error:
                    return False
                for listener in self._listeners:
                    listener(loaded)
            except PolicyError as error:
                self.error = str(error)
                return False
            except Exception as error:
                # A listener (building detectors) broke: say so in health instead of losing the change silently.
                self.error = f"{loaded.source}: cannot be put into force ({type(error).__name__})"
                return False
            self.current, self.error = loaded, ""
            self.reloads += 1
            return True
