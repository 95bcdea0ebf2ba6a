"""The gateway's own LiteLLM callback: brackets every attempt at a model. Decides nothing about the request."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from aicc_hooks.adapter import attachments, calls, embedding_limit, turns
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.adapter.hook import ENDPOINTS, Hook, name_of, proxy_error
from aicc_hooks.adapter.refusals import (
    as_exception,
    broken_stream,
    not_listed,
    not_translated,
    other_embedder,
)
from aicc_hooks.adapter.rerank import as_reranker
from aicc_hooks.adapter.reshape import (
    by_chat,
    drop_foreign_tools,
    drop_reasoning,
    fit_for_ollama,
    mend_arguments,
)
from aicc_hooks.catalog import OLLAMA_PROVIDERS, Deployment, address_of, server_name, upstream_of
from aicc_hooks.errors import Refusal
from aicc_hooks.resilience.classify import Outcome, raised_on_the_way
from aicc_hooks.upstream_errors import request_fault


class Gateway(Hook):
    """Gate, routes and bookkeeping. Observes attempts; decides nothing by itself."""

    aicc_part = "gateway"

    async def async_pre_call_deployment_hook(self, kwargs: dict, call_type: Any) -> dict | None:
        """Note the attempt. `acompletion` inside /responses and /messages is the same attempt."""
        call = calls.find(kwargs)
        if call is None:
            return None
        dropped = drop_reasoning(kwargs)
        mend_arguments(kwargs)
        info = kwargs.get("model_info") or {}
        deployment = str(info.get("id") or "")
        served = self._deployment(deployment)
        if served is None and call.endpoint != "other":
            # LiteLLM calls a model that a client's tool names (`advisor_…` of /v1/messages), with keys of the environment.
            call.refusal = not_listed()
            raise proxy_error(call.refusal, call, self.runtime)
        attempt = call.attempts[-1] if call.attempts else None
        if attempt is None or attempt.deployment != deployment or attempt.ended:
            attempt = await self._begin(call, deployment, kwargs)
        endpoint = ENDPOINTS.get(name_of(call_type))
        inner = endpoint in ("chat", "completions")
        if endpoint == call.endpoint:
            dropped += drop_foreign_tools(kwargs, call, served)
        if served is not None and served.ollama:
            dropped += fit_for_ollama(kwargs, call, inner=inner)
        attempt.dropped.update(dropped)
        if endpoint == "responses":
            by_chat(kwargs, served)
        elif endpoint == "rerank":
            as_reranker(kwargs)
        # Only the inner call of /responses and /messages goes to the model server.
        added = attempt.parameters if inner or endpoint == "embeddings" else {}
        return {**kwargs, **added} if added else None

    async def _begin(self, call: Call, deployment: str, kwargs: Mapping[str, Any]) -> Attempt:
        if call.spoke:
            # On /responses LiteLLM would go on with another model after the words already sent (router.py:3610).
            raise as_exception(broken_stream(), str(kwargs.get("model") or ""))
        ollama = str(kwargs.get("model") or "").partition("/")[0] in OLLAMA_PROVIDERS
        refused = call.refusal.code if call.refusal is not None else ""
        if call.refusal is not None and (
            refused == "aicc_overloaded" or (refused == "aicc_invalid_request" and ollama)
        ):
            # A full queue is told, not passed on: the next model would push the busy one out of memory. What one Ollama
            # model refuses, because the request is wrong, the next does too, once it is loaded.
            raise as_exception(call.refusal, str(kwargs.get("model") or ""))
        model, asked = str(kwargs.get("model") or ""), [earlier.model for earlier in call.attempts]
        if call.endpoint == "embeddings" and not embedding_limit.same_model(asked, model):
            # Another model's vectors would poison the index they go into.
            raise as_exception(other_embedder(), model)
        if call.elsewhere and not turns.keeps(self._deployment(deployment), kwargs):
            call.refusal = call.refusal or turns.lost()
            raise as_exception(turns.lost(), model)
        group = self._group_of(deployment) or (call.decision.route if call.decision else "")
        served = self.runtime.catalog.groups.get(group)
        if (
            call.needs is not None
            and call.needs.mode == "chat"
            and served is not None
            and served.leaves_unread(call.needs)
        ):
            call.refusal = call.refusal or attachments.unseen()
            raise as_exception(attachments.unseen(), model)
        for earlier in call.attempts:
            if not earlier.ended:  # a stream that broke before its first word tells no failure hook
                self.runtime.upstreams.end(earlier, Outcome.SERVER_ERROR)
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
        if call is None or not call.attempts or call.attempts[-1].ended:
            return
        if not _sent(request_data) and raised_on_the_way(exception):
            # An odd field broke LiteLLM's translation: no model server is to blame, and none of them can help.
            call.refusal = not_translated()
            self.runtime.upstreams.end(call.attempts[-1], Outcome.CLIENT_ERROR)
        else:
            attempt = call.attempts[-1]
            outcome = self.runtime.upstreams.failed(attempt, exception)
            if outcome is Outcome.CLIENT_ERROR and attempt.model.partition("/")[0] in OLLAMA_PROVIDERS:
                said = str(exception)[:20_000].encode("utf-8", "replace")
                call.refusal = call.refusal or request_fault(said, server_name(attempt.model), call.endpoint)

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list,
        messages: list | None,
        request_kwargs: dict | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict]:
        """Leave out deployments with an open circuit, or that failed this embedding, while the group has others."""
        usable = [d for d in healthy_deployments if self._usable(d)]
        call = calls.find(request_kwargs or {})
        left = usable or healthy_deployments
        return left if call is None else embedding_limit.untried(call, left)

    def _usable(self, entry: Mapping[str, Any]) -> bool:
        params, ident = entry.get("litellm_params") or {}, (entry.get("model_info") or {}).get("id")
        address = address_of(params, ollama_default=self.runtime.ollama_default())
        upstream = upstream_of(address, str(params.get("model") or ""))
        return self.runtime.upstreams.breaker.usable(upstream, str(ident or ""))

    def _deployment(self, ident: str) -> Deployment | None:
        every = (d for group in self.runtime.catalog.groups.values() for d in group.deployments)
        return next((d for d in every if d.id == ident), None)

    def _group_of(self, deployment: str) -> str:
        for group in self.runtime.catalog.groups.values():
            if any(d.id == deployment for d in group.deployments):
                return group.name
        return ""


def _sent(request_data: Mapping[str, Any]) -> bool:
    """Whether LiteLLM came as far as handing the request to an HTTP client (`Logging.pre_call`)."""
    details = getattr(request_data.get("litellm_logging_obj"), "model_call_details", None)
    return not isinstance(details, dict) or details.get("api_call_start_time") is not None
