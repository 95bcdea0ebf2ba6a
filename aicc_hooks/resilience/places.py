"""What each connection of a worker is owed: memory that the worker writes and the supervisor reads when it has died.

    FREE     no connection has this place          IDLE    between requests: nothing is owed
    CLOSED   gone; the supervisor may let go       BUSY    a part is written, and no proper end is possible
    AWAITED  a request has no byte of its answer   STREAM  an event stream, written so far in whole events and chunks

A process can die between writing and saying so. So a change is announced: `next` is the state once anything more than
`mark` bytes is written, and the kernel knows how much is.
"""

from __future__ import annotations

import mmap
import struct

COUNT = 4096  # connections of a worker that are looked after
# AWAITED and STREAM are followed by the same for the other API shapes (last_words.py).
FREE, IDLE, BUSY, CLOSED, AWAITED, STREAM = 0, 1, 2, 3, 16, 32
_MARK = struct.Struct("=Q")
_NEXT, _MARKS = COUNT, 2 * COUNT
SIZE = _MARKS + COUNT * _MARK.size


class Places:
    """A byte a connection, its `next` and its `mark`, in a file that both processes map. Raises OSError, ValueError."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)

    def __getitem__(self, place: int) -> int:
        return self._memory[place]

    def __setitem__(self, place: int, state: int) -> None:
        self._memory[place] = state
        self._memory[_NEXT + place] = FREE

    def find(self, state: int) -> int | None:
        """The first place in this state."""
        place = self._memory.find(bytes([state]), 0, COUNT)
        return place if place >= 0 else None

    def next(self, place: int) -> int:
        """The state that is announced; FREE: none."""
        return self._memory[_NEXT + place]

    def announce(self, place: int, state: int, written: int | None, waiting: bool) -> None:
        """What is written from now on makes it `state`. `waiting`: what was announced before is not written yet."""
        if not waiting:
            self.settle(place)
        if not self.next(place):
            _MARK.pack_into(self._memory, _MARKS + place * _MARK.size, written or 0)
        self._memory[_NEXT + place] = state

    def settle(self, place: int) -> None:
        """What was announced is written."""
        if state := self.next(place):
            self[place] = state

    def left(self, place: int, written: int | None) -> int:
        """The state in which a dead worker left it. `written`: bytes in all; None: the kernel does not say.

        Then it counts as not written: a whole answer may get an error behind it. A stream's head may not.
        """
        state, coming = self[place], self.next(place)
        if not coming:
            return state
        if written is None:
            return BUSY if coming >= STREAM else state
        return coming if written > _MARK.unpack_from(self._memory, _MARKS + place * _MARK.size)[0] else state
