"""What a client was answered, read back from the bytes it got: text, tool calls, usage, how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(slots=True)
class ResponseFacts:
    """`output`: JSON-able messages, or None. Token counts are 0 when the response names none."""

    output: Any = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish: str = ""
    model: str = ""
    error: bool = False  # the stream ended in an error event
    complete: bool = False  # the end marker of the API was seen


@dataclass(slots=True)
class _Message:
    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    tools: dict[int, dict[str, str]] = field(default_factory=dict)

    def tool(self, index: int) -> dict[str, str]:
        return self.tools.setdefault(index, {"id": "", "name": "", "arguments": ""})

    def as_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {"role": "assistant", "content": "".join(self.content)}
        if self.reasoning:
            out["reasoning_content"] = "".join(self.reasoning)
        if self.tools:
            out["tool_calls"] = [
                {
                    "id": t["id"],
                    "type": "function",
                    "function": {"name": t["name"], "arguments": t["arguments"]},
                }
                for _, t in sorted(self.tools.items())
            ]
        return out


def parse_response(endpoint: str, body: bytes, *, stream: bool) -> ResponseFacts:
    """Facts of a successful response. Never raises: what cannot be read is left out."""
    facts = ResponseFacts()
    try:
        if stream:
            _read_stream(endpoint, body, facts)
        else:
            tree = orjson.loads(body)
            if isinstance(tree, dict):
                _read_whole(endpoint, tree, facts)
                facts.complete = True
    except (orjson.JSONDecodeError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        pass
    return facts


def _read_whole(endpoint: str, tree: dict[str, Any], facts: ResponseFacts) -> None:
    facts.model = str(tree.get("model") or "")
    _usage(tree.get("usage"), facts)
    if endpoint in ("embeddings", "rerank"):
        return  # vectors and scores are not text; nobody reads them in a trace
    if endpoint == "messages":
        facts.output = [{"role": "assistant", "content": tree.get("content")}]
        facts.finish = str(tree.get("stop_reason") or "")
    elif endpoint == "responses":
        facts.output = tree.get("output")
        facts.finish = str(tree.get("status") or "")
    else:
        choices = tree.get("choices") or []
        facts.output = [c.get("message") or {"role": "assistant", "content": c.get("text")} for c in choices]
        facts.finish = str((choices[0] if choices else {}).get("finish_reason") or "")


def _read_stream(endpoint: str, body: bytes, facts: ResponseFacts) -> None:
    messages: dict[int, _Message] = {}
    for event in _events(body, facts):
        if "error" in event and "choices" not in event:
            facts.error = True
            continue
        facts.model = facts.model or str(event.get("model") or "")
        if endpoint == "messages":
            _anthropic_event(event, messages.setdefault(0, _Message()), facts)
        elif endpoint == "responses":
            _responses_event(event, messages, facts)
        else:
            _usage(event.get("usage"), facts)
            for choice in event.get("choices") or []:
                _choice(choice, messages.setdefault(int(choice.get("index") or 0), _Message()), facts)
    if facts.output is None and messages:
        facts.output = [message.as_dict() for _, message in sorted(messages.items())]


def stream_events(body: bytes) -> Iterator[dict[str, Any]]:
    """The JSON events of a server-sent stream, in order."""
    yield from _events(body, ResponseFacts())


def _events(body: bytes, facts: ResponseFacts) -> Iterator[dict[str, Any]]:
    for line in body.split(b"\n"):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            facts.complete = True
            continue
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            continue
        if isinstance(event, dict):
            yield event


def _choice(choice: dict[str, Any], message: _Message, facts: ResponseFacts) -> None:
    delta = choice.get("delta") or {}
    if text := choice.get("text") or delta.get("content"):
        message.content.append(str(text))
    if reasoning := delta.get("reasoning_content"):
        message.reasoning.append(str(reasoning))
    for call in delta.get("tool_calls") or []:
        tool = message.tool(int(call.get("index") or 0))
        function = call.get("function") or {}
        tool["id"] = tool["id"] or str(call.get("id") or "")
        tool["name"] += str(function.get("name") or "")
        tool["arguments"] += str(function.get("arguments") or "")
    if old := delta.get("function_call"):
        tool = message.tool(0)
        tool["name"] += str(old.get("name") or "")
        tool["arguments"] += str(old.get("arguments") or "")
    facts.finish = str(choice.get("finish_reason") or "") or facts.finish


def _anthropic_event(event: dict[str, Any], message: _Message, facts: ResponseFacts) -> None:
    kind = event.get("type")
    if kind == "message_start":
        started = event.get("message") or {}
        facts.model = str(started.get("model") or "")
        _usage(started.get("usage"), facts)
    elif kind == "content_block_start":
        block = event.get("content_block") or {}
        if block.get("type") == "tool_use":
            message.tool(int(event.get("index") or 0)).update(
                id=str(block.get("id") or ""), name=str(block.get("name") or "")
            )
    elif kind == "content_block_delta":
        delta = event.get("delta") or {}
        message.content.append(str(delta.get("text") or ""))
        message.reasoning += [str(delta["thinking"])] if delta.get("thinking") else []
        if partial := delta.get("partial_json"):
            message.tool(int(event.get("index") or 0))["arguments"] += str(partial)
    elif kind == "message_delta":
        facts.finish = str((event.get("delta") or {}).get("stop_reason") or "") or facts.finish
        _usage(event.get("usage"), facts)
    elif kind == "message_stop":
        facts.complete = True


def _responses_event(event: dict[str, Any], messages: dict[int, _Message], facts: ResponseFacts) -> None:
    kind = str(event.get("type") or "")
    if kind == "response.output_text.delta":
        messages.setdefault(int(event.get("output_index") or 0), _Message()).content.append(
            str(event.get("delta") or "")
        )
    elif kind in ("response.completed", "response.incomplete", "response.failed"):
        response = event.get("response") or {}
        facts.output = response.get("output") or None
        facts.finish = str(response.get("status") or "")
        facts.model = str(response.get("model") or "")
        facts.complete = True
        facts.error = kind == "response.failed"
        _usage(response.get("usage"), facts)


def _usage(usage: Any, facts: ResponseFacts) -> None:
    if not isinstance(usage, dict):
        return
    facts.prompt_tokens = (
        int(usage.get("prompt_tokens") or usage.get("input_tokens") or 0) or facts.prompt_tokens
    )
    facts.completion_tokens = (
        int(usage.get("completion_tokens") or usage.get("output_tokens") or 0) or facts.completion_tokens
    )
