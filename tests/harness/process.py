"""A child process with its output in a file and a bounded end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path


class Child:
    """Runs in its own process group, so that ending it ends its workers too."""

    def __init__(self, command: list[str], cwd: Path, env: dict[str, str]) -> None:
        self.command = command
        self.out, self.err = cwd / "stdout.log", cwd / "stderr.log"
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def output(self) -> bytes:
        """Standard output and standard error so far."""
        return self.out.read_bytes() + self.err.read_bytes()

    def signal(self, number: int) -> None:
        """Signal the main process."""
        self._process.send_signal(number)

    def signal_group(self, number: int) -> None:
        """Signal the main process and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def wait(self, timeout: float) -> int:
        return self._process.wait(timeout)

    def stop(self, timeout: float = 15.0) -> int:
        """SIGTERM, then SIGKILL to the group after `timeout` seconds; returns the exit code."""
        if self._process.poll() is None:
            self.signal_group(signal.SIGCONT)  # a stopped process does not see SIGTERM
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()
        return self._process.wait(10)

    def kill(self) -> None:
        """SIGKILL to the whole group, at once."""
        self.signal_group(signal.SIGKILL)
        self._process.wait(10)


def memory_mb(pid: int) -> float:
    """Memory of a process and its children in MB (Linux: PSS, shared pages divided; elsewhere resident, by `ps`, without children)."""
    try:
        pids = [pid]
        for task in Path(f"/proc/{pid}/task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
        rollups = [Path(f"/proc/{p}/smaps_rollup").read_text() for p in pids]
        return (
            sum(
                int(line.split()[1])
                for text in rollups
                for line in text.splitlines()
                if line.startswith("Pss:")
            )
            / 1e3
        )
    except FileNotFoundError:
        out = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
        )
        return float(out.stdout or 0) / 1e3


def open_files(pid: int) -> int:
    """Open file descriptors of a process (Linux; -1 elsewhere)."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except FileNotFoundError:
        return -1
