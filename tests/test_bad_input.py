"""Requests that are wrong get a 400 that names the field; they reach no model and count against none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aicc_hooks.adapter.reshape import mend_arguments
from aicc_hooks.errors import Refusal
from aicc_hooks.payload.validate import USER_PARTS, check_body
from aicc_hooks.record import SpoolReader
from aicc_hooks.upstream_errors import explain
from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub
from tests.standins.server import wait_until

SAY = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
FUNCTION = TOOL["function"]

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("tools and functions", {"tools": [TOOL], "functions": [FUNCTION]}),
    ("tools[0]", {"tools": ["f"]}),
    ("functions[0]", {"functions": ["f"]}),
    ("tools", {"tools": {"f": 1}}),
    ("max_tokens", {"max_tokens": "many"}),
    ("max_tokens", {"max_tokens": 1.5}),
    ("max_completion_tokens", {"max_completion_tokens": True}),
    ("temperature", {"temperature": "hot"}),
    ("n", {"n": 0}),
    ("seed", {"seed": "x"}),
    ("stop", {"stop": 3}),
    ("stop", {"stop": ["a", 3]}),
    ("stream", {"stream": "yes"}),
    ("response_format", {"response_format": "json"}),
    ("logit_bias", {"logit_bias": [1]}),
    ("response_format.type", {"response_format": {"type": "xml"}}),
    ("response_format.type", {"response_format": {"json_schema": {}}}),
    ("response_format.json_schema", {"response_format": {"type": "json_schema", "schema": {}}}),
    ("tool_choice", {"tools": [TOOL], "tool_choice": "always"}),
    ("tool_choice", {"tools": [TOOL], "tool_choice": ["f"]}),
    ("tool_choice.type", {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}}),
    ("tool_choice.type", {"tools": [TOOL], "tool_choice": {"function": {"name": "f"}}}),
    ("tool_choice.function.name", {"tools": [TOOL], "tool_choice": {"type": "function", "name": "f"}}),
    ("tool_choice.function.name", {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}),
    ("tool_choice.function.name", {"tool_choice": {"type": "function", "function": {"name": "f"}}}),
    ("function_call", {"functions": [FUNCTION], "function_call": "required"}),
    ("function_call.name", {"functions": [FUNCTION], "function_call": {"name": "g"}}),
    ("parallel_tool_calls", {"parallel_tool_calls": 1}),
    ("num_predict", {"num_predict": "all"}),
    ("num_gpu", {"num_gpu": True}),
    ("num_thread", {"num_thread": 1.5}),
    ("typical_p", {"typical_p": "0.5"}),
    ("use_mmap", {"use_mmap": 1}),
    ("penalize_newline", {"penalize_newline": "no"}),
    ("keep_alive", {"keep_alive": [5]}),
    ("format", {"format": "xml"}),
    ("user", {"user": {"name": "jo"}}),
    ("user", {"user": True}),
    ("tools[0].function", {"tools": [{"type": "function", "name": "f"}]}),
    ("messages[0].content", {"messages": [{"role": "user", "content": 5}]}),
    ("messages[0].content", {"messages": [{"role": "user", "content": ["a"]}]}),
    ("messages[0].content[0].type", {"messages": [{"role": "user", "content": [{"text": "a"}]}]}),
    ("messages[0].content[1].type", {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "alien"}]}]}),
    ("messages[0].content[0].type", {"messages": [{"role": "user", "content": [{"type": ["text"]}]}]}),
    ("messages[0].tool_calls", {"messages": [{"role": "assistant", "tool_calls": "f"}]}),
    ("messages[0].function_call", {"messages": [{"role": "assistant", "function_call": "f"}]}),
    ("messages[0].tool_calls[0].function", {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]}),
]  # fmt: skip


@pytest.mark.parametrize(("named", "fields"), WRONG)
def test_the_field_that_is_wrong_is_named(named: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        check_body("chat", {"model": "auto", "messages": SAY, **fields})
    assert refused.value.status == 400
    assert refused.value.message.startswith((f"{named}:", f"{named} "))
    assert refused.value.param in named.split(" and ")


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": None, "stop": None, "tools": None, "response_format": None, "temperature": None},
        {"max_tokens": 100.0, "temperature": 1, "stop": "x", "n": 1, "seed": -1, "max_completion_tokens": -1},
        {"stop": ["a", "b"], "tools": [], "functions": [], "stream": False, "temperature": 0.5},
        {"tools": [TOOL], "functions": []},
        {"response_format": {}, "tool_choice": "auto"},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
        {"functions": [FUNCTION], "function_call": {"name": "f"}},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": FUNCTION}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        {"num_predict": -1, "num_gpu": 0, "typical_p": 1, "use_mmap": None, "numa": False, "keep_alive": -1, "format": "json", "user": 42},
        {"keep_alive": "5m", "format": {"type": "object"}, "tools": [{"type": "custom", "custom": {"name": "f"}}]},
    ],
)  # fmt: skip
def test_what_clients_send_is_let_through(fields: dict[str, Any]) -> None:
    check_body("chat", {"messages": SAY, **fields})


@pytest.mark.parametrize(
    ("endpoint", "named", "fields"),
    [
        ("responses", "text.format.type", {"text": {"format": {"type": "xml"}}}),
        ("responses", "text.format.schema", {"text": {"format": {"type": "json_schema", "name": "a"}}}),
        ("responses", "text", {"text": "json"}),
        ("responses", "tool_choice", {"tool_choice": "any"}),
        ("responses", "tool_choice.name", {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "g"}}),
        ("responses", "input[0]", {"input": ["hi"]}),
        ("messages", "max_tokens", {"max_tokens": None}),
        ("messages", "max_tokens", {"max_tokens": "many"}),
        ("messages", "stop_sequences", {"stop_sequences": "x"}),
        ("messages", "tool_choice", {"tool_choice": "auto"}),
        ("messages", "tool_choice.type", {"tool_choice": {"type": "function"}}),
        ("messages", "tool_choice.name", {"tools": [FUNCTION], "tool_choice": {"type": "tool", "name": "g"}}),
    ],
)  # fmt: skip
def test_the_other_apis_say_so_too(endpoint: str, named: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        check_body(endpoint, {"messages": SAY, "input": "hi", "max_tokens": 9, **fields})
    assert refused.value.param == named


@pytest.mark.parametrize(
    ("endpoint", "fields"),
    [
        ("responses", {"text": {"format": {"type": "text"}, "verbosity": "low"}, "tool_choice": {"type": "web_search_preview"}}),
        ("responses", {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "f"}}),
        ("responses", {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}}),
        ("messages", {"tools": [FUNCTION], "tool_choice": {"type": "tool", "name": "f"}}),
        ("messages", {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}}),
    ],
)  # fmt: skip
def test_what_they_allow_is_let_through(endpoint: str, fields: dict[str, Any]) -> None:
    check_body(endpoint, {"messages": SAY, "input": "hi", "max_tokens": 9, **fields})


@pytest.mark.parametrize("prompt", [[1, 2, 3], ["a", {"text": "b"}], [[1, 2]], ["a"] * 101])
def test_a_prompt_that_is_no_text_is_refused(prompt: list[Any]) -> None:
    with pytest.raises(Refusal, match="prompt"):
        check_body("completions", {"prompt": prompt})


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ('{"a": 1}', {"a": 1}),
        ("{bad", {"arguments": "{bad"}),
        ("", {}),
        ("[1]", {"arguments": "[1]"}),
        (None, {}),
    ],
)
def test_arguments_a_model_broke_are_sent_back_as_json(said: Any, sent: dict[str, Any]) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": said}}
    messages = [*SAY, {"role": "assistant", "tool_calls": [call]}]
    kwargs: dict[str, Any] = {"model": "ollama_chat/x", "messages": messages}
    mend_arguments(kwargs)
    made = kwargs["messages"][1]["tool_calls"][0]["function"]
    assert json.loads(made["arguments"]) == sent
    assert made["name"] == "f"
    assert call["function"]["arguments"] == said, "what the client sent is recorded as it was"


@pytest.mark.live
def test_wrong_requests_reach_no_model_and_open_no_circuit(
    gateway: GatewayProcess, ollama: OllamaStub
) -> None:
    http = gateway.httpx()

    def ask(**fields: Any) -> Any:
        return http.post("/v1/chat/completions", json={"model": "qwen-local", "messages": SAY, **fields})

    for _, fields in WRONG:
        answer = ask(**fields)
        assert answer.status_code == 400, (fields, answer.text)
        assert answer.json()["error"]["type"] == "aicc_invalid_request"
    assert not ollama.calls
    history = [
        *SAY,
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{bad"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "bad arguments"},
    ]  # fmt: skip
    for _ in range(4):
        answer = ask(messages=history, tools=[TOOL])
        assert answer.status_code == 200, answer.text
    answer = ask()
    assert answer.headers["x-aicc-route"] == "qwen-local"


def test_the_parts_of_a_user_are_those_litellm_takes() -> None:
    from litellm.types.llms import openai

    assert set(openai.ValidUserMessageContentTypes) == USER_PARTS


@pytest.mark.live
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/messages", {"messages": SAY, "max_tokens": 9, "tools": [{"name": "f", "input_schema": {}}], "tool_choice": "auto"}),
        ("/v1/messages", {"messages": SAY, "max_tokens": 9, "tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "alien"}}),
        ("/v1/completions", {"prompt": []}),
    ],
)  # fmt: skip
def test_what_litellm_cannot_translate_is_the_requests_fault(
    gateway: GatewayProcess, ollama: OllamaStub, path: str, fields: dict[str, Any]
) -> None:
    """Each of them tried every model, and the failures closed the gateway to everybody else for seconds."""
    http = gateway.httpx()
    for _ in range(4):
        answer = http.post(path, json={"model": "auto", **fields})
        assert answer.status_code == 400, answer.text
        assert answer.headers["x-aicc-error"] == "aicc_invalid_request"
    assert not ollama.calls
    answer = http.post("/v1/chat/completions", json={"model": "auto", "messages": SAY})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aicc-route"] == "llama-fast"


@pytest.mark.live
@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("/v1/chat/completions", {"messages": SAY, "max_tokens": "many"}, "max_tokens"),
        ("/v1/chat/completions", {"messages": [{"role": 1}]}, "messages[0].role"),
        ("/v1/chat/completions", {"messages": SAY, "model": "no-such"}, "model"),
        ("/v1/chat/completions", {"messages": SAY, "stream": True, "temperature": "hot"}, "temperature"),
        ("/v1/completions", {"prompt": [1]}, "prompt[0]"),
        ("/v1/embeddings", {"model": "embed-local", "input": "a", "encoding_format": "hex"}, "encoding_format"),
        ("/v1/responses", {"input": None}, "input"),
        ("/v1/responses", {"input": ["hi"]}, "input[0]"),
        ("/v1/responses", {"input": "word " * 200_000}, "input"),
        ("/v1/rerank", {"model": "rerank-local", "query": "a", "documents": ["b"], "top_n": 0}, "top_n"),
        ("/v1/rerank", {"model": "rerank-local", "query": "a", "documents": [1]}, "documents[0]"),
        ("/aicc/feedback", {"request_id": "x", "score": "1"}, "score"),
        ("/aicc/explain", {"messages": "hello"}, "messages"),
    ],
)  # fmt: skip
def test_openais_error_names_the_field_in_param(
    gateway: GatewayProcess, path: str, fields: dict[str, Any], param: str
) -> None:
    answer = gateway.httpx().post(path, json={"model": "auto", **fields})
    assert answer.status_code in (400, 404), answer.text
    error = answer.json()["error"]
    assert error["param"] == param, error
    assert error.keys() == {"message", "type", "param", "code"}


@pytest.mark.live
def test_anthropics_error_has_no_param(gateway: GatewayProcess) -> None:
    for wrong in ({"max_tokens": "x"}, {}):
        answer = gateway.httpx().post("/v1/messages", json={"model": "auto", "messages": SAY, **wrong})
        assert answer.status_code == 400
        assert answer.json()["error"].keys() == {"type", "message"}
        assert answer.json()["error"]["message"].startswith("max_tokens:")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"error": {"message": "no", "param": "seed", "code": null}}', "seed"),
        (b"OpenAIException - Error code: 400 - {'error': {'message': 'no', 'param': 'tools[0].function.name'}}", "tools[0]"),
        (b'{"error": {"message": "{\\"param\\": \\"logprobs\\"}"}}', "logprobs"),
        (b"m does not support parameters: ['seed', 'n'], for model=m", "seed"),
        (b"m does not support parameters: Karl hunter 4111 seed AKIAIOSFODNN7EXAMPLE", "seed"),
        (b"you said: does not support parameters: Karl hunter 4111111111111111", None),
        (b'{"error": {"message": "no", "param": null}}', None),
        (b'{"error": {"message": "no", "param": "None"}}', None),
        (b'{"error": {"message": "you sent {\\"param\\": \\"hunter\\"}"}}', None),
        (b'{"error": {"message": "no", "param": "AKIAIOSFODNN7EXAMPLE"}}', None),
    ],
)  # fmt: skip
def test_the_field_a_model_server_blames_is_passed_on_and_nothing_else(
    body: bytes, param: str | None
) -> None:
    refusal = explain(400, body, attempted=True, model="m")
    assert (refusal.code, refusal.param) == ("aicc_invalid_request", param)
    assert "hunter" not in refusal.message
    assert "4111" not in refusal.message
    assert "Karl" not in refusal.message
    assert "AKIA" not in refusal.message


@pytest.mark.parametrize(
    ("said", "code", "param"),
    [
        (r'{"error":"option \"stop\" must be of type array"}', "aicc_invalid_request", "stop"),
        (r"Ollama_chatException - {\"error\":\"option \\\"num_gpu\\\" must be of type integer\"}", "aicc_invalid_request", "num_gpu"),
        (r'option \"hunter\" must be of type integer', "aicc_invalid_request", None),
        ('invalid format: "hunter"; expected "json"', "aicc_invalid_request", "response_format"),
        ("invalid JSON schema in format", "aicc_invalid_request", "response_format"),
        ("illegal base64 data at input byte 4", "aicc_invalid_request", None),
        ("input is too large to process. increase the physical batch size", "aicc_context_too_long", None),
        ("input (9 tokens) is larger than the max context size (5 tokens). skipping", "aicc_context_too_long", None),
    ],
)  # fmt: skip
def test_a_500_that_is_the_requests_fault_says_so(said: str, code: str, param: str | None) -> None:
    refusal = explain(500, said.encode(), attempted=True, model="m")
    assert (refusal.status, refusal.code, refusal.param) == (400, code, param)
    assert "hunter" not in refusal.message


@pytest.mark.parametrize(
    ("status", "said", "ollama", "told"),
    [
        (404, "model 'm' not found", True, "ollama pull m"),
        (404, "404 page not found", True, "api_base in config.yaml"),
        (404, "The model `m` does not exist", False, "model and api_base in config.yaml"),
        (404, "model 'm' not found", False, "model and api_base in config.yaml"),
    ],
)
def test_a_model_that_its_server_does_not_know_is_a_fault_of_config_yaml(
    status: int, said: str, ollama: bool, told: str
) -> None:
    refusal = explain(status, said.encode(), attempted=True, model="m", ollama=ollama)
    assert (refusal.status, refusal.code) == (503, "aicc_upstream_down")
    assert told in refusal.message
    assert ("pull" in refusal.message) == ("pull" in told)


def test_a_thing_a_client_names_and_the_server_does_not_have_is_the_clients() -> None:
    body = b'{"error": {"message": "no such file", "param": "input"}}'
    assert explain(404, body, attempted=True, model="m").status == 400
    assert explain(404, b"Not Found", attempted=False).code == "model_not_found"


@pytest.mark.live
def test_a_request_that_ollama_refuses_opens_no_circuit(gateway: GatewayProcess, ollama: OllamaStub) -> None:
    """Ollama answers 500 to what its Go types do not take: each counted as a failure of the server."""
    http = gateway.httpx()
    odd = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "alien"}}}
    for _ in range(6):
        answer = http.post(
            "/v1/chat/completions", json={"model": "qwen-local", "messages": SAY, "response_format": odd}
        )
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["param"] == "response_format"
    assert {call.model for call in ollama.calls} == {"qwen2.5:14b"}, (
        "the next one would have to load, to refuse it too"
    )
    answer = http.post("/v1/chat/completions", json={"model": "qwen-local", "messages": SAY})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aicc-route"] == "qwen-local"


@pytest.mark.live
def test_a_user_that_is_a_number_is_its_text(gateway: GatewayProcess) -> None:
    http = gateway.httpx()
    ids = []
    for user in (42, "42", "43"):
        answer = http.post(
            "/v1/chat/completions", json={"model": "qwen-local", "messages": SAY, "user": user}
        )
        assert answer.status_code == 200, answer.text
        ids.append(answer.headers["x-aicc-request-id"])

    def recorded() -> list[str]:
        with SpoolReader(gateway.home / "usage.db") as reader:
            found = map(reader.get, ids)
            return [record.user for record in found if record is not None]

    wait_until(lambda: len(recorded()) == 3, 60, "three records")
    number, text, other = recorded()
    assert number == text != other
    assert "42" not in (number, text)
