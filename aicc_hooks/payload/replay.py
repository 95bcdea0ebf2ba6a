"""One stored answer for both ways of delivery: a stream becomes a whole response, a whole response a stream."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import orjson

from aicc_hooks.payload.event_repair import complete_response, drop_empty
from aicc_hooks.payload.response import ResponseFacts, parse_response, stream_events

_UNTOLD: dict[str, dict[str, Any]] = {"function_call": {"arguments": ""}, "reasoning": {"summary": []}}
_PIECE = 400  # characters of a replayed delta: clients that render as it comes stay smooth


def whole_of(endpoint: str, body: bytes) -> bytes | None:
    """A streamed response as the JSON the same request would have got whole; None when it is not complete."""
    facts = parse_response(endpoint, body, stream=True)
    if facts.error or not facts.complete:
        return None
    if endpoint == "responses":
        final = next((e for e in stream_events(body) if e.get("type") == "response.completed"), None)
        return orjson.dumps(final["response"]) if final and isinstance(final.get("response"), dict) else None
    if not facts.output or not facts.finish:
        return None
    first = next(iter(stream_events(body)), {})
    if endpoint == "messages":
        return orjson.dumps(_anthropic_whole(first, facts))
    if endpoint not in ("chat", "completions"):
        return None
    return orjson.dumps(_openai_whole(endpoint, first, facts))


def stream_of(endpoint: str, whole: dict[str, Any], *, include_usage: bool) -> list[bytes]:
    """Server-sent events that tell `whole` in the API's own order."""
    if endpoint == "responses":
        return [_event(event, event["type"]) for event in _numbered(_responses_events(whole))]
    if endpoint == "messages":
        return [_event(event, event["type"]) for event in _anthropic_events(whole)]
    chunks = [_event(chunk) for chunk in _openai_chunks(endpoint, whole, include_usage)]
    return [*chunks, b"data: [DONE]\n\n"]


def with_model(endpoint: str, whole: dict[str, Any], model: str) -> dict[str, Any]:
    """The answer under the model name this client asked for."""
    return {**whole, "model": model} if model and "model" in whole else whole


# --- stream → whole -------------------------------------------------------------------------------


def _openai_whole(endpoint: str, first: dict[str, Any], facts: ResponseFacts) -> dict[str, Any]:
    chat = endpoint == "chat"
    choices = []
    for index, message in enumerate(facts.output):
        if chat:
            choices.append({"index": index, "message": _tidy(message), "finish_reason": facts.finish})
        else:
            choices.append(
                {"index": index, "text": message["content"], "logprobs": None, "finish_reason": facts.finish}
            )
    return {
        "id": first.get("id"),
        "object": "chat.completion" if chat else "text_completion",
        "created": first.get("created") or int(time.time()),
        "model": facts.model,
        "choices": choices,
        "usage": {
            "prompt_tokens": facts.prompt_tokens,
            "completion_tokens": facts.completion_tokens,
            "total_tokens": facts.prompt_tokens + facts.completion_tokens,
        },
    }


def _tidy(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": message["content"] or None} if message.get("tool_calls") else message


def _anthropic_whole(first: dict[str, Any], facts: ResponseFacts) -> dict[str, Any]:
    message = facts.output[0]
    content: list[dict[str, Any]] = []
    if message.get("content"):
        content.append({"type": "text", "text": message["content"]})
    for call in message.get("tool_calls") or []:
        function = call["function"]
        content.append(
            {
                "type": "tool_use",
                "id": call["id"],
                "name": function["name"],
                "input": orjson.loads(function["arguments"] or "{}"),
            }
        )
    started = first.get("message") or {}
    return {
        "id": started.get("id"), "type": "message", "role": "assistant", "model": facts.model, "content": content,
        "stop_reason": facts.finish, "stop_sequence": None,
        "usage": {"input_tokens": facts.prompt_tokens, "output_tokens": facts.completion_tokens},
    }  # fmt: skip


# --- whole → stream -------------------------------------------------------------------------------


def _openai_chunks(endpoint: str, whole: dict[str, Any], include_usage: bool) -> Iterator[dict[str, Any]]:
    chat = endpoint == "chat"
    base = {
        "id": whole.get("id"),
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": whole.get("created"),
        "model": whole.get("model"),
    }
    for choice in whole.get("choices") or []:
        index = choice.get("index") or 0
        if not chat:
            for piece in _pieces(choice.get("text") or ""):
                yield {
                    **base,
                    "choices": [{"index": index, "text": piece, "finish_reason": None, "logprobs": None}],
                }
            yield {
                **base,
                "choices": [
                    {
                        "index": index,
                        "text": "",
                        "finish_reason": choice.get("finish_reason"),
                        "logprobs": None,
                    }
                ],
            }
            continue
        message = choice.get("message") or {}
        deltas: list[dict[str, Any]] = []
        deltas += [{"reasoning_content": piece} for piece in _pieces(message.get("reasoning_content") or "")]
        deltas += [{"content": piece} for piece in _pieces(message.get("content") or "")]
        deltas += [
            {"tool_calls": [{"index": n, **call}]} for n, call in enumerate(message.get("tool_calls") or [])
        ]
        for number, delta in enumerate(deltas or [{"content": ""}]):
            role = {"role": "assistant"} if number == 0 else {}
            yield {**base, "choices": [{"index": index, "delta": {**role, **delta}, "finish_reason": None}]}
        yield {
            **base,
            "choices": [{"index": index, "delta": {}, "finish_reason": choice.get("finish_reason")}],
        }
    if include_usage:
        yield {**base, "choices": [], "usage": whole.get("usage")}


def _anthropic_events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    usage = whole.get("usage") or {}
    started = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    yield {"type": "message_start", "message": started}
    for index, block in enumerate(whole.get("content") or []):
        if block.get("type") == "tool_use":
            yield {"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}}
            partial = orjson.dumps(block.get("input") or {}).decode()
            yield {
                "type": "content_block_delta",
                "index": index,
                "delta": {"type": "input_json_delta", "partial_json": partial},
            }
        else:
            yield {
                "type": "content_block_start",
                "index": index,
                "content_block": {"type": "text", "text": ""},
            }
            for piece in _pieces(block.get("text") or ""):
                yield {
                    "type": "content_block_delta",
                    "index": index,
                    "delta": {"type": "text_delta", "text": piece},
                }
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": whole.get("stop_reason"), "stop_sequence": whole.get("stop_sequence")},
        "usage": {"output_tokens": usage.get("output_tokens") or 0},
    }
    yield {"type": "message_stop"}


def _responses_events(kept: dict[str, Any]) -> Iterator[dict[str, Any]]:
    whole = copy.deepcopy(kept)
    drop_empty(whole)
    complete_response(whole)  # it was kept as LiteLLM told it, thoughts in the wrong place
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(whole.get("output") or []):
        place = {"output_index": index, "item_id": item.get("id")}
        content = item.get("content")
        if item.get("type") == "message":
            yield {
                "type": "response.output_item.added",
                "output_index": index,
                "item": {**item, "status": "in_progress", "content": []},
            }
            for number, part in enumerate(content or []):
                where = {**place, "content_index": number}
                text = part.get("text") or ""
                yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
                for piece in _pieces(text):
                    yield {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
                yield {"type": "response.output_text.done", **where, "text": text, "logprobs": []}
                yield {"type": "response.content_part.done", **where, "part": part}
        else:
            # What follows as a delta must not stand in the announcement: clients add one to the other.
            opened = {**item, "status": "in_progress", **_UNTOLD.get(str(item.get("type")), {})}
            yield {"type": "response.output_item.added", "output_index": index, "item": opened}
            if item.get("type") == "function_call":
                arguments = item.get("arguments") or ""
                yield {"type": "response.function_call_arguments.delta", **place, "delta": arguments}
                done = {"name": item.get("name"), "arguments": arguments}
                yield {"type": "response.function_call_arguments.done", **place, **done}
            elif item.get("type") == "reasoning":
                yield from _thoughts(item, place)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": whole}


def _thoughts(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number, part in enumerate(item.get("summary") or []):
        where, text = {**place, "summary_index": number}, part.get("text") or ""
        yield {"type": "response.reasoning_summary_part.added", **where, "part": {**part, "text": ""}}
        for piece in _pieces(text):
            yield {"type": "response.reasoning_summary_text.delta", **where, "delta": piece}
        yield {"type": "response.reasoning_summary_text.done", **where, "text": text}
        yield {"type": "response.reasoning_summary_part.done", **where, "part": part}


def _numbered(events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def _pieces(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]


def _event(data: dict[str, Any], name: str = "") -> bytes:
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + orjson.dumps(data) + b"\n\n"
