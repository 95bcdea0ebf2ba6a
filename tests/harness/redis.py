"""A real Redis on a free port, to be killed, frozen and restarted."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.harness.net import free_port
from tests.harness.process import Child
from tests.standins.server import wait_until

_NO_RETRY = Retry(NoBackoff(), 0)
INSTALL_HINT = (
    "redis-server was not found; install it: `apt-get install redis-server` or `brew install redis`"
)


class RedisProcess:
    """`with RedisProcess() as server: … server.url`. The port stays the same over restarts."""

    def __init__(self, *options: str, persistent: bool = False) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            raise RuntimeError(INSTALL_HINT)
        self.port = free_port()
        self.dir = Path(tempfile.mkdtemp(prefix="aicc-redis-"))
        append = "yes" if persistent else "no"
        self._command = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.dir),
                         "--save", "", "--appendonly", append, "--appendfsync", "always", *options]  # fmt: skip
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def start(self) -> RedisProcess:
        self._child = Child(self._command, self.dir, dict(os.environ))
        wait_until(self.ping, 10, "redis-server")
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(5)
            self._child = None

    def kill(self) -> None:
        """SIGKILL: connections break at once."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        assert self._child is not None
        self._child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._child is not None
        self._child.signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop and remove the data."""
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self) -> RedisProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- content ------------------------------------------------------------------------------------
    def client(self) -> redis.Redis:
        """A plain client; close it (it is a context manager)."""
        return redis.Redis(port=self.port, socket_timeout=5, socket_connect_timeout=2, retry=_NO_RETRY)

    def ping(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def flush(self) -> None:
        with self.client() as client:
            client.flushall()

    def dump(self) -> bytes:
        """Every key and value as bytes, for canary searches."""
        read = {
            b"string": lambda c, k: [c.get(k) or b""],
            b"hash": lambda c, k: [part for pair in c.hgetall(k).items() for part in pair],
            b"list": lambda c, k: c.lrange(k, 0, -1),
            b"set": lambda c, k: list(c.smembers(k)),
            b"zset": lambda c, k: [member for member, _ in c.zrange(k, 0, -1, withscores=True)],
            b"stream": lambda c, k: [
                part for _, entry in c.xrange(k) for pair in entry.items() for part in pair
            ],
        }
        out: list[bytes] = []
        with self.client() as client:
            for key in client.scan_iter():
                out.append(key)
                kind = client.type(key)
                out += read[kind](client, key) if kind in read else [client.dump(key) or b""]
        return b"\n".join(out)
