"""`aicc init`: whole, private, repeatable; nothing of the user's is ever lost."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aicc_hooks.cli import group
from aicc_hooks.gateway_config import load_all
from aicc_hooks.ops import env_values
from aicc_hooks.ops import init as ops
from aicc_hooks.ops.env_file import quote, read_env_file, with_values
from aicc_hooks.ops.migrate import config_text, policy_text
from tests.harness import free_port
from tests.ollama_stub import OllamaStub

PLAN_NAMES = (
    "AICC_MASTER_KEY", "AICC_ROUTER_PORT", "LANGFUSE_HOST", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY",
    "REDIS_HOST", "REDIS_PORT", "OLLAMA_BASE_URL",
)  # fmt: skip
PLAN_FOLDERS = (
    "logs", "routing", "caching", "security", "monitoring", "resilience", "integrations", "experimentation",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a space and umlauts, as on many a Mac."""
    path = tmp_path / "Jörg Müßig" / "ai command center"
    monkeypatch.setenv("AICC_HOME", str(path))
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://127.0.0.1:1")
    for name in ("AICC_MASTER_KEY", "AICC_ROUTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    return path


def init(*arguments: str, answers: str | None = None) -> Result:
    options = ("--yes", "--ollama-url", "http://127.0.0.1:1", "--redis-port", "1") if answers is None else ()
    return CliRunner().invoke(group, ["init", *options, *arguments], input=answers, catch_exceptions=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def copies(home: Path, name: str) -> list[Path]:
    return sorted((home / "backups" / "replaced").glob(name.lstrip(".") + ".*"))


def tree(home: Path) -> Mapping[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}


def test_a_fresh_folder_is_complete_private_and_valid(home: Path) -> None:
    result = init()
    assert result.exit_code == 0, result.output
    values = read_env_file(home / ".env")
    assert set(PLAN_NAMES) <= set(values)
    assert all(values.values())
    assert all((home / name).is_dir() for name in (*PLAN_FOLDERS, "backups"))
    assert [p for p in (home / ".env", home / "config.yaml", home / "policy.yaml") if mode(p) != 0o600] == []
    assert [p for p in (home, home / "logs", home / "backups") if mode(p) != 0o700] == []
    config, policy = load_all(home / "config.yaml", {**os.environ, **values})
    assert "llama-fast" in config.groups
    assert policy.source == str(home / "policy.yaml")


def test_keys_are_random_strong_and_no_known_default(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init()
    first = read_env_file(home / ".env")
    monkeypatch.setenv("AICC_HOME", str(tmp_path / "other"))
    init()
    second = read_env_file(tmp_path / "other" / ".env")
    for name in env_values.GENERATED:
        assert first[name] != second[name]
        assert len(first[name]) >= 24
        assert not env_values.is_placeholder(name, first[name])
        assert re.fullmatch(r"[\w-]+", first[name], re.ASCII), "docker compose and URLs read it as it is"
    assert first["AICC_MASTER_KEY"].startswith("sk-")
    assert re.fullmatch(r"[0-9a-f]{64}", first["LANGFUSE_ENCRYPTION_KEY"])


def test_no_secret_is_printed(home: Path) -> None:
    shown = init().output + init("--new-key").output
    assert not [n for n in env_values.GENERATED if read_env_file(home / ".env")[n] in shown]


def test_the_second_run_changes_nothing(home: Path) -> None:
    init()
    before = tree(home)
    result = init()
    assert result.exit_code == 0
    assert tree(home) == before
    assert copies(home, ".env") == []


def test_an_existing_env_keeps_its_values_order_and_comments(home: Path) -> None:
    home.mkdir(parents=True)
    old = "# mine\nexport AICC_MASTER_KEY=sk-my-own-very-long-key-0123456789\n\nMY_VAR='a # b'\nREDIS_PORT=7777\n"
    (home / ".env").write_text(old)
    (home / ".env").chmod(0o644)
    result = CliRunner().invoke(group, ["init", "--yes"])
    assert result.exit_code == 0, result.output
    text = (home / ".env").read_text()
    assert text.startswith(old), "own lines stay, in place"
    assert read_env_file(home / ".env")["MY_VAR"] == "a # b"
    assert set(PLAN_NAMES) <= set(read_env_file(home / ".env"))
    assert mode(home / ".env") == 0o600
    (copy,) = copies(home, ".env")
    assert copy.read_text() == old
    assert mode(copy) == 0o600


def test_a_published_default_key_is_replaced(home: Path) -> None:
    home.mkdir(parents=True)
    (home / ".env").write_text("AICC_MASTER_KEY=sk-command-center-local\nLANGFUSE_PUBLIC_KEY=lf_pk_...\n")
    init()
    values = read_env_file(home / ".env")
    assert values["AICC_MASTER_KEY"] != "sk-command-center-local"
    assert values["LANGFUSE_PUBLIC_KEY"].startswith("pk-lf-")


def test_wrong_permissions_are_put_right(home: Path) -> None:
    init()
    (home / ".env").chmod(0o644)
    home.chmod(0o755)
    result = init()
    assert (mode(home / ".env"), mode(home)) == (0o600, 0o700)
    assert "permissions" in result.output


def test_a_half_written_env_is_named_and_left_alone(home: Path) -> None:
    home.mkdir(parents=True)
    broken = 'AICC_MASTER_KEY=sk-keep-this-one-0123456789abcdef\nREDIS_HOST="127.0.'
    (home / ".env").write_text(broken)
    result = CliRunner().invoke(group, ["init", "--yes"])
    assert result.exit_code != 0
    assert "line 2" in str(result.exception)
    assert "sk-keep" not in str(result.exception)
    assert (home / ".env").read_text() == broken


def test_repair_keeps_what_can_be_read(home: Path) -> None:
    home.mkdir(parents=True)
    broken = 'AICC_MASTER_KEY=sk-keep-this-one-0123456789abcdef\n<<<<<<< HEAD\nREDIS_HOST="127.0.'
    (home / ".env").write_text(broken)
    assert init("--repair").exit_code == 0
    values = read_env_file(home / ".env")
    assert values["AICC_MASTER_KEY"] == "sk-keep-this-one-0123456789abcdef"
    assert values["REDIS_HOST"] == "127.0.0.1"
    assert copies(home, ".env")[0].read_text() == broken


def test_own_config_is_never_overwritten_unasked(home: Path) -> None:
    init()
    own = (home / "config.yaml").read_text() + "# mine\n"
    (home / "config.yaml").write_text(own)
    init()
    assert (home / "config.yaml").read_text() == own
    result = CliRunner().invoke(group, ["init"], input="\n\n\n\nn\n")
    assert "-# mine" in result.output, "the diff is shown before the question"
    assert (home / "config.yaml").read_text() == own
    CliRunner().invoke(group, ["init"], input="\n\n\n\ny\n")
    assert "# mine" not in (home / "config.yaml").read_text()
    assert copies(home, "config.yaml")[0].read_text() == own


def test_answers_reach_the_env_and_an_abort_writes_nothing(home: Path) -> None:
    aborted = CliRunner().invoke(group, ["init"], input="4123\n")
    assert aborted.exit_code != 0
    assert not home.exists()
    result = CliRunner().invoke(group, ["init"], input="4123\nhttp://127.0.0.1:1\n\n\n")
    assert result.exit_code == 0, result.output
    assert read_env_file(home / ".env")["AICC_ROUTER_PORT"] == "4123"
    assert read_env_file(home / ".env")["OLLAMA_BASE_URL"] == "http://127.0.0.1:1"


def test_new_key_changes_only_the_key_and_keeps_a_copy(home: Path) -> None:
    init()
    before = read_env_file(home / ".env")
    assert init("--new-key").exit_code == 0
    after = read_env_file(home / ".env")
    assert {n for n in before if before[n] != after[n]} == {"AICC_MASTER_KEY"}
    assert read_env_file(copies(home, ".env")[0]) == before


def test_models_are_found_and_missing_ones_named_with_the_command(home: Path, ollama: OllamaStub) -> None:
    init()
    config = (home / "config.yaml").read_text()
    (home / "config.yaml").write_text(config.replace("qwen2.5:14b", "qwen2.5:72b"))
    result = init("--ollama-url", ollama.url)
    assert "Ollama: " in result.output
    assert "model(s)" in result.output
    assert "closest here: qwen2.5:14b. Run: ollama pull qwen2.5:72b" in result.output
    assert "OLLAMA_MAX_LOADED_MODELS" in result.output
    missing = re.findall(r"model '([^']+)' is not in Ollama", result.output)
    assert not any(name.startswith("llama3.2") for name in missing), "present models are not missing"


def test_a_taken_port_leads_to_a_free_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 4000))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        result = init()
    port = int(read_env_file(home / ".env")["AICC_ROUTER_PORT"])
    assert port != 4000
    assert str(port) in result.output


PLAN_CONFIG = """\
model_list:
  - model_name: qwen-local   # mine
    litellm_params:
      model: ollama/qwen2.5:14b
      api_base: ${OLLAMA_BASE_URL}
  - model_name: deepseek-local
    litellm_params: {model: ollama_chat/deepseek-r1:14b}
  - model_name: llama-fast
    litellm_params: {model: ollama_chat/llama3.2}
  - model_name: embed-local
    litellm_params:
      model: ollama/nomic-embed-text
litellm_settings:
  callbacks: ["langfuse"]
router_settings:
  num_retries: 2
general_settings:
  master_key: ${AICC_MASTER_KEY}
  database_url: sqlite:////Users/d/.config/ai-command-center/usage.db
"""
PLAN_POLICY = 'privacy:\n  pii_regexes:\n    - (?i)\\\\b\\"?ssn\\"?\\\\b\n    - (?i)password\n'


def test_upgrade_turns_the_plans_files_into_working_ones(home: Path) -> None:
    (home / "routing").mkdir(parents=True)
    (home / "config.yaml").write_text(PLAN_CONFIG)
    (home / "routing" / "policy.yaml").write_text(PLAN_POLICY)
    (home / ".env").write_text(
        "AICC_MASTER_KEY=sk-command-center-local\nAICC_LITELLM_PORT=4001\nAICC_ROUTER_PORT=4000\n"
    )
    result = init("--upgrade")
    assert result.exit_code == 0, result.output
    values = read_env_file(home / ".env")
    assert "AICC_LITELLM_PORT" not in values
    config, policy = load_all(home / "config.yaml", {**os.environ, **values})
    text = (home / "config.yaml").read_text()
    assert "# mine" in text
    assert "sqlite" not in text
    assert "ollama_chat/qwen2.5:14b" in text
    assert "model: ollama/nomic-embed-text" in text
    assert config.tree["general_settings"]["master_key"] == "os.environ/AICC_MASTER_KEY"
    assert config.tree["litellm_settings"]["callbacks"][0] == "aicc_hooks.gateway"
    assert "langfuse" not in config.tree["litellm_settings"]["callbacks"]
    assert config.tree["router_settings"]["plugins"] == ["aicc_hooks.routing_strategy"]
    assert re.search(policy.policy.privacy.pii_regexes[0], 'my "SSN"'), "the plan's pattern can match now"
    assert copies(home, "config.yaml")[0].read_text() == PLAN_CONFIG
    again = init("--upgrade")
    assert again.exit_code == 0
    assert (home / "config.yaml").read_text() == text


def test_upgrade_replaces_untouched_files_and_leaves_own_ones(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init()
    real = ops.shipped.installable()
    newer = {
        **real,
        "policy.yaml": real["policy.yaml"] + b"# newer\n",
        "config.yaml": real["config.yaml"] + b"# newer\n",
    }
    monkeypatch.setattr(ops.shipped, "installable", lambda: newer)
    (home / "config.yaml").write_bytes(own := real["config.yaml"] + b"# mine\n")
    assert "init --upgrade" in init().output
    assert (home / "policy.yaml").read_bytes() == real["policy.yaml"]
    init("--upgrade")
    assert (home / "policy.yaml").read_bytes() == newer["policy.yaml"]
    assert (home / "config.yaml").read_bytes() == own


def test_every_file_config_yaml_points_to_is_installed(home: Path) -> None:
    init()
    named = re.findall(r"~/\.config/ai-command-center/([\w.-]+)", (home / "config.yaml").read_text())
    assert "tensorzero.toml" in named
    for name in named:
        assert (home / name).is_file(), name


def test_migrations_leave_current_files_alone() -> None:
    for name, change in (("config.yaml", config_text), ("policy.yaml", policy_text)):
        text = (Path(__file__).parents[1] / "litellm_config" / name).read_text()
        assert change(text) == (text, [])


@pytest.mark.parametrize("writes", range(0, 9))
def test_an_interrupted_init_is_finished_by_the_next(
    home: Path, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(parents=True)
    (home / ".env").write_text("AICC_MASTER_KEY=sk-keep-this-one-0123456789abcdef\n")
    real, left = ops.write_atomic, [writes]

    def dies(path: Path, data: bytes | str, mode: int = 0o600) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        real(path, data, mode)

    monkeypatch.setattr(ops, "write_atomic", dies)
    init()
    assert read_env_file(home / ".env")["AICC_MASTER_KEY"] == "sk-keep-this-one-0123456789abcdef"
    monkeypatch.setattr(ops, "write_atomic", real)
    assert init().exit_code == 0
    assert read_env_file(home / ".env")["AICC_MASTER_KEY"] == "sk-keep-this-one-0123456789abcdef"
    load_all(home / "config.yaml", {**os.environ, **read_env_file(home / ".env")})
    assert not list(home.rglob(".aicc-tmp-*"))


def test_a_killed_process_leaves_whole_files(home: Path) -> None:
    env = {**os.environ, "AICC_HOME": str(home)}
    aicc = Path(sys.executable).with_name("aicc")
    arguments = [str(aicc), "init", "--yes", "--ollama-url", "http://127.0.0.1:1", "--redis-port", "1"]
    process = subprocess.Popen(arguments, env=env, stdout=subprocess.DEVNULL)
    while not home.exists() and process.poll() is None:
        pass
    process.kill()
    process.wait()
    for path in (home / ".env", home / "config.yaml"):
        assert not path.exists() or path.stat().st_size > 500, "whole or not there"
    assert init().exit_code == 0
    assert set(PLAN_NAMES) <= set(read_env_file(home / ".env"))


@pytest.mark.skipif(
    sys.platform == "darwin", reason="the limit stands in for a full disk; Linux has it for sure"
)
def test_a_full_disk_is_named_and_nothing_is_replaced(home: Path) -> None:
    init()
    old = (home / ".env").read_bytes()
    aicc = Path(sys.executable).with_name("aicc")
    done = subprocess.run(
        # 1 block of 1 KiB: .env is longer. SIGXFSZ is ignored so that the write fails as on a full disk.
        ["bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$0" init --yes --new-key', str(aicc)],
        env={**os.environ, "AICC_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert (home / ".env").read_bytes() == old
    assert not list(home.rglob(".aicc-tmp-*"))


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("a file")
    monkeypatch.setenv("AICC_HOME", str(tmp_path / "home"))
    result = init()
    assert result.exit_code != 0
    assert "in the way" in str(result.exception)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_named(home: Path) -> None:
    home.mkdir(parents=True)
    home.parent.chmod(0o500)
    home.chmod(0o500)
    try:
        assert "permission denied" in str(init().exception)
    finally:
        home.chmod(0o700)
        home.parent.chmod(0o700)


def test_two_inits_at_once_wait_for_each_other(home: Path) -> None:
    init()
    with ops.locked(home / ".init.lock", "init"):
        result = init("--new-key")
    assert "another `aicc init`" in str(result.exception)


def test_a_moved_home_works_as_it_is(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init()
    moved = tmp_path / "moved here"
    shutil.move(home, moved)
    monkeypatch.setenv("AICC_HOME", str(moved))
    values = read_env_file(moved / ".env")
    load_all(None, {**os.environ, **values})
    result = init()
    assert result.exit_code == 0
    assert read_env_file(moved / ".env") == values
    assert not home.exists()


@pytest.mark.parametrize(
    "value", ["plain", "with space", 'with "double"', "a#b", "$(touch /tmp/x)", "", "a=b", "ü"]
)
def test_values_survive_writing_and_reading(tmp_path: Path, value: str) -> None:
    path = tmp_path / ".env"
    path.write_text(with_values("# head\nA=1\nB=2 # note\n", {"A": value, "C": value}))
    assert read_env_file(path) == {"A": value, "B": "2", "C": value}


def test_what_no_line_can_hold_is_refused() -> None:
    with pytest.raises(Exception, match="line breaks"):
        quote("a\nAICC_MASTER_KEY=x")


def test_wrong_ports_are_refused_by_name(home: Path) -> None:
    assert "1024" in init("--port", "80").output
    assert free_port() >= 1024
    assert not home.exists()
