"""One scan process as the gateway sees it: started without blocking the loop, spoken to in frames, ended for good."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

from aicc_hooks.scanning.frames import HEADER, LIMIT, pack, unpack

# No secret of the gateway's environment is inherited: only what an interpreter needs to start.
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "HOME", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH",
                     "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")  # fmt: skip
_BUFFER: Final = 1 << 20
_LARGE_ANSWER: Final = 200_000  # bytes; some 4,000 findings, which take 5 ms to read
_END_S: Final = 2.0


def command() -> list[str]:
    """How the process is started: `-P`, because a file in the working folder must not pass for a module of ours."""
    return [sys.executable, "-P", "-m", "aicc_hooks.scanning.worker"]


def environment() -> dict[str, str]:
    """The process's environment: it finds modules where this one does, and its numpy starts no threads."""
    found = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    found["PYTHONPATH"] = os.pathsep.join(os.path.abspath(p) for p in sys.path)
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    # glibc: one heap for both scanning threads, and buffers of a text's size go back to the system at once (6 MB less).
    heap = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    return {**found, **dict.fromkeys(threads, "1"), **heap}


def _spawn(argv: Sequence[str], channel: socket.socket) -> subprocess.Popen[bytes]:
    both, null = channel.fileno(), subprocess.DEVNULL
    return subprocess.Popen(list(argv), stdin=both, stdout=both, stderr=null, env=environment())


def _reap(process: subprocess.Popen[bytes], patience: float) -> None:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Child:
    """Frames to and from one process. `versions`: the policies it holds, oldest first."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.versions: list[int] = []

    @classmethod
    async def start(cls, argv: Sequence[str]) -> Child:
        """Start a process. Raises OSError when that is not possible."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            # macOS gives 8 kB: a text of 1 MB would take 128 turns of the loop.
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        # In a thread: starting holds up whoever asks for it until the new program is loaded.
        spawned = asyncio.ensure_future(asyncio.to_thread(_spawn, argv, theirs))
        try:
            process = await asyncio.shield(spawned)
            ours.setblocking(False)
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_BUFFER)
        except BaseException:
            ours.close()
            with contextlib.suppress(OSError):
                process = await spawned
                await asyncio.to_thread(_reap, process, 0.0)
            raise
        finally:
            theirs.close()
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, *parts: Any) -> None:
        """Queue one frame; never waits, never raises for a dead process (its end is seen in `receive`)."""
        if not self._writer.is_closing():
            self._writer.write(pack(*parts))

    async def receive(self) -> tuple[Any, ...] | None:
        """The next frame, or None when the process is gone or out of step."""
        try:
            (size,) = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            if size > LIMIT:
                return None
            body = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, OSError):
            return None
        return await asyncio.to_thread(unpack, body) if size > _LARGE_ANSWER else unpack(body)

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def hang_up(self) -> None:
        """Close our end: the process then ends by itself."""
        self._writer.close()

    async def end(self) -> None:
        """Hang up, wait a moment, kill, and leave no zombie."""
        self.hang_up()
        await asyncio.shield(asyncio.to_thread(_reap, self._process, _END_S))
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
