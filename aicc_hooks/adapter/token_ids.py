"""Token ids of embeddings requests: read with the tokenizer that LiteLLM ships, so nothing is fetched."""

from __future__ import annotations

import asyncio
from typing import Any

from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.payload.token_ids import INLINE, as_texts, id_lists, not_texts


async def read(call: Call, body: dict[str, Any]) -> bool:
    """Put texts in the place of ids, before anybody inspects the body. True when it changed. Raises Refusal."""
    lists = id_lists(body.get("input")) if call.endpoint == "embeddings" else None
    if lists is None:
        return False
    if sum(map(len, lists)) > INLINE:
        texts = await asyncio.to_thread(_texts, lists)
    else:
        texts = _texts(lists)
    if texts is None or not all(texts):
        return False  # nobody can read them, so they count as private (policy privacy.uninspectable)
    body["input"] = texts
    return True


def refuse_unread(runtime: Runtime, call: Call, body: dict[str, Any]) -> None:
    """Raise Refusal when ids are left and the chosen model takes texts alone."""
    if call.endpoint != "embeddings" or call.decision is None or id_lists(body.get("input")) is None:
        return
    group = runtime.catalog.groups.get(call.decision.route)
    if group is not None and any(deployment.ollama for deployment in group.deployments):
        raise not_texts()


def _texts(lists: list[list[int]]) -> list[str] | None:
    from litellm.litellm_core_utils.default_encoding import encoding  # takes a moment to load

    return as_texts(lists, encoding)
