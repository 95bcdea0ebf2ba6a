"""A model call that goes straight to its endpoint is answered as the whole stack answered the one before it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware.exceptions import ExceptionMiddleware

from aicc_hooks.adapter import endpoints, savings
from aicc_hooks.adapter.endpoints import _response
from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub

ASKS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "qwen-local", "messages": [{"role": "user", "content": "Hello {n}"}]},
    "/v1/completions": {"model": "qwen-local", "prompt": "Hello {n}"},
    "/v1/embeddings": {"model": "embed-local", "input": "Hello {n}"},
    "/v1/responses": {"model": "qwen-local", "input": "Hello {n}"},
    "/v1/messages": {"model": "qwen-local", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello {n}"}]},
}  # fmt: skip

# Of LiteLLM's layers for its admin pages, which a model call skips (policy speed.middlewares).
FOR_BROWSERS = {"vary"}
# Said of the first answer alone, when a probe has seen that the model was not loaded.
FIRST_ONLY = {"x-aicc-cold-start"}


def numbered(value: Any, number: int) -> Any:
    """`value` with the number in its texts, so that no cache answers."""
    if isinstance(value, str):
        return value.replace("{n}", f"number {number}")
    if isinstance(value, list):
        return [numbered(item, number) for item in value]
    if isinstance(value, dict):
        return {key: numbered(item, number) for key, item in value.items()}
    return value


def shape(value: Any) -> Any:
    """Names and types of a JSON value."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


@pytest.mark.live
def test_both_ways_give_the_same_answer(
    start_gateway: Callable[..., GatewayProcess], ollama: OllamaStub
) -> None:
    process = start_gateway()
    with process.httpx() as client:
        for path, ask in ASKS.items():
            whole, direct, third = (client.post(path, json=numbered(ask, number)) for number in (1, 2, 3))
            assert whole.status_code == direct.status_code == third.status_code == 200, path
            assert shape(whole.json()) == shape(direct.json()), path
            assert set(whole.headers) - set(direct.headers) <= FOR_BROWSERS | FIRST_ONLY, path
            assert set(direct.headers) - set(whole.headers) <= FIRST_ONLY, path
            assert direct.headers["content-type"] == whole.headers["content-type"], path
            assert direct.headers["content-length"] == str(len(direct.content)), path
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            ask = {**numbered(ASKS[path], 4), "stream": True}
            streamed = client.post(path, json=ask)
            assert streamed.headers["content-type"].startswith("text/event-stream"), path
            assert streamed.text.endswith("\n\n"), path
        # Errors of LiteLLM itself pass the app's own exception handlers.
        wrong = client.post("/v1/chat/completions", json={"model": "no-such-model", "messages": [{"role": "user", "content": "x"}]})  # fmt: skip
        assert 400 <= wrong.status_code < 500
        assert set(wrong.json()["error"]) >= {"message", "type", "code"}
    assert b"POST /v1" not in process.output()  # speed.access_log


PROBE = """
from fastapi import FastAPI
from starlette.middleware.exceptions import ExceptionMiddleware
from aicc_hooks.adapter import endpoints
layer = ExceptionMiddleware(FastAPI())
print([door for door in ("chat", "completions", "embeddings", "responses", "messages", "rerank") if endpoints.direct_stack(door, layer, object)])
"""


def test_litellm_still_has_the_functions() -> None:
    """When this fails, LiteLLM moved an endpoint or changed its parameters: the gateway serves it by the short stack."""
    found = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True).stdout
    assert found.strip().endswith("['chat', 'completions', 'embeddings', 'responses', 'messages']")


def test_a_function_that_wants_more_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def changed(request: Any, fastapi_response: Any, user_api_key_dict: Any, tenant: str) -> None: ...

    monkeypatch.setitem(endpoints._FUNCTIONS, "chat", (__name__, "changed"))
    monkeypatch.setattr("tests.test_endpoints.changed", changed, raising=False)
    with pytest.raises(AttributeError):
        endpoints.direct_stack("chat", ExceptionMiddleware(FastAPI()), object)


def test_what_the_endpoint_set_on_its_response_is_sent() -> None:
    from fastapi import Response

    head = Response(headers={"x-litellm-model-id": "m"})
    del head.headers["content-length"]
    made = _response({"a": [1, None], 2: "ü"}, head)
    assert made.body == '{"a":[1,null],"2":"ü"}'.encode()
    assert made.headers["x-litellm-model-id"] == "m"
    assert made.headers.getlist("content-length") == [str(len(made.body))]
    assert _response(head, Response()) is head


def test_the_server_prints_no_line_a_request_unless_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import logging

    access = logging.getLogger("uvicorn.access")
    monkeypatch.setattr(access, "disabled", False)
    savings.silence_access_log()
    assert access.disabled


LIMITS = """
import asyncio
from litellm import Router
from aicc_hooks.adapter import savings
if "_increment_deployment_usage" not in vars(Router):  # 1.110: LiteLLM's own core counts where there is a limit
    savings.skip_limits()
    raise SystemExit("counts by itself")
asked = []
async def full(self, *, deployment_id, **kwargs):
    asked.append(deployment_id)
Router._increment_deployment_usage = full
savings.skip_limits()
models = [{"model_name": name, "litellm_params": {"model": "ollama_chat/x", **limit}, "model_info": {"id": name}}
          for name, limit in (("free", {}), ("limited", {"rpm": 5}))]
router = Router(model_list=models)
async def go():
    for name in ("free", "limited", "gone") * 3:
        await router._increment_deployment_usage(deployment_id=name, total_tokens=1)
asyncio.run(go())
print(asked)
"""


def test_use_is_counted_only_where_there_is_a_limit() -> None:
    run = subprocess.run([sys.executable, "-c", LIMITS], capture_output=True, text=True)
    if "counts by itself" in run.stderr:
        pytest.skip("this LiteLLM counts by itself where there is a limit")
    found = run.stdout
    assert found.strip().endswith("['free', 'limited', 'gone', 'limited', 'gone', 'limited', 'gone']")
