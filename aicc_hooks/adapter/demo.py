"""Stand-in models inside LiteLLM for `aicc serve --demo`: they answer, stream, call a given tool and embed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import AsyncIterator
from typing import Any

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import EmbeddingResponse, ModelResponse

from aicc_hooks.detect.tokens import estimate_tokens

_DIMENSIONS = 256


class DemoModel(CustomLLM):
    """Provider `aicc_demo`. Answers are made from the request alone; no network, no weights."""

    async def acompletion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """One answer: a tool call when a tool was offered and not yet answered, else a sentence."""
        messages, options = kwargs["messages"], kwargs.get("optional_params") or {}
        text, tool_call = _reply(kwargs.get("model", ""), messages, options)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if tool_call:
            message["tool_calls"] = [tool_call]
        return ModelResponse(
            model=kwargs.get("model"),
            choices=[
                {"index": 0, "message": message, "finish_reason": "tool_calls" if tool_call else "stop"}
            ],
            usage=_usage(messages, text or ""),
        )

    async def astreaming(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """The same answer word by word."""
        messages, options = kwargs["messages"], kwargs.get("optional_params") or {}
        text, tool_call = _reply(kwargs.get("model", ""), messages, options)
        usage = _usage(messages, text or "")
        if tool_call:
            yield _chunk(tool_use={**tool_call, "index": 0})
        for word in (text or "").split(" "):
            if word:
                yield _chunk(text=word + " ")
        yield _chunk(finish="tool_calls" if tool_call else "stop", usage=usage)

    async def aembedding(self, *args: Any, **kwargs: Any) -> EmbeddingResponse:
        """Hashed words, unit length: the same text gives the same vector, similar texts similar ones."""
        texts = kwargs.get("input") or []
        texts = texts if isinstance(texts, list) else [texts]
        data = [{"object": "embedding", "index": i, "embedding": _embed(str(t))} for i, t in enumerate(texts)]
        tokens = sum(estimate_tokens(str(t)) for t in texts)
        return EmbeddingResponse(
            model=kwargs.get("model"), data=data, usage={"prompt_tokens": tokens, "total_tokens": tokens}
        )


def _reply(
    model: str, messages: list[Any], options: dict[str, Any]
) -> tuple[str | None, dict[str, Any] | None]:
    tools = [t for t in options.get("tools") or [] if isinstance(t, dict) and t.get("type") == "function"]
    last = messages[-1] if messages else {}
    if tools and last.get("role") != "tool" and options.get("tool_choice") != "none":
        function = tools[0]["function"]
        arguments = json.dumps(_example(function.get("parameters") or {}))
        digest = hashlib.sha256(arguments.encode()).hexdigest()[:12]
        call = {
            "id": f"call_{digest}",
            "type": "function",
            "function": {"name": function["name"], "arguments": arguments},
        }
        return None, call
    schema = options.get("response_format")
    if isinstance(schema, dict) and schema.get("type") in ("json_schema", "json_object"):
        return json.dumps(_example((schema.get("json_schema") or {}).get("schema") or {})), None
    words = estimate_tokens(_text_of(last))
    return (
        f"This is the demo model {model.partition('/')[2] or model}. Your last message has about {words} tokens. Nothing left this machine.",
        None,
    )


def _text_of(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else ""
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _example(schema: dict[str, Any]) -> Any:
    """A smallest value that fits a JSON schema."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object" or "properties" in schema or kind is None:
        return {key: _example(value) for key, value in (schema.get("properties") or {}).items()}
    return {"array": [], "integer": 1, "number": 1.0, "boolean": True, "null": None}.get(str(kind), "demo")


def _embed(text: str) -> list[float]:
    vector = [0.0] * _DIMENSIONS
    for word in text.lower().split():
        digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
        vector[int.from_bytes(digest[:2], "big") % _DIMENSIONS] += 1.0 if digest[2] & 1 else -1.0
    norm = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / norm for x in vector]


def _usage(messages: list[Any], text: str) -> dict[str, int]:
    prompt = sum(estimate_tokens(_text_of(m)) for m in messages)
    answer = estimate_tokens(text)
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _chunk(text: str = "", finish: str = "", tool_use: Any = None, usage: Any = None) -> dict[str, Any]:
    return {
        "text": text,
        "is_finished": bool(finish),
        "finish_reason": finish,
        "index": 0,
        "tool_use": tool_use,
        "usage": usage,
    }
