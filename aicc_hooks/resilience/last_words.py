"""What a client is owed when the process that served it dies, by the state of its connection (places.py)."""

from __future__ import annotations

from collections.abc import Iterable

from aicc_hooks.resilience.places import AWAITED, BUSY, IDLE, STREAM
from aicc_hooks.wire import error_bytes, error_event

ENV = "AICC_LIFELINE"  # the path of the supervisor's socket
AT_ONCE = 16_384  # bytes that a kernel takes in one piece
_SHAPES = ("chat", "messages", "responses")
_CODE, _STATUS = "aicc_upstream_down", 503
_TEXT = "The gateway's process ended before this answer was complete; ask again."


def shape_of(path: str) -> int:
    """Which API's errors a path's clients understand: added to AWAITED and STREAM."""
    return 1 if path.endswith("/messages") else 2 if path.endswith("/responses") else 0


def kind_of(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Of an answer that begins so: STREAM (one more event and chunk can end it), AWAITED (written at once) or BUSY."""
    found = {key.lower(): value for key, value in headers}
    length = found.get(b"content-length", b"")
    if length:
        return AWAITED if int(length) <= AT_ONCE else BUSY
    plain = b"content-encoding" not in found
    return STREAM if plain and found.get(b"content-type", b"").startswith(b"text/event-stream") else BUSY


def last_words(state: int, unread: bytes = b"") -> bytes:
    """The bytes that end it properly; none where that cannot be done.

    `unread`: the beginning of what the client sent and nobody read: a request that came as the process died.
    """
    if state == IDLE and unread:
        path = unread.split(b" ", 2)[1:2]
        state = AWAITED + shape_of(path[0].decode("latin-1") if path else "")
    if AWAITED <= state < AWAITED + len(_SHAPES):
        body = error_bytes(_SHAPES[state - AWAITED], _CODE, _TEXT, _STATUS)
        head = (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nretry-after: 1\r\nx-aicc-error: {_CODE}\r\nconnection: close\r\n\r\n"
        )
        return head.encode() + body
    if STREAM <= state < STREAM + len(_SHAPES):
        event = error_event(_SHAPES[state - STREAM], _CODE, _TEXT, _STATUS)
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(event), event)
    return b""
