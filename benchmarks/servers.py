"""What a benchmark runs against: stand-in, Redis and the gateways under test, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness import GatewayProcess, RedisProcess
from tests.harness.gateway import ROOT, SHIPPED_CONFIG
from tests.harness.net import free_port
from tests.harness.process import Child

STOCK = Path(__file__).with_name("stock.yaml")
BIG_CONTEXT = 1_000_000
TOKEN_DELAY_S = 0.01  # between the chunks of a streamed answer
KINDS = ("stock", "openai", "ours")
# A 1 MB prompt would be refused for its length, and the point is what it does to the others.
POLICY = {"resilience": {"context": {"buckets": [8192, 32768, BIG_CONTEXT]}}, "cache": {"semantic": "off"}}


@dataclass(slots=True)
class Backend:
    """The stand-in model server and Redis all gateways share."""

    url: str
    redis: RedisProcess

    def env(self) -> dict[str, str | None]:
        return {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.redis.port),
            "OPENAI_API_KEY": "sk-none",
            "LITELLM_MODE": "PRODUCTION",
        }


@contextlib.contextmanager
def backend() -> Iterator[Backend]:
    """Start stand-in and Redis; both end with the block."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="aicc-bench-") as folder, RedisProcess() as redis:
        command = [sys.executable, "-m", "tests.ollama_stub", "--port", str(port), "--keep", "10"]
        stub = Child(command, Path(folder), {**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            made = Backend(f"http://127.0.0.1:{port}", redis)
            _add_model(made.url, name="big:latest", context=BIG_CONTEXT)
            _add_model(made.url, name="qwen2.5:14b", token_delay=TOKEN_DELAY_S)
            yield made
        finally:
            stub.stop(5)


def _add_model(url: str, **fields: Any) -> None:
    request = urllib.request.Request(url + "/_stub/model", json.dumps(fields).encode(), method="POST")
    request.add_header("content-type", "application/json")
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def config_of(kind: str, url: str) -> dict[str, Any]:
    """`stock`; `openai`: stock over that provider, which has no price-list scan; `ours`: the shipped config."""
    if kind == "ours":
        config: dict[str, Any] = yaml.safe_load(SHIPPED_CONFIG.read_text())
        params = {"model": "ollama_chat/big:latest", "api_base": "os.environ/OLLAMA_BASE_URL"}
        info = {"mode": "chat", "max_input_tokens": BIG_CONTEXT}
        config["model_list"].append({"model_name": "big-local", "litellm_params": params, "model_info": info})
        return config
    config = yaml.safe_load(STOCK.read_text())
    if kind == "openai":
        for entry in config["model_list"]:
            params = entry["litellm_params"]
            params["model"] = "openai/" + params["model"].partition("/")[2]
            params["api_base"] = url + "/v1"
            params["api_key"] = "none"
    return config


def gateway(
    kind: str, back: Backend, *, workers: int = 1, speed: dict[str, bool] | None = None
) -> GatewayProcess:
    """A gateway that is not started yet."""
    policy = {**POLICY, "speed": speed} if speed is not None else POLICY
    return GatewayProcess(
        config_of(kind, back.url),
        policy=policy if kind == "ours" else None,
        ollama_url=back.url,
        env=back.env(),
        num_workers=workers,
        start_timeout=240,
    )


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its threads and its children, those that ended included (Linux)."""
    total = 0.0
    for one in [pid, *_descendants(pid)]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found
