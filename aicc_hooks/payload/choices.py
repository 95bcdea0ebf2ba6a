"""`tool_choice` and the format of an answer, in the three APIs' shapes: what no model could follow is told.

LiteLLM passes over an unknown format without a word, and an odd `tool_choice` breaks its translation for some
providers: the client would get an answer of another kind than it asked for, or an error that names nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aicc_hooks.errors import bad_field

_FORMATS = ("text", "json_object", "json_schema")
_WORDS = ("none", "auto", "required")
# Kinds of an object. /v1/responses has one for each of the provider's own tools, so there any word will do.
_CHAT_KINDS = ("function", "custom", "allowed_tools")
_ANTHROPIC_KINDS = ("auto", "any", "tool", "none")


def check_choices(endpoint: str, body: Mapping[str, Any]) -> None:
    """Raise Refusal naming the field. Expects `tools` and `functions` to be lists of objects, or null."""
    if endpoint in ("chat", "completions"):
        _check_format("response_format", body.get("response_format"), inner="json_schema")
    elif endpoint == "responses":
        text = body.get("text")
        if text is not None and not isinstance(text, Mapping):
            raise bad_field("text", "allowed: an object such as {'format': {'type': 'text'}}.")
        _check_format("text.format", (text or {}).get("format"), inner="schema")
    if endpoint in ("chat", "responses", "messages"):
        _check_tool_choice(endpoint, body)
    if endpoint == "chat":
        _check_function_call(body)


def _check_format(name: str, value: Any, *, inner: str) -> None:
    if not value:
        return
    if not isinstance(value, Mapping):
        raise bad_field(name, "allowed: an object with a type.")
    if value.get("type") not in _FORMATS:
        raise bad_field(f"{name}.type", f"allowed: {_listed(_FORMATS)}.")
    if value["type"] == "json_schema" and not isinstance(value.get(inner), Mapping):
        raise bad_field(f"{name}.{inner}", "missing; send an object that holds the schema.")


def _check_tool_choice(endpoint: str, body: Mapping[str, Any]) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    if isinstance(choice, str) and endpoint != "messages":
        if choice not in _WORDS:
            raise bad_field("tool_choice", f"allowed: {_listed(_WORDS)}, or an object that names a tool.")
        return
    kinds = {"chat": _CHAT_KINDS, "messages": _ANTHROPIC_KINDS}.get(endpoint)
    if not isinstance(choice, Mapping):
        shape = "an object with a type" if kinds is _ANTHROPIC_KINDS else f"{_listed(_WORDS)}, or an object"
        raise bad_field("tool_choice", f"allowed: {shape}.")
    kind = choice.get("type")
    if not isinstance(kind, str) or (kinds is not None and kind not in kinds):
        allowed = f": {_listed(kinds)}" if kinds else " a string such as 'function'"
        raise bad_field("tool_choice.type", f"allowed{allowed}.")
    if kind not in ("function", "tool"):
        return
    where = "tool_choice.function.name" if endpoint == "chat" else "tool_choice.name"
    inner = choice.get("function") if endpoint == "chat" else choice
    _check_name(where, inner.get("name") if isinstance(inner, Mapping) else None, body)


def _check_function_call(body: Mapping[str, Any]) -> None:
    """The old name of `tool_choice`: 'none', 'auto' or {"name": …}."""
    choice = body.get("function_call")
    if choice is None or choice in ("none", "auto"):
        return
    if not isinstance(choice, Mapping):
        raise bad_field("function_call", "allowed: 'none', 'auto', or an object with a name.")
    _check_name("function_call.name", choice.get("name"), body)


def _check_name(where: str, name: Any, body: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or not name:
        raise bad_field(where, "missing; send the name of one of the tools.")
    if _all_named(body) and name not in _tool_names(body):
        raise bad_field(where, "no tool of this request has that name.")


def _all_named(body: Mapping[str, Any]) -> bool:
    """False where a tool (an MCP server, a namespace) may bring functions that are not listed."""
    return all(tool.get("type", "function") in ("function", "custom") for tool in body.get("tools") or ())


def _tool_names(body: Mapping[str, Any]) -> Iterator[Any]:
    for tool in (*(body.get("tools") or ()), *(body.get("functions") or ())):
        function = tool.get("function")
        yield function.get("name") if isinstance(function, Mapping) else tool.get("name")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
