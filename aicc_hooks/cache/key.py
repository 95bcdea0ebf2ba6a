"""The exact key: a keyed hash over everything that changes the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import orjson

from aicc_hooks.cache.request import CacheRequest

KEY_VERSION: Final = 3

# Everything is in the key unless named here, so that a parameter nobody thought of costs a hit and never a wrong
# answer. Named are: who asks, how it is delivered, bookkeeping, and where it goes (the model group stands for it).
IGNORED: Final = frozenset(
    {
        "model", "user", "stream", "stream_options", "metadata", "litellm_metadata", "cache", "caching",
        "api_key", "api_base", "base_url", "api_version", "custom_llm_provider", "organization",
        "timeout", "request_timeout", "stream_timeout", "num_retries", "max_retries", "retry_policy",
        "fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "cooldown_time",
        "litellm_call_id", "litellm_trace_id", "litellm_session_id", "litellm_logging_obj", "litellm_params",
        "proxy_server_request", "secret_fields", "standard_logging_object", "shared_session", "client",
        "model_info", "specific_deployment", "tags", "id", "request_id", "session_id", "store",
        "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "service_tier", "extra_headers", "headers",
        "logger_fn", "mock_delay", "no-log", "preset_cache_key", "cache_key", "aembedding", "acompletion", "atext_completion",
    }
)  # fmt: skip


def scope_id(scope: str, request: CacheRequest) -> str | None:
    """Who shares an entry; None when the scope asks for an identity the request does not have."""
    if scope == "machine":
        return "machine"
    if scope == "key":
        return f"key\0{request.key_id}" if request.key_id else None
    # Two keys may carry the same user name; the key keeps their users apart.
    return f"user\0{request.key_id}\0{request.user}" if request.user else None


def exact_key(request: CacheRequest, *, secret: bytes, scope: str) -> str | None:
    """32 hex digits; None when the request cannot be cached (no identity for the scope, not JSON).

    `secret`: 1 to 64 bytes that Redis does not know, so that keys cannot be guessed back to prompts.
    """
    owner = scope_id(scope, request)
    if owner is None:
        return None
    body = {
        name: _plain(value)
        for name, value in request.body.items()
        if name not in IGNORED and value is not None
    }
    messages = body.get("messages")
    if isinstance(messages, list):
        body["messages"] = _without_ids(messages)
    head = [KEY_VERSION, owner, request.group, request.endpoint, request.variant]
    try:
        text = _canonical([head, body])
    except (TypeError, ValueError, RecursionError):
        return None
    return hashlib.blake2b(text, key=secret, digest_size=16).hexdigest()


def _canonical(value: Any) -> bytes:
    """Sorted JSON. orjson takes 0.3 ms a megabyte, json 4 ms, but it refuses lone surrogates and huge integers."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """0.0 and 0 are one temperature."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _without_ids(messages: list[Any]) -> list[Any]:
    """Messages with tool-call ids numbered by appearance: upstreams draw them at random."""
    if not any(
        isinstance(m, Mapping) and ("tool_call_id" in m or "tool_calls" in m or "id" in m) for m in messages
    ):
        return messages
    seen: dict[str, str] = {}

    def number(name: Any) -> Any:
        return seen.setdefault(name, f"#{len(seen)}") if isinstance(name, str) else name

    result = []
    for message in messages:
        if isinstance(message, Mapping):
            message = {k: v for k, v in message.items() if k != "id"}
            calls = message.get("tool_calls")
            if isinstance(calls, list):
                message["tool_calls"] = [
                    {**c, "id": number(c.get("id"))} if isinstance(c, Mapping) else c for c in calls
                ]
            if "tool_call_id" in message:
                message["tool_call_id"] = number(message["tool_call_id"])
        result.append(message)
    return result
