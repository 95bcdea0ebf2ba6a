"""A redis-server of a test's own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile

from tests.harness import free_port, wait_until


class Server:
    """A redis-server of our own on a free port, without persistence."""

    def __init__(self, *options: str) -> None:
        self.dir = tempfile.mkdtemp(prefix="aicc-redis-")
        self.options = options
        self.port = free_port()
        self.socket = f"{self.dir}/s"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.dir, "--save", "",
             "--unixsocket", self.socket, *self.options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until(self._listens, 30, "redis-server")
        except BaseException:
            self.close()
            raise

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
