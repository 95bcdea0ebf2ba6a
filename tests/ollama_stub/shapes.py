"""The JSON shapes of Ollama's answers, whole and as a stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from tests.standins import answers, openai_api
from tests.standins.openai_api import Turn
from tests.standins.wire import json_response


def whole(path: str, answer: Any, loaded_in: float) -> bytes:
    """The answer that is not a stream, as an HTTP response."""
    if not isinstance(answer, Turn):
        return json_response(answer)
    if path == "/v1/chat/completions":
        return json_response(openai_api.chat_completion(answer))
    if path == "/v1/completions":
        return json_response(openai_api.completion(answer))
    line = {"model": answer.model, "created_at": _now()}
    content = _content(path, answer.text, answer.thinking)
    if answer.tool_calls:
        content["message"]["tool_calls"] = _tool_calls(answer)
    return json_response({**line, **content, **_done(answer, loaded_in)})


def _content(path: str, text: str, thinking: str = "") -> dict[str, Any]:
    if path == "/api/generate":
        return {"response": text, "thinking": thinking} if thinking else {"response": text}
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    return {"message": message}


def ndjson(path: str, turn: Turn, loaded_in: float) -> Iterator[bytes]:
    def line(text: str, thinking: str = "", more: dict[str, Any] | None = None) -> bytes:
        content = _content(path, text, thinking)
        return (
            orjson.dumps({"model": turn.model, "created_at": _now(), **content, **(more or {"done": False})})
            + b"\n"
        )

    for piece in answers.pieces(turn.thinking) if turn.thinking else ():
        yield line("", piece)
    if turn.tool_calls:
        message = {"role": "assistant", "content": "", "tool_calls": _tool_calls(turn)}
        yield (
            orjson.dumps({"model": turn.model, "created_at": _now(), "message": message, "done": False})
            + b"\n"
        )
    elif turn.text:
        for piece in answers.pieces(turn.text):
            yield line(piece)
    yield line("", more=_done(turn, loaded_in))


def sse(chunks: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for chunk in chunks:
        yield openai_api.sse(chunk)
    yield openai_api.SSE_DONE


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _tool_calls(turn: Turn) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{time.monotonic_ns() & 0xFFFFFFFF:08x}", "function": {"index": i, **call}}
        for i, call in enumerate(turn.tool_calls)
    ]


def _done(turn: Turn, loaded_in: float) -> dict[str, Any]:
    spoken = turn.completion_tokens
    load = int(loaded_in * 1e9) or 15_000_000
    return {
        "done_reason": turn.done_reason, "done": True, "total_duration": load + 30_000_000 + spoken * 10_000_000,
        "load_duration": load, "prompt_eval_count": turn.prompt_tokens, "prompt_eval_duration": 30_000_000,
        "eval_count": spoken, "eval_duration": spoken * 10_000_000,
    }  # fmt: skip
