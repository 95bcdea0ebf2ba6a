"""/v1/responses as the OpenAI client reads it: every event and answer has all fields its classes require; earlier turns."""

from __future__ import annotations

import json
import typing
from typing import Any

import httpx
import pytest
import yaml
from openai.types.responses import Response, ResponseStreamEvent

from aicc_hooks.payload.references import AnswerItems, inlined, pointers
from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn

TOOL = {
    "type": "function", "name": "get_weather", "description": None, "strict": True,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}  # fmt: skip
ASKS: dict[str, dict[str, Any]] = {
    "text": {"model": "auto", "input": "hello"},
    "tool": {"model": "auto", "input": "What is the weather? Use the tool.", "tools": [TOOL]},
    "thinking": {"model": "deepseek-local", "input": "hello", "reasoning": {"effort": "low"}},
    "no model named": {"model": None, "input": "hello"},
    "cut short": {"model": "auto", "input": "hello", "max_output_tokens": 3},
    "two tools": {
        "model": "auto",
        "input": "Use get_weather and get_time.",
        "tools": [TOOL, {**TOOL, "name": "get_time"}],
    },
    "nothing stored": {"model": "auto", "input": "hello", "store": False},
}
OUTPUT = {"tool": ["function_call"], "two tools": ["function_call"] * 2, "thinking": ["reasoning", "message"]}
# What the newest openai-python (3.57) requires and the one in requirements-dev.lock does not yet.
NEWER = {"response.function_call_arguments.done": {"name"}}
MEMBERS = typing.get_args(typing.get_args(ResponseStreamEvent)[0])
CLASSES = {typing.get_args(member.model_fields["type"].annotation)[0]: member for member in MEMBERS}


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


def ask(http: httpx.Client, **body: Any) -> httpx.Response:
    response = http.post("/v1/responses", json={"model": "auto", **body})
    assert response.status_code == 200, response.text
    return response


def events_of(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def check_events(events: list[dict[str, Any]], model: str) -> None:
    for event in events:
        CLASSES[event["type"]].model_validate(event)
        assert NEWER.get(event["type"], set()) <= event.keys(), event
        if "response" in event:
            assert event["response"]["model"] == model
    final = events[-1]["response"]
    assert final["usage"]["input_tokens_details"].keys() >= {"cached_tokens", "cache_write_tokens"}


@pytest.mark.live
@pytest.mark.parametrize("kind", ASKS)
def test_every_event_has_all_fields_of_its_class(http: httpx.Client, kind: str) -> None:
    response = ask(http, **ASKS[kind], stream=True)
    events = events_of(response)
    names = [line[7:] for line in response.text.splitlines() if line.startswith("event: ")]
    assert names == [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert {e["type"] for e in events} >= {"response.created", "response.output_item.done"}
    check_events(events, ASKS[kind]["model"] or "auto")
    answers = [event["response"] for event in events if "response" in event]
    assert {answer["store"] for answer in answers} == {ASKS[kind].get("store", True)}
    assert [item["type"] for item in answers[-1]["output"]] == OUTPUT.get(kind, ["message"])
    if kind == "thinking":
        said = "".join(e["delta"] for e in events if e["type"] == "response.reasoning_summary_text.delta")
        assert answers[-1]["output"][0]["summary"] == [{"type": "summary_text", "text": said}]
    assert answers[-1]["status"] == ("incomplete" if kind == "cut short" else "completed")


@pytest.mark.live
@pytest.mark.parametrize("kind", ASKS)
def test_a_whole_answer_has_all_fields_of_its_class(http: httpx.Client, kind: str) -> None:
    answer = ask(http, **ASKS[kind]).json()
    Response.model_validate(answer)
    assert answer["model"] == (ASKS[kind]["model"] or "auto")
    assert [item["type"] for item in answer["output"]] == OUTPUT.get(kind, ["message"])
    assert answer["text"] == {"format": {"type": "text"}}
    assert answer["store"] is ASKS[kind].get("store", True)
    assert answer["usage"]["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}


@pytest.mark.live
@pytest.mark.parametrize("kind", ["text", "tool", "thinking"])
def test_a_replayed_answer_has_them_too(shared_gateway: Any, kind: str) -> None:
    http = shared_gateway(policy={"cache": {"enabled": True}}).httpx()
    body = {**ASKS[kind], "model": ASKS[kind]["model"].replace("auto", "qwen-local")}
    ask(http, **body)
    replayed = ask(http, **body, stream=True)
    assert replayed.headers["x-aicc-cache"] == "exact"
    check_events(events_of(replayed), body["model"])


# --- earlier turns ----------------------------------------------------------------------------


def reference(item: dict[str, Any]) -> dict[str, str]:
    return {"type": "item_reference", "id": item["id"]}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "input_text", "text": text}]}


@pytest.mark.live
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_reference_to_an_answer_of_this_gateway_reaches_the_model_as_text(
    http: httpx.Client, ollama: OllamaStub, stream: bool
) -> None:
    """The second turn of the Vercel AI SDK's OpenAI provider, as it sends it by default."""
    first = ask(http, input=[user("[[reply: the first answer]]")], stream=stream)
    answer = events_of(first)[-1]["response"] if stream else first.json()
    assert answer["output"], first.text
    one = f"one, stream: {stream}"  # else the cache may have this turn's answer
    second = ask(http, input=[user(one), reference(answer["output"][0]), user("two")])
    assert ollama.calls, f"{dict(second.headers)} {second.text}"
    said = [(m["role"], m["content"]) for m in ollama.calls[-1].json["messages"]]
    assert said == [("user", one), ("assistant", "the first answer"), ("user", "two")]


@pytest.mark.live
def test_thoughts_and_calls_can_be_referred_to(http: httpx.Client, ollama: OllamaStub) -> None:
    thought, message = ask(http, **ASKS["thinking"]).json()["output"]
    ask(http, input=[user("one"), reference(thought), reference(message), user("two")])
    assert [m["role"] for m in ollama.calls[-1].json["messages"]] == ["user", "assistant", "user"]
    call = ask(http, **ASKS["tool"]).json()["output"][0]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "rain"}
    ask(http, input=[user("one"), reference(call), result], tools=[TOOL])
    sent = ollama.calls[-1].json["messages"]
    assert sent[1]["tool_calls"][0]["function"]["name"] == "get_weather"
    assert sent[2]["content"] == "rain"


@pytest.mark.live
def test_what_is_referred_to_is_inspected(http: httpx.Client) -> None:
    first = ask(http, input="[[reply: your card is 4539 7281 6405 9378]]").json()
    second = ask(http, input=[reference(first["output"][0]), user("thanks, go on")])
    assert second.headers["x-aicc-privacy"] == "credit_card"


@pytest.mark.live
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": [user("one"), {"type": "item_reference", "id": "msg_unknown"}]}, "input[1].id"),
        ({"input": [{"id": "msg_unknown"}, user("one")]}, "input[0].id"),
    ],
)
def test_turns_that_are_not_here_are_refused_with_the_way_out(
    http: httpx.Client, ollama: OllamaStub, fields: dict[str, Any], param: str
) -> None:
    response = http.post("/v1/responses", json={"model": "auto", "input": "hello", **fields})
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["param"] == param
    assert "store: false" in error["message"]
    assert not ollama.calls, "an answer without those turns would look right and be wrong"


@pytest.mark.live
def test_an_answer_the_client_wants_kept_nowhere_is_not_kept(http: httpx.Client) -> None:
    first = ask(http, input="hello", store=False).json()
    response = http.post(
        "/v1/responses", json={"model": "auto", "input": [reference(first["output"][0]), user("two")]}
    )
    assert response.status_code == 400


@pytest.mark.live
def test_clearing_the_cache_forgets_kept_answers_too(http: httpx.Client) -> None:
    first = ask(http, input="an answer to forget").json()
    second = {"model": "auto", "input": [reference(first["output"][0]), user("two")]}
    assert http.post("/v1/responses", json=second).status_code == 200
    assert http.post("/aicc/cache/clear").status_code == 200
    assert http.post("/v1/responses", json=second).status_code == 400


def test_items_are_forgotten_by_age_and_size() -> None:
    now = [0.0]
    items = AnswerItems(limit_bytes=4_000, clock=lambda: now[0])
    for number in range(20):
        items.put({"id": f"msg_{number}", "type": "message", "content": "x" * 20}, native=False)
    assert items.get("msg_19") is not None
    assert items.get("msg_0") is None
    now[0] = 86_401
    assert items.get("msg_19") is None


@pytest.mark.parametrize("item", [None, "x", {}, {"id": 5}, {"id": ""}, {"id": "x" * 300}])
def test_odd_items_are_not_kept(item: Any) -> None:
    items = AnswerItems()
    items.put(item, native=False)
    ident = item.get("id") if isinstance(item, dict) else "x"
    assert items.get(ident) is None


def test_references_a_provider_knows_stay_where_it_answers() -> None:
    items = AnswerItems()
    items.put({"id": "msg_there", "type": "message", "content": "a"}, native=True)
    items.put({"id": "msg_here", "type": "message", "content": "b"}, native=False)
    body = {
        "input": [{"type": "item_reference", "id": name} for name in ("msg_there", "msg_here", "msg_nowhere")]
    }
    local, provider = inlined(body, items), inlined(body, items, native=True)
    assert local is not None
    assert provider is not None
    assert [item["type"] for item in local] == ["message", "message", "item_reference"]
    assert [item["type"] for item in provider] == ["item_reference", "message", "item_reference"]
    assert pointers({"input": provider}) == ["input[0].id", "input[2].id"]


# --- a provider that keeps turns --------------------------------------------------------------


@pytest.fixture
def beside_cloud(shared_gateway: Any, cloud: CloudStandIn) -> httpx.Client:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"].append(cloud.deployment("gpt-cloud"))
    config["router_settings"]["fallbacks"].append({"gpt-cloud": ["llama-fast"]})
    client: httpx.Client = shared_gateway(config, policy=cloud.policy).httpx()
    return client


@pytest.mark.live
def test_a_provider_that_keeps_turns_is_given_what_points_at_them(
    beside_cloud: httpx.Client, cloud: CloudStandIn
) -> None:
    first = ask(beside_cloud, model="gpt-cloud", input="hello").json()
    own = reference(first["output"][0])
    ask(beside_cloud, model="gpt-cloud", input=[own, user("two")])
    assert cloud.requests[-1].json["input"][0] == own
    ask(beside_cloud, model="gpt-cloud", input="three", previous_response_id=first["id"])
    assert cloud.requests[-1].json["previous_response_id"]


@pytest.mark.live
def test_a_private_turn_stays_here_with_what_is_known_and_without_what_is_not(
    beside_cloud: httpx.Client, cloud: CloudStandIn, ollama: OllamaStub
) -> None:
    first = ask(beside_cloud, model="gpt-cloud", input="hello").json()
    asked = len(cloud.requests)
    private = user("my card is 4539 7281 6405 9378")
    answer = ask(beside_cloud, model="gpt-cloud", input=[reference(first["output"][0]), private])
    assert answer.headers["x-aicc-route"] == "llama-fast"
    assert ollama.calls[-1].json["messages"][0]["role"] == "assistant"
    refused = beside_cloud.post(
        "/v1/responses", json={"model": "gpt-cloud", "input": [private], "previous_response_id": first["id"]}
    )
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "previous_response_id"
    assert len(cloud.requests) == asked


@pytest.mark.live
def test_no_other_model_answers_when_the_provider_fails(
    beside_cloud: httpx.Client, cloud: CloudStandIn, ollama: OllamaStub
) -> None:
    cloud.fail("status")
    response = beside_cloud.post(
        "/v1/responses", json={"model": "gpt-cloud", "input": "three", "previous_response_id": "resp_1"}
    )
    assert response.status_code == 503, response.text
    assert response.headers["x-aicc-error"] == "aicc_upstream_down"
    assert not ollama.calls
