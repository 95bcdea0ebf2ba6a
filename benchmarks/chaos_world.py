"""What chaos runs against: stand-ins, Redis, one or two gateways, and the means to hurt each."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

import yaml

from aicc_hooks.record import SpoolReader
from tests.harness import GatewayProcess, RedisProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.langfuse import LangfuseStandIn

_FAKETIME = (
    "/usr/lib/*/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/libfaketime.so.1",
)


@dataclass(slots=True)
class World:
    """Everything a case may break. The load goes to all gateways in turn; cases break the first."""

    ollama: OllamaStub
    spare: OllamaStub
    redis: RedisProcess
    langfuse: LangfuseStandIn
    gateways: list[GatewayProcess]
    clock: Path | None = None  # holds the first gateway's clock offset
    seen: dict[str, int] = field(default_factory=dict)  # records there were before, by gateway

    @property
    def gateway(self) -> GatewayProcess:
        return self.gateways[0]

    def kill_child(self, number: int) -> None:
        """Send a signal to LiteLLM's process below the supervisor."""
        os.kill(child_of(self.gateway.pid), number)

    def kill_worker(self, number: int) -> None:
        """The worker that delivers to Langfuse if there is one: what it owes must go on to another."""
        found = workers_of(self.gateway.pid)
        with contextlib.suppress(Exception):
            rows = self.reader(self.gateway).query("SELECT owner FROM leases WHERE name = 'langfuse'")
            holder = int(str(rows[0][0]).partition("-")[0])
            found = [holder] if holder in found else found
        os.kill(found[0], number)

    def jump(self, seconds: float) -> None:
        """Set the first gateway's clock; 0 is the right time."""
        assert self.clock is not None
        self.clock.write_text(f"{seconds:+.0f}\n")

    def reader(self, gateway: GatewayProcess) -> SpoolReader:
        return SpoolReader(gateway.home / "usage.db")

    def count(self, query: str) -> int:
        """A number of all gateways' databases together."""
        return sum(int(self.reader(gateway).query(query)[0][0]) for gateway in self.gateways)

    def records(self) -> int:
        return self.count("SELECT count(*) FROM records")

    def owed(self, wait_s: float) -> int:
        """Records not delivered to Langfuse after waiting `wait_s` for them."""
        limit = time.monotonic() + wait_s
        while (left := self.count("SELECT count(*) FROM outbox")) and time.monotonic() < limit:
            time.sleep(0.5)
        return left


def children(pid: int) -> list[int]:
    """Of a process, oldest first."""
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, timeout=10).stdout
    return [int(line) for line in out.split()]


def child_of(pid: int) -> int:
    """The first child process."""
    found = children(pid)
    if not found:
        raise RuntimeError("the gateway has no child process")
    return found[0]


def workers_of(pid: int) -> list[int]:
    """uvicorn's workers below the supervisor's child; the child itself when there are none."""
    child = child_of(pid)
    found = []
    for one in children(child):
        out = subprocess.run(
            ["ps", "-ww", "-o", "command=", "-p", str(one)], capture_output=True, text=True, timeout=10
        )
        if "spawn_main" in out.stdout:
            found.append(one)
    return found or [child]


def faketime() -> str:
    """The preloaded library that can set a process's clock; "" when it is not installed."""
    given = os.environ.get("AICC_LIBFAKETIME", "")
    return given or next((path for pattern in _FAKETIME for path in glob(pattern)), "")


def faketime_env(clock: Path) -> dict[str, str]:
    """Time of day from `clock`, read once a second. The monotonic clock stays, as on a machine whose time is set."""
    clock.write_text("+0\n")
    return {
        "LD_PRELOAD": faketime(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def config_with_spare(spare_url: str) -> dict[str, Any]:
    """The shipped config, and one more Ollama to fall back to."""
    config: dict[str, Any] = yaml.safe_load(SHIPPED_CONFIG.read_text(encoding="utf-8"))
    config["model_list"].append(
        {
            "model_name": "spare-local",
            "litellm_params": {"model": "ollama_chat/llama3.2:latest", "api_base": spare_url},
            "model_info": {"mode": "chat", "max_input_tokens": 65536, "supports_function_calling": True},
        }
    )
    # Every group that may be chosen in place of a broken one needs a way out of its own.
    for rule in config["router_settings"]["fallbacks"]:
        for others in rule.values():
            others[:] = ["spare-local"]
    return config


def served(config: dict[str, Any], *, prefix: tuple[str, ...] = (), **options: Any) -> GatewayProcess:
    """`aicc serve`, not started yet."""
    made = GatewayProcess(config, prefix=prefix, start_timeout=240, **options)
    made._command = ("aicc", "serve", "--config", str(made.config))
    return made


KILL, SEGV = signal.SIGKILL, signal.SIGSEGV
