"""Fields a client may not send because they steer the proxy or its plugins (LITELLM facts 3.5, 3.6, 6.9)."""

from __future__ import annotations

from typing import Any

# LiteLLM reads all of these from a request body; none is part of the OpenAI, Anthropic or Cohere APIs.
_STEERING = frozenset(
    [
        "fallbacks",
        "context_window_fallbacks",
        "content_policy_fallbacks",
        "default_fallbacks",
        "disable_fallbacks",
        "fallback_depth",
        "max_fallbacks",
        "num_retries",
        "max_retries",
        "retry_policy",
        "retry_strategy",
        "model_group_retry_policy",
        "cooldown_time",
        "allowed_fails",
        "custom_llm_provider",
        "api_key",
        "api_base",
        "base_url",
        "api_version",
        "api_type",
        "organization",
        "azure_ad_token",
        "region_name",
        "model_list",
        "user_config",
        "litellm_params",
        "litellm_credential_name",
        "credential_name",
        "specific_deployment",
        "deployment_id",
        "model_id",
        "timeout",
        "request_timeout",
        "stream_timeout",
        "force_timeout",
        "extra_headers",
        "headers",
        "extra_body",
        "extra_query",
        "default_headers",
        "litellm_metadata",
        "litellm_call_id",
        "litellm_session_id",
        "litellm_trace_id",
        "litellm_logging_obj",
        "litellm_parent_otel_span",
        "litellm_request_debug",
        "proxy_server_request",
        "secret_fields",
        "standard_logging_object",
        "model_info",
        "metadata_tags",
        "guardrails",
        "guardrail_config",
        "policies",
        "tags",
        "callbacks",
        "success_callback",
        "failure_callback",
        "input_callback",
        "service_callback",
        "logger_fn",
        "no-log",
        "no_log",
        "turn_off_message_logging",
        "litellm_disabled_callbacks",
        "ssl_verify",
        "client",
        "http_client",
        "aclient",
        "prompt_id",
        "prompt_label",
        "prompt_variables",
        "prompt_version",
        "dotprompt_content",
        "hooks",
        "preset_cache_key",
        "caching",
        "caching_groups",
        "fastest_response",
        "acompletion",
        "async_call",
        "priority",
        "use_in_pass_through",
        "use_litellm_proxy",
        "merge_reasoning_content_in_choices",
        "input_cost_per_token",
        "output_cost_per_token",
        "input_cost_per_second",
        "output_cost_per_second",
        "allowed_openai_params",
        "provider_specific_header",
        "mock_response",
        "routing_strategy",
        "enable_json_schema_validation",
        "azure_username",
        "azure_password",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "aws_region_name",
        "aws_bedrock_runtime_endpoint",
        "vertex_project",
        "vertex_location",
        "vertex_credentials",
        "vertex_ai_credentials",
        "watsonx_region_name",
        "supports_system_message",
        "roles",
        "initial_prompt_value",
        "final_prompt_value",
        "bos_token",
        "eos_token",
        "enforced_params",
        "additional_drop_params",
        "drop_params",
        "max_parallel_requests",
        "rpm",
        "tpm",
        "budget_duration",
        "max_budget",
        "shared_session",
        "cooldown_deployment",
        "original_function",
        "original_generic_function",
        "litellm_system_prompt",
    ]
)
_PREFIXES = ("mock_", "langfuse_", "langsmith_", "aicc_", "litellm_", "user_api_key", "_aicc", "x-aicc")
# The only client metadata that means something here; the session is read before the rest is dropped.
_METADATA_STEERING = ("aicc", "_", "langfuse", "trace_", "generation_", "user_api_key", "litellm", "model_group", "tags",
                      "guardrails", "spend_logs", "routing_plugin", "requester", "hidden_params", "headers", "endpoint",
                      "deployment", "model_info", "api_base", "existing_trace_id", "mask_", "cache", "session_", "prompt")  # fmt: skip


def strip_body(body: dict[str, Any]) -> list[str]:
    """Remove steering fields in place. Returns their names, sorted, safe for a header."""
    stripped = [key for key in body if _steers(key)]
    for key in stripped:
        del body[key]
    metadata = body.pop("metadata", None)
    if isinstance(metadata, dict):
        # LiteLLM merges client metadata into its own (§2.7), so none of it may pass. Only keys that
        # would have steered something are worth telling the client about.
        stripped += [
            f"metadata.{key}"
            for key in metadata
            if key != "session_id" and str(key).lower().startswith(_METADATA_STEERING)
        ]
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        del body["stream_options"]
        stripped.append("stream_options")
    return sorted(_header_safe(name) for name in stripped)


def _steers(key: str) -> bool:
    lowered = key.lower()
    return lowered in _STEERING or lowered.startswith(_PREFIXES)


def _header_safe(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name[:60])
