"""The list of all checks, and the slow ones of `--deep`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from aicc_hooks.errors import ConfigError
from aicc_hooks.gateway_config import default_config_path, load_config
from aicc_hooks.home import home_dir, policy_path
from aicc_hooks.ops import shipped
from aicc_hooks.ops.doctor import configured, installed, machine, running, servers, services, trials
from aicc_hooks.ops.doctor.model import Check, Context, Finding, run_checks
from aicc_hooks.ops.env_file import read_env_file
from aicc_hooks.policy import Policy, check_routes, load_policy
from aicc_hooks.resilience.memory import usual_num_ctx
from aicc_hooks.resilience.ollama import OllamaClient

CHECKS: Final[Mapping[str, Check]] = {
    "python": installed.python,
    "packages": installed.packages,
    "seams": installed.seams,
    "home": installed.home,
    "files": configured.files,
    "references": configured.references,
    "callbacks": configured.callbacks,
    "patterns": configured.patterns,
    "key": configured.keys,
    "permissions": configured.permissions,
    "gateway": running.gateway,
    "bind": running.bind_address,
    "ollama": services.ollama,
    "servers": servers.model_servers,
    "redis": services.redis,
    "langfuse": services.langfuse,
    "experiments": trials.experiments,
    "docker": services.docker,
    "launchd": machine.launch_agent,
    "disk": machine.disk,
    "records": machine.records,
    "backup": machine.backups,
    "crashes": machine.crashes,
    "proxy": machine.proxies,
}
_DEADLINE_S: Final = 2.4


def read_context(env: Mapping[str, str], config: Path | None = None) -> Context:
    """Everything the checks share. Never raises for what is wrong in the files."""
    errors: dict[str, str] = {}
    home = home_dir(env).absolute()
    merged = dict(env)
    try:
        merged = {**read_env_file(home / ".env"), **env}
    except ConfigError as error:
        errors[".env"] = str(error)
    text = merged.get("AICC_ROUTER_PORT", "") or "4000"
    port = int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65_536 else 4000
    if str(port) != text:
        errors[".env"] = f"AICC_ROUTER_PORT: found {text[:20]!r}; allowed: a number from 1 to 65535"
    path = config or default_config_path(merged)
    context = Context(home, merged, port, path, aicc=shipped.program())
    merged.setdefault("OLLAMA_BASE_URL", "http://localhost:11434")
    try:
        loaded = load_config(path, merged)
        context = replace(context, config=loaded)
    except ConfigError as error:
        errors["config"] = str(error)
    try:
        policy = load_policy(policy_path(path, merged))
        context = replace(context, policy=policy.policy)
        if context.config is not None:
            check_routes(policy.policy, context.config.groups, source=policy.source)
    except ConfigError as error:
        errors["policy"] = str(error)
    health, slow = running.look_at_gateway(port)
    return replace(context, errors=errors, health=health, slow=slow)


def examine(context: Context, spent_s: float = 0.0) -> list[Finding]:
    """All quick checks; `spent_s` of the three seconds are gone already (imports, reading files)."""
    return run_checks(CHECKS, context, max(1.0, _DEADLINE_S - spent_s))


def examine_deeply(context: Context) -> Iterator[Finding]:
    """Slow looks, one after another: LiteLLM's seams in a gateway of their own, one token of each chat model."""
    yield from _seams(context)
    for entry in context.config.model_list if context.config else ():
        model = str(entry["litellm_params"]["model"])
        if model.startswith("ollama_chat/") and entry["model_name"] not in (
            context.policy.routing.aliases if context.policy else ()
        ):
            base = str(entry["litellm_params"].get("api_base") or context.env["OLLAMA_BASE_URL"])
            yield asyncio.run(_answers(context, str(entry["model_name"]), model, base))


async def _answers(context: Context, group: str, model: str, base: str) -> Finding:
    client = OllamaClient(base)
    try:
        seconds = await client.generate(model, num_ctx=await _size(context, client, model))
    except Exception as error:
        return Finding(
            f"answer.{group}",
            "fail",
            f"{model} gave no answer ({type(error).__name__})",
            f"ollama run {model.partition('/')[2]} hello",
        )
    finally:
        await client.aclose()
    return Finding(f"answer.{group}", "ok", f"{seconds:.1f} s for one token")


async def _size(context: Context, client: OllamaClient, model: str) -> int | None:
    """What the model runs with, else what a request would ask for: another size would reload it."""
    with contextlib.suppress(Exception):  # the answer itself tells what is wrong
        await client.version()
        await client.ps()
        policy = context.policy or Policy()
        return client.num_ctx(model) or usual_num_ctx(await client.show(model), policy.resilience.context)
    return None


def _seams(context: Context) -> Iterator[Finding]:
    """Starts a gateway on a free port with a folder of its own, asks it, ends it."""
    if context.config is None or context.errors:
        yield Finding("seams", "off", "the files must be right first")
        return
    with tempfile.TemporaryDirectory(prefix="aicc-doctor-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        policy = policy_path(context.config_path, context.env)
        if policy is not None:
            shutil.copy(policy, Path(folder) / "policy.yaml")
        env = {**os.environ, **context.env, "AICC_HOME": folder, "AICC_ROUTER_PORT": str(port)}
        for name in ("AICC_POLICY", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
            env.pop(name, None)
        command = [
            str(context.aicc),
            "serve",
            "--config",
            str(context.config_path),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ]
        child = subprocess.Popen(
            command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            until = time.monotonic() + 120
            health = None
            while health is None and child.poll() is None and time.monotonic() < until:
                time.sleep(0.3)
                health = running.ask_gateway(port)
            if health is None:
                yield Finding(
                    "seams", "fail", "the gateway does not start", f"aicc serve --port {context.port + 10}"
                )
            else:
                time.sleep(1.5)  # the self-test runs in the first second
                yield from installed.seams(replace(context, health=running.ask_gateway(port) or health))
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(40)
            if child.poll() is None:
                child.kill()
                child.wait()
