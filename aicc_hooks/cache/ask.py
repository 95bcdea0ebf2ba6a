"""What of a request is the question, and what must be the same for its answer to be shared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from aicc_hooks.cache.key import exact_key
from aicc_hooks.cache.request import CacheRequest

ENDPOINTS: Final = frozenset({"chat", "messages", "responses", "completion"})
_SPACE: Final = re.compile(r"\s+")


class AskParts(Protocol):
    """What `split_ask` returns (`aicc_hooks.detect.complexity.split.AskSplit`)."""

    @property
    def ask(self) -> str: ...
    @property
    def payload(self) -> str: ...


Splitter = Callable[[str], AskParts]


@dataclass(frozen=True, slots=True)
class ScopedAsk:
    """`ask`: the normalised last user ask; `scope`: fingerprint of everything else in the request."""

    ask: str
    scope: str


def scoped_ask(
    request: CacheRequest, *, split: Splitter, secret: bytes, owners: str, max_chars: int
) -> ScopedAsk | None:
    """None when the request is not a question in words (images, tool results, other endpoints, too long).

    The fingerprint is the exact key of the request with the ask taken out and the payload left in: model group,
    system prompt, tools, format, history, sampling and pasted text must be equal to the byte.
    """
    if request.endpoint not in ENDPOINTS:
        return None
    body = dict(request.body)
    text, put_back = _last_user_text(body)
    if text is None:
        return None
    parts = split(text)
    ask = normalise(parts.ask)
    if not 3 <= len(ask) <= max_chars:
        return None
    rest = replace(request, body=put_back({"ask": "", "payload": parts.payload, "script": script_of(ask)}))
    scope = exact_key(rest, secret=secret, scope=owners)
    return None if scope is None else ScopedAsk(ask, scope)


def normalise(text: str) -> str:
    """One spelling for look-alike spaces and compatibility forms; case and words stay."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def script_of(text: str) -> str:
    """The script of most letters: questions in different scripts never share an answer."""
    counts: dict[str, int] = {}
    for char in text[:400]:
        if char.isalpha():
            name = unicodedata.name(char, "?").split(" ", 1)[0]
            counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda n: counts[n]) if counts else ""


def _last_user_text(body: dict[str, Any]) -> tuple[str | None, Callable[[Any], dict[str, Any]]]:
    """The last user text of a body and a function that puts something else in its place."""
    for field in ("messages", "input", "prompt"):
        value = body.get(field)
        if isinstance(value, str) and field != "messages":
            return value, partial(_with_field, body, field)
        if isinstance(value, list) and value and isinstance(value[-1], Mapping):
            last = value[-1]
            text = _plain_text(last.get("content"))
            if last.get("role") == "user" and text is not None:
                return text, partial(_with_last, body, field)
    return None, partial(_with_field, body, "prompt")


def _with_field(body: dict[str, Any], field: str, new: Any) -> dict[str, Any]:
    return {**body, field: new}


def _with_last(body: dict[str, Any], field: str, new: Any) -> dict[str, Any]:
    *earlier, last = body[field]
    return {**body, field: [*earlier, {**last, "content": new}]}


def _plain_text(content: object) -> str | None:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], Mapping):
        part = content[0]
        if (
            part.get("type") in ("text", "input_text")
            and isinstance(part.get("text"), str)
            and len(part) == 2
        ):
            return str(part["text"])
    return None
