"""The supervisor with real processes: restarts, signals, drain, and what it writes down."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aicc_hooks.resilience.crashes import (
    CrashEvent,
    mark_worker,
    now_text,
    read_crashes,
    signal_name,
    write_crash,
)

# A supervisor in its own process, because it owns the signal handlers of the main thread.
RUN = """
import sys, pathlib
from aicc_hooks.resilience.supervisor import Supervisor, SupervisorConfig
config = SupervisorConfig(**eval(sys.argv[1]))
sys.exit(Supervisor([sys.executable, "-c", sys.argv[3]], pathlib.Path(sys.argv[2]), config).run())
"""


class Run:
    def __init__(self, tmp: Path, child: str, program: str = RUN, **config: float) -> None:
        self.dir = tmp
        self.log = tmp / "children"
        child = f"import os, signal, sys, time\nopen({str(self.log)!r}, 'a').write(f'{{os.getpid()}}\\n')\n{child}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, repr(config), str(tmp), child], stderr=subprocess.PIPE, text=True
        )
        _runs.append(self)

    def children(self, count: int, within: float = 30) -> list[int]:
        end = time.monotonic() + within
        while time.monotonic() < end:
            pids = [int(p) for p in self.log.read_text().split()] if self.log.exists() else []
            if len(pids) >= count:
                return pids
            time.sleep(0.01)
        raise AssertionError(f"{count} starts expected")

    def end(self, within: float = 30) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=within)
        return self.process.returncode, err

    def clear(self) -> None:
        """What a failed test leaves: the supervisor, its last child, the pipe."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
            for pid in self.log.read_text().split()[-1:] if self.log.exists() else []:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        assert self.process.stderr is not None
        self.process.stderr.close()


_runs: list[Run] = []


@pytest.fixture(autouse=True)
def _clear() -> Iterator[None]:
    yield
    while _runs:
        _runs.pop().clear()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
        if Path("/proc/self/stat").exists()
        else True
    )


def gone(pid: int, within: float = 20) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if not alive(pid):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_a_dead_child_is_started_again_and_written_down(tmp_path: Path) -> None:
    run = Run(tmp_path, "time.sleep(60)")
    (first,) = run.children(1)
    os.kill(first, signal.SIGSEGV)
    second = run.children(2)[1]
    run.process.send_signal(signal.SIGTERM)
    code, err = run.end()
    assert code == 0
    assert "SIGSEGV" in err
    assert gone(second)
    (event,) = read_crashes(tmp_path)
    assert (event["signal"], event["exit_code"], event["pid"], event["restart_in_s"]) == (
        "SIGSEGV",
        139,
        first,
        0.2,
    )
    assert set(event) == {
        "time", "pid", "exit_code", "signal", "uptime_s", "crashes_in_a_row", "restart_in_s",
    }  # fmt: skip
    assert (tmp_path / "crashes.jsonl").stat().st_mode & 0o077 == 0


def test_a_stop_signal_lets_the_child_drain(tmp_path: Path) -> None:
    child = f"""
def stop(*_):
    time.sleep(0.5); open({str(tmp_path / "drained")!r}, 'w').write('done'); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
open({str(tmp_path / "ready")!r}, 'w').close()
time.sleep(60)
"""
    run = Run(tmp_path, child)
    run.children(1)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    run.process.send_signal(signal.SIGTERM)
    code, _ = run.end()
    assert code == 0
    assert (tmp_path / "drained").read_text() == "done"
    assert read_crashes(tmp_path) == []


def test_what_was_ignored_at_the_start_stays_ignored(tmp_path: Path) -> None:
    """As `nohup aicc serve &` wants it: the terminal's end is none of the gateway."""
    program = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + RUN
    run = Run(tmp_path, "time.sleep(60)", program)
    (first,) = run.children(1)
    run.process.send_signal(signal.SIGHUP)
    os.kill(first, signal.SIGKILL)  # the supervisor still looks after it
    second = run.children(2)[1]
    assert run.process.poll() is None
    run.process.send_signal(signal.SIGTERM)
    assert run.end()[0] == 0
    assert gone(second)


def test_a_child_that_will_not_end_is_ended_after_the_drain_time(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    run = Run(
        tmp_path,
        f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w').close(); time.sleep(60)",
        drain_s=0.3,
    )
    (pid,) = run.children(1)
    while not ready.exists():
        time.sleep(0.01)
    run.process.send_signal(signal.SIGTERM)
    code, err = run.end()
    assert code == 137
    assert "still busy" in err
    assert gone(pid)


def test_a_wrong_configuration_is_not_restarted_and_its_code_passes_through(tmp_path: Path) -> None:
    run = Run(tmp_path, "sys.exit(3)")
    code, err = run.end()
    assert code == 3
    assert "did not start" in err
    assert len(run.children(1)) == 1


def test_a_clean_end_is_an_end(tmp_path: Path) -> None:
    run = Run(tmp_path, "pass")
    assert run.end()[0] == 0
    assert read_crashes(tmp_path) == []


def test_a_crash_loop_slows_down_and_gives_up(tmp_path: Path) -> None:
    run = Run(
        tmp_path, "os.kill(os.getpid(), signal.SIGKILL)", first_delay_s=0.02, max_delay_s=0.06, max_crashes=5
    )
    code, err = run.end()
    assert code == 137
    assert "5 times in a row" in err
    assert [e["restart_in_s"] for e in read_crashes(tmp_path)] == [0.02, 0.04, 0.06, 0.06, None]


def test_a_healthy_stretch_starts_the_count_anew(tmp_path: Path) -> None:
    run = Run(
        tmp_path, "time.sleep(0.3); os.kill(os.getpid(), signal.SIGKILL)",
        first_delay_s=0.02, max_crashes=2, healthy_after_s=0.2,
    )  # fmt: skip
    run.children(4)
    run.process.send_signal(signal.SIGINT)
    run.end()
    assert {e["crashes_in_a_row"] for e in read_crashes(tmp_path)} == {1}


# As RUN, with a port of its own, whose number it writes down.
SERVE = (
    RUN.replace("import sys, pathlib", "import socket, sys, pathlib")
    .replace(
        "sys.exit(Supervisor(",
        "port = socket.create_server(('127.0.0.1', 0)); open(sys.argv[2] + '/port', 'w').write(str(port.getsockname()[1]))\nsys.exit(Supervisor(",
    )
    .replace("config).run", "config, port=port).run")
)
ANSWER = """
import socket
from aicc_hooks.resilience.supervisor import PORT_ENV
port = socket.socket(fileno=int(os.environ[PORT_ENV]))
while True:
    client, _ = port.accept()
    client.sendall(b"%d" % os.getpid())
    if client.recv(9) == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    client.close()
"""


def test_a_client_waits_for_the_next_process_and_is_refused_when_there_will_be_none(tmp_path: Path) -> None:
    run = Run(tmp_path, "time.sleep(0.2)\n" + ANSWER, program=SERVE, first_delay_s=0.2, max_crashes=3)
    (first,) = run.children(1)
    address = ("127.0.0.1", int((tmp_path / "port").read_text()))
    pids = []
    for _ in range(3):
        with socket.create_connection(address, timeout=20) as client:  # while it starts, while there is none
            pids.append(int(client.recv(20)))
            client.sendall(b"die")
    assert pids == run.children(3)
    assert pids[0] == first
    code, err = run.end()
    assert code == 137
    assert "giving up" in err
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=20)


def test_workers_a_dead_parent_left_behind_are_ended_before_the_restart(tmp_path: Path) -> None:
    orphan = tmp_path / "orphan"
    child = f"""
if not os.path.exists({str(orphan)!r}):
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
    open({str(orphan)!r}, 'w').write(str(pid))
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(60)
"""
    run = Run(tmp_path, child)
    run.children(2)
    assert gone(int(orphan.read_text()))
    run.process.send_signal(signal.SIGTERM)
    assert run.end()[0] == 0


def test_a_child_ends_when_its_supervisor_was_killed(tmp_path: Path) -> None:
    watch = "from aicc_hooks.resilience.supervisor import end_with_supervisor\n"
    ready = tmp_path / "ready"
    run = Run(
        tmp_path,
        f"{watch}assert end_with_supervisor(0.05)\nopen({str(ready)!r}, 'w').close()\ntime.sleep(60)",
    )
    (pid,) = run.children(1)
    while not ready.exists():
        time.sleep(0.01)
    run.process.kill()
    run.end()
    assert gone(pid)


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    from aicc_hooks.resilience.supervisor import Supervisor, end_with_supervisor

    said: list[str] = []
    assert Supervisor([str(tmp_path / "none")], tmp_path, say=said.append).run() == 127
    assert "cannot start" in said[0]
    assert end_with_supervisor() is None


def test_the_crash_log_is_bounded_and_survives_torn_lines(tmp_path: Path) -> None:
    event = CrashEvent(now_text(), 1, 139, "SIGSEGV", 1.0, 1, 0.2)
    path = tmp_path / "crashes.jsonl"
    path.write_text("x" * 1_000_001)
    write_crash(tmp_path, event)
    assert (tmp_path / "crashes.jsonl.1").exists()
    with path.open("a") as file:
        file.write('{"time": "2026-01-')
    assert read_crashes(tmp_path) == [json.loads(path.read_text().splitlines()[0])]
    write_crash(Path("/proc/nowhere"), event)  # a place that cannot be written
    assert read_crashes(tmp_path / "none") == []
    assert signal_name(-9) == "SIGKILL"
    assert signal_name(3) == ""
    assert signal_name(-250) == "SIG250"


def test_a_worker_that_died_is_found_by_the_one_that_replaces_it(tmp_path: Path) -> None:
    code = "import sys, pathlib, os\nfrom aicc_hooks.resilience.crashes import mark_worker\n"
    code += "done = mark_worker(pathlib.Path(sys.argv[1]))\n"
    died = subprocess.Popen([sys.executable, "-c", code + "os.kill(os.getpid(), 9)", str(tmp_path)])
    died.wait()
    for _ in range(2):  # the second replacement has nothing to report
        assert (
            subprocess.run([sys.executable, "-c", code + "done()", str(tmp_path)], check=False).returncode
            == 0
        )
    (event,) = read_crashes(tmp_path)
    assert (event["pid"], event["signal"]) == (died.pid, "unknown")
    assert list((tmp_path / "workers").iterdir()) == []


def test_two_replacements_that_start_together_both_leave_their_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    marks = tmp_path / "workers"
    marks.mkdir()
    (marks / str(dead.pid)).write_bytes(b"")
    unlink = Path.unlink

    def too_late(path: Path, missing_ok: bool = False) -> None:
        unlink(path)  # the other replacement was quicker
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", too_late)
        mark_worker(tmp_path)
    assert [mark.name for mark in marks.iterdir()] == [str(os.getpid())]
    assert read_crashes(tmp_path) == []  # the other one reports it


def test_workers_that_ended_with_their_parent_are_no_crashes_of_their_own(tmp_path: Path) -> None:
    child = f"""
import pathlib
from aicc_hooks.resilience.crashes import mark_worker
mark = {str(tmp_path / "orphan")!r}
if not os.path.exists(mark):
    pid = os.fork()
    if pid == 0:
        mark_worker(pathlib.Path({str(tmp_path)!r}))
        open(mark, 'w').close()
        time.sleep(60)
    while not os.path.exists(mark):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
mark_worker(pathlib.Path({str(tmp_path)!r}))
open({str(tmp_path / "second")!r}, 'w').close()
time.sleep(60)
"""
    run = Run(tmp_path, child)
    run.children(2)
    while not (tmp_path / "second").exists():
        time.sleep(0.01)
    run.process.send_signal(signal.SIGTERM)
    run.end()
    assert [event["signal"] for event in read_crashes(tmp_path)] == ["SIGKILL"]
