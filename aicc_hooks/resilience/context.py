"""Which `num_ctx` to send. Ollama cuts a longer prompt silently (4k by default), so it is always sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from aicc_hooks.errors import Refusal

GIB = 1024**3


def tokens_needed(prompt: int, reply: int, most: int, safety: float) -> int:
    """Room a request takes: the prompt estimate with a margin, plus the answer's room.

    `reply`: the request's max_tokens, 0 when it names none. Clients name far more than models write, so `most` bounds it.
    """
    return int(prompt * safety) + (min(reply, most) if reply > 0 else most)


def memory_limit(budget_bytes: float, kv_bytes_per_token: int) -> int | None:
    """Tokens whose KV cache fits the budget; None when the model's size per token is not known."""
    return int(budget_bytes // kv_bytes_per_token) if kv_bytes_per_token > 0 else None


def room(model_max: int | None, buckets: Sequence[int], memory_max: int | None = None) -> int:
    """The largest `num_ctx` this model may be asked for."""
    limits = [n for n in (model_max, memory_max) if n]
    top = max(buckets)
    return min(top, *limits) if limits else top


def choose_num_ctx(
    needed: int,
    model_max: int | None,
    buckets: Sequence[int],
    memory_max: int | None = None,
    *,
    loaded: int | None = None,
) -> int | None:
    """The smallest bucket that holds `needed` tokens, or None when no allowed one does.

    `model_max`: the model's own context length (None: unknown). `memory_max`: what the memory budget allows.
    `loaded`: the `num_ctx` the model runs with now; kept when it is large enough, because a change reloads it.
    A limit between two buckets is a bucket of its own, so a 40k model is not held to 32k.
    """
    top = room(model_max, buckets, memory_max)
    if needed > top:
        return None
    if loaded is not None and needed <= loaded <= top:
        return loaded
    return next((bucket for bucket in buckets if needed <= bucket <= top), top)


def too_long(model: str, needed: int, limit: int, *, model_max: int | None = None) -> Refusal:
    """The 400 for a request that fits no model, with the numbers and what to do."""
    because = (
        "the limit is the memory budget or the largest bucket of resilience.context in policy.yaml"
        if model_max is None or limit < model_max
        else "the limit is the model's own"
    )
    return Refusal(
        "aicc_context_too_long",
        f"The request needs about {needed} tokens (prompt plus room for the answer); '{model}' takes {limit} here "
        f"({because}). Shorten it by about {needed - limit} tokens, lower max_tokens, or name a model with more room.",
        400,
    )


def truncated(
    finish_reason: str | None, prompt_tokens: int | None, num_ctx: int | None
) -> Literal["", "reply", "prompt"]:
    """What was cut, for the record: the prompt (it filled the whole context) or the reply."""
    if prompt_tokens and num_ctx and prompt_tokens >= num_ctx - 1:
        return "prompt"
    return "reply" if finish_reason == "length" else ""
