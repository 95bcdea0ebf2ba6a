"""The port, opened by the supervisor: it stays open while LiteLLM's process dies and loads, so clients wait and are not refused."""

from __future__ import annotations

import errno
import shutil
import socket
import subprocess

from aicc_hooks.errors import GatewayConfigError

BACKLOG = 2048  # connections that wait; the system may allow fewer (macOS: kern.ipc.somaxconn, 128)


def open_port(address: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet. Raises GatewayConfigError that says what to do."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:  # as asyncio does: `::` is no IPv4 address as well
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
    except PermissionError:
        sock.close()
        raise GatewayConfigError(f"port {port} needs the rights of root; choose one above 1023") from None
    except (OSError, UnicodeError) as error:
        sock.close()
        if getattr(error, "errno", None) != errno.EADDRINUSE:
            raise GatewayConfigError(
                f"--host {address}: this machine has no such address; use 127.0.0.1"
            ) from None
        raise GatewayConfigError(
            f"port {port} is taken{taken_by(port)}; stop that program, or choose another port with --port or AICC_ROUTER_PORT"
        ) from None
    return sock


def taken_by(port: int) -> str:
    """ " by NAME (pid N)" where lsof can tell."""
    tool = shutil.which("lsof")
    if not tool:
        return ""
    try:
        out = subprocess.run(
            [tool, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"], capture_output=True, text=True, timeout=3
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    fields = {line[0]: line[1:] for line in out.stdout.splitlines() if line}
    return f" by {fields.get('c', '?')} (pid {fields['p']})" if "p" in fields else ""
