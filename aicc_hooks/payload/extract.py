"""Every text of a request body as segments with their roles, plus the hard constraints it sets.

Nothing is skipped: what no rule knows is serialised as JSON and scanned for privacy (role META), so
a field invented tomorrow is inspected today.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.payload.magic import files_in
from aicc_hooks.payload.parts import Attachment, attachment
from aicc_hooks.payload.seams import joined
from aicc_hooks.verdict import JOINED, Needs, Role, Segment

_ROLES = {
    "system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT,
    "tool": Role.TOOL, "function": Role.TOOL, "document": Role.DOCUMENT,
}  # fmt: skip
_IMAGE_TOKENS = 800  # what common vision encoders spend on one picture
# Fields that hold numbers, switches or words of the API; only what does not look like one is scanned.
_QUIET = frozenset((
    "model", "stream", "temperature", "top_p", "n", "max_tokens", "max_completion_tokens", "max_output_tokens", "seed", "logprobs",
    "top_logprobs", "presence_penalty", "frequency_penalty", "encoding_format", "dimensions", "reasoning_effort", "service_tier",
    "parallel_tool_calls", "stream_options", "store", "type", "role", "top_n", "top_k", "return_documents", "truncation", "format",
    "detail", "media_type",
))  # fmt: skip
_NUMBERS = frozenset((int, float, bool))
# What a name of a field, a value of an enumeration and a model look like. Text in their place is scanned.
_NAME = re.compile(r"[$_]{0,2}[A-Za-z_.-]{1,48}[0-9]{0,3}")
_ENUM = re.compile(r"[A-Za-z_./+-]{1,48}(?:[0-9]{0,3}|20[0-9]{6})")
# A key pasted into `model` is longer than this, or does not begin with a letter.
_MODEL = re.compile(r"[A-Za-z][\w./:+-]{0,14}")
_WEB = re.compile(r"\s*https?:", re.I)


@dataclass(slots=True)
class Extract:
    """What `extract` found. `opaque` names attachments nobody here can read (file, audio, image, tokens).

    `places`: where the first attachment of a kind that nobody here can read stands, the first picture by its address
    (`link`), and the first file of readable text (`text`).
    """

    segments: list[Segment] = field(default_factory=list)
    needs: Needs = field(default_factory=Needs)
    tools: int = 0
    opaque: set[str] = field(default_factory=set)
    places: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Walk:
    segments: list[Segment] = field(default_factory=list)
    opaque: set[str] = field(default_factory=set)
    places: dict[str, str] = field(default_factory=dict)
    images: int = 0

    def text(self, value: Any, role: Role, turn: int, path: str) -> None:
        """A string, or anything else in JSON's shape; empty values add nothing."""
        if not isinstance(value, str):
            value = render(value) if _has_text(value) else ""
        if value:
            self.segments.append(Segment(value, role, turn, path))
            self.opaque |= files_in(value)

    def label(self, value: Any, turn: int, path: str) -> str:
        """`type` and `role`: a word of the API. Anything else in their place is scanned."""
        if isinstance(value, str) and (not value or _ENUM.fullmatch(value)):
            return value
        self.text(value, Role.META, turn, path)
        return ""

    def content(self, value: Any, role: Role, turn: int, path: str) -> None:
        """A string or a list of content parts of any API."""
        if isinstance(value, list):
            for number, part in enumerate(value):
                self.part(part, role, turn, f"{path}[{number}]")
            self.segments += [Segment(text, Role.META, turn, path + JOINED) for text in joined(value)]
        elif isinstance(value, dict):
            self.part(value, role, turn, path)
        else:
            self.text(value, role, turn, path)

    def part(self, part: Any, role: Role, turn: int, path: str) -> None:
        """One content part. Known text fields are read as text; the rest of the part as JSON."""
        if not isinstance(part, dict):
            self.text(part, role, turn, path)
            return
        rest = dict(part)
        kind = self.label(rest.pop("type", ""), turn, f"{path}.type")
        call = kind.endswith("_call")
        if kind.endswith(("_result", "_output")):
            role = Role.TOOL
        elif kind in ("document", "file", "input_file"):
            role = Role.DOCUMENT
        elif call or kind in ("reasoning", "thinking"):
            role = Role.ASSISTANT
        while (found := attachment(rest, kind)) is not None:
            self.attached(found, turn, path)
            rest = found.rest
        source = rest.get("source")
        if isinstance(source, dict) and "content" in source:
            self.places.setdefault("text", path)
            left = dict(rest.pop("source"))
            self.content(left.pop("content"), role, turn, f"{path}.source.content")
            self.rest(left, turn, f"{path}.source")
        for key in ("text", "content", "refusal", "thinking", "title", "context", "summary"):
            if key in rest:
                self.content(rest.pop(key), role, turn, f"{path}.{key}")
        for key in ("output", "result", "results"):
            if key in rest:
                self.content(rest.pop(key), Role.TOOL if call else role, turn, f"{path}.{key}")
        for key in ("input", "arguments"):
            if key in rest:
                self.text(rest.pop(key), Role.SCHEMA, turn, f"{path}.{key}")
        self.rest(rest, turn, path)

    def attached(self, found: Attachment, turn: int, path: str) -> None:
        """An attachment: its text, or a note that nobody here can read it."""
        if found.text is not None:
            if found.kind == "file":
                self.places.setdefault("text", path)
            self.text(found.text, Role.DOCUMENT, turn, f"{path}.data")
        if found.unread:
            self.opaque.add(found.unread)
            self.places.setdefault(found.unread, path)
        if found.kind == "image":
            self.images += 1
            self.opaque.add("image")
            self.places.setdefault("image", path)
            if _WEB.match(found.link):
                self.places.setdefault("link", path)
        self.text(found.link, Role.META, turn, f"{path}.url")

    def message(self, message: Any, turn: int, path: str, fallback: Role = Role.USER) -> None:
        """One chat message or Responses item."""
        if not isinstance(message, dict) or "role" not in message:
            self.part(message, fallback, turn, path)
            return
        rest = dict(message)
        role = _ROLES.get(self.label(rest.pop("role"), turn, f"{path}.role"), fallback)
        self.content(rest.pop("content", None), role, turn, f"{path}.content")
        self.text(rest.pop("name", None), Role.META, turn, f"{path}.name")
        for key in ("tool_calls", "function_call"):
            self.text(rest.pop(key, None), Role.SCHEMA, turn, f"{path}.{key}")
        if rest:
            self.part(rest, role, turn, path)

    def rest(self, rest: Mapping[str, Any], turn: int, path: str) -> None:
        """Fields no rule knows, scanned for privacy only."""
        loud = {key: value for key, value in rest.items() if _is_loud(key, value)}
        if loud:
            self.text(render(loud), Role.META, turn, f"{path}.*")

    def tokens_or_texts(self, value: Any, role: Role, path: str) -> None:
        """`prompt` and `input`: a string, strings, token ids or lists of token ids."""
        if not isinstance(value, list):
            self.content(value, role, -1, path)
            return
        if value and _NUMBERS.issuperset(map(type, value)):
            self.opaque.add("tokens")  # at once: there may be a million
            return
        for number, item in enumerate(value):
            if isinstance(item, (int, float)):
                self.opaque.add("tokens")
            elif isinstance(item, list):
                self.tokens_or_texts(item, role, f"{path}[{number}]")
            else:
                self.content(item, role, -1, f"{path}[{number}]")


def extract(endpoint: str, body: Mapping[str, Any]) -> Extract:
    """Segments and needs of a body. `endpoint`: chat, completions, embeddings, responses, messages, rerank or other."""
    walk = _Walk()
    rest = dict(body)
    _READERS.get(endpoint, _other)(walk, rest)
    tool_list = [*_list(rest.pop("tools", None)), *_list(rest.pop("functions", None))]
    if tool_list:
        walk.text(tool_list, Role.SCHEMA, -1, "tools")
    key = next(
        (
            k
            for k in ("response_format", "text" if endpoint == "responses" else "format", "format")
            if rest.get(k)
        ),
        "",
    )
    schema = rest.pop(key, None)
    walk.text(schema, Role.SCHEMA, -1, key)
    walk.rest(rest, -1, "body")
    answer = next(
        (
            v
            for k in ("max_completion_tokens", "max_output_tokens", "max_tokens")
            if isinstance(v := body.get(k), int)
        ),
        0,
    )
    needs = Needs(
        tools=bool(tool_list) and "none" not in (body.get("tool_choice"), body.get("function_call")),
        vision=walk.images > 0,
        audio="audio" in walk.opaque,
        files="file" in walk.places,
        links="link" in walk.places,
        json_schema=_wants_schema(schema),
        tokens=_tokens(endpoint, walk.segments) + walk.images * _IMAGE_TOKENS,
        reply=max(0, answer),
        mode={"embeddings": "embedding", "rerank": "rerank", "other": "other"}.get(endpoint, "chat"),
    )  # fmt: skip
    return Extract(walk.segments, needs, len(tool_list), walk.opaque, walk.places)


def _tokens(endpoint: str, segments: list[Segment]) -> int:
    """What a model is told at once: several prompts of /v1/completions are asked one by one."""
    told = [(s.path, estimate_tokens(s.text)) for s in segments if s.role is not Role.META]
    prompts = [tokens for path, tokens in told if endpoint == "completions" and path.startswith("prompt[")]
    return sum(tokens for _, tokens in told) - (sum(prompts) - max(prompts) if prompts else 0)


def _chat(walk: _Walk, rest: dict[str, Any]) -> None:
    for number, message in enumerate(_list(rest.pop("messages", None))):
        walk.message(message, number, f"messages[{number}]")


def _messages(walk: _Walk, rest: dict[str, Any]) -> None:
    walk.content(rest.pop("system", None), Role.SYSTEM, -1, "system")
    _chat(walk, rest)


def _responses(walk: _Walk, rest: dict[str, Any]) -> None:
    walk.text(rest.pop("instructions", None), Role.SYSTEM, -1, "instructions")
    prompt = rest.get("prompt")
    variables = prompt.get("variables") if isinstance(prompt, dict) else None
    if isinstance(variables, dict):
        for part in variables.values():
            if isinstance(part, dict):  # read here as a part, and among the rest with its name
                walk.part(part, Role.META, -1, "prompt.variables")
    value = rest.pop("input", None)
    if not isinstance(value, list):
        walk.content(value, Role.USER, 0, "input")
        return
    for number, item in enumerate(value):
        walk.message(item, number, f"input[{number}]")


def _completions(walk: _Walk, rest: dict[str, Any]) -> None:
    walk.tokens_or_texts(rest.pop("prompt", None), Role.USER, "prompt")
    walk.text(rest.pop("suffix", None), Role.USER, -1, "suffix")


def _embeddings(walk: _Walk, rest: dict[str, Any]) -> None:
    walk.tokens_or_texts(rest.pop("input", None), Role.DOCUMENT, "input")


def _rerank(walk: _Walk, rest: dict[str, Any]) -> None:
    walk.content(rest.pop("query", None), Role.USER, -1, "query")
    walk.tokens_or_texts(rest.pop("documents", None), Role.DOCUMENT, "documents")


def _other(walk: _Walk, rest: dict[str, Any]) -> None:
    for key, value in list(rest.items()):
        if key not in _QUIET and _NAME.fullmatch(key) and isinstance(value, (str, list, dict)):
            walk.tokens_or_texts(rest.pop(key), Role.USER, key)


_READERS: dict[str, Callable[[_Walk, dict[str, Any]], None]] = {
    "chat": _chat,
    "messages": _messages,
    "responses": _responses,
    "completions": _completions,
    "embeddings": _embeddings,
    "rerank": _rerank,
}


def _wants_schema(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    inner = value.get("format") if isinstance(value.get("format"), dict) else value
    return isinstance(inner, dict) and inner.get("type") in ("json_schema", "json_object")


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _is_loud(key: str, value: Any) -> bool:
    """True when a field holds, or is named by, something a person may have written."""
    if not _NAME.fullmatch(key):
        return True
    if key not in _QUIET:
        return _has_text(value)
    if isinstance(value, str):
        return bool(value) and not (_MODEL if key == "model" else _ENUM).fullmatch(value)
    return isinstance(value, (dict, list)) and _has_text(value)


def _has_text(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value)
    if isinstance(value, dict):
        return any(_has_text(item) or not _NAME.fullmatch(key) for key, item in value.items())
    if isinstance(value, list):
        return any(_has_text(item) for item in value)
    # A long number may be a card or an account; short ones are sampling parameters.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= 1e8


def render(value: Any) -> str:
    """JSON's shape with strings as they are: an escaped newline or quote would hide what stands around it."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{" + ", ".join([f'"{key}": {render(item)}' for key, item in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([render(item) for item in value]) + "]"
    return json.dumps(value, default=str)
