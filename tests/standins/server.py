"""A small, fast HTTP/1.1 server for stand-ins: records every request, fails on demand, runs in a thread.

Why not an ASGI server: benchmarks need a backend whose own cost is far below the gateway's, and failures
such as a half-closed or reset connection need the transport itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Self

from tests.standins.connection import Connection
from tests.standins.faults import Fault
from tests.standins.wire import Reply, Request, head


class StandIn:
    """Base of all stand-ins: start/stop in a thread, recorded requests, injected failures."""

    control_prefix = "/_stub/"

    def __init__(self, host: str = "127.0.0.1", port: int = 0, keep: int | None = None) -> None:
        self.host, self.port = host, port
        self.errors: list[Exception] = []
        self._recorded: deque[Request] = deque(maxlen=keep)
        self._faults: list[Fault] = []
        self._random = random.Random(0)
        self.connections: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self._healed: asyncio.Event | None = None
        self._background: asyncio.Future[None] | None = None

    # -- life ---------------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> StandIn:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._thread_main, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(10) or self._server is None:
            raise RuntimeError(f"{type(self).__name__} could not listen on {self.host}:{self.port}")
        return self

    def stop(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self._call(self._shutdown())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _thread_main(self, ready: threading.Event) -> None:
        loop = new_event_loop()
        self._loop = loop
        try:
            loop.run_until_complete(self.listen())
            ready.set()
            loop.run_forever()
        finally:
            ready.set()
            loop.close()

    async def listen(self) -> None:
        """Open (or reopen) the listening socket; the port stays the same for the life of the object."""
        self._loop = asyncio.get_running_loop()
        if self._healed is None:
            self._healed = asyncio.Event()
        if self._server is None:
            from tests.harness.net import free_port  # its package imports this module

            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Not the system's choice: it could give the port to a client's connection while this one refuses.
            self.port = self.port or free_port(self.host)
            sock.bind((self.host, self.port))
            sock.setblocking(False)
            self._server = await self._loop.create_server(lambda: Connection(self), sock=sock, backlog=1024)

    async def _close_listener(self, abort: bool) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if abort:
            for connection in list(self.connections):
                if connection.transport is not None:
                    connection.transport.abort()
        await asyncio.sleep(0)

    async def _shutdown(self) -> None:
        await self._close_listener(abort=True)
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call(self, coroutine: Any) -> Any:
        assert self._loop is not None, "start the stand-in first"
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    # -- what arrived -------------------------------------------------------------------------------
    @property
    def requests(self) -> list[Request]:
        """Every request so far, oldest first, control calls left out."""
        return list(self._recorded)

    @property
    def touched(self) -> bool:
        return bool(self._recorded)

    @property
    def received_bytes(self) -> bytes:
        """Everything that arrived: request lines, headers and bodies, for canary searches."""
        return b"\n".join(request.raw for request in self.requests)

    def wait_for(self, condition: Callable[[], Any], timeout: float = 10.0) -> Any:
        """Poll `condition` until it is true; returns its value or raises."""
        return wait_until(condition, timeout, type(self).__name__)

    def reset(self) -> None:
        """Forget requests and failures, listen again."""
        self.heal()
        self._recorded.clear()
        self._random.seed(0)

    # -- failures -----------------------------------------------------------------------------------
    def fail(self, kind: str, **options: Any) -> Fault:
        """Inject a failure (see `tests.standins.faults.Fault`) until `heal()` or `times` is used up."""
        fault = Fault(kind, **options)
        self._faults.append(fault)
        return fault

    @contextlib.contextmanager
    def failing(self, kind: str, **options: Any) -> Iterator[Fault]:
        fault = self.fail(kind, **options)
        try:
            yield fault
        finally:
            self.remove(fault)

    def remove(self, fault: Fault) -> None:
        if fault in self._faults:
            self._faults.remove(fault)
        self._wake()

    def heal(self) -> None:
        """Remove every failure, let frozen requests go on, listen again."""
        self._faults.clear()
        self._wake()
        if self._thread is not None and self._server is None:
            self.accept()

    def _wake(self) -> None:
        """Let frozen requests look again whether their fault still stands."""

        def swap() -> None:
            if self._healed is not None:
                self._healed.set()
                self._healed = asyncio.Event()

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(swap)

    def refuse(self, abort: bool = True) -> None:
        """Close the listening socket: connections are refused, as when the process is gone."""
        self._call(self._close_listener(abort))

    def accept(self) -> None:
        self._call(self.listen())

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        self.refuse()
        try:
            yield
        finally:
            self.accept()

    async def frozen(self, fault: Fault) -> None:
        """Wait while `fault` stands."""
        while fault in self._faults:
            assert self._healed is not None
            await self._healed.wait()

    def _match(self, request: Request) -> Fault | None:
        probe = self.is_probe(request)
        for fault in self._faults:
            if fault.matches(request, self._random, probe):
                return fault
        return None

    def is_probe(self, request: Request) -> bool:
        """True for requests that only look: counted failures leave them alone, since probes come at any time."""
        return request.method != "POST"

    # -- requests -----------------------------------------------------------------------------------
    def dispatch(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        if request.path.startswith(self.control_prefix):
            return self.control(request, reply)
        self._recorded.append(request)
        fault = self._match(request) if self._faults else None
        reply.fault = fault
        if fault is not None and fault.whole_request:
            return self._fail_request(fault, request, reply)
        return self.handle(request, reply)

    async def _fail_request(self, fault: Fault, request: Request, reply: Reply) -> None:
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.kind == "freeze":
            await self.frozen(fault)
            return await reply.finish(self.handle(request, reply))
        if fault.kind == "slow":
            return await reply.finish(self.handle(request, reply))
        if fault.kind == "reset":
            return reply.reset()
        status, content_type, body = fault.response(request)
        reply.write(head(status, content_type, len(body), fault.headers) + body)

    def handle(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        """Answer a request: bytes at once, or a coroutine that writes to `reply`."""
        raise NotImplementedError

    def control(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        from tests.standins.control import control

        return control(self, request)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed: about twice the requests per second of the default loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def wait_until(condition: Callable[[], Any], timeout: float = 10.0, what: str = "condition") -> Any:
    """Poll until `condition()` is truthy; returns its value, raises `TimeoutError` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.01
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not true within {timeout} s")
        time.sleep(pause)
        pause = min(pause * 1.25, 0.1)  # asking often takes time from what is waited for
