"""Model calls go straight to the function of LiteLLM that serves them.

FastAPI searches its routes, solves the dependencies anew (an override makes it read the signatures at each
request) and encodes the answer field by field: about 7 % of what a short request costs. The gate has found the
door, checked the key and knows the one parameter that matters.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.encoders import jsonable_encoder

from aicc_hooks.adapter.asgi import App, Receive, Scope, Send

# Another parameter than these means that LiteLLM changed the function.
_KNOWN = frozenset(("request", "fastapi_response", "model", "user_api_key_dict"))
_NEEDED = frozenset(("request", "fastapi_response", "user_api_key_dict"))


_FUNCTIONS = {
    "chat": ("litellm.proxy.proxy_server", "chat_completion"),
    "completions": ("litellm.proxy.proxy_server", "completion"),
    "embeddings": ("litellm.proxy.proxy_server", "embeddings"),
    "responses": ("litellm.proxy.response_api_endpoints.endpoints", "responses_api"),
    "messages": ("litellm.proxy.anthropic_endpoints.endpoints", "anthropic_response"),
}


def direct_stack(door: str, layer: Any, key: Callable[[str], Any]) -> App | None:
    """The app's own exception handlers around a door's endpoint; `layer` is its ExceptionMiddleware.

    None for a door without such a function. Raises ImportError or AttributeError when it moved or wants something else.
    """
    if door not in _FUNCTIONS:
        return None
    module, name = _FUNCTIONS[door]
    function = getattr(importlib.import_module(module), name)
    if not _NEEDED <= set(inspect.signature(function).parameters) <= _KNOWN:
        raise AttributeError(name)
    handlers = copy.copy(layer)
    handlers.app = _app(function, key)
    stack: App = handlers
    return stack


def _app(function: Callable[..., Awaitable[Any]], key: Callable[[str], Any]) -> App:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {}
        scope["endpoint"] = function
        request, head = Request(scope, receive, send), Response()
        del head.headers["content-length"]
        head.status_code = None  # type: ignore[assignment]  # as FastAPI does: None is "not set by the endpoint"
        result = await function(request=request, fastapi_response=head, user_api_key_dict=key(scope["path"]))
        await _response(result, head)(scope, receive, send)

    return endpoint


def _response(result: Any, head: Response) -> Response:
    """What FastAPI makes of an endpoint's result: a response stays, all else is JSON with the endpoint's headers."""
    if isinstance(result, Response):
        return result
    response = Response(_json(result), head.status_code or 200, media_type="application/json")
    response.raw_headers.extend(head.raw_headers)
    return response


def _json(result: Any) -> bytes:
    try:
        return orjson.dumps(result, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        plain = jsonable_encoder(result)
    try:
        return orjson.dumps(plain)
    except TypeError:  # whole numbers over 64 bits, half a surrogate pair
        return json.dumps(plain, separators=(",", ":")).encode()
