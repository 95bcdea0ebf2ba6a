"""The routing strategy of config.yaml (`router_settings.plugins`): a small selector among one attempt's deployments."""

from __future__ import annotations

from typing import Any

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.runtime import Runtime, get_runtime


class RoutingStrategy:
    """Narrows candidates of a private attempt to models that have a local deployment.

    A selector, not the guarantee: LiteLLM skips it for a model named by deployment id, and it
    sees model names, not addresses. The deployment hook is what enforces.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._given = runtime

    async def run(self, context: Any) -> Any:
        """LiteLLM's RoutingPlugin protocol."""
        # LiteLLM keeps the narrowed list of the previous attempt, which then empties the fallback
        # group (router.py:14131 never clears it).
        context.metadata.pop("_routing_plugin_candidate_models", None)
        call = calls.current()
        if call is None or not call.local_only:
            return context
        runtime = self._given or get_runtime()
        local = {d.model for g in runtime.catalog.groups.values() for d in g.deployments if d.local}
        kept = [model for model in context.candidate_models if model in local]
        if kept:
            context.candidate_models = kept
        return context
