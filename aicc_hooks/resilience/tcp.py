"""How much a process has written into a connection, as the kernel counts it."""

from __future__ import annotations

import socket
import sys

_INFO = 216  # bytes of Linux's `struct tcp_info` up to `tcpi_bytes_retrans` (4.19)


def written(descriptor: int) -> int | None:
    """Bytes handed to the kernel so far, sent or not; None where it does not say (macOS, Linux before 4.19)."""
    if sys.platform != "linux":
        return None
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
    except OSError:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO)
    except OSError:
        return None
    finally:
        sock.detach()
    if len(info) < _INFO:
        return None
    unsent, sent, again = info[144:148], info[200:208], info[208:216]
    return (
        int.from_bytes(sent, sys.byteorder)
        - int.from_bytes(again, sys.byteorder)
        + int.from_bytes(unsent, sys.byteorder)
    )
