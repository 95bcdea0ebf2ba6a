"""Checks of what the gateway needs: Ollama and its models, Redis, Langfuse, Docker."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx

from aicc_hooks.errors import ConfigError
from aicc_hooks.ops.doctor.model import LIMIT_S, Context, Finding
from aicc_hooks.ops.look import docker_state
from aicc_hooks.policy import Policy
from aicc_hooks.record.config import LangfuseAccess, LangfuseConfig
from aicc_hooks.record.langfuse_api import LangfuseApi, Outcome
from aicc_hooks.redis_env import redis_settings
from aicc_hooks.resilience.memory import caches, recommend, total_ram
from aicc_hooks.resilience.models_present import missing_models
from aicc_hooks.resilience.ollama import OllamaClient
from aicc_hooks.resilience.ollama_models import full_name

_REDIS_LIMIT_S = 0.8
_LOOPBACK = ("http://localhost", "http://127.", "http://[::1]")


def ollama(context: Context) -> Iterator[Finding]:
    """Every Ollama address of config.yaml: there, with the models, which take the context the config promises."""
    wanted: dict[str, dict[str, int]] = {}
    for entry in context.config.model_list if context.config else ():
        params, info = entry["litellm_params"], entry.get("model_info") or {}
        model = str(params["model"])
        if model.startswith(("ollama/", "ollama_chat/")):
            base = str(
                params.get("api_base") or context.env.get("OLLAMA_BASE_URL") or "http://localhost:11434"
            )
            wanted.setdefault(base.rstrip("/"), {})[full_name(model)] = int(info.get("max_input_tokens") or 0)
    if not wanted:
        yield Finding("ollama", "off", "config.yaml names no Ollama model")
    for base, models in wanted.items():
        yield from asyncio.run(_one_ollama(context, base, models))


async def _one_ollama(context: Context, base: str, models: dict[str, int]) -> list[Finding]:
    client = OllamaClient(base, timeout_s=LIMIT_S)
    out: list[Finding] = []
    try:
        try:
            version, tags = await asyncio.gather(client.version(), client.tags())
        except Exception as error:
            what = (
                "nothing answers"
                if isinstance(error, httpx.ConnectError)
                else f"no proper answer ({type(error).__name__})"
            )
            local = base.startswith(_LOOPBACK)
            return [
                Finding(
                    "ollama",
                    "fail",
                    f"{what} at {base}",
                    "ollama serve (or open -a Ollama)" if local else f"start Ollama at {base}",
                )
            ]
        out.append(Finding("ollama", "ok", f"{base}: version {version}, {len(tags)} models"))
        missing = missing_models(models, tags)
        out += [Finding("models", "fail", m.sentence.rpartition(". Run:")[0], m.command) for m in missing]
        lacking = {m.name for m in missing}
        here = [name for name in models if name not in lacking]
        if not missing:
            out.append(Finding("models", "ok", ", ".join(here)))
        shown = await asyncio.gather(*(client.show(name) for name in here), return_exceptions=True)
        for name, info in zip(here, shown, strict=True):
            if not isinstance(info, BaseException) and 0 < info.context_length < models[name]:
                out.append(
                    Finding(
                        "context", "warn", f"{name} reads {info.context_length} tokens, config.yaml promises {models[name]}",
                        f"set max_input_tokens: {info.context_length} for it in config.yaml",
                    )
                )  # fmt: skip
            if not isinstance(info, BaseException) and info.remote:
                out.append(
                    Finding(
                        "cloud model", "warn", f"{name} runs elsewhere: Ollama passes it on, so private requests never go to it",
                        "ollama pull a model that runs here, and set OLLAMA_NO_CLOUD=1 for Ollama",
                    )
                )  # fmt: skip
        policy = context.policy or Policy()
        known = caches((i for i in shown if not isinstance(i, BaseException)), policy.resilience.context)
        advice = recommend(total_ram(), {name: tags[name] for name in here if name in tags}, known)
        too_big = bool(here) and advice.sentence.startswith("The largest model")
        out.append(
            Finding("memory", "warn" if too_big else "ok", advice.sentence, " && ".join(advice.commands))
        )
        return out
    finally:
        await client.aclose()


def redis(context: Context) -> Iterator[Finding]:
    """Answers, takes a value, and does not throw values away."""
    import redis as library

    from aicc_hooks.redis_client import new_blocking_client

    settings = redis_settings(context.env)
    if settings is None:
        yield Finding("redis", "off", "REDIS_HOST is not set: cache in memory only")
        return
    try:
        link = new_blocking_client(replace(settings, timeout_ms=_REDIS_LIMIT_S * 1000))
    except ValueError:
        yield Finding("redis", "warn", "REDIS_URL is no address of Redis", "redis://, rediss:// or unix://")
        return
    try:
        began = time.perf_counter()
        link.set("aicc:doctor", "1", ex=5)
        took = (time.perf_counter() - began) * 1000
        info = link.info()
    except library.exceptions.AuthenticationError:
        yield Finding(
            "redis",
            "warn",
            "Redis wants a password, or another one",
            f"put REDIS_PASSWORD into {context.home / '.env'}",
        )
        return
    except library.exceptions.ResponseError as error:
        text = str(error)
        full = text.startswith(("OOM", "MISCONF", "command not allowed when used memory"))
        yield Finding(
            "redis",
            "warn",
            f"Redis takes no values ({text[:40]})",
            "redis-cli config set maxmemory-policy allkeys-lru" if full else "redis-cli ping",
        )
        return
    except (library.exceptions.RedisError, OSError) as error:
        yield Finding(
            "redis",
            "warn",
            f"no answer at {settings.where()} ({type(error).__name__}): no cache between restarts",
            "brew services start redis",
        )
        return
    finally:
        with contextlib.suppress(Exception):
            link.close()
    yield Finding("redis", "ok", f"{settings.where()}, version {info.get('redis_version')}, {took:.0f} ms")
    evicted, limit, policy = (
        int(info.get("evicted_keys", 0)),
        int(info.get("maxmemory", 0)),
        info.get("maxmemory_policy"),
    )
    if limit and policy == "noeviction" and int(info.get("used_memory", 0)) > 0.9 * limit:
        yield Finding(
            "redis.memory",
            "warn",
            "nearly full, and set to refuse values then",
            "redis-cli config set maxmemory-policy allkeys-lru",
        )
    elif evicted:
        yield Finding(
            "redis.evicting",
            "warn",
            f"{evicted} cached answers were thrown out for lack of memory",
            f"redis-cli config set maxmemory {max(limit * 2, 268435456)}",
        )


def langfuse(context: Context) -> Iterator[Finding]:
    """Keys are accepted, traces are taken, data can be read."""
    try:
        settings = context.policy.langfuse if context.policy else LangfuseConfig()
        access = LangfuseAccess.from_env(settings, context.env)
    except ConfigError as error:
        yield Finding("langfuse", "fail", str(error), f"edit {context.home / '.env'}")
        return
    if access is None:
        yield Finding("langfuse", "off", "no keys: records stay on this machine, in usage.db")
        return
    yield from asyncio.run(_langfuse(access))


async def _langfuse(access: LangfuseAccess) -> list[Finding]:
    api = LangfuseApi(access, LIMIT_S)
    try:
        # An empty export writes nothing, but passes the same door as a trace.
        (accepted, sentence), sent, read = await asyncio.gather(
            api.auth_check(), api.send(b""), _read(access)
        )
    finally:
        await api.aclose()
    if not accepted:
        down = "no answer" in sentence
        local = access.host.startswith(_LOOPBACK)
        fix = (
            ("aicc langfuse up" if local else f"curl {access.host}/api/public/health")
            if down
            else "put the project's keys into .env, then: aicc launchd restart"
        )
        return [Finding("langfuse", "warn", sentence + ("; records wait in usage.db" if down else ""), fix)]
    out = [Finding("langfuse", "ok", f"{access.host}: {sentence}")]
    if sent.outcome is not Outcome.ACCEPTED:
        out.append(
            Finding(
                "langfuse.write",
                "warn",
                f"it takes no traces ({sent.outcome}: {sent.detail})",
                "aicc langfuse status; docker logs aicc-langfuse-langfuse-web-1",
            )
        )
    if read:
        out.append(Finding("langfuse.read", "warn", read, "docker logs aicc-langfuse-clickhouse-1"))
    return out


async def _read(access: LangfuseAccess) -> str:
    """What is wrong with reading; "" when it works. The answer's date also tells the clock of Docker's machine."""
    async with httpx.AsyncClient(
        base_url=access.host, auth=(access.public_key, access.secret_key), timeout=LIMIT_S, trust_env=False
    ) as client:
        try:
            answer = await client.get("/api/public/v2/observations", params={"limit": 1})
            if answer.status_code == 404:  # server 3
                answer = await client.get("/api/public/traces", params={"limit": 1})
        except httpx.HTTPError as error:
            return f"reading fails ({type(error).__name__})"
    if answer.status_code != 200:
        return f"reading fails (status {answer.status_code})"
    with contextlib.suppress(ValueError, TypeError, KeyError):
        drift = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
        if abs(drift) > 30:
            return f"its clock is {drift:+.0f} s off: traces land at wrong times; restart Docker"
    return ""


def docker(context: Context) -> Iterator[Finding]:
    """Only Langfuse needs it."""
    ours = context.env.get("LANGFUSE_HOST", "").startswith(_LOOPBACK) and bool(
        context.env.get("LANGFUSE_SECRET_KEY")
    )
    state = docker_state(1.8)
    if state == "up":
        yield Finding("docker", "ok", "running")
    elif not ours:
        yield Finding("docker", "off", f"{state}; not needed")
    else:
        yield Finding(
            "docker",
            "warn",
            f"{state}: no Langfuse",
            "open -a Docker" if state == "not running" else "brew install --cask docker",
        )
