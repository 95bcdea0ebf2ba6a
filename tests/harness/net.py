"""Ports and addresses for servers in tests."""

from __future__ import annotations

import socket
from functools import cache

_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A port nothing listens on; never the same twice in one test run."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.bind((host, 0))
            port = int(sock.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port
    raise RuntimeError("no free port found")


@cache
def cloud_host() -> str:
    """A loopback address that tests can declare not local: 127.0.0.2, or ::1 where macOS has no such alias."""
    for host in ("127.0.0.2", "::1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.bind((host, 0))
            return host
        except OSError:
            continue
    raise RuntimeError("neither 127.0.0.2 nor ::1 can be bound; try: sudo ifconfig lo0 alias 127.0.0.2")
