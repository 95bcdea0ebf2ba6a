"""What the savings leave out is missed by nobody: LiteLLM's own counts, settings, ids, and answers no JSON library likes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml

from aicc_hooks.adapter import speed
from aicc_hooks.adapter.cached import Cached
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.endpoints import _json
from aicc_hooks.speed_config import needed
from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub

pytestmark = pytest.mark.filterwarnings("ignore:.*ReadOnly:UserWarning")


@pytest.fixture(scope="module")
def gateway(ollama: OllamaStub) -> Iterator[GatewayProcess]:
    """A group of two deployments, and a setting of LiteLLM's own."""
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    for model in ("llama3.2:latest", "qwen2.5:14b"):
        config["model_list"].append(
            {"model_name": "pair", "litellm_params": {"model": f"ollama_chat/{model}", "api_base": "os.environ/OLLAMA_BASE_URL"},
             "model_info": {"mode": "chat", "max_input_tokens": 32768}}
        )  # fmt: skip
    config["general_settings"]["enforce_user_param"] = True
    # Our breaker would answer before LiteLLM's counts matter.
    policy = {"resilience": {"breaker": {"enabled": False}}}
    with GatewayProcess(config, policy=policy, ollama_url=ollama.url) as process:
        yield process


def ask(http: httpx.Client, path: str = "/v1/chat/completions", **fields: Any) -> httpx.Response:
    body = {"model": "pair", "user": "somebody", "messages": [{"role": "user", "content": "hi"}], **fields}
    return http.post(path, json=body)


@pytest.mark.live
def test_a_group_of_two_survives_some_failures(gateway: GatewayProcess, ollama: OllamaStub) -> None:
    http = gateway.httpx()
    told: list[int] = []
    for number in range(60):
        text = [{"role": "user", "content": f"question {number}"}]
        if number >= 10 and number % 3 == 0:
            with ollama.failing("status", path="/api/chat", times=1):
                ask(http, messages=text)
        else:
            told.append(ask(http, messages=text).status_code)
    assert told == [200] * len(told), "LiteLLM took a model out of service whose answers it did not count"


@pytest.mark.live
def test_a_setting_of_litellm_is_heeded(gateway: GatewayProcess) -> None:
    http = gateway.httpx()
    assert ask(http).status_code == 200
    for number in range(2):
        anonymous = {"model": "pair", "messages": [{"role": "user", "content": f"nobody {number}"}]}
        assert http.post("/v1/chat/completions", json=anonymous).status_code in (400, 401)
    assert ask(http).status_code == 200
    assert b"speed.auth is off, because of general_settings.enforce_user_param" in gateway.output()


@pytest.mark.parametrize(
    ("settings", "env", "off"),
    [
        ({}, {}, {}),
        ({"master_key": "k", "enforce_user_param": False}, {}, {}),
        ({"enforce_user_param": True}, {}, {"auth": "general_settings.enforce_user_param"}),
        (
            {"max_in_flight_requests_per_worker": 1},
            {},
            {"middlewares": "general_settings.max_in_flight_requests_per_worker"},
        ),
        ({}, {"LITELLM_ENABLE_HSTS": "True"}, {"middlewares": "LITELLM_ENABLE_HSTS"}),
    ],
)
def test_settings_that_need_what_is_left_out(
    settings: dict[str, Any], env: dict[str, str], off: dict[str, str]
) -> None:
    assert needed(settings, env) == off


@pytest.mark.live
def test_ids_of_responses_name_no_deployment(shared_gateway: Any) -> None:
    http = shared_gateway().httpx()
    for number in range(3):  # the whole stack, then the endpoint itself
        asked = {"model": "qwen-local", "input": f"hello {number} of the ids", "stream": True}
        lines = [line[6:] for line in http.post("/v1/responses", json=asked).text.splitlines() if line.startswith("data: {")]  # fmt: skip
        ident = json.loads(lines[-1])["response"]["id"]
        assert not ident.startswith("resp_" + base64.b64encode(b"litellm:").decode()[:10])


def test_loggers_are_given_the_alias_of_the_key() -> None:
    own = speed.own_key()
    first, second = own("/v1/responses"), own("/v1/messages")
    assert first.api_key == "litellm_proxy_master_key"
    assert (first.request_route, second.request_route) == ("/v1/responses", "/v1/messages")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"n": 10**30}, b'{"n":' + str(10**30).encode() + b"}"),
        ({"text": "a\ud800b"}, b'{"text":"a\\ud800b"}'),
        ({"n": float("nan")}, b'{"n":null}'),
        ({1: "one"}, b'{"1":"one"}'),
    ],
)
def test_odd_values_of_an_upstream_are_written(value: Any, written: bytes) -> None:
    assert _json(value) == written


@pytest.mark.live
@pytest.mark.parametrize("odd", ["9" * 30, '"a\\ud800b"'])
def test_odd_values_of_an_upstream_are_no_fault_of_the_gateway(
    shared_gateway: Any, ollama: OllamaStub, odd: str
) -> None:
    http = shared_gateway().httpx()
    content, count = (odd, "5") if odd.startswith('"') else ('"fine"', odd)
    text = f'{{"model":"qwen2.5:14b","message":{{"role":"assistant","content":{content}}},"done":true,"done_reason":"stop","prompt_eval_count":{count},"eval_count":2}}'
    for number in range(2):
        with ollama.failing("status", path="/api/chat", status=200, text=text):
            asked = {
                "model": "qwen-local",
                "messages": [{"role": "user", "content": f"odd {number} {odd[:9]}"}],
            }
            answer = http.post("/v1/chat/completions", json=asked)
        assert answer.status_code in (200, 503), answer.text


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        ({"message": {}, "prompt_eval_count": 5, "eval_count": 6}, ["messages", "text"]),
        ({"message": {"tool_calls": [{"function": {"arguments": {"eval_count": 6}}}]}}, []),
        ({"eval_count": 6}, ["text"]),
        ([], []),
    ],
)
def test_only_the_answer_s_own_counts_are_believed(answer: Any, counted: list[str]) -> None:
    assert speed._counted(orjson.dumps(answer)) == counted


def test_an_upstream_call_ends_when_its_reader_leaves(tmp_path: Path) -> None:
    """More chunks than the queue holds, and nobody takes them: the task must not wait for ever."""

    async def main() -> None:
        cached = Cached.__new__(Cached)

        async def endless(send: Any) -> None:
            await send({"type": "http.response.start", "status": 200})
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})

        messages: AsyncIterator[Any] = cached._fly(Call(), None, endless)  # type: ignore[arg-type]
        await anext(messages)
        await asyncio.sleep(0)
        await messages.aclose()  # type: ignore[attr-defined]
        for _ in range(5):
            await asyncio.sleep(0)
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    asyncio.run(main())
