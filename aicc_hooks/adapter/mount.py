"""Installs the gateway into LiteLLM's running app: the gate outermost, our routes, background work."""

from __future__ import annotations

import logging
import multiprocessing
import os
from typing import Any

from aicc_hooks.adapter import ollama_options, ollama_stream, speed, wire_door
from aicc_hooks.adapter.gate import Gate
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.foreign_callbacks import named_in_config, not_allowed, refusal
from aicc_hooks.gateway_config import load_config
from aicc_hooks.resilience.crashes import mark_worker
from aicc_hooks.resilience.lifeline import Lifeline
from aicc_hooks.resilience.supervisor import end_with_supervisor
from aicc_hooks.speed_config import needed

log = logging.getLogger("aicc_hooks")


def install(runtime: Runtime) -> None:
    """Idempotent. Called when config.yaml's `aicc_hooks.gateway` is imported, inside the app's lifespan."""
    import litellm.proxy.proxy_server as server

    app: Any = server.app
    if isinstance(app.middleware_stack, Gate):
        return
    _read_config(runtime)
    from aicc_hooks.adapter import (
        cache_routes,
        feedback,
        page_data,
        page_events,
        page_shell,
        rerank,
        web,
    )

    for part in (web, page_shell, page_data, page_events, rerank, feedback, cache_routes):
        app.include_router(part.router)
    app.include_router(web.rest)  # behind all others
    # `add_middleware` refuses once the app has started, and callbacks are only imported then.
    # Wrapping the builder keeps the gate outermost whoever rebuilds the stack;
    # as a user middleware it would stand behind FastAPI's own body limit and telemetry.
    build, lifeline = app.build_middleware_stack, Lifeline.of_process()

    def outermost() -> Gate:
        stack = build()
        return Gate(stack, runtime, speed.short_stack(stack), speed.direct(runtime, stack), lifeline)

    app.build_middleware_stack = outermost
    app.middleware_stack = app.build_middleware_stack()
    if not (os.environ.get("AICC_MASTER_KEY") or os.environ.get("LITELLM_MASTER_KEY")):
        # LiteLLM would exit without a key; behind the gate it is safe to stay up and say what is missing (503).
        os.environ["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"
    _keep_litellm_off_redis(server)
    _close_the_wire(runtime)
    end_with_supervisor()
    _flush_at_shutdown(server, runtime)
    if missing := ollama_stream.install():
        runtime.problems["ollama_streams"] = f"a failure inside a stream may go unnoticed: {missing}"
    if missing := ollama_options.install():
        runtime.problems["ollama_options"] = f"Ollama gets frequency_penalty as repeat_penalty: {missing}"
    speed.install(runtime, app)
    runtime.start()
    log.info("gateway installed")


def _read_config(runtime: Runtime) -> None:
    """Foreign loggers, and settings that need what we would leave out.

    LiteLLM aborts its start when an import raises; its loggers must not run beside a redacting gateway.
    """
    path, current = runtime.config_path(), runtime.store.current
    if path is None:
        return
    tree = load_config(path, runtime.env).tree
    names = named_in_config(tree)
    allowed = current.policy.redaction.allow_callbacks if current else ()
    foreign = not_allowed(names, allowed)
    if foreign:
        log.error(refusal(foreign))  # uvicorn's traceback is cut before it comes to the message
        raise GatewayConfigError(refusal(foreign))
    runtime.known_leaks = tuple(names)
    general = tree.get("general_settings")
    runtime.unsaved = needed(general if isinstance(general, dict) else {}, runtime.env)
    for saving, setting in runtime.unsaved.items():
        log.warning("speed.%s is off, because of %s", saving, setting)


def _close_the_wire(runtime: Runtime) -> None:
    current = runtime.store.current
    wire_door.spare_local_hosts(os.environ, current.policy.local_hosts if current else ())
    wire_door.install(runtime)
    # LiteLLM prints what it would have logged, prompts and all, when it stands in the environment (litellm_logging.py).
    os.environ.pop("LITELLM_PRINT_STANDARD_LOGGING_PAYLOAD", None)


def _keep_litellm_off_redis(server: Any) -> None:
    """LiteLLM uses the Redis it finds in REDIS_* for its own counters, without our time limits.

    Measured with 1.106.2: while Redis was frozen, one request a second waited until it came back. Who wants it
    names it in `general_settings.coordination_redis`.
    """

    async def none(*args: Any, **kwargs: Any) -> None:
        return None

    if hasattr(server.ProxyConfig, "_init_coordination_redis_env_fallback"):
        server.ProxyConfig._init_coordination_redis_env_fallback = staticmethod(none)


def _flush_at_shutdown(server: Any, runtime: Runtime) -> None:
    """Write what is queued when the server ends. uvicorn ends by signal: no atexit, no task is cancelled."""
    end = server.proxy_shutdown_event
    # uvicorn replaces a dead worker of `--num_workers N` and tells nobody; the mark does.
    worker = multiprocessing.parent_process() is not None
    unmark = mark_worker(runtime.home / "logs") if worker else None

    async def end_after_flush(*args: Any, **kwargs: Any) -> None:
        await runtime.stop()
        if unmark is not None:
            unmark()
        await end(*args, **kwargs)

    server.proxy_shutdown_event = end_after_flush
