"""What is on this machine: Ollama and its models, Redis, Docker, ports, memory. Every look is short and never raises."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from aicc_hooks.resilience.memory import total_ram
from aicc_hooks.resilience.ollama import OllamaClient
from aicc_hooks.resilience.ollama_models import ModelInfo


@dataclass(frozen=True, slots=True)
class Machine:
    """One look around. `models` maps full model names to bytes; None: Ollama does not answer."""

    ollama_url: str
    models: dict[str, int] | None
    redis: str  # "up", or why not
    docker: str  # "up", "not running" or "not installed"
    ram: int = field(default_factory=total_ram)


def look(ollama_url: str, redis_host: str, redis_port: int) -> Machine:
    """Look at everything at once; takes at most about three seconds."""
    with ThreadPoolExecutor(3) as pool:
        models = pool.submit(ollama_models, ollama_url)
        redis = pool.submit(redis_state, redis_host, redis_port)
        docker = pool.submit(docker_state)
        return Machine(ollama_url, models.result(), redis.result(), docker.result())


def ollama_models(url: str, timeout_s: float = 1.5) -> dict[str, int] | None:
    """Model names and sizes of the Ollama at `url`; None when it does not answer like one."""
    base = url.rstrip("/").removesuffix("/v1").removesuffix("/api")
    try:
        # trust_env off: a proxy for the internet must not see a call to this machine.
        answer = httpx.get(base + "/api/tags", timeout=timeout_s, trust_env=False).json()
        return {str(row["name"]): int(row.get("size") or 0) for row in answer["models"]}
    except Exception:
        return None


def models_shown(url: str, names: Iterable[str], timeout_s: float = 1.5) -> list[ModelInfo]:
    """What the Ollama at `url` tells of these models; those it does not tell of are left out."""

    async def ask() -> list[ModelInfo]:
        client = OllamaClient(url, timeout_s=timeout_s)
        try:
            shown = await asyncio.gather(*(client.show(name) for name in names), return_exceptions=True)
        finally:
            await client.aclose()
        return [info for info in shown if isinstance(info, ModelInfo)]

    return asyncio.run(ask())


def redis_state(host: str, port: int, timeout_s: float = 0.7) -> str:
    """Whether something that speaks Redis answers. A demand for a password counts as up."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as link:
            link.settimeout(timeout_s)
            link.sendall(b"PING\r\n")
            answer = link.recv(64)
    except OSError as error:
        return f"no answer at {host}:{port} ({error.strerror or type(error).__name__})"
    if answer.startswith((b"+PONG", b"-NOAUTH")):
        return "up"
    return f"what listens at {host}:{port} is not Redis"


def docker_state(timeout_s: float = 2.5) -> str:
    """ "up", "not running", or "not installed"."""
    tool = shutil.which("docker")
    if tool is None:
        return "not installed"
    try:
        # `docker version` asks the server; the client alone would answer without one.
        done = subprocess.run(
            [tool, "version", "--format", "{{.Server.Version}}"], capture_output=True, timeout=timeout_s
        )
    except (OSError, subprocess.TimeoutExpired):
        return "not running"
    return "up" if done.returncode == 0 else "not running"


def port_free(port: int, host: str = "127.0.0.1") -> bool:
    """True when a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def next_free_port(first: int) -> int:
    """The first free port from `first` on, by tens (4000, 4010, …), then any."""
    for port in range(first, min(first + 200, 65_535), 10):
        if port_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
