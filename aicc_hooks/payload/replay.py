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
_UNSAID: dict[str, dict[str, Any]] = {
    "text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}, "server_tool_use": {"input": {}},
}  # fmt: skip
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
    events = list(stream_events(body))
    if endpoint == "messages":
        try:
            return orjson.dumps(_anthropic_whole(events, facts))
        except orjson.JSONDecodeError:  # the arguments of a tool call
            return None
    if endpoint not in ("chat", "completions"):
        return None
    return orjson.dumps(_openai_whole(endpoint, events, facts))


def stream_of(endpoint: str, whole: dict[str, Any], *, include_usage: bool) -> list[bytes]:
    """Server-sent events that tell `whole` in the API's own order."""
    if endpoint == "responses":
        return [_event(event, event["type"]) for event in _numbered(_responses_events(whole))]
    if endpoint == "messages":
        return [_event(event, event["type"]) for event in _anthropic_events(whole)]
    chunks = [_event(chunk) for chunk in _openai_chunks(endpoint, whole, include_usage)]
    return [*chunks, b"data: [DONE]\n\n"]


def with_model(whole: dict[str, Any], model: str) -> dict[str, Any]:
    """The answer under the model name this client asked for."""
    return {**whole, "model": model} if model and "model" in whole else whole


# --- stream → whole -------------------------------------------------------------------------------


def _openai_whole(endpoint: str, events: list[dict[str, Any]], facts: ResponseFacts) -> dict[str, Any]:
    chat = endpoint == "chat"
    first = events[0]
    choices: list[dict[str, Any]] = []
    for (index, told), message in zip(sorted(_choices(events).items()), facts.output, strict=True):
        if chat:
            logprobs = {} if told["logprobs"] is None else {"logprobs": told["logprobs"]}
            choices.append(
                {
                    "index": index,
                    "message": _tidy(message),
                    "finish_reason": told["finish_reason"],
                    **logprobs,
                }
            )
        else:
            choices.append({"index": index, "text": message["content"], **told})
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


def _choices(events: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Of each choice how it ended, and its logprobs put together."""
    told: dict[int, dict[str, Any]] = {}
    for choice in (choice for event in events for choice in event.get("choices") or []):
        mine = told.setdefault(int(choice.get("index") or 0), {"logprobs": None, "finish_reason": None})
        mine["finish_reason"] = choice.get("finish_reason") or mine["finish_reason"]
        more = choice.get("logprobs")
        if not isinstance(more, dict):
            continue
        kept = mine["logprobs"] = mine["logprobs"] or {}
        for name, value in more.items():  # lists with an item a token
            if isinstance(value, list) and isinstance(kept.get(name), list):
                kept[name] += value
            else:
                kept[name] = value if value is not None else kept.get(name)
    return told


def _tidy(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": message["content"] or None} if message.get("tool_calls") else message


def _anthropic_whole(events: list[dict[str, Any]], facts: ResponseFacts) -> dict[str, Any]:
    started: dict[str, Any] = {}
    stop: Any = None
    for event in events:
        if event.get("type") == "message_start":
            started = event.get("message") or {}
        elif event.get("type") == "message_delta":
            stop = (event.get("delta") or {}).get("stop_sequence") or stop
    return {
        "id": started.get("id"), "type": "message", "role": "assistant", "model": facts.model, "content": _blocks(events),
        "stop_reason": facts.finish, "stop_sequence": stop,
        "usage": {"input_tokens": facts.prompt_tokens, "output_tokens": facts.completion_tokens},
    }  # fmt: skip


def _blocks(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The content blocks in their order: thoughts with their signatures, texts, tool calls, and what else there may be."""
    blocks: dict[int, dict[str, Any]] = {}
    grown: dict[int, dict[str, list[str]]] = {}
    for event in events:
        index = int(event.get("index") or 0)
        if event.get("type") == "content_block_start":
            blocks[index] = dict(event.get("content_block") or {})
        elif event.get("type") == "content_block_delta":
            block, delta = blocks.setdefault(index, {"type": "text", "text": ""}), event.get("delta") or {}
            for name in ("text", "thinking", "signature", "partial_json"):
                if delta.get(name):
                    grown.setdefault(index, {}).setdefault(name, []).append(str(delta[name]))
            if delta.get("citation"):
                block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    for index, parts in grown.items():
        for name, texts in parts.items():
            if name == "partial_json":
                blocks[index]["input"] = orjson.loads("".join(texts))
            else:
                blocks[index][name] = str(blocks[index].get(name) or "") + "".join(texts)
    # An empty text is announced before a tool call; Anthropic's API takes none back.
    return [block for _, block in sorted(blocks.items()) if block.get("type") != "text" or block.get("text")]


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
        ended, logprobs = choice.get("finish_reason"), choice.get("logprobs") or None
        if not chat:
            for text in (*_pieces(choice.get("text") or ""), ""):
                finish = None if text else ended
                told = {"index": index, "text": text, "finish_reason": finish, "logprobs": logprobs}
                yield {**base, "choices": [told]}
                logprobs = None  # all of them stand in the first chunk
            continue
        message = choice.get("message") or {}
        deltas: list[dict[str, Any]] = []
        deltas += [{"reasoning_content": piece} for piece in _pieces(message.get("reasoning_content") or "")]
        deltas += [{"content": piece} for piece in _pieces(message.get("content") or "")]
        deltas += [
            {"tool_calls": [{"index": n, **call}]} for n, call in enumerate(message.get("tool_calls") or [])
        ]
        scored = next((number for number, delta in enumerate(deltas) if "content" in delta), 0)
        for number, delta in enumerate(deltas or [{"content": ""}]):
            role = {"role": "assistant"} if number == 0 else {}
            more = {"logprobs": logprobs} if logprobs and number == scored else {}
            told = {"index": index, "delta": {**role, **delta}, "finish_reason": None, **more}
            yield {**base, "choices": [told]}
        yield {**base, "choices": [{"index": index, "delta": {}, "finish_reason": ended}]}
    if include_usage:
        yield {**base, "choices": [], "usage": whole.get("usage")}


def _anthropic_events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    usage = whole.get("usage") or {}
    started = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    yield {"type": "message_start", "message": started}
    for index, block in enumerate(whole.get("content") or []):
        opened = {**block, **_UNSAID.get(str(block.get("type")), {})}
        if block.get("citations"):
            opened["citations"] = []
        yield {"type": "content_block_start", "index": index, "content_block": opened}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": whole.get("stop_reason"), "stop_sequence": whole.get("stop_sequence")},
        "usage": {"output_tokens": usage.get("output_tokens") or 0},
    }
    yield {"type": "message_stop"}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What follows the announcement of a block; one of a kind not known here stands in it whole."""
    kind = block.get("type")
    if kind == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in _pieces(block.get("text") or ""))
        yield from ({"type": "citations_delta", "citation": cited} for cited in block.get("citations") or ())
    elif kind == "thinking":
        for piece in _pieces(block.get("thinking") or ""):
            yield {"type": "thinking_delta", "thinking": piece}
        if block.get("signature"):
            yield {"type": "signature_delta", "signature": block["signature"]}
    elif kind in ("tool_use", "server_tool_use"):
        yield {"type": "input_json_delta", "partial_json": orjson.dumps(block.get("input") or {}).decode()}


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
