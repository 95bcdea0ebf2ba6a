"""Chat streams that stop before their end: of OpenAI-compatible servers, and Anthropic's.

LiteLLM 1.106.2 completes them with `finish_reason: "stop"` (streaming_handler.py, finish_reason_handler). Only a cut
connection is seen as one, and mlx_lm.server speaks HTTP/1.0, where a server that dies just ends the body.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Any, Final

# Providers whose API promises a reason with the last piece, tried with a stream that was cut. Of Gemini's LiteLLM says
# "stop" with every piece, so an early end cannot be told from a right one; Bedrock's was not tried.
_ALWAYS_SAY_WHY: Final = frozenset({"anthropic"})


def install() -> str:
    """Make such streams fail as a server error does. Returns what is wrong with LiteLLM or openai, or ""."""
    try:
        from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
        from litellm.llms.base_llm.base_model_iterator import BaseModelResponseIterator
        from openai import AsyncStream
    except ImportError as error:
        return f"{error.name} has moved"
    if hasattr(CustomStreamWrapper, "_aicc"):
        return ""
    for owner, name in ((CustomStreamWrapper, "_finalize_completed_stream"), (CustomStreamWrapper, "_log_stream_failure_and_raise"),
                        (AsyncStream, "_iter_events")):  # fmt: skip
        if not hasattr(owner, name):
            return f"{owner.__name__} lacks {name}"
    finalize, events = CustomStreamWrapper._finalize_completed_stream, AsyncStream._iter_events

    @functools.wraps(events)
    async def iter_events(self: Any) -> AsyncIterator[Any]:
        async for event in events(self):
            if event.data.startswith("[DONE]"):
                self._aicc_done = True  # the reader of these events keeps it to itself
            yield event

    @functools.wraps(finalize)
    async def finalize_completed_stream(self: Any, *args: Any, **kwargs: Any) -> Any:
        stream = self.completion_stream
        told = self.sent_last_chunk or self.received_finish_reason or self.intermittent_finish_reason
        speaks_openai = isinstance(stream, (AsyncStream, BaseModelResponseIterator))
        promised = speaks_openai or self.custom_llm_provider in _ALWAYS_SAY_WHY
        if promised and not told and not hasattr(stream, "_aicc_done"):
            self._log_stream_failure_and_raise(_failure())
        return await finalize(self, *args, **kwargs)

    AsyncStream._iter_events = iter_events  # type: ignore[method-assign]
    CustomStreamWrapper._finalize_completed_stream = finalize_completed_stream
    CustomStreamWrapper._aicc = True
    return ""


def _failure() -> Exception:
    from litellm.llms.openai.common_utils import OpenAIError

    failure: Exception = OpenAIError(
        status_code=502, message="the stream stopped before its end: connection closed", headers={}
    )
    return failure
