"""Earlier turns of /v1/responses: which request points at them, which model's provider keeps them, what stands in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litellm.utils import ProviderConfigManager

from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.reshape import bridged
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.catalog import Deployment
from aicc_hooks.errors import Refusal
from aicc_hooks.payload import references


def judged(runtime: Runtime, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """The body with the turns it points at, as far as they are known here: what is inspected and may be sent."""
    if call.endpoint != "responses":
        return body
    full = references.inlined(body, runtime.items)
    return body if full is None else {**body, "input": full}


def settle(runtime: Runtime, call: Call, body: dict[str, Any]) -> bool:
    """Put known turns in their place once the model is chosen. True when the body changed.

    Raises Refusal when turns are missing and the model's provider does not keep them.
    """
    if call.endpoint != "responses" or call.decision is None:
        return False
    kept = _group_keeps(runtime, call.decision.route)
    full = references.inlined(body, runtime.items, native=kept)
    if full is not None:
        body["input"] = full
    pointing = references.pointers(body)
    if pointing and not kept:
        raise references.not_here(pointing[0])
    call.elsewhere = bool(pointing)
    return full is not None


def keeper(runtime: Runtime, call: Call) -> Callable[[Any], None] | None:
    """Takes the items of a call's answer; None when the client wants none kept."""
    if call.endpoint != "responses" or (call.body or {}).get("store") is False:
        return None
    attempt = call.attempts[-1] if call.attempts else None
    native = attempt is not None and _group_keeps(runtime, attempt.group)
    return lambda item: runtime.items.put(item, native=native)


def keeps(deployment: Deployment | None, params: Mapping[str, Any]) -> bool:
    """Whether the provider behind a deployment has a /v1/responses of its own that is used. `params`: litellm_params."""
    if deployment is None or bridged(deployment, params):
        return False
    provider = str(params.get("custom_llm_provider") or "") or deployment.model.partition("/")[0]
    address = deployment.address or None
    return (
        ProviderConfigManager.get_provider_responses_api_config(provider, deployment.name, address)
        is not None
    )


def lost() -> Refusal:
    """Why a request that points at a provider's turns is not passed on to another's model."""
    return Refusal(
        "aicc_upstream_down",
        "The provider that keeps this conversation does not answer, and no other model has its turns.",
        503,
    )


def _group_keeps(runtime: Runtime, name: str) -> bool:
    group, router = runtime.catalog.groups.get(name), runtime.router()
    if group is None or router is None:
        return False
    stated = {
        str((entry.get("model_info") or {}).get("id")): entry.get("litellm_params") or {}
        for entry in router.model_list
        if entry.get("model_name") == name
    }
    return bool(group.deployments) and all(keeps(d, stated.get(d.id, {})) for d in group.deployments)
