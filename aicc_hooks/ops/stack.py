"""The compose stack: Langfuse and what it stands on, started and asked through `docker compose`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import yaml

from aicc_hooks.errors import OpsError
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.ops.env_values import GENERATED, is_placeholder

PROJECT: Final = "aicc-langfuse"
STORES: Final = ("postgres", "clickhouse", "redis", "minio")
# docker compose lets the shell win over --env-file; a REDIS_HOST or LANGFUSE_* there must not reach the stack.
_PASSED = re.compile(r"^(PATH|HOME|USER|LANG|LC_.*|TMPDIR|DOCKER_.*|COMPOSE_.*|SSH_AUTH_SOCK|XDG_.*)$")
# Tables with traces and the column that says how old a row is (server 4; the others exist since server 3).
TIMED_TABLES: Final[Mapping[str, str]] = {
    "events_full": "start_time",
    "events_core": "start_time",
    "observations": "start_time",
    "traces": "timestamp",
    "scores": "timestamp",
    "blob_storage_file_log": "created_at",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """One installation's stack: `home` holds .env and compose/."""

    home: Path
    docker: str = "docker"

    @classmethod
    def of(cls, home: Path) -> Stack:
        """The stack in `home`. Raises OpsError when Docker or the files are missing."""
        tool = shutil.which("docker")
        if tool is None:
            raise OpsError(
                "docker is not installed; on a Mac: brew install --cask docker (or OrbStack), then start it"
            )
        stack = cls(home, tool)
        if not stack.file.exists():
            raise OpsError(f"{stack.file} is missing; run: aicc init")
        return stack

    @property
    def file(self) -> Path:
        """docker-compose.yml in the user's folder."""
        return self.home / "compose" / "docker-compose.yml"

    def command(self, *arguments: str) -> list[str]:
        """`docker compose …` with project, file and environment."""
        return [
            self.docker, "compose", "--project-name", PROJECT, "--file", str(self.file),
            "--env-file", str(self.home / ".env"), *arguments,
        ]  # fmt: skip

    def check(self) -> None:
        """Secrets set, Docker running, compose there. Raises OpsError with what to do."""
        values = read_env_file(self.home / ".env")
        lacking = [name for name in GENERATED if is_placeholder(name, values.get(name, ""))]
        if lacking:
            raise OpsError(f"{self.home / '.env'} lacks {', '.join(lacking)}; run: aicc init")
        if self._quiet([self.docker, "compose", "version"], 10) != 0:
            raise OpsError(
                "`docker compose` (version 2) is missing; update Docker Desktop, or: brew install docker-compose"
            )
        if self._quiet([self.docker, "version", "--format", "{{.Server.Version}}"], 10) != 0:
            raise OpsError("Docker is not running; start it: open -a Docker")

    def run(self, *arguments: str, timeout: float = 900) -> str:
        """Run a compose command; its output. Raises OpsError with the end of what it said."""
        try:
            done = subprocess.run(
                self.command(*arguments),
                env=self.environment(),
                capture_output=True,
                text=True,
                timeout=timeout,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OpsError(f"docker compose {arguments[0]}: {type(error).__name__}") from None
        if done.returncode != 0:
            raise OpsError(f"docker compose {arguments[0]} failed: {_tail(done.stderr)}")
        return done.stdout

    def stream_out(self, arguments: Sequence[str], target: IO[bytes], timeout: float = 3600) -> None:
        """Write a command's output to `target`. Raises OpsError."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            stdout=target,
            stderr=subprocess.PIPE,
            timeout=timeout,
        )
        self._judge(f"compose {arguments[0]}", done.returncode, done.stderr)

    def stream_in(self, arguments: Sequence[str], source: IO[bytes], timeout: float = 3600) -> None:
        """Feed a command from `source`. Raises OpsError."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            stdin=source,
            capture_output=True,
            timeout=timeout,
        )
        self._judge(f"compose {arguments[0]}", done.returncode, done.stderr)

    def services(self) -> list[dict[str, Any]]:
        """Name, state and health of each container; [] when nothing runs."""
        out = self.run("ps", "--all", "--format", "json", timeout=20).strip()
        if not out:
            return []
        # Compose printed one array before 2.21 and one object a line since.
        rows = json.loads(out) if out.startswith("[") else [json.loads(line) for line in out.splitlines()]
        return [
            {
                "service": str(r.get("Service", "")),
                "state": str(r.get("State", "")),
                "health": str(r.get("Health", "")),
            }
            for r in rows
        ]

    def running(self) -> bool:
        """All four stores are up. False also when Docker cannot be asked."""
        try:
            up = {row["service"] for row in self.services() if row["state"] == "running"}
        except (OpsError, ValueError):
            return False
        return set(STORES) <= up

    def clickhouse(self, sql: str) -> list[str]:
        """Arguments of a ClickHouse query; the password stays inside the container."""
        script = 'clickhouse-client --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD" --query "$0"'
        return ["exec", "-T", "clickhouse", "sh", "-c", script, sql]

    def tables(self) -> list[str]:
        """ClickHouse tables that hold data of Langfuse."""
        out = self.query(
            "SELECT name FROM system.tables WHERE database = 'default' AND engine LIKE '%MergeTree' "
            "AND name NOT LIKE '.inner%' AND name != 'schema_migrations' ORDER BY name"
        )
        return [name for name in out.split() if re.fullmatch(r"\w+", name)]

    def volume_out(self, volume: str, target: IO[bytes]) -> None:
        """A volume as a tar, read by a container of its own: the store's image need not have tar."""
        command = self._tar(f"{PROJECT}_{volume}:/volume:ro", "-C", "/volume", "-cf", "-", ".")
        done = subprocess.run(
            command, env=self.environment(), stdout=target, stderr=subprocess.PIPE, timeout=3600
        )
        self._judge("run", done.returncode, done.stderr)

    def volume_in(self, volume: str, source: IO[bytes]) -> None:
        """Unpack a tar into a volume; its service must be stopped."""
        command = self._tar(f"{PROJECT}_{volume}:/volume", "-C", "/volume", "-xf", "-")
        done = subprocess.run(
            command, env=self.environment(), stdin=source, capture_output=True, timeout=3600
        )
        self._judge("run", done.returncode, done.stderr)

    def _tar(self, mount: str, *arguments: str) -> list[str]:
        image = str(yaml.safe_load(self.file.read_text(encoding="utf-8"))["services"]["postgres"]["image"])
        return [
            self.docker, "run", "--rm", "--interactive", "--network", "none", "--volume", mount, "--entrypoint", "tar",
            image, *arguments,
        ]  # fmt: skip

    @staticmethod
    def _judge(what: str, code: int, stderr: bytes) -> None:
        if code != 0:
            raise OpsError(f"docker {what} failed: {_tail(stderr.decode('utf-8', 'replace'))}")

    def query(self, sql: str) -> str:
        """Ask ClickHouse."""
        return self.run(*self.clickhouse(sql), timeout=600)

    def set_retention(self, days: int) -> list[str]:
        """Rows and stored events older than `days` go, now and from now on. Returns the tables. Raises OpsError."""
        known = ", ".join(f"'{name}'" for name in TIMED_TABLES)
        found = self.query(
            f"SELECT name FROM system.tables WHERE database = 'default' AND name IN ({known}) AND engine LIKE '%MergeTree'"  # noqa: S608 - own names
        ).split()
        for name in found:
            # toDateTime: a TTL takes no DateTime64 before ClickHouse 24.
            self.query(
                f"ALTER TABLE default.{name} MODIFY TTL toDateTime({TIMED_TABLES[name]}) + INTERVAL {int(days)} DAY DELETE"
            )
        script = (
            'mc alias set own http://127.0.0.1:9000 "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" >/dev/null'
            " && { mc ilm rule rm --all --force own/langfuse >/dev/null 2>&1 || true; }"
            ' && mc ilm rule add --expire-days "$0" own/langfuse >/dev/null'
        )
        self.run("exec", "-T", "minio", "sh", "-c", script, str(int(days)), timeout=120)
        return found

    def environment(self) -> dict[str, str]:
        """What docker needs from the shell, and nothing that would override .env."""
        return {name: value for name, value in os.environ.items() if _PASSED.match(name)}

    def _quiet(self, command: list[str], timeout: float) -> int:
        try:
            return subprocess.run(
                command, env=self.environment(), capture_output=True, timeout=timeout
            ).returncode
        except (OSError, subprocess.TimeoutExpired):
            return 127


def _tail(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " | ".join(lines[-3:])[:400] or "no message"
