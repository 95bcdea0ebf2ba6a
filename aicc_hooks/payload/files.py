"""Attached files whose text can be read here, as parts of text for a model that takes no files.

LiteLLM leaves files out of a call to Ollama without a word: the model would answer about a file it never saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aicc_hooks.payload.parts import attachment

_LISTS = {"chat": "messages", "messages": "messages", "responses": "input"}
_TEXT = {"chat": "text", "messages": "text", "responses": "input_text"}
_NESTED = ("content", "output")  # of a message; of a tool's result


def inlined(endpoint: str, body: Mapping[str, Any]) -> list[Any] | None:
    """The messages (or input items) with each readable file as text; None when there is none."""
    given = body.get(_LISTS.get(endpoint, ""))
    if not isinstance(given, list):
        return None
    kind = _TEXT[endpoint]
    made = [_within(item, kind) for item in given]
    return None if all(new is old for new, old in zip(made, given, strict=True)) else made


def place_of(endpoint: str) -> str:
    """The field that `inlined` gives anew."""
    return _LISTS[endpoint]


def _within(item: Any, kind: str) -> Any:
    """The item itself, or a copy whose lists of parts hold text in the place of files."""
    if not isinstance(item, Mapping):
        return item
    changed: dict[str, Any] = {}
    for field in _NESTED:
        parts = item.get(field)
        if isinstance(parts, list):
            made = [new for part in parts for new in _parts(part, kind)]
            if len(made) != len(parts) or any(new is not old for new, old in zip(made, parts, strict=True)):
                changed[field] = made
    return {**item, **changed} if changed else item


def _parts(part: Any, kind: str) -> list[Any]:
    if not isinstance(part, Mapping):
        return [part]
    source = part.get("source")
    head, said = {"type": kind, "text": _head(part)}, part.get("text")
    if part.get("type") == "document" and isinstance(source, Mapping) and source.get("type") == "content":
        nested = source.get("content")
        return [head, *(nested if isinstance(nested, list) else [_text(kind, str(nested or ""))])]
    found = attachment(
        {key: value for key, value in part.items() if key != "type"}, str(part.get("type") or "")
    )
    if found is not None and found.kind == "file" and found.text is not None and not found.unread:
        beside = [_text(kind, said)] if isinstance(said, str) and said else []
        return [*beside, head, _text(kind, found.text)]
    return [_within(part, kind)]


def _text(kind: str, text: str) -> dict[str, Any]:
    """LiteLLM writes the parts one behind the other, with nothing between them."""
    return {"type": kind, "text": text if text.endswith("\n") else text + "\n"}


def _head(part: Mapping[str, Any]) -> str:
    """A line that tells the model what follows, by the name the user may call it."""
    holder = part.get("file")
    inner = holder if isinstance(holder, Mapping) else part
    names = (inner.get("filename"), part.get("title"), part.get("context"))
    told = ", ".join(" ".join(name.split()) for name in names if isinstance(name, str) and name.strip())
    return f"\nAttached file{' ' if told else ''}{told}:\n"
