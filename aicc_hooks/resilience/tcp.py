"""How much a process has written into a connection, as the kernel counts it."""

from __future__ import annotations

import socket
import struct
import sys

# Linux's `struct tcp_info` up to 4.19: tcpi_notsent_bytes, tcpi_bytes_sent, tcpi_bytes_retrans.
_INFO = struct.Struct("=144xI52xQQ")


def written(sock: socket.socket) -> int | None:
    """Bytes handed to the kernel so far, sent or not; None where it does not say (macOS, Linux before 4.19)."""
    if sys.platform != "linux":
        return None
    try:
        unsent, sent, again = _INFO.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    except (OSError, struct.error):
        return None
    return int(sent - again + unsent)
