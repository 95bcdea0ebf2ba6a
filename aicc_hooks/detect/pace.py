"""Room for the event loop while a long text is scanned in a worker thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

_SLICE: Final = 0.002  # seconds of work between two pauses
# A pause of zero gives the interpreter lock back before a waiting thread has woken up; this one is about its wake-up time.
_PAUSE: Final = 0.00005
_MAIN: Final = threading.main_thread().ident
_last = threading.local()
_instead: Callable[[], None] | None = None


def call_instead(check: Callable[[], None] | None) -> None:
    """In a process that only scans: `check` at every pause, no sleep. It may raise to end the scan."""
    global _instead
    _instead = check


def breathe() -> None:
    """Called between windows of a text: outside the main thread, sleeps for an instant every 2 ms. Costs 0.1 µs else."""
    if _instead is not None:
        return _instead()
    if threading.get_ident() == _MAIN:
        return None
    now = time.perf_counter()
    if now - getattr(_last, "at", 0.0) >= _SLICE:
        time.sleep(_PAUSE)
        _last.at = time.perf_counter()
    return None
