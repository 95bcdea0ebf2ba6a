"""The worker's side: tells the supervisor which connections are open and what each is owed (last_words.py, keeper.py).

One byte is written for a state, and one descriptor is sent a connection. Everything here may fail: then the supervisor has
nothing to end, and the gateway serves as it does without a supervisor.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from aicc_hooks.resilience import last_words
from aicc_hooks.resilience.last_words import BUSY, CLOSED, FREE, HEAD, IDLE, PLACES, STREAM
from aicc_hooks.resilience.tcp import written

_AGAIN_S = 0.02
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Lifeline:
    """One a worker. Not connected: `follow` hands back what it is given."""

    def __init__(self, path: str = "") -> None:
        self._line: socket.socket | None = None
        self._places: dict[Any, int] = {}  # by transport
        self._told: set[type] = set()  # classes of protocols that tell us
        if not path:
            return
        line = socket.socket(socket.AF_UNIX)
        try:
            with tempfile.TemporaryFile() as file:
                file.truncate(last_words.SIZE)
                self._memory = mmap.mmap(file.fileno(), last_words.SIZE)
                line.connect(path)
                socket.send_fds(line, [bytes(4)], [file.fileno()])
        except OSError:
            line.close()
        else:
            line.setblocking(False)
            self._line = line

    @classmethod
    def of_process(cls) -> Lifeline:
        """As the supervisor set it up, if there is one."""
        return cls(os.environ.get(last_words.ENV, ""))

    def follow(self, scope: MutableMapping[str, Any], send: Send) -> Send:
        """A request begins: the `send` to answer it with."""
        if self._line is None:
            return send
        # ASGI knows no connections; uvicorn's `send` is a method of what does.
        transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
        place = self._places.get(transport)
        if place is None:
            place = self._hold(transport) if transport is not None else None
            if place is None:
                return send
        memory, places, later = self._memory, self._places, asyncio.get_running_loop().call_soon
        shape = last_words.shape_of(scope["path"])
        # Of a client that sends its next request early, the answer before may still be on its way.
        memory[place] = BUSY if transport.get_write_buffer_size() else last_words.AWAITED + shape
        streams, after = False, BUSY
        begun: MutableMapping[str, Any] | None = None  # of a small answer, until its body is there

        def settle() -> None:
            # By now the loop has written what it could: with an empty buffer everything is in the kernel's hands.
            if places.get(transport) == place and not transport.get_write_buffer_size():
                memory[place] = after

        async def told(message: MutableMapping[str, Any]) -> None:
            nonlocal streams, after, begun
            first, begun = begun, None
            body, more = message.get("body", b""), message.get("more_body", False)
            if message["type"] == "http.response.start":
                kind = last_words.kind_of(message.get("headers") or ())
                if kind == last_words.AWAITED:
                    begun = message  # sent alone, an error could follow it that the client takes for the body
                    return
                streams = kind == STREAM
                orderly = streams and self._expect_head(transport, place, shape)
                after = STREAM + shape if streams else BUSY
            elif more:
                orderly = streams and body.endswith(b"\n\n")
                after = STREAM + shape if orderly else BUSY
            else:
                orderly, after = first is None, IDLE
            ours = places.get(transport) == place  # else the client has left; the place may be another's
            # Few bytes go to the kernel together or not at all, so what is owed stays true until `settle`: all of
            # them were written, and the client has what it was owed, or none was.
            if ours and (not orderly or len(body) + transport.get_write_buffer_size() > last_words.AT_ONCE):
                memory[place] = BUSY
            if ours and memory[place] != after:
                later(settle)
            if first is not None:
                await send(first)
                if ours and not more and transport.get_write_buffer_size():  # uvloop writes at the turn's end
                    memory[place] = last_words.AWAITED + shape
            await send(message)

        return told

    def _expect_head(self, transport: Any, place: int, shape: int) -> bool:
        """From here until `settle` the supervisor asks the kernel whether the client has the head. False: it cannot."""
        if self._places.get(transport) != place or transport.get_write_buffer_size():
            return False
        count = written(transport.get_extra_info("socket").fileno())
        if count is not None:
            last_words.mark(self._memory, place, count)
            self._memory[place] = HEAD + shape
        return count is not None

    def _hold(self, transport: Any) -> int | None:
        """Give a connection a place and the supervisor a copy; None: it goes on without."""
        place = self._memory.find(bytes([FREE]), 0, PLACES)
        if self._line is None or place < 0 or transport.get_extra_info("sslcontext") is not None:
            return None
        try:
            self._listen_to(type(transport.get_protocol()))
        except AttributeError:  # another server than uvicorn, or it has changed
            return None
        self._memory[place] = IDLE
        self._places[transport] = place
        self._hand_over(transport, place)
        return place

    def _hand_over(self, transport: Any, place: int) -> None:
        """Send the descriptor; later where the supervisor has not read the last ones yet (300 clients after a restart)."""
        if self._line is None or self._places.get(transport) != place:
            return
        try:
            socket.send_fds(self._line, [place.to_bytes(4)], [transport.get_extra_info("socket").fileno()])
        except BlockingIOError:
            asyncio.get_running_loop().call_later(_AGAIN_S, self._hand_over, transport, place)
        except Exception:  # the supervisor is gone
            return

    def _release(self, transport: Any) -> bool:
        place = self._places.pop(transport, None)
        if place is not None:
            self._memory[place] = CLOSED
        return place is not None

    def _close(self, transport: Any) -> None:
        if self._release(transport):
            with contextlib.suppress(Exception):
                # The supervisor's copy would keep the connection open until it looks.
                sock = socket.socket(fileno=transport.get_extra_info("socket").fileno())
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                finally:
                    sock.detach()

    def _listen_to(self, protocol: type[Any]) -> None:
        """Have uvicorn's protocol tell when a connection begins, is asked, ends, or becomes a websocket."""
        if protocol in self._told:
            return
        made, lost = protocol.connection_made, protocol.connection_lost
        received, upgrade = protocol.data_received, protocol.handle_websocket_upgrade

        def connection_made(this: Any, transport: Any) -> None:
            made(this, transport)
            self._hold(transport)

        def data_received(this: Any, data: bytes) -> None:
            place = self._places.get(this.transport)
            if place is not None and self._memory[place] == IDLE:
                self._memory[place] = last_words.AWAITED
            received(this, data)

        def connection_lost(this: Any, error: Exception | None) -> None:
            self._close(this.transport)
            lost(this, error)

        def handle_websocket_upgrade(this: Any, *given: Any) -> None:
            self._release(this.transport)
            upgrade(this, *given)

        protocol.connection_made = connection_made
        protocol.data_received = data_received
        protocol.connection_lost = connection_lost
        protocol.handle_websocket_upgrade = handle_websocket_upgrade
        self._told.add(protocol)
