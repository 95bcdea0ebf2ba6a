"""/v1/completions streams that fail before their first word, for which LiteLLM knows no fallback.

LiteLLM's router hands such a stream out as soon as the upstream answered 200 (1.106.2, router.py, `_atext_completion`; chat
has `_acompletion_streaming_iterator`). Here its first word is awaited inside the attempt, whose failure still reaches the
fallbacks: `litellm.atext_completion` is what the router calls in all releases tried, 1.110's Rust core included.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any


def install() -> str:
    """Once a process. Returns what is wrong with LiteLLM, or ""."""
    import litellm

    kind: Any = getattr(litellm, "TextCompletionStreamWrapper", None)
    ask: Callable[..., Any] | None = getattr(litellm, "atext_completion", None)
    if kind is None or ask is None:
        return f"LiteLLM has no {'TextCompletionStreamWrapper' if kind is None else 'atext_completion'}"
    if hasattr(ask, "aicc"):
        return ""

    @functools.wraps(ask)
    async def begun(*args: Any, **kwargs: Any) -> Any:
        response: Any = await ask(*args, **kwargs)
        if isinstance(response, kind) and hasattr(response.completion_stream, "__anext__"):
            response.completion_stream = await _from_first_word(response.completion_stream)
        return response

    begun.aicc = True  # type: ignore[attr-defined]
    litellm.atext_completion = begun
    return ""


async def _from_first_word(stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """The same stream, read up to its first chunk that tells the client something. Raises what it raises by then."""
    early: list[Any] = []
    async for chunk in stream:
        early.append(chunk)
        if _tells(chunk):
            break
    return _chain(early, stream)


async def _chain(early: list[Any], rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    while early:
        yield early.pop(0)
    async for chunk in rest:
        yield chunk


def _tells(chunk: Any) -> bool:
    """Not the opening chunk of some servers, which names the role only."""
    try:
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if delta["content"] or getattr(delta, "reasoning_content", None) or choice["finish_reason"]:
                return True
        return False
    except (KeyError, TypeError, AttributeError, IndexError):
        return True  # not a chat chunk: nothing is held back
