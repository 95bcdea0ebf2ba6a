"""A file that can be read here reaches the model as text; what no model would see is refused, by its place."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
import yaml

from aicc_hooks.payload.files import inlined
from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn

TEXT = "The meeting is on the second floor."
PDF = "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.4\x00\xff").decode()
PICTURE = "https://example.com/a.png"


def data_url(text: str) -> str:
    return "data:text/plain;base64," + base64.b64encode(text.encode()).decode()


def chat(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "Where is it?"}, *parts]}]}


def messages(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"max_tokens": 50, **chat(*parts)}


def responses(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Where is it?"}, *parts]}]}


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "title": "plan.txt", "source": source}


PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
READABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("chat", chat({"type": "file", "file": {"filename": "plan.txt", "file_data": data_url(TEXT)}})),
    "chat as a picture": ("chat", chat({"type": "image_url", "image_url": {"url": data_url("plan.txt " + TEXT)}})),
    "responses": ("responses", responses({"type": "input_file", "filename": "plan.txt", "file_data": data_url(TEXT)})),
    "base64": ("messages", messages(document(type="base64", media_type="text/plain", data=data_url(TEXT).partition(",")[2]))),
    "text": ("messages", messages(document(type="text", media_type="text/plain", data=TEXT))),
    "content": ("messages", messages(document(type="content", content=[{"type": "text", "text": TEXT}]))),
    "content as text": ("messages", messages(document(type="content", content=TEXT))),
    "tool result": ("messages", messages({"type": "tool_result", "tool_use_id": "1", "content": [document(type="text", data=TEXT)]})),
}  # fmt: skip


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


@pytest.mark.live
@pytest.mark.parametrize("kind", READABLE)
def test_the_model_is_told_the_text_of_a_file(http: httpx.Client, ollama: OllamaStub, kind: str) -> None:
    endpoint, body = READABLE[kind]
    answer = http.post(PATHS[endpoint], json={"model": "qwen-local", **body})
    assert answer.status_code == 200, answer.text
    told = "\n".join(message["content"] for message in ollama.calls[-1].json["messages"])
    assert TEXT in told
    assert "plan.txt" in told
    assert "Where is it?" in told
    assert not any(message.get("images") for message in ollama.calls[-1].json["messages"])


@pytest.mark.live
def test_a_file_is_inspected_and_counted_as_text(http: httpx.Client) -> None:
    secret = chat({"type": "file", "file": {"file_data": data_url("My SSN is 536-90-4399.")}})
    answer = http.post(PATHS["chat"], json={"model": "auto", **secret})
    assert answer.headers["x-aicc-privacy"] == "us_ssn"
    long = chat({"type": "file", "file": {"file_data": data_url("word " * 100_000)}})
    answer = http.post(PATHS["chat"], json={"model": "auto", **long})
    assert (answer.status_code, answer.headers["x-aicc-error"]) == (400, "aicc_context_too_long")


@pytest.mark.live
@pytest.mark.parametrize(
    ("endpoint", "body", "place"),
    [
        ("chat", chat({"type": "file", "file": {"file_data": PDF}}), "messages[0].content[1]"),
        ("chat", chat({"type": "file", "file": {"file_id": "file-1"}}), "messages[0].content[1]"),
        ("chat", chat({"type": "image_url", "image_url": {"url": PDF}}), "messages[0].content[1]"),
        ("responses", responses({"type": "input_file", "file_url": "https://example.com/a.pdf"}), "input[0].content[1]"),
        ("messages", messages(document(type="base64", media_type="application/pdf", data="JVBERi0=")), "messages[0].content[1]"),
        ("chat", chat({"type": "image_url", "image_url": {"url": PICTURE}}), "messages[0].content[1]"),
        ("chat", chat({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}), "messages[0].content[1]"),
    ],
)  # fmt: skip
def test_what_no_model_takes_is_refused_by_its_place(
    http: httpx.Client, ollama: OllamaStub, endpoint: str, body: dict[str, Any], place: str
) -> None:
    for model in ("auto", "qwen-local"):
        answer = http.post(PATHS[endpoint], json={"model": model, **body})
        assert answer.status_code == 400, answer.text
        error = answer.json()["error"]
        assert error["message"].startswith(f"{place}: No configured model")
        assert endpoint == "messages" or error["param"] == place
    assert not ollama.calls


def several(cloud: CloudStandIn) -> dict[str, Any]:
    """The shipped config with a local model that sees and a cloud model that reads files too."""
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"] += [
        {"model_name": "llava-local", "litellm_params": {"model": "ollama_chat/llava:latest", "api_base": "os.environ/OLLAMA_BASE_URL"},
         "model_info": {"mode": "chat", "supports_vision": True}},
        cloud.deployment("lost-cloud", api_base=cloud.base_url + "/nowhere"),
        {**cloud.deployment("gpt-cloud"), "model_info": {"mode": "chat", "supports_vision": True, "supports_pdf_input": True}},
    ]  # fmt: skip
    config["router_settings"]["fallbacks"] = [{"gpt-cloud": ["llava-local", "qwen-local"]}]
    return config


def policy(cloud: CloudStandIn, **routing: str) -> dict[str, Any]:
    return {**cloud.policy, "privacy": {"uninspectable": []}, "routing": routing}


@pytest.mark.live
def test_a_model_of_config_yaml_that_reads_files_gets_them(
    shared_gateway: Any, ollama: OllamaStub, cloud: CloudStandIn
) -> None:
    http = shared_gateway(several(cloud), policy=policy(cloud, complex_route="gpt-cloud")).httpx()
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}
    answer = http.post(PATHS["chat"], json={"model": "auto", **chat(part)})
    assert answer.status_code == 200, answer.text
    assert (answer.headers["x-aicc-route"], answer.headers["x-aicc-reason"]) == (
        "gpt-cloud",
        "capability:files",
    )
    assert cloud.requests[-1].json["messages"][0]["content"][1]["file"]["file_data"] == PDF
    cloud.fail("status")
    answer = http.post(PATHS["chat"], json={"model": "gpt-cloud", **chat(part)})
    assert answer.status_code == 503, answer.text
    assert not ollama.calls, "the others would answer without having seen it"


@pytest.mark.live
def test_a_picture_by_its_address_goes_to_a_model_that_fetches_it_or_nowhere(
    shared_gateway: Any, ollama: OllamaStub, cloud: CloudStandIn
) -> None:
    ollama.add_model("llava:latest", capabilities=("completion", "vision"))
    body = chat({"type": "image_url", "image_url": {"url": PICTURE}})
    http = shared_gateway(several(cloud), policy=policy(cloud)).httpx()
    answer = http.post(PATHS["chat"], json={"model": "llava-local", **body})
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["param"] == "messages[0].content[1]"
    assert "send a data URL" in error["message"]
    assert not ollama.calls
    http = shared_gateway(several(cloud), policy=policy(cloud, complex_route="gpt-cloud")).httpx()
    answer = http.post(PATHS["chat"], json={"model": "auto", **body})
    assert answer.headers["x-aicc-route"] == "gpt-cloud", answer.text
    assert cloud.requests[-1].json["messages"][0]["content"][1]["image_url"]["url"] == PICTURE


def test_only_lists_of_parts_are_looked_at_and_the_given_body_stays() -> None:
    body = READABLE["chat"][1]
    made = inlined("chat", body)
    assert made is not None
    assert [part["type"] for part in made[0]["content"]] == ["text", "text", "text"]
    assert body["messages"][0]["content"][1]["type"] == "file"
    for odd in ({}, {"messages": "x"}, {"messages": ["x", {"content": "y"}, {"content": ["z", 1]}]}, chat()):
        assert inlined("chat", odd) is None
    assert inlined("embeddings", {"input": ["x"]}) is None


def test_the_words_beside_a_file_in_one_part_are_kept() -> None:
    made = inlined("chat", chat({"type": "text", "text": "Look:", "file": {"file_data": data_url(TEXT)}}))
    assert made is not None
    assert [part["text"] for part in made[0]["content"]][1:] == ["Look:\n", "\nAttached file:\n", TEXT + "\n"]


@pytest.mark.live
def test_a_listed_model_its_server_does_not_have_is_no_fault_of_the_client(
    shared_gateway: Any, cloud: CloudStandIn
) -> None:
    http = shared_gateway(several(cloud), policy=policy(cloud)).httpx()
    answer = http.post(PATHS["chat"], json={"model": "lost-cloud", **chat()})
    assert (answer.status_code, answer.headers["x-aicc-error"]) == (503, "aicc_upstream_down"), answer.text
    assert "check model and api_base in config.yaml" in answer.json()["error"]["message"]
