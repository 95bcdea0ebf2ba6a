"""What `aicc serve` puts around LiteLLM when there are several workers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection

import pytest

from aicc_hooks.ops import workers


def _silent(conn: Connection, die: bool) -> None:
    """A worker that takes the question and never answers it."""
    conn.send("up")
    conn.recv()
    if die:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


@pytest.mark.parametrize("die", [True, False])
def test_uvicorn_does_not_wait_for_a_worker_that_died_with_the_question(die: bool) -> None:
    from uvicorn.supervisors import multiprocess

    assert workers.mend(), "uvicorn has changed: see aicc_hooks/ops/workers.py"
    spawn = multiprocessing.get_context("spawn")
    worker = multiprocess.Process.__new__(multiprocess.Process)
    worker.parent_conn, worker.child_conn = spawn.Pipe()
    worker.process = spawn.Process(target=_silent, args=(worker.child_conn, die))
    worker.start()
    try:
        assert worker.parent_conn.poll(60)
        assert worker.parent_conn.recv() == "up"
        began = time.monotonic()
        assert not worker.is_alive(timeout=60 if die else 1)
        assert time.monotonic() - began < 30
    finally:
        worker.process.kill()
        worker.process.join()
