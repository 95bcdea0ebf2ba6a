"""Bodies of OpenAI's API, shared by Ollama's /v1 and the cloud stand-in."""

from __future__ import annotations

import base64
import itertools
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.standins import answers

_ids = itertools.count(1)


@dataclass
class Turn:
    """What the model says in one answer."""

    model: str
    text: str = ""
    thinking: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)  # {"name", "arguments": dict}
    prompt_tokens: int = 1
    done_reason: str = "stop"

    @property
    def completion_tokens(self) -> int:
        return len(answers.pieces(self.text)) + 8 * len(self.tool_calls) + answers.count_tokens(self.thinking)

    @property
    def usage(self) -> dict[str, int]:
        done = self.completion_tokens
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": done,
            "total_tokens": self.prompt_tokens + done,
        }


def text_of(content: Any) -> str:
    """The text of a message content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [p.get("text") or p.get("content") or "" if isinstance(p, dict) else str(p) for p in content]
        return "\n".join(p if isinstance(p, str) else text_of(p) for p in parts)
    return ""


def converse(
    model: str,
    messages: list[Any],
    tools: Any = None,
    schema: Any = None,
    default: str = answers.DEFAULT_REPLY,
) -> Turn:
    """Decide the answer to a conversation: a tool call, schema-shaped JSON, or text."""
    last = messages[-1] if messages else {}
    prompt = text_of(last.get("content"))
    everything = sum(len(text_of(m.get("content"))) + 8 for m in messages) + (
        len(orjson.dumps(tools)) if tools else 0
    )
    turn = Turn(model, prompt_tokens=max(1, everything // 4))
    if tools and last.get("role") == "user":
        chosen = answers.pick_tools(tools, prompt)
        turn.tool_calls = [
            {"name": f.get("name"), "arguments": answers.sample(f.get("parameters") or {}) or {}}
            for f in chosen
        ]
    if turn.tool_calls:
        return turn
    if schema:
        turn.text = answers.sample_json(schema)
    elif last.get("role") == "tool":
        turn.text = f"The tool answered with {len(prompt)} characters."
    else:
        turn.text = answers.reply_text(prompt, default)
    return turn


def schema_of(body: dict[str, Any]) -> Any:
    """The JSON schema a chat body asks for, "json" for the loose mode, None for text."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return (wanted.get("json_schema") or {}).get("schema")
    return "json" if wanted.get("type") == "json_object" else None


def _calls(turn: Turn, with_index: bool) -> list[dict[str, Any]]:
    out = []
    for index, call in enumerate(turn.tool_calls):
        function = {"name": call["name"], "arguments": orjson.dumps(call["arguments"]).decode()}
        entry = {"id": f"call_{next(_ids):08x}", "type": "function", "function": function}
        out.append({"index": index, **entry} if with_index else entry)
    return out


def chat_completion(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text}
    if turn.thinking:
        message["reasoning"] = turn.thinking
    if turn.tool_calls:
        message["tool_calls"] = _calls(turn, with_index=False)
    reason = "tool_calls" if turn.tool_calls else turn.done_reason
    return {
        "id": f"chatcmpl-{next(_ids)}", "object": "chat.completion", "created": int(time.time()), "model": turn.model,
        "system_fingerprint": "fp_standin", "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": turn.usage,
    }  # fmt: skip


def chat_chunks(turn: Turn, include_usage: bool) -> Iterator[dict[str, Any]]:
    """The stream of a chat answer, OpenAI's chunk objects."""
    base = {"id": f"chatcmpl-{next(_ids)}", "object": "chat.completion.chunk", "created": int(time.time()),
            "model": turn.model, "system_fingerprint": "fp_standin"}  # fmt: skip

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    for piece in answers.pieces(turn.thinking) if turn.thinking else ():
        yield chunk({"role": "assistant", "content": "", "reasoning": piece})
    if turn.tool_calls:
        yield chunk({"role": "assistant", "content": "", "tool_calls": _calls(turn, with_index=True)})
    else:
        for piece in answers.pieces(turn.text):
            yield chunk({"role": "assistant", "content": piece})
    yield chunk({"role": "assistant", "content": ""}, "tool_calls" if turn.tool_calls else turn.done_reason)
    if include_usage:
        yield {**base, "choices": [], "usage": turn.usage}


def completion(turn: Turn) -> dict[str, Any]:
    return {
        "id": f"cmpl-{next(_ids)}", "object": "text_completion", "created": int(time.time()), "model": turn.model,
        "choices": [{"text": turn.text, "index": 0, "finish_reason": "stop"}], "usage": turn.usage,
    }  # fmt: skip


def completion_chunks(turn: Turn, include_usage: bool) -> Iterator[dict[str, Any]]:
    base = {
        "id": f"cmpl-{next(_ids)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": turn.model,
    }
    for piece in answers.pieces(turn.text):
        yield {**base, "choices": [{"text": piece, "index": 0, "finish_reason": None}]}
    yield {**base, "choices": [{"text": "", "index": 0, "finish_reason": "stop"}]}
    if include_usage:
        yield {**base, "choices": [], "usage": turn.usage}


def embeddings(model: str, body: dict[str, Any], dims: int) -> dict[str, Any]:
    given = body.get("input", "")
    single = isinstance(given, str) or (isinstance(given, list) and bool(given) and isinstance(given[0], int))
    items: list[Any] = [given] if single else list(given)
    dims = int(body.get("dimensions") or dims)
    data = []
    for index, item in enumerate(items):
        vector: Any = answers.embed_any(item, dims)
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{dims}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    tokens = sum(answers.count_tokens(i) if isinstance(i, str) else len(i) for i in items)
    return {
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def sse(chunk: dict[str, Any], event: str | None = None) -> bytes:
    prefix = f"event: {event}\n".encode() if event else b""
    return prefix + b"data: " + orjson.dumps(chunk) + b"\n\n"


SSE_DONE = b"data: [DONE]\n\n"
