"""/v1/rerank: by the group's own reranker, or from embeddings where its server has none; through LiteLLM's router.

The request has passed the gate like any other (key, verdict, decision). Every call goes through the router, so
breaker, queue and the last locality door apply to each of them. LiteLLM's own route is not used: it passes on
results unsorted, uncut and without their documents, as the servers send them.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime, get_runtime
from aicc_hooks.errors import Refusal
from aicc_hooks.rerank import (
    RerankRequest,
    answer,
    batches,
    check_windows,
    cut,
    order,
    parse,
    prefixes,
    rank,
    windows_of,
)
from aicc_hooks.upstream_errors import explain
from aicc_hooks.wire import error_object

PATH = "/aicc/internal/rerank"
DEFAULT_EMBEDDER = "embed-local"
_NO_RERANK = frozenset(("ollama", "ollama_chat", "aicc_demo", "openai"))  # providers of LiteLLM
_ASKED_AS = "hosted_vllm"
_NEXT = ("aicc_upstream_down", "aicc_overloaded")  # another server may be there
_UNCACHED = {"no-cache": True, "no-store": True}

router = APIRouter(include_in_schema=False)


def as_reranker(kwargs: MutableMapping[str, Any]) -> None:
    """Have LiteLLM ask an `openai/` server for a ranking: it has none for that name, and the same call for vLLM's."""
    provider, _, name = str(kwargs.get("model") or "").partition("/")
    if provider == "openai" and name:
        kwargs["model"], kwargs["custom_llm_provider"] = f"{_ASKED_AS}/{name}", _ASKED_AS


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
    """The answer of the group asked for, or of the first of its fallbacks whose server is there."""
    assert call.decision is not None
    wanted = parse(body)
    groups = [call.decision.route, *_fallbacks(runtime, call)]
    for group in groups:
        by = _by_embeddings if _lacks_rerank(_entry(runtime, group)) else _by_reranker
        try:
            return await by(runtime, call, group, wanted)
        except Refusal as refusal:
            if refusal.code not in _NEXT or group == groups[-1]:
                raise
            call.refusal = None
    raise AssertionError("there is always a group")


def _fallbacks(runtime: Runtime, call: Call) -> list[str]:
    """Rerank groups of config.yaml's `fallbacks` that this request may go to. LiteLLM would try them as rerankers only."""
    assert call.decision is not None
    groups, found = runtime.catalog.groups, []
    for entry in getattr(runtime.router(), "fallbacks", None) or ():
        names = entry.get(call.decision.route) if isinstance(entry, dict) else None
        for group in (groups.get(name) for name in names or () if isinstance(name, str)):
            if group is not None and group.mode == "rerank" and (group.local or not call.local_only):
                found.append(group.name)
    return [name for name in dict.fromkeys(found) if name != call.decision.route]


def _lacks_rerank(entry: dict[str, Any]) -> bool:
    """True when the group's server has no rerank endpoint."""
    params, info = entry.get("litellm_params") or {}, entry.get("model_info") or {}
    provider = str(params.get("model") or "").partition("/")[0]
    if provider == "openai" and params.get("api_base"):
        return bool(info.get("embed_with"))  # some have one, and the owner knows; OpenAI itself has none
    return provider in _NO_RERANK


async def _by_reranker(runtime: Runtime, call: Call, group: str, wanted: RerankRequest) -> dict[str, Any]:
    options: dict[str, Any] = {
        **wanted.limits,
        "top_n": wanted.top_n,
        "return_documents": False,
        "disable_fallbacks": True,
    }
    if call.decision is not None and not call.decision.cache:
        options["cache"] = _UNCACHED
    try:
        found = await runtime.router().arerank(
            model=group, query=wanted.query, documents=wanted.sent, **options
        )
    except Exception as error:
        if call.refusal is None and getattr(error, "status_code", 0) == 404:
            raise Refusal(
                "aicc_upstream_down",
                f"The server of {group} has no rerank endpoint, or not this model; start llama-server with --reranking, or set "
                "model_info.embed_with to rank by embeddings.",
                503,
            ) from None
        raise _explained(call, error) from None
    name = call.attempts[-1].model.partition("/")[2] if call.attempts else group
    try:
        rows = [r if isinstance(r, dict) else r.model_dump() for r in found.results or ()]
        ranked = order(rows, wanted)
    except (AttributeError, TypeError, ValueError):
        raise Refusal(
            "aicc_upstream_down", f"{name} did not answer with one score for each document.", 503
        ) from None
    told = {"method": "reranker", "model": name}
    return answer(
        wanted, ranked, call_id=call.id, model=call.requested or group, tokens=_tokens(found), told=told
    )


def _tokens(found: Any) -> int:
    meta = getattr(found, "meta", None) or {}
    for part, name in (("tokens", "input_tokens"), ("billed_units", "total_tokens")):
        if isinstance(count := (meta.get(part) or {}).get(name), int):
            return count
    return 0


async def _by_embeddings(runtime: Runtime, call: Call, group: str, wanted: RerankRequest) -> dict[str, Any]:
    # A thousand windows take a while to slice and rank: not on the event loop.
    await asyncio.to_thread(check_windows, wanted)
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
    told: dict[str, Any] = {"method": "embedding_cosine", "embedding_model": embedder}
    if unread := cut(wanted):
        told["cut_documents"] = unread
    return answer(wanted, ranked, call_id=call.id, model=call.requested or group, tokens=tokens, told=told)


async def _embed(
    runtime: Runtime, call: Call, group: str, embedder: str, texts: list[str]
) -> tuple[list[list[float]], int]:
    options: dict[str, Any] = {}
    if call.decision is not None and not call.decision.cache:
        options["cache"] = _UNCACHED
    tried = len(call.attempts)
    try:
        found = await runtime.router().aembedding(model=embedder, input=texts, **options)
    except Exception as error:
        raise _explained(call, error) from None
    finally:
        for attempt in call.attempts[tried:]:
            # The embedder serves the group the client named: no fallback took place.
            attempt.group = group
    rows = [row if isinstance(row, dict) else row.model_dump() for row in found.data]
    usage = getattr(found, "usage", None)
    return [list(row["embedding"]) for row in rows], int(getattr(usage, "prompt_tokens", 0) or 0)


def _explained(call: Call, error: Exception) -> Refusal:
    """Only its class and status are used: the text of a provider's error may repeat the documents."""
    model = call.attempts[-1].model.partition("/")[2] if call.attempts else ""
    return call.refusal or explain(
        int(getattr(error, "status_code", 500) or 500),
        str(error).encode("utf-8", "replace"),
        attempted=bool(call.attempts),
        model=model,
    )


def _entry(runtime: Runtime, group: str) -> dict[str, Any]:
    router = runtime.router()
    entries = router.model_list if router is not None else ()
    return next((dict(e) for e in entries if e.get("model_name") == group), {})


def _error(refusal: Refusal) -> JSONResponse:
    return JSONResponse(error_object("rerank", *refusal.told), status_code=refusal.status)
