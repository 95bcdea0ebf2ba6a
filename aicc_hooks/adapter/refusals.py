"""Our refusals: what an error means, why a request ends, and how LiteLLM's router is told."""

from __future__ import annotations

from collections.abc import Callable

import litellm

from aicc_hooks.adapter.calls import Call
from aicc_hooks.catalog import OLLAMA_PROVIDERS
from aicc_hooks.errors import Refusal
from aicc_hooks.upstream_errors import explain


def meaning(call: Call, status: int, error: bytes) -> Refusal:
    """Ours, or what an error of LiteLLM or a model server means."""
    provider, _, model = call.attempts[-1].model.partition("/") if call.attempts else ("", "", "")
    return call.refusal or explain(
        status, error, attempted=bool(call.attempts), model=model, ollama=provider in OLLAMA_PROVIDERS, endpoint=call.endpoint
    )  # fmt: skip


def as_exception(refusal: Refusal, model: str) -> Exception:
    """What LiteLLM's router takes as a failed deployment: it tries the next group, without waiting."""
    kinds = {503: litellm.ServiceUnavailableError, 429: litellm.RateLimitError}
    kind: Callable[..., Exception] = kinds.get(refusal.status, litellm.BadRequestError)
    return kind(message=refusal.message, llm_provider="aicc", model=model)


def broken_stream() -> Refusal:
    """Why nothing is tried again once the client has read a part of an answer."""
    return Refusal("aicc_upstream_down", "The model's stream broke off; ask again for the whole answer.", 503)


def not_listed() -> Refusal:
    """Why a model that config.yaml does not list is not called, whatever a tool of the client names."""
    return Refusal(
        "aicc_invalid_request", "The request makes LiteLLM call a model that config.yaml does not list.", 400
    )


def other_embedder() -> Refusal:
    """Why an embedding is never answered by another model."""
    return Refusal(
        "aicc_upstream_down", "The embedding model does not answer, and another's vectors do not fit.", 503
    )


def not_translated() -> Refusal:
    """Why a request that LiteLLM could not translate went to no model server."""
    return Refusal(
        "aicc_invalid_request",
        "The request does not fit its API: LiteLLM could not read one of its fields, and no model was asked.",
        400,
    )


def locality_unknown() -> Refusal:
    """Why a private request waits: an Ollama here may pass a model on, and has not said whether it does."""
    return Refusal(
        "aicc_upstream_down",
        "The request must stay on this machine, and Ollama does not answer whether this model runs here.",
        503,
    )


def passed_on() -> Refusal:
    """Why a private request ends at the wire: a redirect, a proxy or a fetched picture would take it elsewhere."""
    return Refusal(
        "aicc_private_no_local_model",
        "The request must stay on this machine, and it would have been sent elsewhere: by a redirect of the model's "
        "server, a proxy, or the address of a picture.",
        503,
    )


def not_here(*, tried: bool) -> Refusal:
    """Why a private request is not sent to a deployment elsewhere. `tried`: a local one was asked and failed."""
    if tried:
        return Refusal(
            "aicc_upstream_down",
            "The local model does not answer, and the request must stay on this machine: no other model may have it.",
            503,
        )
    return Refusal(
        "aicc_private_no_local_model",
        "The request must stay on this machine, and this deployment is not on it.",
        503,
    )
