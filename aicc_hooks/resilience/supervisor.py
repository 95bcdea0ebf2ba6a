"""Keeps the gateway process running: restarts it when it dies, passes signals on, writes down every crash.

LiteLLM's process died of SIGSEGV under load in measurements; with one worker nothing restarts it, and with several
uvicorn restarts workers but not itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from aicc_hooks.resilience.crashes import CrashEvent, forget_workers, now_text, signal_name, write_crash
from aicc_hooks.resilience.keeper import Keeper
from aicc_hooks.resilience.last_words import ENV as LIFELINE_ENV

PARENT_ENV = "AICC_SUPERVISOR_PID"
PORT_ENV = "AICC_PORT_FD"  # the number of the port's inherited descriptor
_NOT_STARTED = 3  # uvicorn: the application did not start
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class SupervisorConfig:
    """Seconds. The first restart comes at once; a crash loop slows down to `max_delay_s`, then gives up."""

    first_delay_s: float = 0.2
    max_delay_s: float = 30
    healthy_after_s: float = 60  # a process that lived this long starts the count anew
    drain_s: float = 30
    max_crashes: int = 10  # in a row; then launchd (or the user) decides
    startup_s: float = (
        30  # the first start ending by itself within this is a wrong configuration, not a crash
    )


class Supervisor:
    """Runs `command` until it ends on purpose. Use from the main thread (it installs signal handlers).

    `port` is a listening socket that each process inherits: while none runs, the kernel keeps clients waiting. It is
    closed when the end is asked for or the supervisor gives up, so that clients are refused then. Requests that a process
    had when it died are ended by the keeper, also by one that was killed while it drained.
    """

    def __init__(
        self,
        command: Sequence[str],
        crash_dir: Path,
        config: SupervisorConfig | None = None,
        *,
        env: Mapping[str, str] | None = None,
        port: socket.socket | None = None,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    ) -> None:
        self._command = list(command)
        self._crash_dir = crash_dir
        self.config = config or SupervisorConfig()
        self._env = dict(os.environ if env is None else env)
        # A dead process leaves the Python stack on stderr: file and function names, no data.
        self._env.setdefault("PYTHONFAULTHANDLER", "1")
        # Of glibc, which gives threads heaps of their own that keep what is freed: at 95 requests a second memory grew by
        # 11 MB in 100 s, with two heaps by 4 MB. A fixed threshold hands large blocks back: 8 MB less from the start, and
        # as much growth in ten minutes.
        self._env.setdefault("MALLOC_ARENA_MAX", "2")
        self._env.setdefault("MALLOC_MMAP_THRESHOLD_", "131072")
        self._env[PARENT_ENV] = str(os.getpid())
        self._port = port
        self._handed: tuple[int, ...] = ()
        if port is not None:
            self._handed = (port.fileno(),)
            self._env[PORT_ENV] = str(port.fileno())
        self._keeper: Keeper | None = None
        self._say = say
        self._child: subprocess.Popen[bytes] | None = None
        self._stop_signal = 0
        self._wake = threading.Event()

    def run(self) -> int:
        """Blocks until the end; returns the exit code to pass on (128 + n for a signal, as a shell would)."""
        # What is ignored stays so: `nohup aicc serve &` outlives its terminal.
        heard = [s for s in _FORWARDED if signal.getsignal(s) is not signal.SIG_IGN]
        previous = {s: signal.signal(s, self._on_signal) for s in heard}
        with contextlib.suppress(OSError):  # without it a death closes connections
            self._keeper = Keeper()
            self._keeper.start()
            self._env[LIFELINE_ENV] = self._keeper.path
        try:
            return self._supervise()
        finally:
            self._refuse()
            if self._keeper is not None:
                self._keeper.close()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _supervise(self) -> int:
        config = self.config
        crashes = 0
        first = True
        while True:
            forget_workers(self._crash_dir)  # they ended with their parent, whose end is written down
            began = time.monotonic()
            try:
                # Its own process group: Ctrl-C in a terminal reaches the child once, from us. uvicorn takes a
                # second SIGINT as "drop the open requests".
                child = subprocess.Popen(
                    self._command,
                    env=self._env,
                    stdin=subprocess.DEVNULL,
                    process_group=0,
                    pass_fds=self._handed,
                )
            except OSError as error:
                if self._stop_signal:  # the port was closed meanwhile
                    return 0
                self._say(f"aicc: cannot start {self._command[0]}: {error.strerror}")
                return 127
            self._child = child
            if self._stop_signal:  # it arrived between two children
                self._send(self._stop_signal)
            code = child.wait()
            uptime = time.monotonic() - began
            if self._stop_signal or code == 0:
                return _shell_code(code, self._stop_signal)
            self._sweep(child)
            if first and code > 0 and (code == _NOT_STARTED or uptime < config.startup_s):
                self._say("aicc: the gateway did not start; the reason is above.")
                return code
            first = False
            crashes = 1 if uptime >= config.healthy_after_s else crashes + 1
            delay = min(config.max_delay_s, config.first_delay_s * 2.0 ** (crashes - 1))
            last = crashes >= config.max_crashes
            event = CrashEvent(
                now_text(), child.pid, _shell_code(code), signal_name(code), round(uptime, 1), crashes,
                None if last else delay,
            )  # fmt: skip
            write_crash(self._crash_dir, event)
            what = event.signal or f"exit code {event.exit_code}"
            if last:
                self._say(f"aicc: the gateway died {crashes} times in a row ({what}); giving up.")
                return _shell_code(code)
            self._say(
                f"aicc: the gateway died ({what}) after {uptime:.0f} s; starting it again in {delay:g} s."
            )
            self._wake.wait(delay)
            if self._stop_signal:
                return 0  # asked to stop while nothing ran

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:  # the terminal went away; a single uvicorn would die of it undrained
            number = signal.SIGTERM
        if not self._stop_signal:
            # `wait` goes on after a signal (PEP 475), so the end of the patience comes from a timer.
            timer = threading.Timer(self.config.drain_s, self._lose_patience)
            timer.daemon = True
            timer.start()
        self._stop_signal = number
        self._refuse()
        self._wake.set()
        self._send(number)

    def _refuse(self) -> None:
        if self._port is not None:
            self._port.close()

    def _lose_patience(self) -> None:
        child = self._child
        if child is not None and child.returncode is None:
            self._say(f"aicc: still busy {self.config.drain_s:g} s after the stop signal; ending it.")
            self._kill_group(child.pid, signal.SIGKILL)

    def _send(self, number: int) -> None:
        child = self._child
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number)

    def _sweep(self, child: subprocess.Popen[bytes]) -> None:
        """Ends what a dead child left in its group: orphaned workers would keep the port and half the traffic."""
        number: int = signal.SIGTERM
        deadline = time.monotonic() + 1
        while self._kill_group(child.pid, number) and time.monotonic() < deadline:
            number = 0  # only asks whether somebody is left
            time.sleep(0.02)
        self._kill_group(child.pid, signal.SIGKILL)

    @staticmethod
    def _kill_group(group: int, number: int) -> bool:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            return False  # macOS says "not permitted" of a group of zombies
        return True


def _shell_code(code: int, asked: int = 0) -> int:
    """As a shell reports it; dying of the very signal we passed on is a clean stop."""
    if code >= 0:
        return code
    return 0 if -code == asked else 128 - code


def end_with_supervisor(poll_s: float = 1.0) -> threading.Thread | None:
    """For the child: a thread that sends itself SIGTERM when its supervisor is gone (`kill -9`).

    Without it the gateway would live on as an orphan, hold the port, and the next start would fail.
    Returns None when not supervised, or when this is a worker of the supervised process.
    """
    parent = os.environ.get(PARENT_ENV, "")
    if not parent.isdigit() or os.getppid() != int(parent):
        return None

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(poll_s)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=watch, name="aicc-supervisor-watch", daemon=True)
    thread.start()
    return thread
