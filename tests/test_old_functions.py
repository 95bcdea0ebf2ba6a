"""`functions` and `function_call`, as clients from before November 2023 send and read them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub
from tests.test_clients import ASK, TOOL, chat, events

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


OLD = {"functions": [TOOL["function"]], "function_call": "auto"}


def test_old_names_in_old_names_out(gateway: GatewayProcess, ollama: OllamaStub) -> None:
    client = gateway.client()
    ask: list[Any] = [*ASK]
    first = client.chat.completions.create(model="auto", messages=ask, functions=[TOOL["function"]]).choices[
        0
    ]  # type: ignore[list-item]
    assert ollama.calls[-1].json["tools"] == [{"type": "function", "function": TOOL["function"]}]
    assert first.finish_reason == "function_call"
    assert first.message.tool_calls is None
    assert first.message.function_call is not None
    assert first.message.function_call.name == "get_weather"
    ask += [
        first.message.model_dump(exclude_none=True),
        {"role": "function", "name": "get_weather", "content": "rain"},
    ]
    second = client.chat.completions.create(model="auto", messages=ask, functions=[TOOL["function"]])  # type: ignore[list-item]
    sent = ollama.calls[-1].json["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "tool"]
    assert sent[1]["tool_calls"][0]["function"]["name"] == "get_weather"
    assert second.choices[0].message.content


@pytest.mark.parametrize("cached", [False, True], ids=["new", "from the cache"])
def test_old_names_in_a_stream(shared_gateway: Any, cached: bool) -> None:
    http = shared_gateway(policy={"cache": {"enabled": True}}).httpx()
    own = {"messages": [{"role": "user", "content": f"{ASK[0]['content']} {cached}"}], "model": "qwen-local"}
    if cached:
        chat(http, **own, tools=[TOOL], tool_choice="auto")
    response = chat(http, **own, **OLD, stream=True)
    assert response.headers["x-aicc-cache"] == ("exact" if cached else "miss")
    choices = [c for e in events(response) for c in e["choices"]]
    calls = [c["delta"]["function_call"] for c in choices if c["delta"].get("function_call")]
    assert calls[0]["name"] == "get_weather"
    assert json.loads("".join(call.get("arguments", "") for call in calls)) == {"city": "text"}
    assert not any(c["delta"].get("tool_calls") for c in choices)
    assert choices[-1]["finish_reason"] == "function_call"


def test_function_call_none_and_one_name_are_kept(http: httpx.Client, ollama: OllamaStub) -> None:
    chat(http, **{**OLD, "function_call": "none"})
    assert not ollama.calls[-1].json.get("tools")
    other = {"name": "other", "parameters": {"type": "object", "properties": {}}}
    chat(http, functions=[TOOL["function"], other], function_call={"name": "other"})
    assert [tool["function"]["name"] for tool in ollama.calls[-1].json["tools"]] == ["other"]
