"""What `aicc serve` mends in uvicorn when there are several workers.

uvicorn's parent asks each worker in turn for a sign of life and waits for it as long as `--timeout_worker_healthcheck` says. It holds
the worker's end of the pipe too, so a worker that dies before it answers is waited for to the end (measured: a killed
worker was still not replaced after 15 s, with the 60 s a loading LiteLLM needs; uvicorn 0.54). Here a dead one is noticed.
"""

from __future__ import annotations

import pickle
import time
from typing import Any

_LOOK_S = 0.2


def sign_of_life(worker: Any, timeout: float) -> bool | None:
    """uvicorn's `Process._healthcheck`, ended early when the worker is dead. None: no answer."""
    until = time.monotonic() + timeout
    try:
        worker.parent_conn.send(b"ping")
        while True:
            left = until - time.monotonic()
            if worker.parent_conn.poll(max(0.0, min(_LOOK_S, left))):
                started: bool = worker.parent_conn.recv()
                return started
            if left <= 0 or not worker.process.is_alive():
                return None
    except (OSError, EOFError, pickle.UnpicklingError):
        return None


def mend() -> bool:
    """Put `sign_of_life` in place; False when this uvicorn has no such method, which then stays as it is."""
    from uvicorn.supervisors import multiprocess

    if not hasattr(multiprocess.Process, "_healthcheck"):
        return False
    multiprocess.Process._healthcheck = sign_of_life  # type: ignore[method-assign, assignment]
    return True
