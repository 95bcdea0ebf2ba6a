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
from aicc_hooks.adapter.refusals import meaning
from aicc_hooks.adapter.runtime import Runtime, get_runtime
from aicc_hooks.catalog import address_of
from aicc_hooks.errors import Refusal
from aicc_hooks.rerank import RerankRequest, answer, batches, cosines, parse, prefixes, rank, scores
from aicc_hooks.rerank_windows import Windows, apart, together, whole
from aicc_hooks.wire import error_object

PATH = "/aicc/internal/rerank"
DEFAULT_EMBEDDER = "embed-local"
_NO_RERANK = frozenset(("ollama", "ollama_chat", "aicc_demo", "openai"))  # providers of LiteLLM
_ASKED_AS = "hosted_vllm"
# Servers of one's own, which refuse a long document and cut none; a provider in the cloud cuts as it sees fit, and
# bills by the request.
_OWN = frozenset(("openai", "hosted_vllm", "infinity", "huggingface"))
_RERANKER_TOKENS = (
    512  # where neither config.yaml nor the server says: what bge's first models and llama.cpp read
)
_EMBEDDER_TOKENS = 2048  # nomic-embed-text; Ollama reads no more of any model unless told
_LEAST_TOKENS = 128
_RERANKER_BATCH = 32  # what TEI takes in one call unless told otherwise
_EMBEDDER_BATCH = 64
_BATCH_KEY = "max_client_batch_size"  # of model_info, and of TEI's /info
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
        try:
            return await _ranked(runtime, call, group, wanted)
        except Refusal as refusal:
            if refusal.code not in _NEXT or group == groups[-1]:
                raise
            call.refusal = None
    raise AssertionError("there is always a group")


async def _ranked(runtime: Runtime, call: Call, group: str, wanted: RerankRequest) -> dict[str, Any]:
    """By one group. A server that finds a text too long is asked again with shorter windows.

    What it reads at once is not always what it says (llama.cpp's -ub), and tokens are estimated.
    """
    embedded = _lacks_rerank(_entry(runtime, group))
    by, target = (_by_embeddings, _embedder(runtime, group)) if embedded else (_by_reranker, group)
    default = _EMBEDDER_TOKENS if embedded else _RERANKER_TOKENS
    tokens = _least(runtime, target, default, "max_input_tokens", "context_length")
    least = _LEAST_TOKENS if embedded or _is_own(runtime, group) else tokens
    while True:
        try:
            return await by(runtime, call, group, wanted, tokens)
        except Refusal as refusal:
            if refusal.code != "aicc_context_too_long" or tokens <= least:
                raise
            tokens = max(_LEAST_TOKENS, min(_RERANKER_TOKENS, tokens // 2))
            call.refusal = None


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


def _embedder(runtime: Runtime, group: str) -> str:
    return str((_entry(runtime, group).get("model_info") or {}).get("embed_with") or DEFAULT_EMBEDDER)


async def _by_reranker(
    runtime: Runtime, call: Call, group: str, wanted: RerankRequest, tokens: int
) -> dict[str, Any]:
    own = _is_own(runtime, group)
    # A thousand windows take a while to slice and rank: not on the event loop.
    windows = await asyncio.to_thread(together, wanted, tokens) if own else whole(wanted)
    size = _least(runtime, group, _RERANKER_BATCH, _BATCH_KEY) if own else len(windows.texts)
    options: dict[str, Any] = {"return_documents": False, "disable_fallbacks": True}
    if not own:
        options.update(wanted.limits)
    if call.decision is not None and not call.decision.cache:
        options["cache"] = _UNCACHED
    scored: list[float] = []
    used = 0
    for batch in batches(windows.texts, max(1, size)):
        found = await _ask(runtime, call, group, windows.query, list(batch), options)
        try:
            rows = [r if isinstance(r, dict) else r.model_dump() for r in found.results or ()]
            scored += scores(rows, len(batch))
        except (AttributeError, TypeError, ValueError):
            raise Refusal(
                "aicc_upstream_down",
                f"{_name(call, group)} did not answer with one score for each document.",
                503,
            ) from None
        used += _tokens(found)
    ranked = rank(scored, windows.owners, wanted)
    told = {"method": "reranker", "model": _name(call, group), **windows.told}
    return answer(wanted, ranked, call_id=call.id, model=call.requested or group, tokens=used, told=told)


async def _ask(
    runtime: Runtime, call: Call, group: str, query: str, texts: list[Any], options: dict[str, Any]
) -> Any:
    try:
        return await runtime.router().arerank(
            model=group, query=query, documents=texts, top_n=len(texts), **options
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


def _name(call: Call, group: str) -> str:
    return call.attempts[-1].model.partition("/")[2] if call.attempts else group


def _tokens(found: Any) -> int:
    meta = getattr(found, "meta", None) or {}
    for part, name in (("tokens", "input_tokens"), ("billed_units", "total_tokens")):
        if isinstance(count := (meta.get(part) or {}).get(name), int):
            return count
    return 0


async def _by_embeddings(
    runtime: Runtime, call: Call, group: str, wanted: RerankRequest, tokens: int
) -> dict[str, Any]:
    embedder = _embedder(runtime, group)
    target = _entry(runtime, embedder)
    if not target:
        raise Refusal(
            "model_not_found",
            f"{group} ranks by the embeddings of {embedder}, which config.yaml does not have; add it, or set model_info.embed_with.",
            404,
        )
    before = prefixes(str((target.get("litellm_params") or {}).get("model") or ""))
    windows = await asyncio.to_thread(apart, wanted, tokens, before)
    scored, used = await _cosines(runtime, call, group, embedder, windows, before)
    try:
        ranked = rank(scored, windows.owners, wanted)
    except ValueError:
        raise _no_vectors(embedder) from None
    told: dict[str, Any] = {"method": "embedding_cosine", "embedding_model": embedder, **windows.told}
    return answer(wanted, ranked, call_id=call.id, model=call.requested or group, tokens=used, told=told)


async def _cosines(
    runtime: Runtime, call: Call, group: str, embedder: str, windows: Windows, before: tuple[str, str]
) -> tuple[list[float], int]:
    """One cosine a window, and the tokens it took."""
    if not windows.texts:
        return [], 0
    everything = [before[0] + windows.query, *(before[1] + text for text in windows.texts)]
    vectors: list[list[float]] = []
    used = 0
    for batch in batches(
        everything, min(_EMBEDDER_BATCH, _least(runtime, embedder, _EMBEDDER_BATCH, _BATCH_KEY))
    ):
        found, tokens = await _embed(runtime, call, group, embedder, list(batch))
        vectors += found
        used += tokens
    try:
        return await asyncio.to_thread(cosines, vectors[0], vectors[1:]), used
    except (IndexError, TypeError, ValueError):
        raise _no_vectors(embedder) from None


def _no_vectors(embedder: str) -> Refusal:
    return Refusal(
        "aicc_upstream_down",
        f"{embedder} did not answer with one vector for each text; documents cannot be ranked by it.",
        503,
    )


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
    status = int(getattr(error, "status_code", 500) or 500)
    return meaning(call, status, str(error).encode("utf-8", "replace"))


def _is_own(runtime: Runtime, group: str) -> bool:
    """Whether its documents are cut and sent in batches by us."""
    provider = str((_entry(runtime, group).get("litellm_params") or {}).get("model") or "").partition("/")[0]
    known = runtime.catalog.groups.get(group)
    return provider in _OWN or (known is not None and known.local)


def _least(runtime: Runtime, group: str, default: int, *names: str) -> int:
    """What every deployment of the group takes: as its model_info says under one of `names`, else as its server does."""
    limits: list[Any] = []
    for entry in _entries(runtime, group):
        params, info = entry.get("litellm_params") or {}, entry.get("model_info") or {}
        address = address_of(params, ollama_default=runtime.ollama_default())
        told = runtime.upstreams.takes(address, str(params.get("model") or ""))
        limits.append(next((info[name] for name in names if info.get(name)), told.get(names[0])))
    return min((n for n in limits if isinstance(n, int) and n > 0), default=default)


def _entry(runtime: Runtime, group: str) -> dict[str, Any]:
    return next(iter(_entries(runtime, group)), {})


def _entries(runtime: Runtime, group: str) -> list[dict[str, Any]]:
    router = runtime.router()
    entries = router.model_list if router is not None else ()
    return [dict(entry) for entry in entries if entry.get("model_name") == group]


def _error(refusal: Refusal) -> JSONResponse:
    return JSONResponse(error_object("rerank", *refusal.told), status_code=refusal.status)
