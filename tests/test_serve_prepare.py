"""What `aicc serve` checks before LiteLLM starts, and what it hands over."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from litellm.proxy.proxy_cli import run_server

from aicc_hooks.errors import ConfigError, GatewayConfigError
from aicc_hooks.home import shipped
from aicc_hooks.ops.serve import ServePlan, prepare
from tests.harness import net

STRONG = "sk-Zq8vT2nLw0Yp5RkXe7Jd3Hs"
LAN = "lan: true"


@pytest.fixture
def free_port() -> int:
    return net.free_port()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


def plan(home: Path, port: int | None, **options: object) -> ServePlan:
    env = {"AICC_HOME": str(home), "PATH": "/usr/bin:/bin", **options.pop("env", {})}  # type: ignore[dict-item]
    given = {"config": None, "host": None, "demo": False, "extra": (), **options}
    made = prepare(port=port, env=env, **given)  # type: ignore[arg-type]
    if made.port is not None:
        made.port.close()
    return made


def arguments(made: ServePlan) -> dict[str, str]:
    words = made.argv[made.argv.index("--config") :]
    return dict(zip(words[::2], words[1::2], strict=False))


def test_without_a_key_it_says_how_to_get_one(home: Path, free_port: int) -> None:
    for env in ({}, {"AICC_MASTER_KEY": "  "}):
        with pytest.raises(GatewayConfigError, match=r"AICC_MASTER_KEY is not set; run `aicc init`"):
            plan(home, free_port, env=env)


@pytest.mark.parametrize("key", ["sk-1234", "sk-12345", "SK-1234 ", "admin", "secret"])
def test_a_key_that_stands_in_documents_is_none(home: Path, free_port: int, key: str) -> None:
    with pytest.raises(GatewayConfigError, match=r"stands in documents.*aicc init --new-key"):
        plan(home, free_port, env={"AICC_MASTER_KEY": key})


def test_the_command_and_its_environment(home: Path, free_port: int) -> None:
    made = plan(home, free_port, env={"AICC_MASTER_KEY": STRONG}, extra=("--num_workers", "2"))
    assert made.argv[1:3] == ("-m", "aicc_hooks.ops.launch")
    assert made.argv[3].endswith("litellm")
    assert made.port is not None
    assert arguments(made) == {
        "--config": str(shipped("config.yaml")), "--host": "127.0.0.1", "--port": str(free_port), "--num_workers": "2",
    }  # fmt: skip
    assert made.env["AICC_MASTER_KEY"] == STRONG
    assert made.env["AICC_ROUTER_PORT"] == str(free_port)
    assert made.env["OLLAMA_BASE_URL"] == "http://localhost:11434"
    assert made.env["LITELLM_LOCAL_MODEL_COST_MAP"] == "True", "no fetch from the internet at the start"
    assert STRONG not in " ".join((*made.notes, *made.argv)), "a real key is not printed"


@pytest.mark.parametrize(
    ("words", "env", "expected"),
    [
        ((), {"NUM_WORKERS": "2"}, 60),
        (("--num_workers=2",), {"TIMEOUT_WORKER_HEALTHCHECK": ""}, 60),
        ((), {"TIMEOUT_WORKER_HEALTHCHECK": "20"}, 20),
        (("--num_workers", "2", "--timeout_worker_healthcheck=10"), {}, 10),
    ],
)
def test_a_loading_worker_has_a_minute_to_answer_unless_told_otherwise(
    home: Path, free_port: int, words: tuple[str, ...], env: dict[str, str], expected: int
) -> None:
    made = plan(home, free_port, env={"AICC_MASTER_KEY": STRONG, **env}, extra=words)
    option = next(p for p in run_server.params if p.name == "timeout_worker_healthcheck")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", made.env)
        given = run_server.make_context("litellm", list(made.argv[4:]), resilient_parsing=False).params
    assert given[option.name] == expected


def test_another_server_than_uvicorn_opens_the_port_itself(home: Path, free_port: int) -> None:
    made = plan(home, free_port, env={"AICC_MASTER_KEY": STRONG}, extra=("--run_gunicorn",))
    assert made.port is None
    assert arguments(made)["--port"] == str(free_port)


def test_the_env_file_fills_in_and_the_shell_wins(home: Path, free_port: int) -> None:
    (home / ".env").write_text("AICC_MASTER_KEY=sk-from-file\nOLLAMA_BASE_URL=http://127.0.0.1:9\n")
    (home / ".env").chmod(0o600)
    made = plan(home, free_port)
    assert made.env["AICC_MASTER_KEY"] == "sk-from-file"
    assert made.env["OLLAMA_BASE_URL"] == "http://127.0.0.1:9"
    assert not any("chmod" in note for note in made.notes)
    made = plan(home, free_port, env={"AICC_MASTER_KEY": "sk-from-shell"})
    assert made.env["AICC_MASTER_KEY"] == "sk-from-shell"
    (home / ".env").chmod(0o644)
    assert any("chmod 600" in note for note in plan(home, free_port).notes)


def test_a_broken_env_file_stops_the_start(home: Path, free_port: int) -> None:
    (home / ".env").write_text("AICC_MASTER_KEY='sk-half")
    with pytest.raises(GatewayConfigError, match="line 1"):
        plan(home, free_port)


def test_demo_needs_nothing_and_prints_a_fresh_key(home: Path, free_port: int) -> None:
    (home / ".env").write_text("AICC_MASTER_KEY='broken")  # the demo leaves the user's files alone
    (home / "policy.yaml").write_text("privcy: {}")
    one, two = plan(home, free_port, demo=True), plan(home, free_port, demo=True)
    assert arguments(one)["--config"] == str(shipped("demo.yaml"))
    key = one.env["AICC_MASTER_KEY"]
    assert len(key) > 24
    assert key != two.env["AICC_MASTER_KEY"]
    text = "\n".join(one.notes)
    assert f"key: {key}" in text
    assert "demo" in text
    assert f"curl -s http://127.0.0.1:{free_port}/v1/chat/completions" in text
    given = plan(home, free_port, demo=True, env={"AICC_MASTER_KEY": "sk-mine"})
    assert given.env["AICC_MASTER_KEY"] == "sk-mine"


def test_never_demo_by_itself(home: Path, free_port: int) -> None:
    made = plan(home, free_port, env={"AICC_MASTER_KEY": STRONG})
    assert "demo" not in " ".join((*made.argv, *made.notes))


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_a_taken_port_is_named(home: Path, taken_port: int) -> None:
    with pytest.raises(GatewayConfigError, match=rf"port {taken_port} is taken.*--port"):
        plan(home, taken_port, env={"AICC_MASTER_KEY": STRONG})


def test_an_address_of_another_machine_is_not_a_taken_port(home: Path, free_port: int) -> None:
    (home / "policy.yaml").write_text(LAN)
    for host in ("192.0.2.1", "no.such.host.invalid"):
        with pytest.raises(GatewayConfigError, match="no such address"):
            plan(home, free_port, host=host, env={"AICC_MASTER_KEY": STRONG})


def test_port_from_the_environment(home: Path, free_port: int) -> None:
    key = {"AICC_MASTER_KEY": STRONG}
    assert arguments(plan(home, None, env={**key, "AICC_ROUTER_PORT": str(free_port)}))["--port"] == str(
        free_port
    )
    made = plan(home, None, env={**key, "AICC_LITELLM_PORT": str(free_port)})
    assert arguments(made)["--port"] == str(free_port)
    assert any("AICC_LITELLM_PORT is an old name" in note for note in made.notes)
    for wrong in ("0", "70000", "abc", "-1", "²"):
        with pytest.raises(GatewayConfigError, match="AICC_ROUTER_PORT"):
            plan(home, None, env={**key, "AICC_ROUTER_PORT": wrong})


def test_other_machines_only_with_lan_and_a_strong_key(home: Path, free_port: int) -> None:
    key = {"AICC_MASTER_KEY": STRONG}
    for host in ("0.0.0.0", "::", "192.168.1.5"):
        with pytest.raises(GatewayConfigError, match="lan: true"):
            plan(home, free_port, host=host, env=key)
    (home / "policy.yaml").write_text(LAN)
    for weak in ("sk-short", "sk-" + "a" * 40):
        with pytest.raises(GatewayConfigError, match="24 random characters"):
            plan(home, free_port, env={"AICC_MASTER_KEY": weak})
    made = plan(home, free_port, env=key)
    assert arguments(made)["--host"] == "0.0.0.0"
    assert any("lan is on" in note for note in made.notes)
    assert arguments(plan(home, free_port, host="127.0.0.1", env={"AICC_MASTER_KEY": "sk-short"}))["--host"] == "127.0.0.1"  # fmt: skip


@pytest.mark.parametrize("extra", [("--host", "0.0.0.0"), ("--host=0.0.0.0",), ("--port", "1"), ("--config=x",), ("-c", "x")])  # fmt: skip
def test_checked_options_do_not_slip_by_unchecked(home: Path, free_port: int, extra: tuple[str, ...]) -> None:
    with pytest.raises(GatewayConfigError, match="before any `--`"):
        plan(home, free_port, env={"AICC_MASTER_KEY": STRONG}, extra=extra)


def test_a_wrong_policy_or_config_stops_the_start(home: Path, free_port: int, tmp_path: Path) -> None:
    key = {"AICC_MASTER_KEY": STRONG}
    (home / "policy.yaml").write_text("routing: {simple_route: gone}")
    with pytest.raises(ConfigError, match=r"routing\.simple_route"):
        plan(home, free_port, env=key)
    with pytest.raises(ConfigError, match="cannot be read"):
        plan(home, free_port, env=key, config=tmp_path / "gone.yaml")
