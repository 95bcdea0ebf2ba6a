"""docs/runbook.md: every command in it runs as written, or says what it needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aicc_hooks.cli import COMMANDS
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.ops.launchd import LABELS
from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "runbook.md").read_text()
BLOCKS = re.findall(r"^```([^\n]+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
NEEDS = {"macOS", "Docker", "network"}


def test_every_block_is_run_or_says_what_it_needs() -> None:
    for info, _ in BLOCKS:
        words = info.split()
        assert words[0] == "sh"
        assert words[1] == "run" or words[1] in NEEDS, info
    assert len([info for info, _ in BLOCKS if "run" in info.split()]) >= 8


def test_named_commands_and_options_exist() -> None:
    for name in ("runbook.md", "operations.md"):
        for command in re.findall(r"\baicc ([a-z]+)", (DOCS / name).read_text()):
            if command not in ("which", "init", "knows", "is"):
                assert command in COMMANDS, f"{name}: aicc {command}"
    for arguments in sorted(set(re.findall(r"`?aicc ((?:launchd|langfuse) [a-z]+)", TEXT))):
        aicc = str(Path(sys.executable).with_name("aicc"))
        done = subprocess.run([aicc, *arguments.split(), "--help"], capture_output=True)
        assert done.returncode == 0, arguments
    assert all(label in (DOCS / "operations.md").read_text() for label in LABELS)


def git_lines(section: str) -> list[str]:
    """The git commands of a section's blocks, as they stand there."""
    text = TEXT.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^git .*$", text, re.MULTILINE)


def test_a_roll_back_brings_the_source_of_before_the_upgrade(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    for who in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{who}_NAME": "somebody", f"GIT_{who}_EMAIL": "somebody@example.org"}

    def run(line: str, folder: Path) -> None:
        subprocess.run(["bash", "-c", line], cwd=folder, env=env, check=True, capture_output=True)

    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    for line in ("git init -q -b main", "echo old > version", "git add version", "git commit -q -m old"):
        run(line, theirs)
    run(f"git clone -q '{theirs}' '{ours}'", tmp_path)
    run("echo new > version && git commit -q -a -m new", theirs)
    for section, found in (("Upgrade", "new"), ("Roll back", "old")):
        lines = git_lines(section)
        assert lines
        for line in lines:
            run(line, ours)
        assert (ours / "version").read_text().strip() == found
    run("git switch -", ours)
    assert (ours / "version").read_text().strip() == "new"


@pytest.mark.live
def test_the_commands_run_as_written(tmp_path: Path, ollama: OllamaStub) -> None:
    home = tmp_path / "Büro von Jörg"
    home.mkdir()
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("AICC_", "LANGFUSE_", "REDIS_", "OLLAMA_"))
    }
    env |= {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{env['PATH']}",
        "REDIS_PORT": "1",
        "NO_PROXY": "*",
    }
    folder = home / ".config" / "ai-command-center"
    gateway: GatewayProcess | None = None
    ran = 0
    try:
        for info, block in BLOCKS:
            words = info.split()
            if "run" not in words:
                continue
            if "stopped" in words and gateway is not None:
                gateway.close()
                gateway = None
            elif ":4000" in block and gateway is None:
                key = read_env_file(folder / ".env")["AICC_MASTER_KEY"]
                gateway = GatewayProcess(
                    home=folder, config=folder / "config.yaml", key=key, ollama_url=ollama.url
                ).start()
            for line in block.strip().splitlines():
                # The addresses of the text stand for the test's own servers.
                text = line.replace("http://localhost:11434", ollama.url)
                if gateway is not None:
                    text = text.replace("http://127.0.0.1:4000", gateway.url)
                if text.startswith("KEY="):
                    env["KEY"] = read_env_file(folder / ".env")["AICC_MASTER_KEY"]
                done = subprocess.run(
                    ["bash", "-c", text], env=env, cwd=home, capture_output=True, text=True, timeout=120
                )
                allowed = {0, 1, 2} if re.search(r"aicc doctor$", line) else {0}
                assert done.returncode in allowed, f"{line}\n{done.stdout}\n{done.stderr}"
                assert "Traceback" not in done.stderr, f"{line}\n{done.stderr}"
                if "chat/completions" in line:
                    assert '"choices"' in done.stdout, done.stdout
                ran += 1
    finally:
        if gateway is not None:
            gateway.close()
    assert ran >= 15
    assert not folder.exists(), "uninstalled"
