"""Shape checks that give a client a clear 400 before LiteLLM answers with a 500 or a stack trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aicc_hooks.errors import Refusal

_REQUIRED = {
    "chat": (("messages", (list,)),),
    "messages": (("messages", (list,)),),
    "completions": (("prompt", (str, list)),),
    "embeddings": (("input", (str, list)),),
    "responses": (("input", (str, list)),),
    "rerank": (("query", (str, dict)), ("documents", (list,))),
}
_MAX_DEPTH = 128  # deeper than any tool schema; recursion over a request stays far from Python's limit
_NESTED = frozenset((dict, list))
_NAMES = {
    str: "a string",
    list: "an array",
    dict: "an object",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def check_body(endpoint: str, body: Mapping[str, Any]) -> None:
    """Raise Refusal(aicc_invalid_request) naming the field, what was found and what is allowed."""
    _check_depth(body)
    model = body.get("model")
    if model is not None and not isinstance(model, str):
        raise _bad("model", model, "a string")
    for name, kinds in _REQUIRED.get(endpoint, ()):
        value = body.get(name)
        wanted = " or ".join(_NAMES[kind] for kind in kinds)
        if value is None:
            raise Refusal("aicc_invalid_request", f"{name}: missing; send {wanted}.", 400)
        if not isinstance(value, kinds):
            raise _bad(name, value, wanted)
        if not value and name != "prompt":
            raise Refusal("aicc_invalid_request", f"{name}: empty; send at least one item.", 400)
    if endpoint in ("chat", "messages"):
        _check_messages(body["messages"])
    if body.get("tools") and body.get("functions"):
        raise Refusal(
            "aicc_invalid_request",
            "tools and functions: send only one of them; `functions` is the old name of `tools`.",
            400,
        )
    for name in ("tools", "functions"):
        value = body.get(name)
        if value is not None and not isinstance(value, list):
            raise _bad(name, value, "an array")
    if body.get("stream") is not None and not isinstance(body.get("stream"), bool):
        raise _bad("stream", body.get("stream"), "a boolean")


def _check_depth(body: Mapping[str, Any]) -> None:
    level: list[Any] = [body]
    for _ in range(_MAX_DEPTH):
        deeper: list[Any] = []
        for value in level:
            items = value.values() if isinstance(value, Mapping) else value
            # One pass at C speed first: an embedding request may hold a million token ids.
            if not _NESTED.isdisjoint(map(type, items)):
                deeper += [item for item in items if type(item) in _NESTED]
        level = deeper
        if not level:
            return
    raise Refusal("aicc_invalid_request", f"body: nested more than {_MAX_DEPTH} levels deep.", 400)


def _check_messages(messages: list[Any]) -> None:
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise _bad(f"messages[{number}]", message, "an object with role and content")
        if not isinstance(message.get("role"), str):
            raise _bad(f"messages[{number}].role", message.get("role"), "a string such as 'user'")


def _bad(name: str, value: Any, wanted: str) -> Refusal:
    found = _NAMES.get(type(value), type(value).__name__)
    return Refusal("aicc_invalid_request", f"{name}: found {found}; allowed: {wanted}.", 400)
