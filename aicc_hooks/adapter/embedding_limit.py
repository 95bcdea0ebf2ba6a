"""A time limit of our own on embeddings: LiteLLM asks Ollama for them without one (llms/ollama/completion/handler.py).

Chat has none on purpose (a model may load for minutes); an embedding model loads in seconds.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from aicc_hooks.adapter import calls

if TYPE_CHECKING:
    from aicc_hooks.adapter.runtime import Runtime

_limit: ContextVar[asyncio.Timeout | None] = ContextVar("aicc_embedding_limit", default=None)


def install(runtime: Runtime) -> str:
    """Once a process. Returns what is wrong with LiteLLM, or ""."""
    from litellm import Router, Timeout

    ask: Callable[..., Any] | None = getattr(Router, "_aembedding", None)
    if ask is None:
        return "LiteLLM's Router has no _aembedding"
    if hasattr(ask, "aicc"):
        return ""

    @functools.wraps(ask)
    async def limited(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = None
        try:
            async with asyncio.timeout(None) as limit:
                token = _limit.set(limit)
                return await ask(self, *args, **kwargs)
        except TimeoutError:
            call = calls.current()
            model = str(kwargs.get("model") or "")
            for attempt in call.attempts if call is not None else ():
                if not attempt.ended:
                    runtime.upstreams.failed(attempt, TimeoutError("no embedding in time"))
            raise Timeout(message="no embedding in time", model=model, llm_provider="aicc") from None
        finally:
            if token is not None:
                _limit.reset(token)

    limited.aicc = True  # type: ignore[attr-defined]
    Router._aembedding = limited
    return ""


def admitted(seconds: float) -> None:
    """The attempt has its place: its time runs from now, the wait in the queue does not count."""
    limit = _limit.get()
    if limit is not None and not limit.expired():
        limit.reschedule(asyncio.get_running_loop().time() + seconds)
