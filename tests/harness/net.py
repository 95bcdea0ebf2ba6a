"""Ports and addresses for servers in tests."""

from __future__ import annotations

import os
import random
import socket
from functools import cache

_given: set[int] = set()
# Below the ports that systems give to outgoing connections (Linux from 32768, macOS from 49152): a gateway
# binds seconds after its port was chosen, and a client's connection could have taken it meanwhile.
_LOWEST, _LANE, _LANES = 12_000, 2_000, 10
_choice = random.Random()


def free_port(host: str = "127.0.0.1") -> int:
    """A port nothing listens on; never the same twice in one test run, nor in two workers of one run."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    lane = _LOWEST + worker % _LANES * _LANE
    for _ in range(1000):
        port = lane + _choice.randrange(_LANE)
        if port in _given:
            continue
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                continue
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
