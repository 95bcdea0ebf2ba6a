"""Whether this process has been asked to end."""

from __future__ import annotations

import signal


def stopping() -> bool:
    """Whether uvicorn wants to end: it waits for what is open, so what would stay open for long asks here."""
    # Its handler of either signal is a method of the server; LiteLLM 1.110 puts a function of its own before SIGTERM's.
    servers = (getattr(signal.getsignal(s), "__self__", None) for s in (signal.SIGTERM, signal.SIGINT))
    return any(getattr(server, "should_exit", False) for server in servers)
