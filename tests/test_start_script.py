"""start_litellm.sh: reads .env as data, becomes the gateway, and says what is in the way."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.ops.env_file import read_env_file
from tests.harness import free_port, wait_until
from tests.ollama_stub import OllamaStub

SCRIPT = Path(__file__).parents[1] / "litellm_config" / "start_litellm.sh"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ollama: OllamaStub) -> Path:
    path = tmp_path / "Möbius Büro" / "gateway $HOME"
    monkeypatch.setenv("AICC_HOME", str(path))
    for name in ("AICC_MASTER_KEY", "AICC_ROUTER_PORT", "OLLAMA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    port = str(free_port())
    done = CliRunner().invoke(
        group, ["init", "--yes", "--ollama-url", ollama.url, "--redis-port", "1", "--port", port]
    )
    assert done.exit_code == 0, done.output
    # The script must find its folder by itself.
    monkeypatch.delenv("AICC_HOME")
    return path


def start(home: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(home / "start_litellm.sh"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "HOME": str(home.parent), **env}, cwd="/", start_new_session=True,
    )  # fmt: skip


@pytest.fixture
def ended() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_bash_accepts_it_and_it_is_executable() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    assert os.access(SCRIPT, os.X_OK)
    code = [line for line in SCRIPT.read_text().splitlines() if not line.startswith("#")]
    assert not any(line.strip().startswith(("source ", ". ", "eval ")) for line in code)


@pytest.mark.live
def test_it_serves_on_loopback_runs_nothing_of_env_and_leaves_no_shell(
    home: Path, tmp_path: Path, ended: list[subprocess.Popen[str]]
) -> None:
    env = home / ".env"
    trap = tmp_path / "executed"
    env.write_text(
        env.read_text() + f"EVIL='$(touch {trap})'\nMORE=`touch {trap}`\nLAST=$(touch {trap}); touch {trap}\n"
    )
    values = read_env_file(env)
    port = int(values["AICC_ROUTER_PORT"])
    process = start(home)
    ended.append(process)

    def up() -> bool:
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            return httpx.get(f"http://127.0.0.1:{port}/aicc/health", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    wait_until(up, timeout=120)
    body = {"model": "llama-fast", "messages": [{"role": "user", "content": "hi"}]}
    answer = httpx.post(
        f"http://127.0.0.1:{port}/v1/chat/completions", json=body, trust_env=False, timeout=60,
        headers={"authorization": f"Bearer {values['AICC_MASTER_KEY']}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert not trap.exists(), ".env is data"
    if sys.platform == "linux":
        assert "bash" not in Path(f"/proc/{process.pid}/cmdline").read_bytes().decode().split("\0")[0]
        assert all("LANGFUSE_SALT" not in _environ(pid) for pid in _family(process.pid)), (
            "the stack's secrets stay out"
        )
        listening = Path("/proc/net/tcp").read_text()
        mine = [line.split()[1] for line in listening.splitlines()[1:] if line.split()[3] == "0A"]
        assert f"0100007F:{port:04X}" in mine
        assert f"00000000:{port:04X}" not in mine
    # Two gateways on one folder, even on another port:
    other = start(home, "--port", str(free_port()))
    ended.append(other)
    said, _ = other.communicate(timeout=60)
    assert other.returncode == 2
    assert "a gateway already runs on" in said
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) in (0, -signal.SIGTERM), "asked to end, it ends"


def _family(pid: int) -> list[int]:
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True
    ).stdout.split()
    return [pid, *(p for child in children for p in _family(int(child)))]


def _environ(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return ""


@pytest.mark.skipif(shutil.which("lsof") is None, reason="lsof is not installed; macOS has it")
def test_a_taken_port_says_by_whom(home: Path, ended: list[subprocess.Popen[str]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(home, "--port", str(taken.getsockname()[1]))
        ended.append(process)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "is taken by python" in said.lower()
    assert f"pid {os.getpid()}" in said


def test_lan_needs_the_policy_and_a_strong_key(home: Path, ended: list[subprocess.Popen[str]]) -> None:
    process = start(home, "--host", "0.0.0.0")
    ended.append(process)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, "lan: true" in said) == (2, True)
    policy = home / "policy.yaml"
    policy.write_text(policy.read_text().replace("lan: false", "lan: true"))
    weak = start(home, AICC_MASTER_KEY="sk-short")
    ended.append(weak)
    said, _ = weak.communicate(timeout=60)
    assert (weak.returncode, "24" in said) == (2, True)
    assert "sk-short" not in said


def test_a_half_written_env_stops_it_with_the_line(home: Path, ended: list[subprocess.Popen[str]]) -> None:
    env = home / ".env"
    env.write_text(env.read_text() + 'REDIS_HOST="127.0')
    process = start(home)
    ended.append(process)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "half-written" in said
    assert "Traceback" not in said


def test_a_moved_folder_is_served_from_where_it_is(
    home: Path, tmp_path: Path, ended: list[subprocess.Popen[str]]
) -> None:
    moved = tmp_path / "moved"
    shutil.move(home, moved)
    (moved / ".env").write_text("AICC_MASTER_KEY=\n")
    process = start(moved)
    ended.append(process)
    said, _ = process.communicate(timeout=60)
    assert f"{moved}/.env" in said, "the error names the folder it lies in"


def test_without_an_installation_it_says_what_to_set(tmp_path: Path) -> None:
    copy = tmp_path / "start_litellm.sh"
    shutil.copy(SCRIPT, copy)
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, str(copy)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 127
    assert "AICC_VENV" in done.stderr
