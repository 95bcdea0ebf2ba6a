"""Fields a client may not send because they steer the proxy or its plugins."""

from __future__ import annotations

from typing import Any

# LiteLLM (1.106.2 to 1.110.2) reads all of these from a request body; none is part of the OpenAI, Anthropic or Cohere APIs.
# tests/test_payload.py compares the list with the installed release.
_STEERING = frozenset(
    [
        # where a call goes and what replaces it
        "fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks", "disable_fallbacks",
        "include_fallback_errors", "fallback_depth", "max_fallbacks", "fallback_model_group", "context_window_fallback_dict",
        "num_retries", "max_retries", "retry_policy", "retry_strategy", "model_group_retry_policy", "cooldown_time",
        "cooldown_deployment", "allowed_fails", "passthrough", "passthrough_on_no_deployment", "routing_strategy",
        "routing_strategy_args", "routing_groups", "priority", "fastest_response", "model_alias_map", "model_group", "model_info",
        "model_list", "model_config", "base_model", "deployment", "deployment_id", "specific_deployment", "model_id", "engine",
        "agent", "agent_id", "previous_models", "original_model_group", "allowed_model_region", "data_residency", "silent_model",
        "weight", "order", "id", "config",
        # with which server, credentials and headers
        "custom_llm_provider", "api_base", "base_url", "api_type", "api_version", "organization", "region_name", "workspace_id",
        "tenant_id", "client_id", "use_clientside_credentials", "use_client", "use_chat_completions_api", "use_litellm_proxy",
        "use_in_pass_through", "use_xai_oauth", "use_ssl", "rust", "ssl_verify", "client", "http_client", "aclient",
        "shared_session", "provider_specific_header", "extra_headers", "headers", "extra_body", "extra_query", "default_headers",
        "nvcf_function_id", "agentcore_runtime_session_id", "fireworks_forward_user_id", "credential_name", "chatgpt_auth_file",
        "kubernetes_pod_discovery", "responses_api_version", "riva_offline", "allow_legacy_cloud_file_ids",
        "configurable_clientside_auth_params", "user_config", "environment_variables", "general_settings", "callback_settings",
        "secret_manager_settings",
        # for how long and how often
        "timeout", "request_timeout", "stream_timeout", "force_timeout", "client_side_timeout", "keepalive_seconds",
        "allow_client_keepalive_override", "stream_timeout_by_service_tier", "timeout_by_service_tier", "max_parallel_requests",
        "rpm", "tpm", "itpm", "otpm", "rpd", "tpd", "daily_reset_time", "budget_duration", "max_budget", "max_iterations", "max_agentic_loops", "max_file_size_mb",
        # what is logged and which policies run
        "session_id", "trace_id", "user_id", "proxy_server_request", "secret_fields", "standard_logging_object",
        "standard_callback_dynamic_params", "metadata_tags", "tags", "tag_regex", "enable_tag_filtering", "spend_logs_metadata",
        "guardrails", "guardrail_config", "applied_guardrails", "disable_global_guardrails", "opted_out_global_guardrails",
        "include_guardrail_response", "policies", "callbacks", "success_callback", "failure_callback", "input_callback",
        "service_callback", "logger_fn", "no-log", "no_log", "turn_off_message_logging", "log_client_error_tracebacks", "verbose",
        "complete_response", "completion_call_id", "call_type",
        # prompts, caches and features of LiteLLM's own
        "prompt_id", "prompt_label", "prompt_variables", "prompt_version", "prompt_environment", "prompt_integration",
        "dotprompt_content", "hooks", "preset_cache_key", "caching", "caching_groups", "cache_key", "cache_hit", "ttl",
        "enable_prompt_caching", "cache_control_injection_points", "supports_system_message", "roles", "initial_prompt_value",
        "final_prompt_value", "bos_token", "eos_token", "custom_prompt_dict", "hf_model_name", "ensure_alternating_roles",
        "user_continue_message", "assistant_continue_message", "disable_add_transform_inline_image_block",
        "merge_reasoning_content_in_choices", "enable_json_schema_validation", "allowed_openai_params", "additional_drop_params",
        "drop_params", "enforced_params", "search_tool_name", "vector_store_id", "vector_store_ids",
        "vector_store_request_metadata", "container_id", "mcp_tool_call_metadata", "optional_params", "output_vector_size",
        "tiered_pricing", "fedramp_uplift_multiplier", "explicit_cache_read_input_token_cost", "search_queries_cost_per_query",
        "thought_signature_in_tool_call_id", "stream_response", "stream_chunk_size", "model_file_id_mapping", "bucket_name",
        # LiteLLM's flags between its own functions
        "acompletion", "async_call", "aembedding", "aimg_generation", "allm_passthrough_route", "atext_completion",
        "text_completion", "azure", "self", "original_function", "original_generic_function", "exception", "response_id",
        "first_message", "aresponses", "arerank", "amoderation", "atranscription", "response_cost", "session",
    ]
)  # fmt: skip
_PREFIXES = (
    "_", "mock_", "aicc_", "x-aicc", "litellm_", "user_api_key", "router_", "auto_router_", "adaptive_router_", "complexity_router_",
    "quality_router_", "switchyard_router_", "attempted_", "github_copilot_", "token_exchange_",
    "aws_", "azure_", "vertex_", "watsonx_", "s3_", "gcs_", "bedrock_", "gigachat_", "milvus_", "valkey_", "openai_", "anthropic_identity_",
    "anthropic_issuer_", "anthropic_keycloak_", "anthropic_federation_", "anthropic_service_", "anthropic_organization_", "anthropic_workspace_",
    "anthropic-workspace-", "anthropic_disable_",
    "langfuse_", "langsmith_", "arize_", "dd_", "wandb_", "weave_", "newrelic_", "posthog_", "signoz_", "humanloop_", "braintrust_", "lunary_",
    "input_cost_", "output_cost_", "cache_read_", "cache_creation_", "ocr_cost_", "annotation_cost_", "citation_cost_", "cost_per_",
    "search_context_cost_", "google_maps_grounding_cost_", "regional_endpoint_", "regional_processing_", "default_api_key_",
    "provider_affinity_",
)  # fmt: skip
_SUFFIXES = (
    "api_key",
    "_base_url",
    "_api_base",
    "_webhook_url",
    "deployment_url",
    "_secret",
    "_credentials",
    "_callback",
    "_fallbacks",
)
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
        # LiteLLM merges client metadata into its own, so none of it may pass. Only keys that
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
    return sorted(header_safe(name) for name in stripped)


def _steers(key: str) -> bool:
    lowered = key.lower()
    return lowered in _STEERING or lowered.startswith(_PREFIXES) or lowered.endswith(_SUFFIXES)


def header_safe(name: str) -> str:
    """A field name that may stand in a header."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name[:60])
