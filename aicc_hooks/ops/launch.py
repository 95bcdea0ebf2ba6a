"""Runs the `litellm` command below the supervisor: `python -m aicc_hooks.ops.launch PATH_OF_LITELLM ARGUMENTS…`.

uvicorn gets the port that the supervisor opened, in place of opening one, and its parent of several workers learns that
one is dead (workers.py). A server other than uvicorn is not touched.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys
from typing import Any

from aicc_hooks.ops import workers
from aicc_hooks.resilience.supervisor import PORT_ENV


def use(port: socket.socket) -> None:
    """Have uvicorn serve on `port`, which listens. Raises AttributeError when uvicorn has changed."""
    from uvicorn import Config, Server
    from uvicorn.supervisors.multiprocess import Multiprocess

    run, end_workers = Server.run, Multiprocess.terminate_all

    def serve(self: Server, sockets: list[socket.socket] | None = None) -> None:
        return run(self, sockets=sockets or [port])

    def close_first(self: Any) -> None:
        # uvicorn's parent keeps it open until the last worker has ended: new clients would wait for nobody.
        port.close()
        end_workers(self)

    Server.run = serve  # type: ignore[method-assign]
    Config.bind_socket = lambda self: port  # type: ignore[method-assign]
    Multiprocess.terminate_all = close_first  # type: ignore[method-assign]


def main() -> None:
    """Prepare uvicorn, then become `litellm`."""
    workers.mend()
    if number := os.environ.pop(PORT_ENV, ""):
        port = socket.socket(fileno=int(number))
        port.set_inheritable(False)
        use(port)
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
