"""What a private request's bytes may not do behind LiteLLM's back: redirects, proxies, fetched pictures, relayed models."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.hooks import PrivacyHook
from aicc_hooks.adapter.wire_door import spare_local_hosts
from aicc_hooks.catalog import address_of
from aicc_hooks.foreign_callbacks import named_in_config, unexpected
from aicc_hooks.locality import is_loopback
from aicc_hooks.relay import stays_here
from aicc_hooks.resilience.ollama import OllamaClient
from aicc_hooks.sticky import StickySessions
from aicc_hooks.verdict import Decision, Finding, PrivacyResult, Verdict
from tests.harness import GatewayProcess, GatewayStartError
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn
from tests.standins.server import StandIn, wait_until
from tests.standins.wire import Reply, Request, head
from tests.test_security import PRIVATE, chat, config_with_cloud, error_of, reached

HOOKS = [f"aicc_hooks.{n}" for n in ("gateway", "privacy_hook", "injection_hook", "complexity_hook")]
GROUPS = ("llama-fast", "qwen-local", "deepseek-local", "auto")


def config_of(params: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Every group of the policy is this one deployment."""
    return {
        "model_list": [{"model_name": name, "litellm_params": dict(params)} for name in GROUPS],
        "litellm_settings": {"callbacks": HOOKS, **settings},
        "router_settings": {"num_retries": 0},
        "general_settings": {"master_key": "os.environ/AICC_MASTER_KEY"},
    }


def ask(gateway: GatewayProcess, body: dict[str, Any], path: str = "/v1/chat/completions") -> httpx.Response:
    return gateway.httpx(timeout=60).post(path, json=body)


# --- models that a local server passes on -----------------------------------------------------------


@pytest.mark.parametrize(
    "model", ["ollama_chat/gpt-oss:120b-cloud", "ollama/glm-4.6:cloud", "openai/qwen3:480b-CLOUD"]
)
def test_a_cloud_tag_is_not_local_whatever_the_address(model: str) -> None:
    assert not stays_here({"model": model}, {})


@pytest.mark.parametrize(
    "model", ["ollama_chat/qwen2.5:14b", "ollama_chat/cloud", "openai/cloudy:7b", "ollama/clouds:latest"]
)
def test_other_names_are(model: str) -> None:
    assert stays_here({"model": model}, {})


@pytest.fixture
def stub() -> Iterator[OllamaStub]:
    with OllamaStub() as one:
        yield one


@pytest.mark.live
@pytest.mark.parametrize("stream", [False, True])
def test_an_ollama_that_passes_a_model_on_gets_no_private_request_for_it(
    start_gateway: Any, stub: OllamaStub, stream: bool
) -> None:
    stub.add_model("helper:latest", remote_host="https://ollama.com:443")
    gateway = start_gateway(config_of({"model": "ollama_chat/helper", "api_base": stub.url}))
    response = ask(gateway, chat(PRIVATE, stream=stream))
    assert response.status_code == 503
    assert error_of(response)["type"] == "aicc_private_no_local_model"
    assert not stub.calls
    assert ask(gateway, chat("hello")).status_code == 200
    assert stub.calls


@pytest.mark.live
def test_a_private_request_takes_the_model_that_runs_here(start_gateway: Any, stub: OllamaStub) -> None:
    stub.add_model("helper:latest", remote_host="https://ollama.com:443")
    config = config_of({"model": "ollama_chat/helper", "api_base": stub.url})
    config["model_list"][1]["litellm_params"]["model"] = "ollama_chat/qwen2.5:14b"
    gateway = start_gateway(config)
    wait_until(lambda: ask(gateway, chat(PRIVATE)).status_code == 200, 30)  # once Ollama was asked
    assert [request.model for request in stub.calls] == ["qwen2.5:14b"]


@pytest.mark.live
def test_while_ollama_does_not_say_where_a_model_runs_a_private_request_waits(
    start_gateway: Any, stub: OllamaStub
) -> None:
    stub.fail("status", path="/api/show")
    gateway = start_gateway(config_of({"model": "ollama_chat/qwen2.5:14b", "api_base": stub.url}))
    response = ask(gateway, chat(PRIVATE))
    assert response.status_code == 503
    assert error_of(response)["type"] == "aicc_upstream_down"
    assert not stub.calls
    stub.heal()
    assert ask(gateway, chat(PRIVATE)).status_code == 200


def test_the_list_of_models_tells_too(stub: OllamaStub) -> None:
    stub.add_model("helper:latest", remote_host="https://ollama.com:443")

    async def main() -> list[bool | None]:
        client = OllamaClient(stub.url)
        before = client.remote("helper")
        await client.tags()
        told = client.remote("ollama_chat/helper")
        await client.aclose()
        return [before, told, client.remote("qwen2.5:14b")]

    assert asyncio.run(main()) == [None, True, None]


def test_an_address_that_a_credential_fills_in_is_not_ollamas_own() -> None:
    assert address_of({"model": "ollama_chat/x"}) == "http://localhost:11434"
    assert address_of({"model": "ollama_chat/x", "litellm_credential_name": "far"}) == ""


# --- redirects, proxies, pictures -------------------------------------------------------------------


class Redirecting(StandIn):
    """A server on this machine that sends every client on with its body (308)."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target

    def handle(self, request: Request, reply: Reply) -> bytes:
        return head(308, "text/plain", 0, {"Location": self.target + request.path})


@pytest.mark.live
def test_a_redirect_takes_no_private_request_elsewhere(start_gateway: Any, cloud: CloudStandIn) -> None:
    with Redirecting(cloud.url) as server:
        params = {"model": "openai/gpt-cloud", "api_base": server.url + "/v1", "api_key": "sk-x"}
        gateway = start_gateway(config_of(params), policy=cloud.policy)
        for stream in (False, True):
            response = ask(gateway, chat(PRIVATE, stream=stream))
            assert response.status_code == 503, response.text
            assert error_of(response)["type"] == "aicc_private_no_local_model"
            assert not reached(cloud)
        assert ask(gateway, chat("hello")).status_code == 200  # and no circuit is open for it
        assert reached(cloud)


@pytest.mark.live
@pytest.mark.parametrize("transport", ["aiohttp", "httpx", "trusting"])
def test_a_proxy_of_the_environment_sees_nothing_meant_for_this_machine(
    start_gateway: Any, cloud: CloudStandIn, ollama: OllamaStub, transport: str
) -> None:
    proxy = cloud.url  # whatever it is sent, it records
    env = {
        "NO_PROXY": None,
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,
        "ALL_PROXY": proxy,
        "DISABLE_AIOHTTP_TRANSPORT": "True" if transport == "httpx" else None,
        "AIOHTTP_TRUST_ENV": "True" if transport == "trusting" else None,
    }
    gateway = start_gateway(env=env)
    for text in ("hello", PRIVATE):
        for stream in (False, True):
            response = ask(gateway, chat(text, stream=stream))
            assert response.status_code == 200, response.text
    assert ask(gateway, {"model": "embed-local", "input": PRIVATE}, "/v1/embeddings").status_code == 200
    assert not cloud.requests


def test_local_hosts_are_named_where_a_proxy_is_set_and_only_there() -> None:
    plain = {"PATH": "/bin"}
    spare_local_hosts(plain, ["10.0.0.0/8"])
    assert plain == {"PATH": "/bin"}
    env = {"https_proxy": "http://corp:3128", "NO_PROXY": "intranet"}
    spare_local_hosts(env, ["studio.local", "10.0.0.0/8"])
    assert env["NO_PROXY"] == "intranet,localhost,127.0.0.1,::1,studio.local"
    assert env["no_proxy"] == "localhost,127.0.0.1,::1,studio.local"
    every = {"HTTPS_PROXY": "http://corp:3128", "NO_PROXY": "*", "no_proxy": "*"}
    spare_local_hosts(every, [])
    assert every["NO_PROXY"] == every["no_proxy"] == "*"


def test_loopback_by_name_or_address() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("10.0.0.1", "localhost.example", "example.com", "")))


@pytest.mark.live
def test_no_picture_is_fetched_for_a_private_request(
    start_gateway: Any, cloud: CloudStandIn, stub: OllamaStub
) -> None:
    """By LiteLLM, for a provider that takes no plain http:// address; Ollama is asked about none (test_attachments.py)."""
    settings = {
        "user_url_allowed_hosts": [f"{cloud.host}:{cloud.port}"]
    }  # else LiteLLM fetches none from loopback
    config = config_of({"model": "anthropic/claude", "api_base": stub.url, "api_key": "sk-none"}, **settings)
    for entry in config["model_list"]:
        entry["model_info"] = {"supports_vision": True}
    gateway = start_gateway(config, policy=cloud.policy)
    picture = {"type": "image_url", "image_url": {"url": cloud.url + "/beach.png"}}
    body = chat()
    body["messages"][0]["content"] = [{"type": "text", "text": PRIVATE}, picture]
    assert ask(gateway, body).status_code >= 400
    assert not any("beach" in request.path for request in cloud.requests)
    body["messages"][0]["content"][0]["text"] = "hello"
    ask(gateway, body)
    assert any("beach" in request.path for request in cloud.requests)


# --- what LiteLLM adds to a request -----------------------------------------------------------------

IBAN = "DE89 3704 0044 0532 0130 00"


@pytest.mark.live
def test_a_call_of_a_tool_that_litellm_remembers_is_judged_before_it_is_sent(
    start_gateway: Any, cloud: CloudStandIn, ollama: OllamaStub
) -> None:
    config = config_with_cloud(cloud)
    far = cloud.deployment("far", use_chat_completions_api=True)
    config["model_list"].append(far)
    config["router_settings"]["fallbacks"].append({"far": ["qwen-local"]})
    http = start_gateway(config, policy=cloud.policy).httpx(timeout=60)
    iban = {
        "type": "object",
        "properties": {"iban": {"type": "string", "enum": [IBAN]}},
        "required": ["iban"],
    }
    pay = {"type": "function", "name": "pay", "parameters": iban}
    first = http.post(
        "/v1/responses", json={"model": "auto", "input": "Use pay, please.", "tools": [pay]}
    ).json()
    call = next(item for item in first["output"] if item["type"] == "function_call")
    assert IBAN in call["arguments"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "ok"}
    for _ in range(4):
        answer = http.post("/v1/responses", json={"model": "far", "input": [result]})
        assert IBAN.encode() not in cloud.received_bytes
        assert answer.status_code == 200, answer.text  # by the local model it falls back to
        assert answer.headers["x-aicc-route"] == "qwen-local"
    http.post("/v1/responses", json={"model": "far", "input": "hello"})
    assert b"hello" in cloud.received_bytes  # and no circuit is open for what was stopped


@pytest.mark.live
def test_what_config_adds_for_a_cloud_makes_no_request_private(
    start_gateway: Any, cloud: CloudStandIn
) -> None:
    config = config_with_cloud(cloud)
    token = "Bearer sk-proj-Zq8vT2nLw0Yp5RkXe7Jd3HsZq8vT2nLw0Yp5RkXe7Jd3Hs"
    config["model_list"].append(cloud.deployment("far", extra_headers={"x-gateway-authorization": token}))
    answer = ask(start_gateway(config, policy=cloud.policy), {**chat("hello"), "model": "far"})
    assert answer.headers["x-aicc-route"] == "far"
    assert token.encode() in cloud.received_bytes


@pytest.mark.live
def test_an_ollama_asked_in_openais_words_passes_no_private_request_on_either(
    start_gateway: Any, stub: OllamaStub
) -> None:
    stub.add_model("helper:latest", remote_host="https://ollama.com:443")
    config = config_of({"model": "openai/helper", "api_base": stub.url + "/v1", "api_key": "none"})
    own = {"model": "ollama_chat/qwen2.5:14b", "api_base": stub.url}
    config["model_list"].append({"model_name": "own", "litellm_params": own})
    gateway = start_gateway(config, policy={"routing": {"explicit_local": "honour"}})
    for _ in range(2):
        ask(gateway, {**chat(PRIVATE), "model": "llama-fast"})
    assert "helper" not in {request.model for request in stub.calls}


@pytest.mark.live
def test_a_tool_of_the_client_names_no_model_that_config_does_not_list(
    start_gateway: Any, cloud: CloudStandIn, stub: OllamaStub
) -> None:
    env = {
        "OPENAI_API_KEY": "sk-of-the-owner",
        "OPENAI_API_BASE": cloud.base_url,
        "OPENAI_BASE_URL": cloud.base_url,
    }
    gateway = start_gateway(
        config_of({"model": "ollama_chat/llama3.2", "api_base": stub.url}), policy=cloud.policy, env=env
    )
    tool = {"type": "advisor_20260301", "name": "advisor", "model": "openai/gpt-5"}
    body = {**chat("Use the advisor, please."), "max_tokens": 100, "tools": [tool]}
    gateway.httpx(timeout=60).post("/v1/messages", json=body)
    assert not reached(cloud)


@pytest.mark.live
def test_health_tells_the_words_of_the_owners_files_to_who_has_the_key(start_gateway: Any) -> None:
    good = "cache: {enabled: false}\n"
    gateway = start_gateway(policy=good)
    path = gateway.home / "policy.yaml"
    path.write_text(good + "routing: {simple_route: secret-project-falcon}\n")
    http = gateway.httpx()
    wait_until(lambda: "policy" in http.get("/aicc/health").json()["problems"], 30)
    assert "falcon" in http.get("/aicc/health").text
    stranger = httpx.get(gateway.url + "/aicc/health", timeout=20, trust_env=False)
    assert "falcon" not in stranger.text
    assert "refused" in stranger.json()["problems"]["policy"]
    path.write_text(good + "resilience: {limits: {models: {secret-project-falcon: 1}}}\n")
    wait_until(lambda: "policy_models" in http.get("/aicc/health").json()["problems"], 30)
    assert "falcon" in http.get("/aicc/health").text
    stranger = httpx.get(gateway.url + "/aicc/health", timeout=20, trust_env=False)
    assert "falcon" not in stranger.text


@pytest.mark.parametrize(("findings", "kept"), [((), True), ((Finding("email", 0, 9, "redact"),), False)])
def test_litellms_own_cache_is_given_nothing_with_a_finding(
    findings: tuple[Finding, ...], kept: bool
) -> None:
    call = Call(decision=Decision(route="qwen-local"), verdict=Verdict(privacy=PrivacyResult(findings)))

    async def apply() -> dict[str, Any]:
        calls.enter(call)
        return await PrivacyHook(runtime=object()).apply({"model": "auto"}, "acompletion")  # type: ignore[arg-type]

    data = asyncio.run(apply())
    assert data["model"] == "qwen-local"
    assert data.get("cache", {}).get("no-store", False) is not kept


def test_a_session_counts_as_private_when_its_records_cannot_be_read(tmp_path: Path) -> None:
    database = tmp_path / "usage.db"
    sessions = StickySessions(database, lambda session: (session,))
    assert sessions.look_up("none yet") is False
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")
    assert sessions.look_up("of a newer aicc") is True


# --- pass-through routes, guardrails, printing ------------------------------------------------------


@pytest.mark.live
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_pass_through_route_takes_no_private_request_elsewhere(
    start_gateway: Any, cloud: CloudStandIn, method: str
) -> None:
    config = config_with_cloud(cloud)
    config["general_settings"]["pass_through_endpoints"] = [
        {
            "path": "/far",
            "target": cloud.base_url + "/chat/completions",
            "headers": {"authorization": "Bearer x"},
        }
    ]
    policy = {**cloud.policy, "gate": {"extra_routes": ["POST /far", "DELETE /far"]}}
    http = start_gateway(config, policy=policy).httpx(timeout=60)
    private = http.request(method, "/far", json={**chat(PRIVATE), "model": "gpt-cloud"})
    assert private.status_code >= 400, private.text
    assert not reached(cloud)
    http.request(method, "/far", json={**chat("hello"), "model": "gpt-cloud"})
    assert reached(cloud)


def test_guardrails_and_callbacks_of_single_models_are_foreign_too() -> None:
    tree = {
        "litellm_settings": {
            "callbacks": ["aicc_hooks.gateway"],
            "guardrails": [{"old": {"callbacks": ["lakera"]}}],
        },
        "guardrails": [{"guardrail_name": "pii", "litellm_params": {"guardrail": "presidio"}}],
        "model_list": [
            {"model_name": "a", "litellm_params": {"model": "x", "failure_callback": ["langfuse"]}}
        ],
    }
    assert named_in_config(tree) == ["langfuse", "guardrails.pii", "guardrails.old"]
    assert unexpected(["guardrails.pii", "guardrails.other"], ["guardrails.pii"], {}) == ["guardrails.other"]
    assert unexpected(["far.Logger", "near.Logger"], ["near.logger"], {}) == ["far.Logger"]
    assert unexpected(["litellm.x.Datadog"], ["datadog"], {"datadog": "litellm.x.Datadog"}) == []


@pytest.mark.live
def test_a_guardrail_elsewhere_is_not_started_beside(start_gateway: Any, cloud: CloudStandIn) -> None:
    settings = {
        "guardrail": "generic_guardrail_api",
        "mode": "pre_call",
        "default_on": True,
        "api_base": cloud.url,
    }
    config = config_with_cloud(cloud)
    config["guardrails"] = [{"guardrail_name": "pii", "litellm_params": settings}]
    with pytest.raises(GatewayStartError, match=r"guardrails\.pii"):
        start_gateway(config, policy=cloud.policy)


@pytest.mark.live
def test_set_verbose_prints_nothing(start_gateway: Any, ollama: OllamaStub) -> None:
    canary = "canary-printed-by-litellm-5521"
    config = config_of({"model": "ollama_chat/llama3.2", "api_base": ollama.url}, set_verbose=True)
    gateway = start_gateway(config, env={"LITELLM_PRINT_STANDARD_LOGGING_PAYLOAD": "True"})
    for stream in (False, True):
        assert ask(gateway, chat(f"Repeat {canary}", stream=stream)).status_code == 200
    assert "set_verbose" in str(gateway.httpx().get("/aicc/health").json()["problems"])
    assert canary.encode() not in gateway.output()
