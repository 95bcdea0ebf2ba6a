"""Fields that have no effect on an Ollama model are named in x-aicc-stripped, and never refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml

from aicc_hooks.payload.known_fields import without_effect
from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn

pytestmark = pytest.mark.live
SAY = [{"role": "user", "content": "Please say hello to my colleague."}]
PATHS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": SAY}),
    "completions": ("/v1/completions", {"prompt": "hello"}),
    "responses": ("/v1/responses", {"input": "hello"}),
    "messages": ("/v1/messages", {"messages": SAY, "max_tokens": 50}),
    "embeddings": ("/v1/embeddings", {"model": "embed-local", "input": "hello"}),
}
WITHOUT_EFFECT: list[tuple[str, dict[str, Any]]] = [
    ("chat", {"n": 3, "logprobs": True, "top_logprobs": 2, "logit_bias": {"50256": -100}}),
    ("chat", {"best_of": 2, "echo": True, "suffix": "the end", "num_ctx": 99, "options": {"num_ctx": 99}}),
    ("chat", {"modalities": ["text", "audio"], "audio": {"voice": "a", "format": "wav"}, "web_search_options": {}}),
    ("chat", {"store": True, "service_tier": "flex", "prediction": {"type": "content", "content": "x"}}),
    ("chat", {"parallel_tool_calls": False, "verbosity": "low", "guided_json": {"type": "object"}}),
    ("completions", {"n": 2, "best_of": 3, "echo": True, "suffix": "the end", "logprobs": 3, "logit_bias": {"1": 1}}),
    ("responses", {"background": True, "truncation": "auto", "include": ["message.output_text.logprobs"], "top_logprobs": 2}),
    ("responses", {"max_tool_calls": 1, "store": True, "service_tier": "priority"}),
    ("messages", {"mcp_servers": [{"type": "url", "url": "http://127.0.0.1:1", "name": "a"}], "container": "a", "inference_geo": "us"}),
    ("embeddings", {"input_type": "query"}),
]  # fmt: skip
WITH_EFFECT: list[tuple[str, dict[str, Any]]] = [
    ("chat", {"n": 1, "logprobs": False, "top_logprobs": 0, "logit_bias": {}, "store": False, "service_tier": "auto"}),
    ("chat", {"temperature": 0.1, "top_p": 0.2, "seed": 3, "stop": "x", "max_tokens": 9, "top_k": 3, "min_p": 0.1}),
    ("chat", {"user": "jo", "safety_identifier": "jo", "prompt_cache_key": "a", "parallel_tool_calls": True}),
    ("completions", {"n": 1, "best_of": 1, "echo": False, "suffix": None, "logprobs": None}),
    ("responses", {"background": False, "truncation": "disabled", "include": [], "store": False, "instructions": "Be brief."}),
    ("messages", {"system": "Be brief.", "stop_sequences": ["x"], "top_k": 3}),
    ("embeddings", {"dimensions": 64, "encoding_format": "float"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


def ask(http: httpx.Client, endpoint: str, **fields: Any) -> httpx.Response:
    path, body = PATHS[endpoint]
    response = http.post(path, json={"model": "qwen-local", **body, **fields})
    assert response.status_code == 200, response.text
    return response


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("endpoint", "fields"), WITHOUT_EFFECT)
def test_what_has_no_effect_is_named(
    http: httpx.Client, ollama: OllamaStub, endpoint: str, fields: dict[str, Any], stream: bool
) -> None:
    plain = ask(http, endpoint)
    assert "x-aicc-stripped" not in plain.headers
    before = ollama.calls[-1].json
    streaming = {"stream": True} if stream and endpoint != "embeddings" else {}
    response = ask(http, endpoint, **fields, **streaming)
    assert response.headers["x-aicc-stripped"].split(",") == sorted(fields)
    assert {**ollama.calls[-1].json, "stream": None} == {**before, "stream": None}, (
        "named, so it must be true"
    )


@pytest.mark.parametrize(("endpoint", "fields"), WITH_EFFECT)
def test_what_has_one_or_asks_for_nothing_is_not(
    http: httpx.Client, endpoint: str, fields: dict[str, Any]
) -> None:
    assert "x-aicc-stripped" not in ask(http, endpoint, **fields).headers


def test_rerank_and_unknown_doors_have_no_list() -> None:
    assert without_effect("rerank", {"priority": 1}) == []


def test_the_name_is_gone_where_another_model_takes_the_field(
    start_gateway: Any, ollama: OllamaStub, cloud: CloudStandIn
) -> None:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"].append(cloud.deployment("gpt-cloud"))
    config["router_settings"]["fallbacks"] = [{"qwen-local": ["gpt-cloud"]}]
    http = start_gateway(config, policy=cloud.policy).httpx()
    ollama.fail("status")
    response = ask(http, "chat", n=2)
    assert response.headers["x-aicc-route"] == "gpt-cloud"
    assert "x-aicc-stripped" not in response.headers
    assert cloud.requests[-1].json["n"] == 2


# --- tool_choice and the penalties ------------------------------------------------------------

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("get_weather", "get_time")
]
NAMED = {"type": "function", "function": {"name": "get_time"}}


@pytest.mark.parametrize(
    ("choice", "shown", "named"),
    [
        (None, ["get_weather", "get_time"], False),
        ("auto", ["get_weather", "get_time"], False),
        ("none", [], False),
        ("required", ["get_weather", "get_time"], True),
        (NAMED, ["get_time"], True),
    ],
    ids=["absent", "auto", "none", "required", "one"],
)
def test_tool_choice_is_kept_as_far_as_ollama_can(
    http: httpx.Client, ollama: OllamaStub, choice: Any, shown: list[str], named: bool
) -> None:
    response = ask(http, "chat", tools=TOOLS, tool_choice=choice)
    sent = [tool["function"]["name"] for tool in ollama.calls[-1].json.get("tools") or ()]
    assert sent == shown
    assert response.headers.get("x-aicc-stripped") == ("tool_choice" if named else None)


def test_tool_choice_of_the_other_apis_is_kept_too(http: httpx.Client, ollama: OllamaStub) -> None:
    flat = [{"type": "function", **tool["function"]} for tool in TOOLS]  # type: ignore[dict-item]
    ask(http, "responses", tools=flat, tool_choice="none")
    assert not ollama.calls[-1].json.get("tools")
    anthropic = [
        {"name": "get_time", "input_schema": {"type": "object"}},
        {"name": "a", "input_schema": {"type": "object"}},
    ]
    response = ask(http, "messages", tools=anthropic, tool_choice={"type": "tool", "name": "get_time"})
    assert [tool["function"]["name"] for tool in ollama.calls[-1].json["tools"]] == ["get_time"]
    assert response.headers["x-aicc-stripped"] == "tool_choice"


def test_penalties_reach_ollama_under_their_own_names(http: httpx.Client, ollama: OllamaStub) -> None:
    """LiteLLM made frequency_penalty a repeat_penalty, a factor of which 0 is no neutral value."""
    response = ask(http, "chat", frequency_penalty=0, presence_penalty=0.4)
    options = ollama.calls[-1].json["options"]
    assert "repeat_penalty" not in options
    assert options.get("frequency_penalty", 0) == 0
    assert options["presence_penalty"] == 0.4
    assert "x-aicc-stripped" not in response.headers
    ask(http, "chat", frequency_penalty=0.3, repeat_penalty=1.2)
    options = ollama.calls[-1].json["options"]
    assert (options["frequency_penalty"], options["repeat_penalty"]) == (0.3, 1.2)


# --- stop -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "field"), [("chat", "stop"), ("completions", "stop"), ("messages", "stop_sequences")]
)
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("END", ["END"]),
        ([], None),
        ("", None),
        (["a", "", "b"], ["a", "b"]),
        (list("abcdef"), list("abcdef")),
    ],
    ids=["a string", "none", "empty", "one empty", "more than four"],
)
def test_every_stop_word_reaches_ollama_as_it_wants_them(
    http: httpx.Client, ollama: OllamaStub, endpoint: str, field: str, given: Any, sent: Any
) -> None:
    """LiteLLM passes a string on, to which Ollama answers 500, and cuts a list to four."""
    if field == "stop_sequences" and isinstance(given, str):
        given = [given]
    response = ask(http, endpoint, **{field: given})
    assert ollama.calls[-1].json["options"].get("stop") == sent
    assert "x-aicc-stripped" not in response.headers


# --- tools that are no functions --------------------------------------------------------------

FOREIGN: dict[str, list[dict[str, Any]]] = {
    "chat": [{"type": "custom", "custom": {"name": "note"}}, {"type": "web_search_preview"}],
    "responses": [
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": ["a"]},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "mcp", "server_label": "a", "server_url": "http://127.0.0.1:1"},
        {"type": "computer_use_preview", "display_width": 1, "display_height": 1, "environment": "mac"},
        {"type": "image_generation"},
    ],
    "messages": [
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
    ],
}
FUNCTIONS: dict[str, dict[str, Any]] = {
    "chat": TOOLS[0],
    "responses": {"type": "function", **TOOLS[0]["function"]},  # type: ignore[dict-item]
    "messages": {"name": "get_weather", "input_schema": {"type": "object"}},
}


@pytest.mark.parametrize("endpoint", FOREIGN)
def test_tools_a_local_model_does_not_have_are_named(
    http: httpx.Client, ollama: OllamaStub, endpoint: str
) -> None:
    foreign = FOREIGN[endpoint]
    names = [f"tools[{number}].{tool['type']}" for number, tool in enumerate(foreign)]
    alone = ask(http, endpoint, tools=foreign)
    assert alone.headers["x-aicc-stripped"].split(",") == names
    assert not ollama.calls[-1].json.get("tools")
    beside = ask(http, endpoint, tools=[*foreign, FUNCTIONS[endpoint]])
    assert beside.headers["x-aicc-stripped"].split(",") == names
    assert [tool["function"]["name"] for tool in ollama.calls[-1].json["tools"]] == ["get_weather"]


def test_free_form_tools_of_responses_are_functions_of_one_text(
    http: httpx.Client, ollama: OllamaStub
) -> None:
    response = ask(
        http, "responses", tools=[{"type": "custom", "name": "note", "description": "Takes a note."}]
    )
    assert "x-aicc-stripped" not in response.headers
    function = ollama.calls[-1].json["tools"][0]["function"]
    assert (function["name"], function["parameters"]["required"]) == ("note", ["content"])


def test_a_choice_of_a_tool_that_went_goes_with_it(http: httpx.Client, ollama: OllamaStub) -> None:
    response = ask(http, "responses", tools=[{"type": "web_search"}], tool_choice={"type": "web_search"})
    assert response.headers["x-aicc-stripped"] == "tool_choice,tools[0].web_search"
    assert not ollama.calls[-1].json.get("tools")


def test_a_cloud_model_keeps_its_tools(start_gateway: Any, ollama: OllamaStub, cloud: CloudStandIn) -> None:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"].append(cloud.deployment("gpt-cloud"))
    http = start_gateway(config, policy=cloud.policy).httpx()
    response = ask(http, "responses", model="gpt-cloud", tools=[{"type": "web_search"}])
    assert response.headers["x-aicc-route"] == "gpt-cloud"
    assert "x-aicc-stripped" not in response.headers
    assert cloud.requests[-1].json["tools"] == [{"type": "web_search"}]
