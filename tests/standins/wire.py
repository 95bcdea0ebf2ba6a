"""HTTP/1.1 on the wire: the request that was received and the reply being written."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import orjson

if TYPE_CHECKING:
    from tests.standins.connection import Connection
    from tests.standins.faults import Fault

REASONS = {200: "OK", 201: "Created", 207: "Multi-Status", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
           405: "Method Not Allowed", 413: "Payload Too Large", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable"}  # fmt: skip


@dataclass(eq=False)
class Request:
    """One received request. `notes` holds what the stand-in made of it (model, num_ctx, tokens …)."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes
    at: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)
    peer: str = ""
    disconnected: bool = False
    disconnected_at: float | None = None
    finished: bool = False
    bytes_sent: int = 0
    notes: dict[str, Any] = field(default_factory=dict)
    _json: Any = None

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.target.partition("?")[2])

    @property
    def json(self) -> Any:
        """The body as JSON; {} when there is none or it does not parse."""
        if self._json is None:
            try:
                self._json = orjson.loads(self.body) if self.body else {}
            except orjson.JSONDecodeError:
                self._json = {}
        return self._json

    @property
    def model(self) -> str:
        body = self.json
        return str(body.get("model") or body.get("name") or "") if isinstance(body, dict) else ""

    @property
    def done(self) -> bool:
        return self.finished or self.disconnected

    def summary(self) -> dict[str, Any]:
        return {
            "method": self.method, "target": self.target, "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"), "time": self.wall, "peer": self.peer,
            "disconnected": self.disconnected, "finished": self.finished, "bytes_sent": self.bytes_sent,
            **self.notes,
        }  # fmt: skip


def parse_request(buffer: bytearray) -> Request | None:
    """Take one complete request off `buffer`, or None while bytes are missing."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    method, _, rest = lines[0].partition(" ")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    start = end + 4
    if "chunked" in headers.get("transfer-encoding", ""):
        taken = _dechunk(buffer, start)
        if taken is None:
            return None
        body, stop = taken
    else:
        stop = start + int(headers.get("content-length") or 0)
        if len(buffer) < stop:
            return None
        body = bytes(buffer[start:stop])
    raw = bytes(buffer[:start]) + body
    del buffer[:stop]
    return Request(method, rest.rpartition(" ")[0], headers, body, raw)


def _dechunk(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    parts: list[bytes] = []
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        size = int(bytes(buffer[at:line_end]).split(b";")[0], 16)
        at = line_end + 2
        if len(buffer) < at + size + 2:
            return None
        if size == 0:
            return b"".join(parts), at + 2
        parts.append(bytes(buffer[at : at + size]))
        at += size + 2


_HEADS: dict[tuple[int, str], bytes] = {}


def head(status: int, content_type: str, length: int | None, extra: dict[str, str] | None = None) -> bytes:
    """Status line and headers; `length` None means chunked transfer."""
    key = (status, content_type)
    fixed = _HEADS.get(key)
    if fixed is None:
        reason = REASONS.get(status, "Status")
        fixed = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\n".encode("latin-1")
        _HEADS[key] = fixed
    more = "".join(f"{name}: {value}\r\n" for name, value in (extra or {}).items()).encode("latin-1")
    if length is None:
        return fixed + more + b"Transfer-Encoding: chunked\r\n\r\n"
    return fixed + more + b"Content-Length: %d\r\n\r\n" % length


def json_response(body: Any, status: int = 200, extra: dict[str, str] | None = None) -> bytes:
    payload = orjson.dumps(body)
    return head(status, "application/json; charset=utf-8", len(payload), extra) + payload


class Reply:
    """Writes the response of one request, with backpressure and the failures a transport can have."""

    __slots__ = ("_connection", "_request", "_started", "fault")

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection, self._request = connection, request
        self._started = False
        self.fault: Fault | None = None

    def write(self, data: bytes) -> None:
        transport = self._connection.transport
        if transport is None:
            raise ConnectionResetError
        self._request.bytes_sent += len(data)
        transport.write(data)

    async def drain(self) -> None:
        if not self._connection.writable.is_set():
            await self._connection.writable.wait()

    def start_stream(self, content_type: str) -> None:
        self._started = True
        self.write(head(200, content_type, None))

    async def chunk(self, data: bytes) -> None:
        self.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self.drain()

    def end_stream(self) -> None:
        self.write(b"0\r\n\r\n")

    async def finish(self, answer: bytes | Awaitable[None]) -> None:
        """Complete with what a handler returned."""
        if isinstance(answer, bytes):
            self.write(answer)
        else:
            await answer

    def half_close(self) -> None:
        """End our side without the last chunk: the client sees a truncated body."""
        transport = self._connection.transport
        if transport is None:
            return
        if transport.can_write_eof():
            transport.write_eof()
        asyncio.get_running_loop().call_later(0.05, transport.close)

    def reset(self) -> None:
        """Close with RST."""
        transport = self._connection.transport
        if transport is not None:
            # A linger time of zero makes the close send RST instead of FIN.
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
