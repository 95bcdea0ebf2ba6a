"""A time limit of our own on embeddings, another deployment of the same model when one fails, and texts too long for it.

LiteLLM asks Ollama for them without a limit (llms/ollama/completion/handler.py). Chat has none on purpose (a model may
load for minutes); an embedding model loads in seconds. Fallbacks go to other groups, whose vectors would not fit.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.calls import Call
from aicc_hooks.catalog import server_name
from aicc_hooks.errors import Refusal
from aicc_hooks.resilience.classify import FAILURES, Outcome, classify
from aicc_hooks.upstream_errors import explain

if TYPE_CHECKING:
    from aicc_hooks.adapter.runtime import Runtime

_limit: ContextVar[asyncio.Timeout | None] = ContextVar("aicc_embedding_limit", default=None)


def install(runtime: Runtime) -> str:
    """Once a process. Returns what is wrong with LiteLLM, or ""."""
    import litellm
    from litellm import Router

    if hasattr(litellm.aembedding, "aicc"):
        return ""
    # From 1.110 on an attempt is made in LiteLLM's Rust core; another deployment is then asked for outside its fallbacks.
    name = "_aembedding" if hasattr(Router, "_aembedding") else "aembedding"
    ask: Callable[..., Any] | None = getattr(Router, name, None)
    if ask is None:
        return "LiteLLM's Router has no aembedding"
    litellm.aembedding = _limited(runtime, litellm.aembedding)
    setattr(Router, name, _patient(runtime, ask))
    return ""


def _limited(runtime: Runtime, ask: Callable[..., Any]) -> Callable[..., Any]:
    """One attempt, ended when its time is over."""
    from litellm import Timeout

    @functools.wraps(ask)
    async def limited(*args: Any, **kwargs: Any) -> Any:
        token = None
        try:
            async with asyncio.timeout(None) as limit:
                token = _limit.set(limit)
                return await ask(*args, **kwargs)
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
    return limited


def _patient(runtime: Runtime, ask: Callable[..., Any]) -> Callable[..., Any]:
    """Asks again while the group has another deployment of the same model, or when the text has to be cut."""

    @functools.wraps(ask)
    async def patient(self: Any, *args: Any, **kwargs: Any) -> Any:
        tried = 0
        while True:
            try:
                return await ask(self, *args, **kwargs)
            except Exception as error:
                call = calls.current()
                # An attempt that was not even noted would be made for ever.
                if call is None or len(call.attempts) <= tried:
                    raise
                if not _cut(runtime, call, error) and not _another(runtime, call, error):
                    raise
                tried = len(call.attempts)

    return patient


def admitted(seconds: float) -> None:
    """The attempt has its place: its time runs from now, the wait in the queue does not count."""
    limit = _limit.get()
    if limit is not None and not limit.expired():
        limit.reschedule(asyncio.get_running_loop().time() + seconds)


def same_model(earlier: Sequence[str], model: str) -> bool:
    """Whether `model` gives the vectors of the models asked before; names as LiteLLM has them."""
    return not earlier or bare(model) in {bare(other) for other in earlier}


def untried(call: Call, deployments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of LiteLLM's deployments, those of the same model this embedding was not asked of; all when there are none."""
    if call.endpoint != "embeddings" or not call.attempts:
        return deployments
    asked, models = {a.deployment for a in call.attempts}, [a.model for a in call.attempts]
    left = [
        d
        for d in deployments
        if _text(d, "model_info", "id") not in asked
        and same_model(models, _text(d, "litellm_params", "model"))
    ]
    return left or deployments


def bare(model: str) -> str:
    """`ollama/bge-m3:latest` → `bge-m3`. An organisation in the name stays: two of them may mean two models by one name."""
    return server_name(model).removesuffix(":latest")


def _cut(runtime: Runtime, call: Call, error: Exception) -> bool:
    """Whether to ask again and have the text cut, since it is longer than the model reads."""
    last = call.attempts[-1]
    if last.parameters.get("truncate") is not False or not too_long(error):
        return False
    if runtime.upstreams.config.embeddings.too_long == "cut":
        call.cut = "prompt"
        return True
    name = server_name(last.model)
    call.refusal = Refusal(
        "aicc_context_too_long",
        f"A text is longer than the {last.num_ctx} tokens '{name}' reads here. Send it in parts, or set "
        "resilience.embeddings.too_long: cut in policy.yaml.",
        400,
    )
    return False


def too_long(error: Exception) -> bool:
    """Whether a model server says that the text does not fit its model."""
    told = str(error).encode("utf-8", "replace")
    return (
        classify(error) is Outcome.CLIENT_ERROR
        and explain(400, told, attempted=True).code == "aicc_context_too_long"
    )


def _another(runtime: Runtime, call: Call, error: Exception) -> bool:
    """Whether the group has a deployment of the same model left that may be asked."""
    if call.refusal is not None or classify(error) not in FAILURES:
        return False
    last, asked = call.attempts[-1], {a.deployment for a in call.attempts}
    group = runtime.catalog.groups.get(last.group)
    return group is not None and any(
        d.id not in asked
        and same_model([last.model], d.model)
        and (d.local or not call.local_only)
        and runtime.upstreams.breaker.usable(d.upstream, d.id)
        for d in group.deployments
    )


def _text(deployment: Mapping[str, Any], section: str, key: str) -> str:
    return str((deployment.get(section) or {}).get(key) or "")
