"""What all LiteLLM callbacks of ours share: find or make a call's verdict, and apply its decision once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import ProxyException

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.answer import response_headers
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime, get_runtime
from aicc_hooks.errors import ConfigError, Refusal
from aicc_hooks.payload import extract, strip_body
from aicc_hooks.wire import STATUS

ENDPOINTS = {
    "acompletion": "chat", "completion": "chat", "atext_completion": "completions", "text_completion": "completions",
    "aembedding": "embeddings", "embedding": "embeddings", "aembeddings": "embeddings", "embeddings": "embeddings",
    "aresponses": "responses", "responses": "responses", "anthropic_messages": "messages", "rerank": "rerank", "arerank": "rerank",
}  # fmt: skip
# What a client could steer with when the gate is not there to strip it.
_STEERING = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks", "disable_fallbacks", "num_retries",
             "custom_llm_provider", "silent_model", "router_settings_override", "api_key", "api_base", "base_url", "user_config",
             "model_list", "mock_response", "extra_headers", "extra_body")  # fmt: skip


class Hook(CustomLogger):
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
            call = await self.judge_alone(data, ENDPOINTS.get(call_type, "other"))
            calls.remember(data, call)
        decision = call.decision
        if decision is None:
            raise proxy_error(
                Refusal("aicc_not_configured", "The request reached a model without a verdict.", 503),
                call,
                self.runtime,
            )
        if decision.blocked:
            call.refusal = Refusal(decision.blocked, decision.sentence, STATUS.get(decision.blocked, 400))
            raise proxy_error(call.refusal, call, self.runtime)
        if call.applied:
            return data
        call.applied = True
        for name in _STEERING:
            data.pop(name, None)
        data["model"] = decision.route
        found = call.verdict is not None and call.verdict.privacy.types
        # LiteLLM's own cache, where config.yaml has one, must not hold a finding either.
        if not decision.cache or found:
            data["cache"] = {"no-cache": True, "no-store": True}
        return data

    async def judge_alone(self, data: Mapping[str, Any], endpoint: str) -> Call:
        """Verdict for a payload no gate has seen. Privacy fails closed when there is no policy."""
        call = Call(endpoint=endpoint)
        body = _plain(data)
        strip_body(body)
        call.requested = str(data.get("model") or "")
        call.extract = extract(endpoint, body)
        try:
            await self.runtime.judge(call)
        except ConfigError as error:
            raise proxy_error(
                Refusal("aicc_not_configured", f"The policy is not usable: {error}", 503), call, self.runtime
            ) from None
        return call


def name_of(call_type: Any) -> str:
    """LiteLLM's call type as a word; it comes as an enum or as text."""
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


def proxy_error(refusal: Refusal, call: Call, runtime: Runtime) -> ProxyException:
    """LiteLLM's own exception: the one kind that keeps type, status and headers on all endpoints."""
    call.error_code = refusal.code
    return ProxyException(
        message=refusal.message,
        type=refusal.code,
        param=refusal.param,
        code=refusal.status,
        headers=dict(response_headers(call, runtime)),
    )
