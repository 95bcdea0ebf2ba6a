"""Installs the gateway into LiteLLM's running app: the gate outermost, our routes, background work."""

from __future__ import annotations

import logging
import os
from typing import Any

from aicc_hooks.adapter.gate import Gate
from aicc_hooks.adapter.runtime import Runtime

log = logging.getLogger("aicc_hooks")


def install(runtime: Runtime) -> None:
    """Idempotent. Called when config.yaml's `aicc_hooks.gateway` is imported, inside the app's lifespan."""
    import litellm.proxy.proxy_server as server

    app: Any = server.app
    if isinstance(app.middleware_stack, Gate):
        return
    from aicc_hooks.adapter.web import router

    app.include_router(router)
    # `add_middleware` refuses once the app has started, and callbacks are only imported then
    # (LITELLM facts §9.3). Wrapping the builder keeps the gate outermost whoever rebuilds the stack;
    # as a user middleware it would stand behind FastAPI's own body limit and telemetry.
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: Gate(build(), runtime)
    app.middleware_stack = app.build_middleware_stack()
    if not (os.environ.get("AICC_MASTER_KEY") or os.environ.get("LITELLM_MASTER_KEY")):
        # LiteLLM would exit without a key; behind the gate it is safe to stay up and say what is missing (503).
        os.environ["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"
    runtime.start()
    log.info("gateway installed")
