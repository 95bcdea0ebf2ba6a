"""What a client asked for and LiteLLM or the model does not do: which answers are rewritten, which fields go."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from aicc_hooks.adapter.calls import Call
from aicc_hooks.payload import embeddings
from aicc_hooks.payload.event_repair import ChatRepair, ResponsesRepair, complete_whole

_REASONING = ("reasoning_effort", "reasoning", "thinking", "think")


def of_whole(call: Call) -> Callable[[bytes], bytes] | None:
    """The rewrite of a whole 200 answer, which must then be collected; None: pass it on as it comes."""
    if call.endpoint == "embeddings" and call.encoding == "base64":
        return embeddings.pack
    return complete_whole if call.endpoint == "responses" else None


def of_stream(call: Call) -> Callable[..., bytes] | None:
    """The rewrite of a stream, piece by piece: `feed(data, last=bool)`."""
    if call.endpoint == "responses":
        return ResponsesRepair().feed
    return ChatRepair().feed if call.endpoint == "chat" else None


def drop_reasoning(kwargs: MutableMapping[str, Any], call: Call) -> None:
    """Take the thinking fields from a call to a model whose model_info says supports_reasoning: false.

    Clients send them to every model; Ollama answers 400 "does not support thinking".
    """
    if (kwargs.get("model_info") or {}).get("supports_reasoning") is not False:
        return
    gone = [name for name in _REASONING if kwargs.pop(name, None) is not None]
    call.stripped += tuple(name for name in gone if name not in call.stripped)
