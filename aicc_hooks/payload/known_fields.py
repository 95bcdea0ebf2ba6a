"""Which optional fields each API has, and which of them a model server hears of.

Others are dropped and named in x-aicc-stripped, never refused.

LiteLLM passes a field it does not know to the model server, where strict ones answer 400 and Ollama's
options swallow it; either way the client would not learn that it had no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aicc_hooks.payload.strip import header_safe

_COMMON: Final = frozenset(("model", "user", "metadata", "stream", "cache"))
# Sampling and loading options of Ollama, llama.cpp, MLX and vLLM, which LiteLLM passes on.
_LOCAL: Final = frozenset((
    "think", "thinking", "keep_alive", "num_ctx", "num_predict", "num_keep", "num_batch", "num_gpu", "num_thread", "main_gpu", "low_vram",
    "use_mmap", "use_mlock", "numa", "vocab_only", "f16_kv", "logits_all", "top_k", "min_p", "typical_p", "tfs_z", "repeat_penalty",
    "repeat_last_n", "repetition_penalty", "length_penalty", "mirostat", "mirostat_eta", "mirostat_tau", "penalize_newline", "format",
    "options", "raw", "template", "min_tokens", "ignore_eos", "stop_token_ids", "skip_special_tokens", "include_stop_str_in_output",
    "chat_template_kwargs", "enable_thinking", "add_generation_prompt", "grammar", "json_schema", "cache_prompt", "id_slot",
    "dynatemp_range", "dynatemp_exponent", "dry_multiplier", "dry_base", "dry_allowed_length", "xtc_probability", "xtc_threshold",
    "guided_json", "guided_regex", "guided_choice", "guided_grammar", "best_of", "reasoning", "reasoning_format", "reasoning_budget",
))  # fmt: skip
_SAMPLING: Final = frozenset((
    "temperature", "top_p", "n", "stop", "max_tokens", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "seed",
    "stream_options", "echo", "suffix",
))  # fmt: skip
_FIELDS: Final[dict[str, frozenset[str]]] = {
    "chat": _COMMON | _LOCAL | _SAMPLING | frozenset((
        "messages", "max_completion_tokens", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call",
        "response_format", "reasoning_effort", "modalities", "audio", "prediction", "service_tier", "store", "verbosity",
        "web_search_options", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    )),
    "completions": _COMMON | _LOCAL | _SAMPLING | frozenset(("prompt",)),
    "embeddings": _COMMON | frozenset(("input", "encoding_format", "dimensions", "input_type", "truncate", "truncation", "keep_alive", "options")),
    "responses": _COMMON | _LOCAL | frozenset((
        "input", "instructions", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "previous_response_id", "conversation",
        "prompt", "reasoning", "service_tier", "store", "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs",
        "top_p", "truncation", "include", "background", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "verbosity",
        "context_management",
    )),
    "messages": _COMMON | _LOCAL | frozenset((
        "messages", "max_tokens", "system", "stop_sequences", "temperature", "top_p", "tools", "tool_choice", "thinking", "container",
        "context_management", "mcp_servers", "service_tier", "output_config", "output_format", "betas", "inference_geo",
    )),
    "rerank": _COMMON | frozenset((
        "query", "documents", "top_n", "return_documents", "max_chunks_per_doc", "max_tokens_per_doc", "rank_fields",
    )),
}  # fmt: skip
# What reaches an Ollama model, as LiteLLM translates it; the rest has no effect, or only its name among Ollama's options.
_OLLAMA_OPTIONS: Final = frozenset((
    "temperature", "top_p", "seed", "stop", "top_k", "min_p", "typical_p", "tfs_z", "repeat_penalty", "repeat_last_n", "mirostat",
    "mirostat_eta", "mirostat_tau", "penalize_newline", "presence_penalty", "frequency_penalty", "num_predict", "num_keep", "num_batch",
    "num_gpu", "num_thread", "main_gpu", "low_vram", "use_mmap", "use_mlock", "numa", "vocab_only", "f16_kv", "logits_all", "keep_alive",
    "format", "think", "stream_options", "max_tokens",
))  # fmt: skip
# They change no answer, so nobody needs to be told.
_UNFELT: Final = frozenset(
    ("safety_identifier", "prompt_cache_key", "prompt_cache_retention", "cache_prompt", "encoding_format")
)
_OLLAMA: Final[dict[str, frozenset[str]]] = {
    "chat": _COMMON | _UNFELT | _OLLAMA_OPTIONS | frozenset((
        "messages", "max_completion_tokens", "tools", "tool_choice", "functions", "function_call", "response_format", "reasoning_effort",
    )),
    "completions": _COMMON | _UNFELT | _OLLAMA_OPTIONS | frozenset(("prompt",)),
    "responses": _COMMON | _UNFELT | _OLLAMA_OPTIONS | frozenset((
        "input", "instructions", "max_output_tokens", "text", "tools", "tool_choice", "reasoning",
    )),
    "messages": _COMMON | _UNFELT | _OLLAMA_OPTIONS | frozenset((
        "messages", "system", "stop_sequences", "tools", "tool_choice", "thinking", "output_format", "output_config",
    )),
    "embeddings": _COMMON | _UNFELT | frozenset(("input", "dimensions", "truncate", "keep_alive", "options")),
}  # fmt: skip
# Values that ask for what happens anyhow, beside those of `_NOTHING`.
_USUAL: Final[dict[str, tuple[Any, ...]]] = {
    "n": (1,), "best_of": (1,), "service_tier": ("auto", "default", "standard_only"), "modalities": (["text"],),
    "truncation": ("disabled",), "verbosity": ("medium",), "add_generation_prompt": (True,),
    "skip_special_tokens": (True,), "repetition_penalty": (1,), "length_penalty": (1,),
}  # fmt: skip
_NOTHING: Final[tuple[Any, ...]] = (None, False, 0, "", [], {})


def without_effect(endpoint: str, body: Mapping[str, Any]) -> list[str]:
    """Fields that ask an Ollama model for something it is not told, sorted. `body`: after `drop_unknown`."""
    heard = _OLLAMA.get(endpoint)
    if heard is None:
        return []
    return sorted(name for name, value in body.items() if name not in heard and _asks(name, value))


def _asks(name: str, value: Any) -> bool:
    if name in ("parallel_tool_calls", "web_search_options"):
        return (
            value is not None and value is not True
        )  # True is the default of the one; {} asks for the other
    return value not in _NOTHING and value not in _USUAL.get(name, ())


def drop_unknown(endpoint: str, body: dict[str, Any]) -> list[str]:
    """Remove, in place, top-level fields the endpoint's API does not have. Returns their names for a header.

    Call it after the body was inspected: a field invented tomorrow is still scanned today.
    """
    known = _FIELDS.get(endpoint)
    if known is None:
        return []
    unknown = sorted(key for key in body if key not in known)
    for key in unknown:
        del body[key]
    return [header_safe(key) for key in unknown]


def is_field(name: str) -> bool:
    """Whether any of the APIs has a field of this name."""
    return any(name in fields for fields in _FIELDS.values())
