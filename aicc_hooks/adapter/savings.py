"""More savings (see `speed`): limits that nobody has, the access log, and the garbage collector."""

from __future__ import annotations

import gc
import logging
import os
from typing import Any

# Hooks LiteLLM adds by itself for limits of virtual keys, sessions and their budgets, and for its own predictions.
# Left are those that act on a request: ids of responses, skills, routing of sensitive data.
_LIMITING = ("parallel_request_limiter", "cache_control_check", "max_iterations_limiter",
             "max_budget_per_session_limiter", "prompt_cache_prediction", "autorouter_baseline_cache")  # fmt: skip
# Young objects before a collection; Python's own 700 are reached several times in each request.
_YOUNG = 20_000


def skip_limits() -> None:
    """Without virtual keys there is nothing to limit; deployments with an rpm or tpm of their own are still counted."""
    from litellm.proxy import hooks
    from litellm.router import Router

    for name in _LIMITING:
        hooks.PROXY_HOOKS.pop(name, None)
    if "_increment_deployment_usage" not in vars(Router):
        return  # from 1.110 on LiteLLM's Rust core counts, and only where there is a limit
    full = Router._increment_deployment_usage
    unlimited: dict[str, Any] = {}  # deployment → its entry of the model list, found to have no limit

    async def increment(self: Any, *, deployment_id: str, **kwargs: Any) -> Any:
        index = self.model_id_to_deployment_index_map.get(deployment_id)
        entry = self.model_list[index] if index is not None else None
        if entry is not None and unlimited.get(deployment_id) is entry:
            return None
        # LiteLLM works the limits out from validated models at each call to find that there are none (router.py:8518),
        # or fails at a model its price list does not know.
        if entry is not None and not _limited(entry):
            unlimited[deployment_id] = entry
        return await full(self, deployment_id=deployment_id, **kwargs)

    Router._increment_deployment_usage = increment


def _limited(entry: Any) -> bool:
    """Any limit in a deployment's own words, whatever LiteLLM made of it."""
    parts = [entry, entry.get("litellm_params") or {}, entry.get("model_info") or {}]
    return any(part.get(name) is not None for part in parts for name in ("rpm", "tpm", "itpm", "otpm"))


def silence_access_log() -> None:
    """A line a request costs 3 % of it, filters included; `aicc report` and /aicc show each request with its decision."""
    logging.getLogger("uvicorn.access").disabled = True


def collect_less() -> None:
    """What was loaded is never garbage, and a request makes little: 0.9 of the CPU, measured. Call when loading has ended.

    `PYTHON_GC_THRESHOLD`, LiteLLM's own setting, wins.
    """
    gc.freeze()
    if not os.environ.get("PYTHON_GC_THRESHOLD"):
        gc.set_threshold(_YOUNG, 10, 10)
