"""The LiteLLM callbacks. Each detector's hook works alone; together they apply one decision once.

LiteLLM calls `async_pre_call_hook` only when the class itself defines it (1.106.2, proxy/utils.py:2829), so
every class below does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import ProxyException

from aicc_hooks.adapter import calls, embedding_limit
from aicc_hooks.adapter.answer import response_headers
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.adapter.reshape import by_chat, drop_reasoning, mend_arguments
from aicc_hooks.adapter.runtime import Runtime, get_runtime
from aicc_hooks.adapter.selftest import PROBE, PROBE_KEY, ProbeReached
from aicc_hooks.adapter.upstreams import as_exception, broken_stream, other_embedder
from aicc_hooks.catalog import IN_PROCESS, Deployment, address_of
from aicc_hooks.errors import ConfigError, Refusal
from aicc_hooks.payload import extract, strip_body
from aicc_hooks.relay import stays_here
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.wire import STATUS

log = logging.getLogger("aicc_hooks")

_ENDPOINTS = {
    "acompletion": "chat", "completion": "chat", "atext_completion": "completions", "text_completion": "completions",
    "aembedding": "embeddings", "embedding": "embeddings", "aembeddings": "embeddings", "embeddings": "embeddings",
    "aresponses": "responses", "responses": "responses", "anthropic_messages": "messages", "rerank": "rerank", "arerank": "rerank",
}  # fmt: skip
# What a client could steer with when the gate is not there to strip it.
_STEERING = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks", "disable_fallbacks", "num_retries",
             "custom_llm_provider", "silent_model", "router_settings_override", "api_key", "api_base", "base_url", "user_config",
             "model_list", "mock_response", "extra_headers", "extra_body")  # fmt: skip


class _Hook(CustomLogger):
    """What all hooks share: find or make the call's verdict, and enforce it at the last doors."""

    def __init__(self, runtime: Runtime | None = None) -> None:
        super().__init__()
        self._given = runtime

    @property
    def runtime(self) -> Runtime:
        """Made on first use, so that importing a hook reads no files."""
        return self._given or get_runtime()

    async def apply(self, data: dict, call_type: str) -> dict:
        """Rewrite `data` by the decision, once per call. Raises ProxyException for a refusal."""
        call = calls.find(data)
        if call is None:
            call = await self._judge_alone(data, _ENDPOINTS.get(call_type, "other"))
            calls.remember(data, call)
        decision = call.decision
        if decision is None:
            raise _proxy_error(
                Refusal("aicc_not_configured", "The request reached a model without a verdict.", 503),
                call,
                self.runtime,
            )
        if decision.blocked:
            call.refusal = Refusal(decision.blocked, decision.sentence, STATUS.get(decision.blocked, 400))
            raise _proxy_error(call.refusal, call, self.runtime)
        if call.applied:
            return data
        call.applied = True
        for name in _STEERING:
            data.pop(name, None)
        data["model"] = decision.route
        if not decision.cache:
            data["cache"] = {"no-cache": True, "no-store": True}
        return data

    async def _judge_alone(self, data: Mapping[str, Any], endpoint: str) -> Call:
        """Verdict for a payload no gate has seen. Privacy fails closed when there is no policy."""
        call = Call(endpoint=endpoint)
        body = _plain(data)
        strip_body(body)
        call.requested = str(data.get("model") or "")
        call.extract = extract(endpoint, body)
        try:
            await self.runtime.judge(call)
        except ConfigError as error:
            raise _proxy_error(
                Refusal("aicc_not_configured", f"The policy is not usable: {error}", 503), call, self.runtime
            ) from None
        return call


class PrivacyHook(_Hook):
    """Keeps private requests on this machine, at every attempt LiteLLM makes."""

    aicc_part = "privacy"

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict, call_type: Any
    ) -> dict:
        """Judge and rewrite before routing."""
        return await self.apply(data, str(call_type))

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list,
        messages: list | None,
        request_kwargs: dict | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict]:
        """In a group with local and cloud deployments, leave a private request only the local ones."""
        call = calls.find(request_kwargs or {})
        if call is None or not call.local_only:
            # Unseen calls are judged by the deployment hook, which is the guarantee (LITELLM facts §3).
            return healthy_deployments
        local = [
            d
            for d in healthy_deployments
            if await self._is_local(d.get("litellm_params") or {}, d.get("model_info") or {})
        ]
        if not local:
            call.refusal = _no_local()
            raise _proxy_error(call.refusal, call, self.runtime)
        return local

    async def async_pre_call_deployment_hook(self, kwargs: dict, call_type: Any) -> dict | None:
        """The last door: a private request that meets an address off this machine stops here."""
        if kwargs.get(PROBE_KEY) is PROBE:
            raise ProbeReached
        call = calls.find(kwargs)
        if call is None or call.decision is None:
            call = await self._judge_unseen(kwargs, call_type)
        if call.local_only and not await self._is_local(kwargs, kwargs.get("model_info") or {}):
            self.runtime.counters["private_stopped_at_deployment"] += 1
            call.refusal = _no_local()
            raise _proxy_error(call.refusal, call, self.runtime)
        return None

    async def _judge_unseen(self, kwargs: Mapping[str, Any], call_type: Any) -> Call:
        """A path that skipped the hooks (/queue, /rag, …): classify what is about to be sent."""
        endpoint = _ENDPOINTS.get(_name_of(call_type), "other")
        call = await self._judge_alone(kwargs, endpoint)
        self.runtime.counters["judged_at_deployment"] += 1
        return call

    async def _is_local(self, params: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
        if not stays_here(params, info):
            return False
        address = address_of(params, ollama_default=self.runtime.ollama_default())
        return address == IN_PROCESS or (bool(address) and await self.runtime.locality.acheck(address))


class InjectionHook(_Hook):
    """Flags, reroutes or blocks prompt injections."""

    aicc_part = "injection"

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict, call_type: Any
    ) -> dict:
        """Judge and rewrite before routing."""
        return await self.apply(data, str(call_type))


class ComplexityHook(_Hook):
    """Chooses the model group for `auto` by how hard the ask is."""

    aicc_part = "complexity"

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict, call_type: Any
    ) -> dict:
        """Judge and rewrite before routing."""
        return await self.apply(data, str(call_type))


class Gateway(_Hook):
    """Gate, routes and bookkeeping. Observes attempts; decides nothing by itself."""

    aicc_part = "gateway"

    async def async_pre_call_deployment_hook(self, kwargs: dict, call_type: Any) -> dict | None:
        """Note the attempt. `acompletion` inside /responses and /messages is the same attempt (§1)."""
        call = calls.find(kwargs)
        if call is None:
            return None
        drop_reasoning(kwargs, call)
        mend_arguments(kwargs)
        info = kwargs.get("model_info") or {}
        deployment = str(info.get("id") or "")
        attempt = call.attempts[-1] if call.attempts else None
        if attempt is None or attempt.deployment != deployment or attempt.ended:
            attempt = await self._begin(call, deployment, kwargs)
        endpoint = _ENDPOINTS.get(_name_of(call_type))
        if endpoint == "responses":
            by_chat(kwargs, self._deployment(deployment))
        # Only the inner call of /responses and /messages goes to the model server.
        added = attempt.parameters if endpoint in ("chat", "completions") else {}
        return {**kwargs, **added} if added else None

    async def _begin(self, call: Call, deployment: str, kwargs: Mapping[str, Any]) -> Attempt:
        if call.spoke:
            # On /responses LiteLLM would go on with another model after the words already sent (router.py:3610).
            raise as_exception(broken_stream(), str(kwargs.get("model") or ""))
        if call.refusal is not None and call.refusal.code == "aicc_overloaded":
            # A full queue is told, not passed on: the next model would push the busy one out of memory.
            raise as_exception(call.refusal, str(kwargs.get("model") or ""))
        model, asked = str(kwargs.get("model") or ""), [earlier.model for earlier in call.attempts]
        if call.endpoint == "embeddings" and not embedding_limit.same_model(asked, model):
            # Another model's vectors would poison the index they go into.
            raise as_exception(other_embedder(), model)
        for earlier in call.attempts:
            if not earlier.ended:  # a stream that broke before its first word tells no failure hook
                self.runtime.upstreams.end(earlier, Outcome.SERVER_ERROR)
        group = self._group_of(deployment) or (call.decision.route if call.decision else "")
        address = address_of(kwargs, ollama_default=self.runtime.ollama_default())
        attempt = Attempt(group, deployment, str(kwargs.get("model") or ""), address, time.perf_counter())
        call.attempts.append(attempt)
        try:
            attempt.parameters = await self.runtime.upstreams.begin(call, attempt)
            if call.endpoint == "embeddings":
                embedding_limit.admitted(self.runtime.upstreams.config.embeddings.timeout_s)
        except Refusal as refusal:
            call.refusal = refusal
            raise as_exception(refusal, attempt.model) from None
        return attempt

    async def async_post_call_success_deployment_hook(
        self, request_data: dict, response: Any, call_type: Any
    ) -> None:
        """An answer is there. A stream is only opened by then: the gate closes its attempt at the end."""
        call = calls.find(request_data)
        if call is not None and not call.stream and call.attempts:
            self.runtime.upstreams.end(call.attempts[-1], Outcome.OK)

    async def async_post_call_failure_deployment_hook(
        self,
        request_data: Mapping[str, Any],
        exception: Exception,
        call_type: Any,
        fallback_depth: int | None = None,
    ) -> None:
        """Close the attempt with the kind of failure."""
        call = calls.find(dict(request_data))
        if call is not None and call.attempts and not call.attempts[-1].ended:
            self.runtime.upstreams.failed(call.attempts[-1], exception)

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list,
        messages: list | None,
        request_kwargs: dict | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict]:
        """Leave out deployments with an open circuit, or that failed this embedding, while the group has others."""
        breaker, default = self.runtime.upstreams.breaker, self.runtime.ollama_default()
        usable = [
            d
            for d in healthy_deployments
            if breaker.usable(
                address_of(d.get("litellm_params") or {}, ollama_default=default),
                str((d.get("model_info") or {}).get("id") or ""),
            )
        ]
        call = calls.find(request_kwargs or {})
        left = usable or healthy_deployments
        return left if call is None else embedding_limit.untried(call, left)

    def _deployment(self, ident: str) -> Deployment | None:
        every = (d for group in self.runtime.catalog.groups.values() for d in group.deployments)
        return next((d for d in every if d.id == ident), None)

    def _group_of(self, deployment: str) -> str:
        for group in self.runtime.catalog.groups.values():
            if any(d.id == deployment for d in group.deployments):
                return group.name
        return ""


def _name_of(call_type: Any) -> str:
    return str(getattr(call_type, "value", None) or call_type)


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON-like fields of a payload we know nothing about."""
    skip = (
        "litellm_logging_obj",
        "metadata",
        "litellm_metadata",
        "proxy_server_request",
        "secret_fields",
        "model_info",
        "litellm_params",
    )
    return {
        k: v
        for k, v in data.items()
        if k not in skip and isinstance(v, (str, list, dict)) and not k.startswith(("_", "api_"))
    }


def _no_local() -> Refusal:
    return Refusal(
        "aicc_private_no_local_model",
        "The request must stay on this machine, and this deployment is not on it.",
        503,
    )


def _proxy_error(refusal: Refusal, call: Call, runtime: Runtime) -> ProxyException:
    """LiteLLM's own exception: the one kind that keeps type, status and headers on all endpoints (§5.1)."""
    call.error_code = refusal.code
    return ProxyException(
        message=refusal.message,
        type=refusal.code,
        param=None,
        code=refusal.status,
        headers=dict(response_headers(call, runtime)),
    )
