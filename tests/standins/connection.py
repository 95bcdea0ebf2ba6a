"""One HTTP/1.1 connection of a stand-in, on the bare transport."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, cast

from tests.standins.wire import Reply, Request, head, parse_request

if TYPE_CHECKING:
    from tests.standins.server import StandIn


class Connection(asyncio.Protocol):
    """One client connection; requests on it are answered one after another."""

    def __init__(self, app: StandIn) -> None:
        self.app = app
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None
        self.task: asyncio.Task[None] | None = None
        self.request: Request | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self.seen_continue = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(
            asyncio.Transport, transport
        )  # uvloop's transports are not subclasses of asyncio's
        self.app.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.app.connections.discard(self)
        self.writable.set()
        if self.request is not None and self.task is not None:
            self.request.disconnected = True
            self.request.disconnected_at = time.monotonic()
            self.task.cancel()
        self.transport = None

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def eof_received(self) -> bool:
        return False  # a client that closes its side has gone: the upstream behaves like Ollama and stops

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.task is None:
            self._pump()

    def _pump(self) -> None:
        while self.task is None and self.transport is not None and self.buffer:
            request = parse_request(self.buffer)
            if request is None:
                if not self.seen_continue and b"100-continue" in self.buffer[:4096].lower():
                    self.seen_continue = True
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            self.seen_continue = False
            request.peer = str((self.transport.get_extra_info("peername") or ("",))[0])
            self.request = request
            try:
                answer = self.app.dispatch(request, Reply(self, request))
            except Exception as exc:  # a bug in a stand-in must show, not hang the client
                self.app.errors.append(exc)
                answer = head(500, "text/plain", 0)
            if isinstance(answer, bytes):
                request.finished = True
                request.bytes_sent += len(answer)
                self.transport.write(answer)
                self.request = None
            else:
                self.task = asyncio.ensure_future(self._run(answer, request))

    async def _run(self, answer: Awaitable[None], request: Request) -> None:
        try:
            await answer
            request.finished = not request.disconnected
        except (ConnectionError, asyncio.CancelledError):
            if self.transport is not None:
                self.transport.abort()
        except Exception as exc:
            self.app.errors.append(exc)
            if self.transport is not None:
                self.transport.write(head(500, "text/plain", 0))
                self.transport.close()
        finally:
            self.task = None
            self.request = None
        self._pump()
