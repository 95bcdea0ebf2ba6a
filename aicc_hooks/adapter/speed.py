"""Savings on LiteLLM's side of a request. Each is guarded: when its internal moved, it stays off and says so."""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

from aicc_hooks.adapter import savings
from aicc_hooks.adapter.asgi import App
from aicc_hooks.adapter.endpoints import direct_stack
from aicc_hooks.adapter.runtime import Runtime

log = logging.getLogger("aicc_hooks")

_OLLAMA_COUNTS = {"messages": b'"prompt_eval_count":', "text": b'"eval_count":'}


def install(runtime: Runtime, app: Any) -> None:
    """Apply what the policy allows. Problems are noted in `runtime.problems` and change nothing else."""
    current = runtime.store.current
    if current is None:
        return
    config = current.policy.speed
    known: dict[str, Callable[[], None]] = {
        "price_scan": remember_price_scan,
        "cost_diagnostics": skip_cost_diagnostics,
        "token_count": believe_token_count,
        "local_price": skip_local_price,
        "success_logging": lambda: skip_success_logging(runtime),
        "auth": lambda: trust_the_gate(runtime, app),
        "limits": savings.skip_limits,
        "access_log": savings.silence_access_log,
    }
    for name, apply in known.items():
        if not getattr(config, name):
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
        answer = (kwargs.get("raw_response") or args[place]).content
        # Inside a JSON string the quotes would be escaped: these are the answer's own fields.
        counted.names = [name for name, field in _OLLAMA_COUNTS.items() if field in answer]
        try:
            return full(*args, **kwargs)
        finally:
            counted.names = ()

    litellm.token_counter = token_counter
    OllamaChatConfig.transform_response = transform_response


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

    async def async_success_handler(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await full_async(self, *args, **kwargs) if runtime.known_leaks else None

    def success_handler(self: Any, *args: Any, **kwargs: Any) -> Any:
        return full_sync(self, *args, **kwargs) if runtime.known_leaks else None

    Logging.async_success_handler = async_success_handler
    Logging.success_handler = success_handler


def trust_the_gate(runtime: Runtime, app: Any) -> None:
    """Replace LiteLLM's key look-up by FastAPI's own override: every request that gets here has passed the gate."""
    from fastapi import HTTPException, Request
    from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

    own = own_key(runtime)

    async def checked_by_gate(request: Request) -> Any:
        if "aicc_call" not in request.scope:
            raise HTTPException(status_code=401, detail="not through the gate")
        return own()

    # FastAPI reads the signature at each request; the name must resolve at module level.
    checked_by_gate.__annotations__["request"] = Request
    app.dependency_overrides[user_api_key_auth] = checked_by_gate


def own_key(runtime: Runtime) -> Callable[[], Any]:
    """Makes what LiteLLM's key look-up says of the master key."""
    from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth, hash_token

    made: dict[str, Any] = {}

    def own() -> Any:
        key = runtime.master_key()
        if key not in made:
            made.clear()
            made[key] = UserAPIKeyAuth(
                api_key=hash_token(key), user_role=LitellmUserRoles.PROXY_ADMIN, user_id="default_user_id"
            )
        return made[key].model_copy()

    return own


def direct(runtime: Runtime, stack: Any) -> Callable[[str], App | None]:
    """Finds the endpoint of a door the gate may call itself; None when the policy or a moved LiteLLM forbids it."""
    layer, own = short_stack(stack), own_key(runtime)
    made: dict[str, App | None] = {}

    def find(door: str) -> App | None:
        config = runtime.policy.speed
        if layer is None or not (config.endpoints and config.auth and config.middlewares):
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
