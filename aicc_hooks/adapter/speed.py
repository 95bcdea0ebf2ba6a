"""Savings on LiteLLM's side of a request. Each is guarded: when its internal moved, it stays off and says so."""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

import orjson

from aicc_hooks.adapter import savings
from aicc_hooks.adapter.asgi import App
from aicc_hooks.adapter.endpoints import direct_stack
from aicc_hooks.adapter.runtime import Runtime

log = logging.getLogger("aicc_hooks")

# argument of LiteLLM's counter → the field of Ollama's answer that says the same
_OLLAMA_COUNTS = {"messages": "prompt_eval_count", "text": "eval_count"}


def install(runtime: Runtime, app: Any) -> None:
    """Apply what the policy allows. Problems are noted in `runtime.problems` and change nothing else."""
    current = runtime.store.current
    if current is None:
        return
    known: dict[str, Callable[[], None]] = {
        "price_scan": remember_price_scan,
        "cost_diagnostics": skip_cost_diagnostics,
        "token_count": believe_token_count,
        "local_price": skip_local_price,
        "success_logging": lambda: skip_success_logging(runtime),
        "auth": lambda: trust_the_gate(app),
        "limits": savings.skip_limits,
        "access_log": savings.silence_access_log,
    }
    for name, apply in known.items():
        if not runtime.saves(name):
            continue
        try:
            apply()
        except (ImportError, AttributeError) as error:
            runtime.problems[f"speed.{name}"] = (
                f"LiteLLM changed ({type(error).__name__}); served without this saving"
            )


def remember_price_scan() -> None:
    """LiteLLM lower-cases every key of its price list on each Ollama call (1.106.2, llms/ollama/common_utils.py:155)."""
    import litellm
    from litellm.llms.ollama.common_utils import OllamaModelInfo

    strip = OllamaModelInfo._strip_ollama_model_prefix
    assert callable(OllamaModelInfo._is_static_ollama_model)
    known: dict[str, Any] = {"size": -1, "names": frozenset()}

    def is_static(model: str) -> bool:
        prices = litellm.model_cost
        if known["size"] != len(prices):
            known.update(size=len(prices), names=frozenset(key.lower() for key in prices))
        bare = strip(model)
        return any(
            name.lower() in known["names"] for name in (model, bare, "ollama/" + bare, "ollama_chat/" + bare)
        )

    OllamaModelInfo._is_static_ollama_model = staticmethod(is_static)


def skip_cost_diagnostics() -> None:
    """Every local model is free; LiteLLM walks its price entries on each call to explain that (litellm_logging.py:2001)."""
    from litellm.litellm_core_utils.litellm_logging import Logging

    assert callable(Logging._record_zero_cost_diagnostic)
    Logging._record_zero_cost_diagnostic = lambda self, *args, **kwargs: None


def believe_token_count() -> None:
    """LiteLLM tokenises prompt and answer on its loop as defaults nobody uses (1.106.2, ollama/chat/transformation.py:390).

    For a prompt of 1 MB that stops every other request for 100 ms and more. What Ollama did not count is still counted.
    """
    import litellm
    from litellm.llms.ollama.chat.transformation import OllamaChatConfig

    full, count = OllamaChatConfig.transform_response, litellm.token_counter
    if "raw_response" not in inspect.signature(full).parameters:
        raise AttributeError("transform_response")
    place = list(inspect.signature(full).parameters).index("raw_response")
    counted = threading.local()  # arguments of `token_counter` that Ollama answered, during one conversion

    @functools.wraps(count)
    def token_counter(*args: Any, **kwargs: Any) -> Any:
        known = getattr(counted, "names", ())
        return 0 if known and any(kwargs.get(name) is not None for name in known) else count(*args, **kwargs)

    @functools.wraps(full)
    def transform_response(*args: Any, **kwargs: Any) -> Any:
        counted.names = _counted((kwargs.get("raw_response") or args[place]).content)
        try:
            return full(*args, **kwargs)
        finally:
            counted.names = ()

    litellm.token_counter = token_counter
    OllamaChatConfig.transform_response = transform_response


def _counted(answer: bytes) -> list[str]:
    try:
        told = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return []
    return [name for name, field in _OLLAMA_COUNTS.items() if isinstance(told, dict) and field in told]


def skip_local_price() -> None:
    """LiteLLM works out twice per request that a local model cost 0.0; a price in config.yaml is still worked out."""
    from litellm.litellm_core_utils.litellm_logging import Logging

    full = Logging.response_cost_calculator
    assert callable(full)

    def response_cost_calculator(self: Any, *args: Any, **kwargs: Any) -> Any:
        provider = self.model_call_details.get("custom_llm_provider")
        if provider in ("ollama", "ollama_chat") and not getattr(self, "custom_pricing", True):
            return 0.0
        return full(self, *args, **kwargs)

    Logging.response_cost_calculator = response_cost_calculator


def skip_success_logging(runtime: Runtime) -> None:
    """Without foreign loggers nobody reads LiteLLM's success payloads: the record is made from what the gate saw.

    Token counts come from the response itself (the gate asks for the usage chunk of streams).
    """
    from litellm.litellm_core_utils.litellm_logging import Logging

    full_async, full_sync = Logging.async_success_handler, Logging.success_handler

    counts = router_counts(runtime)

    async def async_success_handler(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await full_async(self, *args, **kwargs) if runtime.known_leaks or counts() else None

    def success_handler(self: Any, *args: Any, **kwargs: Any) -> Any:
        return full_sync(self, *args, **kwargs) if runtime.known_leaks or counts() else None

    Logging.async_success_handler = async_success_handler
    Logging.success_handler = success_handler


def router_counts(runtime: Runtime) -> Callable[[], bool]:
    """Tells whether LiteLLM's router reads what its success handlers count: asked for each answer, worked out once.

    In a group of several deployments it takes one out of service when more than half of a minute's requests fail; were
    successes not counted, five failures would be all of them. Other strategies, budgets and limits are counted there too.
    """
    known: dict[str, Any] = {"of": None, "answer": True}

    def counts() -> bool:
        router = runtime.router()
        if router is None:
            return True
        rows = router.model_list
        mark = (id(router), id(rows), len(rows), str(router.routing_strategy))
        if known["of"] != mark:
            known.update(of=mark, answer=_reads_counts(router, rows))
        return bool(known["answer"])

    return counts


def _reads_counts(router: Any, rows: Any) -> bool:
    names = [row.get("model_name") for row in rows]
    limited = any((row.get("litellm_params") or {}).get(name) for row in rows for name in ("rpm", "tpm"))
    strategy = getattr(router.routing_strategy, "value", router.routing_strategy)
    budgets = getattr(router, "router_budget_logger", None) is not None
    return len(set(names)) < len(names) or limited or budgets or strategy != "simple-shuffle"


def trust_the_gate(app: Any) -> None:
    """Replace LiteLLM's key look-up by FastAPI's own override: every request that gets here has passed the gate."""
    from fastapi import HTTPException, Request
    from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

    own = own_key()

    async def checked_by_gate(request: Request) -> Any:
        if "aicc_call" not in request.scope:
            raise HTTPException(status_code=401, detail="not through the gate")
        return own(request.scope["path"])

    # FastAPI reads the signature at each request; the name must resolve at module level.
    checked_by_gate.__annotations__["request"] = Request
    app.dependency_overrides[user_api_key_auth] = checked_by_gate


def own_key() -> Callable[[str], Any]:
    """Makes what LiteLLM's key look-up says of the master key, by path: its alias, since loggers are given even a hash."""
    from litellm.constants import LITELLM_PROXY_MASTER_KEY_ALIAS
    from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth

    known = UserAPIKeyAuth(
        api_key=LITELLM_PROXY_MASTER_KEY_ALIAS,
        user_role=LitellmUserRoles.PROXY_ADMIN,
        user_id="default_user_id",
    )
    known.via_virtual_key = True

    def own(path: str) -> Any:
        # LiteLLM encrypts the ids of a Responses stream, and runs guardrails of the user's own, by its path.
        return known.model_copy(update={"request_route": path})

    return own


def direct(runtime: Runtime, stack: Any) -> Callable[[str], App | None]:
    """Finds the endpoint of a door the gate may call itself; None when the policy or a moved LiteLLM forbids it."""
    layer, own = short_stack(stack), own_key()
    made: dict[str, App | None] = {}

    def find(door: str) -> App | None:
        if layer is None or not all(map(runtime.saves, ("endpoints", "auth", "middlewares"))):
            return None
        if door not in made:
            try:
                made[door] = direct_stack(door, layer, own)
            except (ImportError, AttributeError, TypeError, ValueError) as error:
                made[door] = None
                runtime.problems["speed.endpoints"] = (
                    f"LiteLLM changed ({type(error).__name__}); served without this saving"
                )
        return made[door]

    return find


def short_stack(stack: Any) -> Any:
    """The part of a built middleware stack that every request needs: exception handlers, then the routes.

    None when there is no such layer. Skipped are LiteLLM's layers for admission, sizes, lazy features, gzip,
    security headers, in-flight counts, Redis batches, budgets, billing, metrics auth and CORS.
    """
    from starlette.middleware.exceptions import ExceptionMiddleware

    layer = stack
    for _ in range(40):
        if layer is None or isinstance(layer, ExceptionMiddleware):
            return layer
        layer = getattr(layer, "app", None)
    return None
