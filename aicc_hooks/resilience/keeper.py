"""The supervisor's side: holds a copy of each worker's connections and ends them properly when the worker dies.

A worker connects to a Unix socket and sends the descriptor of its memory (places.py), then that of each connection with
the number of its place. When it dies the kernel closes its end: that is how its death is known, also of one worker of several.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import socket
import tempfile
import threading
import time
from dataclasses import dataclass, field

from aicc_hooks.resilience.last_words import last_words
from aicc_hooks.resilience.places import CLOSED, FREE, IDLE, Places
from aicc_hooks.resilience.tcp import written

_READ_OUT_S = (
    1.0  # closing while the client still sends would reset the connection before it reads our answer
)
_FILES = 10_240  # the most macOS allows


@dataclass(slots=True)
class _Worker:
    line: socket.socket
    places: Places | None = None
    held: dict[int, int] = field(default_factory=dict)  # place → descriptor

    def hear(self) -> bool:
        """Take one message; False when the worker has ended. Raises OSError when it may well be alive."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.line, 4, 1)
        except ConnectionResetError:
            return False
        if descriptors and self.places is None:
            self.places = Places(descriptors[0])
            os.close(descriptors[0])
        elif descriptors:  # none where the limit on open files is reached: that one is not looked after
            self._drop(int.from_bytes(data))
            self.held[int.from_bytes(data)] = descriptors[0]
        return bool(data)

    def forget_closed(self) -> None:
        """Close our copies of what the worker has closed; its places are free again."""
        while self.places is not None and (place := self.places.find(CLOSED)) is not None:
            self._drop(place)
            self.places[place] = FREE

    def end(self) -> list[socket.socket]:
        """Write what is owed; the connections that must be read out before they are closed."""
        self.line.close()
        told = []
        for place, descriptor in self.held.items():
            sock = socket.socket(fileno=descriptor)
            sock.setblocking(False)
            state = FREE if self.places is None else self.places.left(place, written(sock))
            with contextlib.suppress(OSError):  # the client is gone as well, or takes nothing any more
                words = last_words(state, _peek(sock) if state == IDLE else b"")
                sock.sendall(words)
                sock.shutdown(socket.SHUT_WR)
                told.append(sock)
                continue
            sock.close()
        self.held.clear()
        return told

    def let_go(self) -> None:
        """Close our copies alone: the worker goes on without us."""
        self.line.close()
        for place in list(self.held):
            self._drop(place)

    def _drop(self, place: int) -> None:
        if (descriptor := self.held.pop(place, None)) is not None:
            os.close(descriptor)


class Keeper:
    """A thread from `start` to `close`. Whatever breaks here, workers serve on without it."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="aicc-")  # nobody else may enter
        self.path = os.path.join(self._folder, "lifeline")
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(self.path)
        self._door.listen(64)
        self._workers: dict[int, _Worker] = {}
        self._leaving: dict[socket.socket, float] = {}  # and until when we wait for each
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="aicc-keeper", daemon=True)

    def start(self) -> None:
        """Also allow more open files, to this process and those it starts."""
        with contextlib.suppress(OSError, ValueError):
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            most = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
        self._thread.start()

    def close(self) -> None:
        """Wait for the last words of workers that have just ended, and let go."""
        self._stopping = True
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as wake:
            wake.connect(self.path)
        if self._thread.is_alive():
            self._thread.join(2 * _READ_OUT_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._door, select.POLLIN)
        try:
            while not self._stopping or self._workers or self._leaving:
                for number, _ in poll.poll(self._patience_ms()):
                    if number == self._door.fileno():
                        line, _ = self._door.accept()
                        poll.register(line, select.POLLIN)
                        self._workers[line.fileno()] = _Worker(line)
                    elif not self._hear(number):
                        poll.unregister(number)
                for worker in self._workers.values():
                    worker.forget_closed()
                self._see_off()
        finally:
            self._door.close()
            for worker in self._workers.values():
                worker.let_go()
            for sock in self._leaving:
                sock.close()

    def _patience_ms(self) -> int | None:
        if self._leaving:
            return 50
        return 500 if any(worker.held for worker in self._workers.values()) else None

    def _hear(self, number: int) -> bool:
        """False when the worker is heard of no more."""
        worker = self._workers[number]
        try:
            if worker.hear():
                return True
            self._leaving |= dict.fromkeys(worker.end(), time.monotonic() + _READ_OUT_S)
        except (OSError, ValueError):
            worker.let_go()
        del self._workers[number]
        return False

    def _see_off(self) -> None:
        for sock, until in list(self._leaving.items()):
            if time.monotonic() > until or _has_left(sock):
                sock.close()
                del self._leaving[sock]


def _peek(sock: socket.socket) -> bytes:
    try:
        return sock.recv(512, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


def _has_left(sock: socket.socket) -> bool:
    try:
        while sock.recv(65536):
            continue
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
