"""Writes a stream of chunks with the pace and the mid-stream failures asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tests.standins.server import StandIn
from tests.standins.wire import Reply

GARBAGE = b'{"not json \x00\xff]\n'


async def stream(
    app: StandIn,
    reply: Reply,
    content_type: str,
    chunks: Iterable[bytes],
    delay: float = 0.0,
    error: bytes = b"",
) -> None:
    """Send `chunks`, `delay` seconds apart; `error` is the upstream's own error line for `error_mid`."""
    fault = reply.fault
    if fault is None and delay == 0.0:
        # Nothing to wait for: one write for the whole stream keeps the stand-in out of benchmarks' way.
        body = list(chunks)
        if sum(map(len, body)) < 65536:
            reply.start_stream(content_type)
            reply.write(b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in body) + b"0\r\n\r\n")
            return
        chunks = body
    reply.start_stream(content_type)
    kind = fault.kind if fault is not None else ""
    for index, chunk in enumerate(chunks):
        if fault is not None and index == fault.after:
            if kind == "half_close":
                return reply.half_close()
            if kind == "end_mid":
                return reply.end_stream()
            if kind == "reset_mid":
                return reply.reset()
            if kind == "freeze_mid":
                await app.frozen(fault)
            if kind == "garbage_mid":
                await reply.chunk(GARBAGE)
            if kind == "error_mid":
                await reply.chunk(error)
                return reply.end_stream()
        pause = fault.seconds if fault is not None and kind == "drip" else delay
        if pause:
            await asyncio.sleep(pause)
        await reply.chunk(chunk)
    reply.end_stream()
