"""The compose stack: closed to the network, no default secrets, small enough; and how aicc drives it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.ops.env_values import GENERATED, PLAIN
from tests.standins.langfuse import LangfuseStandIn

COMPOSE = Path(__file__).parents[1] / "compose"
TEXT = (COMPOSE / "docker-compose.yml").read_text()
TREE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = TREE["services"]
CORE = {"langfuse-web", "langfuse-worker", "postgres", "clickhouse", "redis", "minio"}
MONITORING = {"prometheus", "grafana"}
SECRET = re.compile(r"PASSWORD|SECRET|SALT|ENCRYPTION_KEY|_KEY$|AUTH$")


def test_the_services_are_those_of_langfuse_4_and_monitoring_is_opt_in() -> None:
    assert set(SERVICES) == CORE | MONITORING
    assert {name for name, s in SERVICES.items() if s.get("profiles") == ["monitoring"]} == MONITORING
    for name in ("langfuse-web", "langfuse-worker"):
        assert re.search(r":4\.\d+\.\d+$", SERVICES[name]["image"])
        assert SERVICES[name]["environment"]["LANGFUSE_MIGRATION_V4_WRITE_MODE"] == "events_only"
    assert (
        SERVICES["langfuse-web"]["image"].split(":")[-1]
        == SERVICES["langfuse-worker"]["image"].split(":")[-1]
    )
    version = tuple(map(int, SERVICES["clickhouse"]["image"].rsplit(":", 1)[1].split(".")[:2]))
    assert version >= (25, 12), "server 4 needs ClickHouse 25.12"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.search(r"(:v?\d+\.\d+[\d.]*|@sha256:[0-9a-f]{64})$", image), image


def test_ports_are_on_this_machine_only_and_clash_with_nothing() -> None:
    published = [port for s in SERVICES.values() for port in s.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)
    host = {int(re.search(r":-(\d+)\}", port)[1]) for port in published}  # type: ignore[index]
    assert host == {3001, 9095, 3002}
    assert not host & {4000, 4001, 5432, 6379, 8000, 8123, 9000, 9090, 11434}
    assert {name for name in CORE if SERVICES[name].get("ports")} == {"langfuse-web"}
    assert not any(s.get("network_mode") or s.get("privileged") for s in SERVICES.values())


def test_every_secret_is_required_from_env_and_made_by_init() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)(?::\?[^}]*)?\}", TEXT))
    required = set(re.findall(r"\$\{([A-Z_]+):\?[^}]+\}", TEXT))
    assert used == required, "a plain ${VAR} would be empty in silence"
    assert required <= set(GENERATED) | set(PLAIN)
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", TEXT))
    assert all(name.endswith("_PORT") for name in defaults)
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if SECRET.search(key) and not key.endswith("ACCESS_KEY_ID"):
                assert re.search(r"\$\{[A-Z_]+:\?", str(value)) or str(value) in ("true", "false"), (
                    name,
                    key,
                )


def test_headless_start_makes_organisation_project_keys_and_user() -> None:
    env = SERVICES["langfuse-web"]["environment"]
    for name in (
        "ORG_ID",
        "PROJECT_ID",
        "PROJECT_PUBLIC_KEY",
        "PROJECT_SECRET_KEY",
        "USER_EMAIL",
        "USER_PASSWORD",
    ):
        assert env[f"LANGFUSE_INIT_{name}"]
    assert env["LANGFUSE_INIT_PROJECT_PUBLIC_KEY"].startswith("${LANGFUSE_PUBLIC_KEY:")
    assert env["NEXTAUTH_URL"] == "http://localhost:${LANGFUSE_PORT:-3001}"
    assert env["TELEMETRY_ENABLED"] == "false"
    assert env["AUTH_DISABLE_SIGNUP"] == "true"
    shared = SERVICES["langfuse-worker"]["environment"]
    assert {k: v for k, v in shared.items() if k != "NODE_OPTIONS"}.items() <= env.items(), (
        "web and worker must agree"
    )


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_watched_limited_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


def test_it_lives_beside_14b_models_on_48_gb() -> None:
    size = {name: int(s["mem_limit"].removesuffix("m")) for name, s in SERVICES.items()}
    assert sum(size[name] for name in CORE) <= 6.5 * 1024
    assert sum(size.values()) <= 7.2 * 1024
    for name in ("langfuse-web", "langfuse-worker"):
        heap = int(SERVICES[name]["environment"]["NODE_OPTIONS"].rsplit("=", 1)[1])
        assert heap < size[name], "V8 must collect before the container is killed"


def test_data_is_in_named_volumes_and_mounted_files_exist() -> None:
    for name in CORE - {"langfuse-web", "langfuse-worker"}:
        first = SERVICES[name]["volumes"][0].split(":")[0]
        assert first in TREE["volumes"], name
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                if name in MONITORING and not (COMPOSE / source).exists():
                    pytest.skip(f"{source} is not there yet")
                assert (COMPOSE / source).exists(), volume
                assert volume.endswith(":ro")


def test_clickhouse_writes_no_system_logs() -> None:
    tree = ET.parse(COMPOSE / "clickhouse" / "server.xml").getroot()
    removed = {node.tag for node in tree if node.get("remove") == "1"}
    assert {
        "trace_log", "text_log", "metric_log", "asynchronous_metric_log", "query_log", "opentelemetry_span_log",
        "latency_log", "processors_profile_log", "part_log", "query_metric_log",
    } <= removed  # fmt: skip
    users = ET.parse(COMPOSE / "clickhouse" / "users.xml").getroot()
    assert users.findtext("profiles/default/log_queries") == "0"


def test_redis_of_the_queues_never_evicts() -> None:
    assert "--maxmemory-policy noeviction" in " ".join(SERVICES["redis"]["command"])
    assert "$$REDIS_AUTH" in " ".join(SERVICES["redis"]["command"])


def compose_works() -> bool:
    return shutil.which("docker") is not None and subprocess.run(
        ["docker", "compose", "version"], capture_output=True
    ).returncode == 0  # fmt: skip


@pytest.mark.skipif(not compose_works(), reason="docker compose is not installed here")
def test_docker_compose_accepts_it_and_refuses_missing_secrets(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("".join(f"{name}=x{number}\n" for number, name in enumerate((*GENERATED, *PLAIN))))
    command = ["docker", "compose", "-f", str(COMPOSE / "docker-compose.yml"), "--env-file", str(env)]
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run([*command, "--profile", "monitoring", "config", "--quiet"], check=True, env=bare)
    env.write_text("A=1\n")
    assert subprocess.run([*command, "config", "--quiet"], env=bare, capture_output=True).returncode != 0


# -- aicc langfuse, against a `docker` that writes down what it was asked -------------------------------------

DOCKER = """\
#!{python}
import json, os, sys
with open({log!r}, "a") as file:
    file.write(json.dumps({{"argv": sys.argv[1:], "env": dict(os.environ)}}) + "\\n")
words = " ".join(sys.argv[1:])
if " ps " in words:
    print("\\n".join(json.dumps({{"Service": s, "State": "running", "Health": "healthy"}}) for s in ("postgres", "clickhouse", "redis", "minio")))
elif "system.tables" in words:
    print("events_full\\nevents_core\\nscores")
elif {broken!r} and {broken!r} in words:
    sys.exit("no space left on device")
"""


class Docker:
    """A `docker` on PATH; `calls` is what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls.jsonl"
        folder.mkdir()
        self.write("")

    def write(self, broken: str) -> None:
        tool = self.folder / "docker"
        tool.write_text(DOCKER.format(python=sys.executable, log=str(self.log), broken=broken))
        tool.chmod(0o755)

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def asked(self, word: str) -> list[list[str]]:
        return [c["argv"] for c in self.calls if word in c["argv"]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "my gateway ä"
    monkeypatch.setenv("AICC_HOME", str(path))
    arguments = ["init", "--yes", "--ollama-url", "http://127.0.0.1:1", "--redis-port", "1"]
    assert CliRunner().invoke(group, arguments).exit_code == 0
    return path


@pytest.fixture
def docker(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    fake = Docker(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{fake.folder}:{os.environ['PATH']}")
    return fake


def run(*arguments: str, answers: str | None = None) -> Any:
    return CliRunner().invoke(group, ["langfuse", *arguments], input=answers)


def test_init_installs_the_stack_readable_for_containers_in_a_closed_home(home: Path) -> None:
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "compose").stat().st_mode & 0o777 == 0o755
    for path in COMPOSE.rglob("*"):
        copy = home / "compose" / path.relative_to(COMPOSE)
        if path.is_file():
            assert copy.read_bytes() == path.read_bytes()
            assert copy.stat().st_mode & 0o044 == 0o044


def test_up_starts_waits_and_sets_the_retention(
    home: Path, docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_HOST", "from-the-shell")
    monkeypatch.setenv("LANGFUSE_SALT", "from-the-shell")
    result = run("up", "--days", "14")
    assert result.exit_code == 0, result.exception
    (start,) = docker.asked("up")
    assert start[start.index("--env-file") + 1] == str(home / ".env")
    assert start[start.index("--file") + 1] == str(home / "compose" / "docker-compose.yml")
    assert "--wait" in start
    assert "monitoring" not in start
    ttl = [" ".join(argv) for argv in docker.asked("exec") if "MODIFY TTL" in " ".join(argv)]
    assert [re.search(r"default\.(\w+) MODIFY TTL toDateTime\((\w+)\) \+ INTERVAL 14 DAY", t).groups() for t in ttl] == [  # type: ignore[union-attr]
        ("events_full", "start_time"), ("events_core", "start_time"), ("scores", "timestamp"),
    ]  # fmt: skip
    assert any("mc ilm rule add" in " ".join(argv) and argv[-1] == "14" for argv in docker.asked("exec"))
    leaked = [c for c in docker.calls if "REDIS_HOST" in c["env"] or "LANGFUSE_SALT" in c["env"]]
    assert leaked == [], "the shell would win over .env"
    secrets = [read_env_file(home / ".env")[n] for n in GENERATED]
    said = result.output + "".join(" ".join(c["argv"]) for c in docker.calls)
    assert not [s for s in secrets if s in said]
    assert "http://localhost:3001" in result.output


def test_monitoring_is_a_flag(home: Path, docker: Docker) -> None:
    run("up", "--monitoring")
    assert "--profile monitoring" in " ".join(docker.asked("up")[0])


def test_down_keeps_the_data_unless_confirmed(home: Path, docker: Docker) -> None:
    assert run("down").exit_code == 0
    assert "--volumes" not in docker.asked("down")[0]
    assert run("down", "--delete-data", answers="n\n").exit_code != 0
    assert len(docker.asked("down")) == 1
    assert run("down", "--delete-data", "--yes").exit_code == 0
    assert "--volumes" in docker.asked("down")[1]


def test_status_asks_the_keys_of_a_real_server(home: Path, docker: Docker, langfuse: LangfuseStandIn) -> None:
    from aicc_hooks.ops.env_file import with_values

    env = home / ".env"
    values = {
        "LANGFUSE_HOST": langfuse.url,
        "LANGFUSE_PUBLIC_KEY": langfuse.public_key,
        "LANGFUSE_SECRET_KEY": langfuse.secret_key,
    }
    env.write_text(with_values(env.read_text(), values))
    result = run("status", "--json")
    body = json.loads(result.output)
    assert (result.exit_code, body["keys_accepted"], body["docker"]) == (0, True, "ok")
    assert {row["service"] for row in body["containers"]} == {"postgres", "clickhouse", "redis", "minio"}
    env.write_text(with_values(env.read_text(), {"LANGFUSE_SECRET_KEY": "sk-lf-wrong"}))
    refused = run("status")
    assert refused.exit_code == 1
    assert "refused" in refused.output


def test_a_failing_start_says_what_docker_said(home: Path, docker: Docker) -> None:
    docker.write(broken=" up ")
    assert "no space left on device" in str(run("up").exception)


def test_docker_not_running_and_not_installed_are_told_apart(
    home: Path, docker: Docker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker.write(broken="version --format")
    assert "not running" in str(run("up").exception)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert "not installed" in str(run("up").exception)


def test_missing_secrets_are_named_before_docker_is_asked(home: Path, docker: Docker) -> None:
    env = home / ".env"
    env.write_text(re.sub(r"LANGFUSE_SALT=.*\n", "", env.read_text()))
    assert "LANGFUSE_SALT" in str(run("up").exception)
    assert docker.calls == []
