"""/v1/rerank for model groups whose server cannot rerank: answered from embeddings through LiteLLM's router.

The request has passed the gate like any other (key, verdict, decision). The embedding calls go through the
router, so the cache, retries and the last locality door apply to each of them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime, get_runtime
from aicc_hooks.errors import Refusal
from aicc_hooks.rerank import answer, batches, parse, prefixes, rank, windows_of
from aicc_hooks.upstream_errors import explain
from aicc_hooks.wire import error_object

PATH = "/aicc/internal/rerank"
DEFAULT_EMBEDDER = "embed-local"
# Providers of LiteLLM that cannot rerank; all others get LiteLLM's own route.
_NO_RERANK = frozenset(("ollama", "ollama_chat", "aicc_demo", "openai"))

router = APIRouter(include_in_schema=False)


def by_embeddings(runtime: Runtime, group: str) -> bool:
    """True when the group's server has no rerank endpoint."""
    entry = _entry(runtime, group)
    model = str((entry.get("litellm_params") or {}).get("model") or "")
    return bool(entry) and model.partition("/")[0] in _NO_RERANK


@router.post(PATH)
async def post_rerank(request: Request) -> JSONResponse:
    """Reached only through the gate's rerank door; under its own name it does not exist."""
    call: Call | None = request.scope.get("aicc_call")
    if call is None or call.endpoint != "rerank" or call.decision is None:
        return _error(
            Refusal("aicc_route_not_allowed", "This path is not open on this gateway; use /v1/rerank.", 404)
        )
    runtime = get_runtime()
    try:
        return JSONResponse(await _rerank(runtime, call, await request.json()))
    except Refusal as refusal:
        call.refusal = refusal
        return _error(refusal)


async def _rerank(runtime: Runtime, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    assert call.decision is not None
    group = call.decision.route
    wanted = parse(body)
    embedder = str((_entry(runtime, group).get("model_info") or {}).get("embed_with") or DEFAULT_EMBEDDER)
    target = _entry(runtime, embedder)
    if not target:
        raise Refusal(
            "model_not_found",
            f"{group} ranks by the embeddings of {embedder}, which config.yaml does not have; add it, or set model_info.embed_with.",
            404,
        )
    before, each = prefixes(str((target.get("litellm_params") or {}).get("model") or ""))
    owners, texts = zip(*windows_of(wanted), strict=True)
    # A thousand windows take a while to slice and rank: not on the event loop.
    everything = [before + wanted.query, *(each + text for text in texts)]
    vectors: list[list[float]] = []
    tokens = 0
    for batch in batches(everything):
        found, used = await _embed(runtime, call, group, embedder, list(batch))
        vectors += found
        tokens += used
    try:
        ranked = await asyncio.to_thread(rank, vectors[0], vectors[1:], owners, wanted.top_n)
    except (IndexError, TypeError, ValueError):
        raise Refusal(
            "aicc_upstream_down",
            f"{embedder} did not answer with one vector for each text; documents cannot be ranked by it.",
            503,
        ) from None
    return answer(
        wanted, ranked, call_id=call.id, model=call.requested or group, embedder=embedder, tokens=tokens
    )


async def _embed(
    runtime: Runtime, call: Call, group: str, embedder: str, texts: list[str]
) -> tuple[list[list[float]], int]:
    options: dict[str, Any] = {}
    if call.decision is not None and not call.decision.cache:
        options["cache"] = {"no-cache": True, "no-store": True}
    try:
        found = await runtime.router().aembedding(model=embedder, input=texts, **options)
    except Exception as error:
        # Only its class and status are used: the text of a provider's error may repeat the documents.
        raise call.refusal or explain(
            int(getattr(error, "status_code", 500) or 500),
            str(error).encode("utf-8", "replace"),
            attempted=bool(call.attempts),
            model=call.attempts[-1].model.partition("/")[2] if call.attempts else "",
        ) from None
    finally:
        for attempt in call.attempts:
            # The embedder serves the group the client named: no fallback took place.
            attempt.group = group
    rows = [row if isinstance(row, dict) else row.model_dump() for row in found.data]
    usage = getattr(found, "usage", None)
    return [list(row["embedding"]) for row in rows], int(getattr(usage, "prompt_tokens", 0) or 0)


def _entry(runtime: Runtime, group: str) -> dict[str, Any]:
    router = runtime.router()
    entries = router.model_list if router is not None else ()
    return next((dict(e) for e in entries if e.get("model_name") == group), {})


def _error(refusal: Refusal) -> JSONResponse:
    return JSONResponse(error_object("rerank", *refusal.told), status_code=refusal.status)
