"""What may be looked up and what may be kept. Pure functions; a reason means no."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.request import CacheRequest

COMPLETE: Final = frozenset(
    {"stop", "tool_calls", "function_call", "end_turn", "stop_sequence", "tool_use", "completed", "eos"}
)
_TEXTLESS: Final = frozenset({"embedding", "rerank"})


def lookup_refusal(request: CacheRequest, config: CacheConfig) -> str:
    """Why this request must not be answered from the cache; "" when it may."""
    if not config.enabled:
        return "disabled"
    if request.private:
        return "private"
    if request.flagged:
        return "flagged"
    if request.control.no_cache:
        return "no-cache"
    return _too_random(request, config)


def store_refusal(request: CacheRequest, config: CacheConfig, size: int) -> str:
    """Why an answer to this request must not be kept; "" when it may. `size` in bytes."""
    if not config.enabled:
        return "disabled"
    if request.private:
        return "private"
    if request.flagged:
        return "flagged"
    if request.control.no_store:
        return "no-store"
    if size > config.max_entry_bytes:
        return "too large"
    return _too_random(request, config)


def _too_random(request: CacheRequest, config: CacheConfig) -> str:
    """A client that asks for high temperature wants another answer each time, unless it asks for the cache too."""
    if request.control.explicit or request.endpoint in _TEXTLESS:
        return ""
    temperature = request.body.get("temperature")
    if isinstance(temperature, int | float) and temperature > config.temperature_limit:
        return "temperature"
    return ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules need to know of an answer. `refusal`: why it is not worth keeping ("" = keep)."""

    refusal: str = ""
    tool_calls: bool = False


def judge_answer(value: bytes | str, endpoint: str = "chat") -> Answer:
    """Errors, truncated, filtered and empty answers are not kept; tool calls are noted (exact tier only)."""
    try:
        body = json.loads(value)
    except (ValueError, RecursionError):
        return Answer("not JSON")
    if not isinstance(body, Mapping):
        return Answer("not an object")
    if body.get("error") is not None or body.get("type") == "error":
        return Answer("error")
    if endpoint == "embedding":
        return Answer("" if _embeddings_whole(body.get("data")) else "empty")
    if endpoint == "rerank":
        return Answer("" if isinstance(body.get("results"), list) and body["results"] else "empty")
    if endpoint == "responses" or "output" in body:
        return _judge_responses(body)
    if endpoint == "messages" or ("content" in body and "stop_reason" in body):
        return _judge_messages(body)
    return _judge_choices(body)


def _judge_choices(body: Mapping[str, Any]) -> Answer:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        return Answer("empty")
    tools = False
    for choice in choices:
        if not isinstance(choice, Mapping):
            return Answer("malformed")
        if (why := _finish(choice.get("finish_reason"))) != "":
            return Answer(why)
        message = choice.get("message")
        if isinstance(message, Mapping):
            calls = bool(message.get("tool_calls") or message.get("function_call"))
            if message.get("refusal"):
                return Answer("refused")
            said = message.get("content") or message.get("audio") or message.get("images")
        else:
            calls, said = False, choice.get("text")
        if not calls and not _says_something(said):
            return Answer("empty")
        tools |= calls
    return Answer(tool_calls=tools)


def _judge_messages(body: Mapping[str, Any]) -> Answer:
    if (why := _finish(body.get("stop_reason"))) != "":
        return Answer(why)
    parts = [p for p in body.get("content") or [] if isinstance(p, Mapping)]
    tools = any(p.get("type") == "tool_use" for p in parts)
    said = any(_says_something(p.get("text")) for p in parts)
    return Answer("" if said or tools else "empty", tools)


def _judge_responses(body: Mapping[str, Any]) -> Answer:
    if body.get("incomplete_details") or body.get("status", "completed") != "completed":
        return Answer("truncated")
    items = [i for i in body.get("output") or [] if isinstance(i, Mapping)]
    tools = any(str(i.get("type", "")).endswith("_call") for i in items)
    parts = [p for i in items for p in (i.get("content") or []) if isinstance(p, Mapping)]
    if any(p.get("type") == "refusal" for p in parts):
        return Answer("refused")
    said = any(_says_something(p.get("text")) for p in parts)
    return Answer("" if said or tools else "empty", tools)


def _finish(reason: object) -> str:
    if reason in ("length", "max_tokens", "model_context_window_exceeded"):
        return "truncated"
    if reason in ("content_filter", "refusal", "safety"):
        return "filtered"
    # An answer that does not say how it ended may be half an answer.
    return "" if reason in COMPLETE else "unfinished"


def _says_something(text: object) -> bool:
    if isinstance(text, str):
        return bool(text.strip())
    return bool(text)


def _embeddings_whole(data: object) -> bool:
    if not isinstance(data, Iterable) or isinstance(data, str | bytes | Mapping):
        return False
    rows = list(data)
    return bool(rows) and all(isinstance(r, Mapping) and bool(r.get("embedding")) for r in rows)
