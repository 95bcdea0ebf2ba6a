"""The scan process: `python -m aicc_hooks.scanning.worker`, frames on standard input and output (one socket).

It imports the detectors and nothing else, holds the last policies it was given, and ends when its input closes: it
cannot outlive the gateway, even one that was killed. One thread scans long texts and one short ones, so that a short one
never waits behind a long one; the main thread only reads.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import threading
from typing import Any, Final

_NICE: Final = 5  # others go first when the cores are busy; 10 made short requests no faster
_POLICIES: Final = 2  # the one in force, and the one that texts on their way were sent with


class Cancelled(BaseException):
    """Nobody waits for this text any more. Not an Exception: detectors catch those and fail closed."""


class Worker:
    """Reads frames, scans in two lanes, writes answers."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._sending = threading.Lock()
        self._lanes: dict[str, queue.SimpleQueue[tuple[Any, ...]]] = {}
        self._inspectors: dict[int, Any] = {}
        self._jobs: set[int] = set()  # taken and not yet answered
        self._cancelled: set[int] = set()
        self._current = threading.local()

    def run(self) -> None:
        """Serve until the gateway closes its end."""
        from aicc_hooks import inspection  # noqa: F401  loaded before the gateway is told that this is ready
        from aicc_hooks.detect import pace

        pace.call_instead(self._check)
        for lane in ("long", "short"):
            self._lanes[lane] = queue.SimpleQueue()
            threading.Thread(target=self._work, args=(self._lanes[lane],), name=lane, daemon=True).start()
        self._send("ready")
        while self._take(*self._receive()):
            pass  # no name here holds a text longer than its scan takes

    def _take(self, what: str = "", *parts: Any) -> bool:
        """Act on one frame; False at the end."""
        from aicc_hooks.inspection import Inspector

        if what == "policy":
            version, *configs = parts
            self._inspectors[version] = Inspector.with_configs(*configs)
            while len(self._inspectors) > _POLICIES:
                del self._inspectors[next(iter(self._inspectors))]
        elif what == "scan":
            job, version, lane, *rest = parts
            self._jobs.add(job)
            self._lanes[lane].put((job, self._inspectors.get(version), *rest))
        elif what == "cancel" and parts[0] in self._jobs:
            self._cancelled.add(parts[0])
        return bool(what)

    def _work(self, jobs: queue.SimpleQueue[tuple[Any, ...]]) -> None:
        while True:
            self._scan(*jobs.get())

    def _scan(self, job: int, inspector: Any, active: tuple[bool, ...], tools: int, rows: Any) -> None:
        from aicc_hooks.inspection import Active
        from aicc_hooks.scanning.frames import plain_verdict, segments_of

        self._current.job = job
        result = None  # the gateway then scans the text itself
        with contextlib.suppress(Cancelled, Exception):
            self._check()
            verdict = inspector.inspect(segments_of(rows), tools=tools, active=Active(*active))
            result = plain_verdict(verdict)
        self._jobs.discard(job)
        self._cancelled.discard(job)
        self._send("done", job, result)

    def _check(self) -> None:
        """Called by the detectors between the windows of a text."""
        if self._cancelled and getattr(self._current, "job", None) in self._cancelled:
            raise Cancelled

    def _receive(self) -> tuple[Any, ...]:
        """The next frame; empty at the end."""
        from aicc_hooks.scanning.frames import HEADER, unpack

        head = self._read(HEADER.size)
        body = self._read(*HEADER.unpack(head)) if head is not None else None
        return unpack(body) if body is not None else ()

    def _read(self, size: int) -> bytearray | None:
        """Exactly `size` bytes, or None at the end."""
        buffer = bytearray(size)
        view, at = memoryview(buffer), 0
        while at < size:
            got = self._channel.recv_into(view[at:])
            if not got:
                return None
            at += got
        return buffer

    def _send(self, *parts: Any) -> None:
        from aicc_hooks.scanning.frames import pack

        with self._sending:
            self._channel.sendall(pack(*parts))


def main() -> None:
    """Entry point of the process; never returns."""
    # Ctrl-C and a closed terminal reach the whole group: the gateway decides when this ends.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    channel = socket.socket(fileno=os.dup(0))
    # Whatever a library prints must not get between two frames.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    worker = Worker(channel)
    try:
        worker.run()
    except OSError:
        os._exit(0)  # the gateway is gone
    except BaseException as error:
        with contextlib.suppress(Exception):
            worker._send("broken", type(error).__name__)
        os._exit(1)
    os._exit(0)  # scans under way are for nobody


if __name__ == "__main__":
    main()
