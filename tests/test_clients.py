"""What clients send and expect beyond the plain request, through the real proxy. All clients: `make test-clients`."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import httpx
import pytest
import yaml

from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub

pytestmark = pytest.mark.live
HELLO = [{"role": "user", "content": "Please say hello to my colleague."}]
ASK = [{"role": "user", "content": "What is the weather? Use the tool."}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": None, "parameters": PARAMETERS},
}


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


def chat(http: httpx.Client, **body: Any) -> httpx.Response:
    return http.post("/v1/chat/completions", json={"model": "auto", "messages": HELLO, **body})


def events(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line[5:].strip() for line in response.text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line.startswith("{")]


# --- embeddings -------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["one text", ["one text", "another"]], ids=["text", "list"])
def test_base64_embeddings_are_the_same_numbers_as_floats(http: httpx.Client, given: Any) -> None:
    body = {"model": "embed-local", "input": given}
    floats = [
        row["embedding"]
        for row in http.post("/v1/embeddings", json={**body, "encoding_format": "float"}).json()["data"]
    ]
    packed = [
        row["embedding"]
        for row in http.post("/v1/embeddings", json={**body, "encoding_format": "base64"}).json()["data"]
    ]
    assert len(floats) == len(packed) == (1 if isinstance(given, str) else 2)
    for numbers, text in zip(floats, packed, strict=True):
        raw = base64.b64decode(text, validate=True)
        assert struct.unpack(f"<{len(raw) // 4}f", raw) == pytest.approx(numbers, abs=1e-6)


def test_the_openai_client_gets_floats_from_its_base64_default(gateway: GatewayProcess) -> None:
    answer = gateway.client().embeddings.create(model="embed-local", input="one text")
    assert len(answer.data[0].embedding) == 768
    assert any(answer.data[0].embedding)


def test_an_unknown_embedding_format_is_named(http: httpx.Client) -> None:
    response = http.post(
        "/v1/embeddings", json={"model": "embed-local", "input": "x", "encoding_format": "hex"}
    )
    assert response.status_code == 400
    assert "encoding_format" in response.json()["error"]["message"]


# --- fields of a chat request -----------------------------------------------------------------

TRAPS: dict[str, dict[str, Any]] = {
    "parallel tool calls": {"messages": ASK, "tools": [TOOL], "parallel_tool_calls": True},
    "no parallel tool calls": {"messages": ASK, "tools": [TOOL], "parallel_tool_calls": False, "tool_choice": "required"},
    "max completion tokens": {"max_completion_tokens": 5},
    "developer role": {"messages": [{"role": "developer", "content": "Be brief."}, *HELLO]},
    "assistant content null": {
        "messages": [
            *ASK,
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        ],
        "tools": [TOOL],
    },
    "content parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]},
    "user, store, metadata": {"user": "somebody", "store": True, "metadata": {"run": "1"}},
    "reasoning for a model that does not think": {"model": "llama-fast", "reasoning_effort": "low"},
    "the rest of the API": {
        "service_tier": "auto", "verbosity": "low", "logit_bias": {}, "seed": 1, "n": 1, "stop": None, "prediction": None, "logprobs": False,
        "presence_penalty": 0, "safety_identifier": "a", "prompt_cache_key": "b", "modalities": ["text"], "web_search_options": {},
    },
    "functions, the old tools": {"functions": [TOOL["function"]], "function_call": "auto"},
    "a name the client insists on": {"model": "gpt-4o-mini"},
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("trap", TRAPS)
def test_what_clients_send_is_served(http: httpx.Client, trap: str, stream: bool) -> None:
    response = chat(http, **TRAPS[trap], stream=stream)
    assert response.status_code == 200, response.text
    if stream:
        said = [
            c
            for e in events(response)
            for c in e["choices"]
            if any(c["delta"].get(name) for name in ("content", "tool_calls", "function_call"))
        ]
        assert said, response.text
    else:
        message = response.json()["choices"][0]["message"]
        assert message.get("content") or message.get("tool_calls")


def test_images_reach_a_model_that_sees(start_gateway: Any, ollama: OllamaStub) -> None:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    ollama.add_model("llava:latest", capabilities=("completion", "vision"))
    config["model_list"].append(
        {"model_name": "llava-local", "litellm_params": {"model": "ollama_chat/llava:latest", "api_base": "os.environ/OLLAMA_BASE_URL"},
         "model_info": {"mode": "chat", "supports_vision": True}}
    )  # fmt: skip
    http = start_gateway(config).httpx()
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    response = chat(
        http, messages=[{"role": "user", "content": [{"type": "text", "text": "what is it"}, image]}]
    )
    assert response.status_code == 200, response.text
    assert response.headers["x-aicc-route"] == "llava-local"
    assert ollama.calls[-1].json["messages"][0]["images"] == ["iVBORw0KGgo="]


def test_unknown_fields_are_dropped_and_named(http: httpx.Client, ollama: OllamaStub) -> None:
    response = chat(http, invented_option={"a": 1}, top_k=3)
    assert response.status_code == 200, response.text
    assert response.headers["x-aicc-stripped"] == "invented_option"
    sent = json.dumps(ollama.calls[-1].json)
    assert "invented_option" not in sent
    assert '"top_k": 3' in sent


def test_a_dropped_field_is_still_inspected(http: httpx.Client) -> None:
    response = chat(http, invented_option="card 4539 7281 6405 9378")
    assert response.headers["x-aicc-privacy"] == "credit_card"


def test_thinking_is_named_when_it_was_dropped_and_kept_where_it_works(
    http: httpx.Client, ollama: OllamaStub
) -> None:
    # A text of its own: an answer from the cache asks no model, so nothing is dropped for it.
    own = [{"role": "user", "content": "Please say hello to my other colleague."}]
    dropped = chat(http, model="llama-fast", messages=own, reasoning_effort="low")
    assert dropped.headers["x-aicc-stripped"] == "reasoning_effort"
    kept = chat(http, model="deepseek-local", messages=own, reasoning_effort="low")
    assert kept.headers["x-aicc-route"] == "deepseek-local", kept.headers["x-aicc-reason"] + kept.text[:300]
    assert "x-aicc-stripped" not in kept.headers
    assert ollama.calls[-1].json["think"] is True


def test_tools_and_functions_together_are_refused_clearly(http: httpx.Client) -> None:
    response = chat(http, tools=[TOOL], functions=[TOOL["function"]])
    assert response.status_code == 400
    assert "only one of them" in response.json()["error"]["message"]


def test_a_name_a_tool_insists_on_is_served_as_the_recipes_say(shared_gateway: Any) -> None:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    embedder = next(entry for entry in config["model_list"] if entry["model_name"] == "embed-local")
    config["model_list"].append({**embedder, "model_name": "text-embedding-3-small"})
    aliases = {"routing": {"aliases": ["auto", "gpt-4o-mini", "gpt-4o", "gpt-5-mini"]}}
    http = shared_gateway(config, policy=aliases).httpx()
    for name in ("gpt-5-mini", "gpt-4o"):
        for path, body in (
            ("/v1/chat/completions", {"messages": HELLO}),
            ("/v1/responses", {"input": "hello"}),
            ("/v1/messages", {"messages": HELLO, "max_tokens": 50}),
            ("/v1/completions", {"prompt": "hello"}),
        ):
            answer = http.post(path, json={"model": name, **body})
            assert answer.status_code == 200, answer.text
            assert answer.json()["model"] == name
    assert embed_one(http, "text-embedding-3-small") == embed_one(http, "embed-local")
    unknown = chat(http, model="gpt-5-nano")
    assert unknown.status_code == 404
    assert "Did you mean 'gpt-5-mini'?" in unknown.json()["error"]["message"]
    assert "routing.aliases" in unknown.json()["error"]["message"]


def embed_one(http: httpx.Client, model: str) -> list[float]:
    answer = http.post("/v1/embeddings", json={"model": model, "input": "one text"})
    vector: list[float] = answer.json()["data"][0]["embedding"]
    return vector


# --- streams ----------------------------------------------------------------------------------


def test_a_chat_stream_has_one_id_and_ends_with_usage(http: httpx.Client) -> None:
    chunks = events(chat(http, stream=True, stream_options={"include_usage": True}))
    assert len({c["id"] for c in chunks}) == 1
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
