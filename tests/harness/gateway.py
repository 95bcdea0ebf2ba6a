"""The real `litellm` command, started on a free port with its files in a directory of its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import openai
import yaml

from aicc_hooks.record import Record, SpoolReader
from tests.harness.net import free_port
from tests.harness.process import Child, memory_mb, open_files
from tests.standins.server import wait_until

ROOT = Path(__file__).resolve().parents[2]
SHIPPED_CONFIG = ROOT / "litellm_config" / "config.yaml"
FASTER_START = Path(__file__).with_name("faster_start")
START_TIMEOUT_S = 120.0  # a start takes 5-8 s alone, much longer when the machine is busy

# What a developer's shell may hold and a test must not inherit.
_NOT_INHERITED = ("LANGFUSE_", "OPENAI_", "ANTHROPIC_", "AICC_", "LITELLM_", "OLLAMA_", "REDIS_", "OTEL_")
_PROXIES = {
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "ftp_proxy",
    "no_proxy",
    "database_url",
    "config_file_path",
    "port",
}


class GatewayStartError(RuntimeError):
    """The proxy ended or did not answer in time; the message holds the end of its output."""


def plain_config(ollama_url: str) -> dict[str, Any]:
    """A LiteLLM config without any of our plugins: tells a fault of LiteLLM from one of ours."""

    def deployment(name: str, model: str) -> dict[str, Any]:
        return {"model_name": name, "litellm_params": {"model": model, "api_base": ollama_url}}

    return {
        "model_list": [
            deployment("qwen-local", "ollama_chat/qwen2.5:14b"),
            deployment("deepseek-local", "ollama_chat/deepseek-r1:14b"),
            deployment("llama-fast", "ollama_chat/llama3.2:latest"),
            deployment("embed-local", "ollama/nomic-embed-text:latest"),
        ],
        # The OpenAI client asks for base64 embeddings by default, which LiteLLM refuses for Ollama.
        "litellm_settings": {"telemetry": False, "drop_params": True},
        "router_settings": {"num_retries": 0},
        "general_settings": {"master_key": "os.environ/AICC_MASTER_KEY"},
    }


def _as_text(content: Mapping[str, Any] | str) -> str:
    return content if isinstance(content, str) else yaml.safe_dump(dict(content), sort_keys=False)


class GatewayProcess:
    """One running gateway.

    `config`: path or dict (default: the shipped config.yaml); `policy`, `experiments`: dicts or YAML text written to AICC_HOME;
    `env`: added last, a value of None removes; `files`: further files for the working directory, by relative path;
    `command`: started in place of `litellm --config …`, as ("aicc", "serve", "--demo"); `arguments` follow, `prefix` leads (`unshare -n`).
    """

    def __init__(
        self,
        config: Path | str | Mapping[str, Any] | None = None,
        *,
        policy: Mapping[str, Any] | str | None = None,
        experiments: Mapping[str, Any] | str | None = None,
        ollama_url: str | None = None,
        env: Mapping[str, str | None] | None = None,
        files: Mapping[str, str] | None = None,
        num_workers: int = 1,
        port: int | None = None,
        home: Path | None = None,
        key: str | None = None,
        command: tuple[str, ...] | None = None,
        arguments: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
        start_timeout: float = START_TIMEOUT_S,
    ) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="aicc-gateway-"))
        self.home = home or self.dir / "home"
        self.cwd = self.dir / "cwd"
        self.home.mkdir(parents=True, exist_ok=True)
        self.cwd.mkdir()
        self.port = port or free_port()
        self.key = key or "sk-test-" + secrets.token_urlsafe(24)
        self.start_timeout = start_timeout
        self._num_workers, self._command = num_workers, command
        self._prefix, self._arguments = prefix, arguments
        self._child: Child | None = None
        self._clients: list[openai.OpenAI | httpx.Client] = []
        for name, content in (("policy.yaml", policy), ("experiments.yaml", experiments)):
            if content is not None:
                self.write_home(name, content)
        for name, text in (files or {}).items():
            (self.cwd / name).parent.mkdir(parents=True, exist_ok=True)
            (self.cwd / name).write_text(text)
        self.config = self._config_path(config)
        self.env = self._environment(ollama_url, env or {})

    def _config_path(self, config: Path | str | Mapping[str, Any] | None) -> Path:
        if isinstance(config, Mapping):
            path = self.dir / "config.yaml"
            path.write_text(yaml.safe_dump(dict(config), sort_keys=False))
            return path
        return Path(config) if config is not None else SHIPPED_CONFIG

    def _environment(self, ollama_url: str | None, extra: Mapping[str, str | None]) -> dict[str, str]:
        env = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(_NOT_INHERITED) and k.lower() not in _PROXIES
        }
        env |= {
            "AICC_HOME": str(self.home),
            "AICC_MASTER_KEY": self.key,
            "HOME": str(self.dir),
            "TMPDIR": str(self._made("tmp")),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "NO_PROXY": "*",
            "PYTHONFAULTHANDLER": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join((str(FASTER_START), str(ROOT))),
        }
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # else every start compiles the package anew
        if ollama_url is not None:
            env["OLLAMA_BASE_URL"] = ollama_url
        for name, value in extra.items():
            env.pop(name, None)
            if value is not None:
                env[name] = value
        return env

    def _made(self, name: str) -> Path:
        path = self.dir / name
        path.mkdir(exist_ok=True)
        return path

    # -- life ---------------------------------------------------------------------------------------
    @property
    def command(self) -> list[str]:
        given = self._command or ("litellm", "--config", str(self.config), "--host", "127.0.0.1")
        program = Path(sys.executable).with_name(given[0])
        command = [*self._prefix, str(program), *given[1:], "--port", str(self.port)]
        if self._num_workers > 1:
            # As `aicc serve` does: on a busy machine a worker takes longer than uvicorn's 5 s to load LiteLLM.
            command += ["--num_workers", str(self._num_workers)]
            if "--timeout_worker_healthcheck" not in given and "aicc" not in given[0]:
                command += ["--timeout_worker_healthcheck", "60"]
        return [*command, *self._arguments]

    def launch(self) -> GatewayProcess:
        """Start the command and return at once."""
        self._child = Child(self.command, self.cwd, self.env)
        return self

    def start(self) -> GatewayProcess:
        """Start and wait until it serves; raises `GatewayStartError` with the end of its output."""
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.stop(2)
            raise
        return self

    def wait_ready(self, timeout: float | None = None) -> None:
        limit = timeout or self.start_timeout
        deadline = time.monotonic() + limit
        with httpx.Client(trust_env=False, timeout=5) as client:
            while True:
                if self.returncode is not None:
                    raise GatewayStartError(f"litellm ended with {self.returncode}\n{self.tail()}")
                with contextlib.suppress(httpx.HTTPError):
                    if client.get(self.url + "/health/liveliness").status_code == 200:
                        return
                if time.monotonic() > deadline:
                    raise GatewayStartError(f"litellm did not answer within {limit:.0f} s\n{self.tail()}")
                time.sleep(0.1)

    def stop(self, timeout: float = 15.0) -> int | None:
        """SIGTERM, bounded wait, SIGKILL if needed; returns the exit code. Files stay until `close`."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        return self._child.stop(timeout) if self._child is not None else None

    def kill(self) -> None:
        """SIGKILL the process and its workers."""
        assert self._child is not None
        self._child.kill()

    def terminate(self) -> None:
        """SIGTERM without waiting."""
        assert self._child is not None
        self._child.signal(signal.SIGTERM)

    def restart(self) -> None:
        """Stop and start again on the same port and home."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and remove its files."""
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self) -> GatewayProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what it is ---------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        assert self._child is not None, "not started"
        return self._child.returncode

    @property
    def memory_mb(self) -> float:
        return memory_mb(self.pid)

    @property
    def open_files(self) -> int:
        return open_files(self.pid)

    # -- clients ------------------------------------------------------------------------------------
    def client(self, **options: Any) -> openai.OpenAI:
        """The real OpenAI client, without its own retries; closed by `stop`."""
        given = {
            "base_url": self.url + "/v1",
            "api_key": self.key,
            "timeout": 30.0,
            "max_retries": 0,
            **options,
        }
        client = openai.OpenAI(http_client=httpx.Client(trust_env=False, timeout=given["timeout"]), **given)
        self._clients.append(client)
        return client

    def async_client(self, **options: Any) -> openai.AsyncOpenAI:
        """The async OpenAI client; the caller closes it (`async with`)."""
        given = {
            "base_url": self.url + "/v1",
            "api_key": self.key,
            "timeout": 30.0,
            "max_retries": 0,
            **options,
        }
        client = httpx.AsyncClient(
            trust_env=False, timeout=given["timeout"], limits=httpx.Limits(max_connections=None)
        )
        return openai.AsyncOpenAI(http_client=client, **given)

    def httpx(self, **options: Any) -> httpx.Client:
        """A plain client with the key and base URL set; `headers={}` leaves the key out; closed by `stop`."""
        options.setdefault("headers", {"authorization": f"Bearer {self.key}"})
        client = httpx.Client(**{"base_url": self.url, "timeout": 30.0, "trust_env": False, **options})
        self._clients.append(client)
        return client

    # -- files --------------------------------------------------------------------------------------
    def write_home(self, name: str, content: Mapping[str, Any] | str) -> Path:
        """Replace a file of AICC_HOME in one step, as an editor does."""
        text, path = _as_text(content), self.home / name
        temporary = path.with_name(name + ".new")
        temporary.write_text(text)
        temporary.replace(path)
        return path

    def change_policy(self, content: Mapping[str, Any] | str, timeout: float = 30.0) -> None:
        """Replace the policy while it runs and wait until it is in force; nothing is done for an equal one."""
        file, text = self.home / "policy.yaml", _as_text(content)
        if file.exists() and file.read_text() == text:
            return
        version = hashlib.sha256(self.write_home(file.name, text).read_bytes()).hexdigest()[:12]
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10) as client:

            def in_force() -> bool:
                return bool(client.get("/aicc/health").json().get("policy_version") == version)

            wait_until(in_force, timeout, f"policy {version} in force")

    def probe_time(self) -> str:
        """When its last look at Ollama ended; "" before the first."""
        health = httpx.get(self.url + "/aicc/health", trust_env=False, timeout=10).json()
        return str(health["dependencies"].get("ollama", {}).get("checked_at") or "")

    def wait_probed(self) -> None:
        """Until it knows what Ollama has in memory now: the second look to end began after the first had ended."""
        for _ in range(2):
            before = self.probe_time()
            wait_until(lambda seen=before: self.probe_time() != seen, 30, "a look at Ollama")  # type: ignore[misc]

    def record_of(self, answer: httpx.Response, timeout: float = 30.0) -> dict[str, Any]:
        """The record of the request that got `answer`, once it is written."""
        ident = answer.headers["x-aicc-request-id"]
        with SpoolReader(self.home / "usage.db") as reader:
            found: Record = wait_until(lambda: reader.get(ident), timeout, f"the record {ident}")
            return found.to_dict()

    def output(self) -> bytes:
        """Standard output and standard error so far."""
        return self._child.output() if self._child is not None else b""

    def tail(self, characters: int = 4000) -> str:
        return self.output().decode("utf-8", "replace")[-characters:]

    def written(self) -> dict[str, bytes]:
        """Every file it wrote (home, working directory, TMPDIR, logs), by relative path; what we wrote left out."""
        ours = {"config.yaml", "home/policy.yaml", "home/experiments.yaml"}
        out = {}
        roots = [self.dir] if self.home.is_relative_to(self.dir) else [self.dir, self.home]
        for root in roots:
            for path in sorted(root.rglob("*")):
                name = str(path.relative_to(root))
                if path.is_file() and name not in ours:
                    with contextlib.suppress(FileNotFoundError):  # WAL files come and go
                        out[name] = path.read_bytes()
        return out
