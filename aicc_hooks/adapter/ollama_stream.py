"""Failures inside an Ollama stream, which LiteLLM takes for the request's fault or does not see at all.

Measured with LiteLLM 1.106.2 (llms/ollama/chat/transformation.py, llms/base_llm/base_model_iterator.py):
an error line of Ollama becomes a 400, so no other model is tried; a line that is not JSON is skipped, and its
words are missing from the answer; a stream that just ends is completed with `finish_reason: "stop"`.
"""

from __future__ import annotations

import functools
from typing import Any

import orjson

from aicc_hooks.adapter import stream_end, text_stream


def install() -> str:
    """Make such streams, and other servers', fail as a server error does. Returns what is wrong with LiteLLM, or ""."""
    return "; ".join(filter(None, (_install(), stream_end.install(), text_stream.install())))


def _install() -> str:
    try:
        from litellm.llms.ollama.chat.transformation import OllamaChatCompletionResponseIterator as Iterator
    except ImportError:
        return "LiteLLM has no OllamaChatCompletionResponseIterator"
    if hasattr(Iterator, "_aicc"):
        return ""
    for name in ("chunk_parser", "_handle_string_chunk", "__anext__"):
        if not hasattr(Iterator, name):
            return f"OllamaChatCompletionResponseIterator lacks {name}"
    parse, handle, following = Iterator.chunk_parser, Iterator._handle_string_chunk, Iterator.__anext__

    @functools.wraps(parse)
    def chunk_parser(self: Any, chunk: dict[str, Any]) -> Any:
        if "message" not in chunk:
            raise _failure("Ollama ended the stream with an error", str(chunk.get("error") or "")[:300])
        parsed = parse(self, chunk)
        self._aicc_done = chunk.get("done") is True
        return parsed

    @functools.wraps(handle)
    def handle_string_chunk(self: Any, str_line: str) -> Any:
        try:
            found = orjson.loads(str_line)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise _failure("Ollama sent a line that is not JSON")
        return self.chunk_parser(chunk=found)

    @functools.wraps(following)
    async def anext_(self: Any) -> Any:
        try:
            return await following(self)
        except StopAsyncIteration:
            if not getattr(self, "_aicc_done", False):
                raise _failure("Ollama's stream stopped before its end: connection closed") from None
            raise

    Iterator.chunk_parser = chunk_parser
    Iterator._handle_string_chunk = handle_string_chunk
    Iterator.__anext__ = anext_
    Iterator._aicc = True
    return ""


def _failure(what: str, detail: str = "") -> Exception:
    from litellm.llms.ollama.common_utils import OllamaError

    # `detail` is kept for the kind of failure (out of memory); the client is told in our own words.
    failure: Exception = OllamaError(
        status_code=502, message=f"{what}: {detail}" if detail else what, headers={}
    )
    return failure
