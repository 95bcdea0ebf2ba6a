"""The worker's side: tells the supervisor which connections are open and what each is owed (places.py, keeper.py).

A few bytes are written for a state, and one descriptor is sent a connection. Everything here may fail: then the supervisor has
nothing to end, and the gateway serves as it does without a supervisor.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from aicc_hooks.resilience import last_words, places
from aicc_hooks.resilience.places import AWAITED, BUSY, CLOSED, FREE, IDLE, STREAM, Places
from aicc_hooks.resilience.tcp import written

_AGAIN_S = 0.02
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Lifeline:
    """One a worker. Not connected: `follow` hands back what it is given."""

    def __init__(self, path: str = "") -> None:
        self._line: socket.socket | None = None
        self._places: dict[Any, int] = {}  # by transport
        self._socks: dict[int, socket.socket] = {}  # by place: to ask the kernel; detached, never closed
        self._told: set[type] = set()  # classes of protocols that tell us
        if not path:
            return
        line = socket.socket(socket.AF_UNIX)
        try:
            with tempfile.TemporaryFile() as file:
                file.truncate(places.SIZE)
                self._memory = Places(file.fileno())
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
        memory, socks, later = self._memory, self._socks, asyncio.get_running_loop().call_soon
        shape = last_words.shape_of(scope["path"])
        # Of a client that sends its next request early, the answer before may still be on its way.
        memory[place] = BUSY if transport.get_write_buffer_size() else AWAITED + shape
        streams, after = False, BUSY
        begun: MutableMapping[str, Any] | None = None  # of a small answer, until its body is there

        def ours() -> bool:  # else the client has left; the place may be another's
            return self._places.get(transport) == place

        def settle() -> None:
            # By now the loop has written what it could: with an empty buffer everything is in the kernel's hands.
            due = ours() and (memory.next(place) or memory[place] == BUSY)
            if due and not transport.get_write_buffer_size():
                memory[place] = after

        async def told(message: MutableMapping[str, Any]) -> None:
            nonlocal streams, after, begun
            first, begun = begun, None
            body, more = message.get("body", b""), message.get("more_body", False)
            orderly = True
            if message["type"] == "http.response.start":
                kind = last_words.kind_of(message.get("headers") or ())
                if kind == AWAITED:
                    begun = message  # sent alone, an error could follow it that the client takes for the body
                    return
                streams = orderly = kind == STREAM
                after = STREAM + shape if streams else BUSY
            elif not more:
                after = IDLE
            elif (
                body or first is not None
            ):  # empty pieces write nothing: LiteLLM's streams have one before their end
                orderly = streams and body.endswith(b"\n\n")
                after = STREAM + shape if orderly else BUSY
            waiting = transport.get_write_buffer_size()
            if ours():
                # Few bytes go to the kernel together or not at all: then the client has all it was owed, or nothing.
                if not orderly or len(body) + waiting > last_words.AT_ONCE:
                    memory[place] = BUSY
                elif memory[place] not in (after, BUSY):
                    memory.announce(place, after, written(socks[place]), waiting > 0)
                if memory[place] != after:
                    later(settle)
            if first is not None:
                await send(first)
            await send(message)

        return told

    def _hold(self, transport: Any) -> int | None:
        """Give a connection a place and the supervisor a copy; None: it goes on without."""
        place = self._memory.find(FREE)
        if self._line is None or place is None or transport.get_extra_info("sslcontext") is not None:
            return None
        try:
            self._listen_to(type(transport.get_protocol()))
            number = transport.get_extra_info("socket").fileno()
            self._socks[place] = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=number)
        except (
            AttributeError,
            OSError,
            ValueError,
        ):  # another server than uvicorn, or it has changed; already closed
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
            socket.send_fds(self._line, [place.to_bytes(4)], [self._socks[place].fileno()])
        except BlockingIOError:
            asyncio.get_running_loop().call_later(_AGAIN_S, self._hand_over, transport, place)
        except Exception:  # the supervisor is gone
            return

    def _release(self, transport: Any) -> None:
        place = self._places.pop(transport, None)
        if place is not None:
            self._memory[place] = CLOSED
            self._socks.pop(place).detach()

    def _close(self, transport: Any) -> None:
        place = self._places.get(transport)
        if place is not None:
            with contextlib.suppress(OSError):
                # The supervisor's copy would keep the connection open until it looks.
                self._socks[place].shutdown(socket.SHUT_RDWR)
            self._release(transport)

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
            if place is not None and IDLE in (self._memory[place], self._memory.next(place)):
                self._memory[place] = AWAITED
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
