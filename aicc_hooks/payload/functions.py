"""`functions` and `function_call`, the names tools had until November 2023, made into today's and back again.

LiteLLM hands `functions` to Ollama in a form it cannot read, and most servers know tools alone. Clients that send the
old names read the answer under the old names too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from aicc_hooks.payload.event_repair import Lines, data_line


def is_old(body: Mapping[str, Any]) -> bool:
    """Whether a chat body uses the old names."""
    messages = body.get("messages")
    return bool(body.get("functions")) or (isinstance(messages, list) and any(map(_is_old, messages)))


def as_tools(body: dict[str, Any]) -> None:
    """Write `functions`, `function_call` and messages of the old form as tools, in place."""
    functions, choice = body.pop("functions", None), body.pop("function_call", None)
    if functions:
        body["tools"] = [{"type": "function", "function": function} for function in functions]
        if choice is not None:
            body["tool_choice"] = (
                {"type": "function", "function": {"name": choice["name"]}}
                if isinstance(choice, Mapping)
                else choice
            )
    if any(map(_is_old, body["messages"])):
        body["messages"] = _messages(body["messages"])


def _is_old(message: Any) -> bool:
    return isinstance(message, dict) and (
        bool(message.get("function_call")) or message.get("role") == "function"
    )


def _messages(messages: list[Any]) -> list[Any]:
    """A call gets an id that its result, which follows it, refers to."""
    made: list[Any] = []
    last = ""
    for number, message in enumerate(messages):
        if not _is_old(message):
            made.append(message)
            continue
        rest = dict(message)
        call = rest.pop("function_call", None)
        if call and not rest.get("tool_calls"):
            last = f"call_{number}"
            rest["tool_calls"] = [{"id": last, "type": "function", "function": call}]
        if rest.get("role") == "function":
            rest |= {"role": "tool", "tool_call_id": last or f"call_{number}"}
        made.append(rest)
    return made


def old_names(answer: bytes) -> bytes:
    """A whole chat answer with its first tool call as `function_call`; anything else is returned as it is."""
    try:
        tree = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return answer
    choices = tree.get("choices") if isinstance(tree, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        _rename(choice, "message")
    return orjson.dumps(tree) if choices else answer


class OldNames:
    """The same for a stream, line by line."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        """The next bytes for the client; may be empty while a line is incomplete."""
        return b"".join(map(self._line, self._lines.feed(data, last=last)))

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(b"data:") or b'"tool_calls"' not in line:
            return line
        try:
            chunk = orjson.loads(line[5:].strip())
            for choice in chunk["choices"]:
                _rename(choice, "delta")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return line
        return data_line(line, chunk)


def _rename(choice: dict[str, Any], where: str) -> None:
    """The old API had one call an answer: what comes beside the first is left out."""
    said = choice.get(where)
    if isinstance(said, dict):
        for call in said.pop("tool_calls", None) or ():
            function = call.get("function")
            if not call.get("index") and isinstance(function, dict) and "function_call" not in said:
                told = {name: function.get(name) for name in ("name", "arguments")}
                said["function_call"] = {name: value for name, value in told.items() if value is not None}
    if choice.get("finish_reason") == "tool_calls":
        choice["finish_reason"] = "function_call"
