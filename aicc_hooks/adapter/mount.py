"""Installs the gateway into LiteLLM's running app: the gate outermost, our routes, background work."""

from __future__ import annotations

import logging
from typing import Any

from starlette.middleware import Middleware

from aicc_hooks.adapter.gate import Gate
from aicc_hooks.adapter.runtime import Runtime

log = logging.getLogger("aicc_hooks")


def install(runtime: Runtime) -> None:
    """Idempotent. Called when config.yaml's `aicc_hooks.gateway` is imported, inside the app's lifespan."""
    import litellm.proxy.proxy_server as server

    app: Any = server.app
    if any(middleware.cls is Gate for middleware in app.user_middleware):
        return
    from aicc_hooks.adapter.web import router

    app.include_router(router)
    # `add_middleware` refuses once the app has started, and callbacks are only imported then
    # (LITELLM facts §9.3): rebuild the stack instead. Requests that follow pass the new one.
    app.user_middleware.insert(0, Middleware(Gate, runtime=runtime))
    app.middleware_stack = app.build_middleware_stack()
    runtime.start()
    log.info("gateway installed")
