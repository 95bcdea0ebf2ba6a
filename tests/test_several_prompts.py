"""/v1/completions with several prompts: one answer for each, in their order."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aicc_hooks.payload import extract
from aicc_hooks.payload.several import Stream
from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub

PROMPTS = ["[[reply: one]]", "[[reply: two words]]", "[[reply: three words here]]"]
SAID = ["one", "two words", "three words here"]


@pytest.fixture
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


def ask(
    http: httpx.Client, prompt: Any = PROMPTS, model: str = "qwen-local", **fields: Any
) -> httpx.Response:
    return http.post("/v1/completions", json={"model": model, "prompt": prompt, **fields})


def chunks(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert lines.count("[DONE]") == 1
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


@pytest.mark.live
def test_each_prompt_has_its_answer(http: httpx.Client, ollama: OllamaStub) -> None:
    answer = ask(http)
    assert answer.status_code == 200, answer.text
    tree = answer.json()
    assert [(c["index"], c["text"]) for c in tree["choices"]] == list(enumerate(SAID))
    told = [[message["content"] for message in call.json["messages"]] for call in ollama.calls]
    assert told == [[prompt] for prompt in PROMPTS]
    alone = [ask(http, prompt).json()["usage"] for prompt in PROMPTS]
    for count in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert tree["usage"][count] == sum(usage[count] for usage in alone) > 0
    assert answer.headers["x-aicc-route"] == "qwen-local"


@pytest.mark.live
@pytest.mark.parametrize("usage", [False, True], ids=["no usage", "usage"])
def test_a_stream_tells_them_one_after_the_other(http: httpx.Client, ollama: OllamaStub, usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if usage else {}
    answer = ask(http, stream=True, **options)
    assert answer.status_code == 200, answer.text
    told = chunks(answer)
    choices = [choice for chunk in told for choice in chunk["choices"]]
    for number, said in enumerate(SAID):
        own = [choice for choice in choices if choice["index"] == number]
        assert "".join(choice.get("text") or "" for choice in own) == said
        assert [c["finish_reason"] for c in own if c.get("finish_reason")] == ["stop"]
    assert len({chunk["id"] for chunk in told}) == 1
    assert [bool(chunk.get("usage")) for chunk in told] == [False] * (len(told) - 1) + [usage]
    if usage:
        assert told[-1]["choices"] == []
        whole = ask(http).json()["usage"]
        assert told[-1]["usage"]["total_tokens"] == whole["total_tokens"]


@pytest.mark.live
def test_a_list_of_one_is_one_prompt(http: httpx.Client, ollama: OllamaStub) -> None:
    assert [c["text"] for c in ask(http, PROMPTS[:1]).json()["choices"]] == SAID[:1]
    assert len(ollama.calls) == 1


@pytest.mark.live
def test_all_are_judged_before_one_is_asked(http: httpx.Client, ollama: OllamaStub) -> None:
    answer = ask(http, [*PROMPTS, "My SSN is 536-90-4399."], model="auto")
    assert answer.headers["x-aicc-privacy"] == "us_ssn"
    assert answer.headers["x-aicc-reason"] == "privacy:us_ssn"
    assert len(ollama.calls) == 4
    assert len({call.model for call in ollama.calls}) == 1


def test_each_needs_room_for_itself_alone() -> None:
    long = "word " * 3000
    one = extract("completions", {"prompt": long}).needs.tokens
    assert extract("completions", {"prompt": [long, "short", long]}).needs.tokens == one
    assert extract("completions", {"prompt": [long, long], "suffix": long}).needs.tokens == 2 * one
    assert extract("embeddings", {"input": [long, long]}).needs.tokens == 2 * one


@pytest.mark.live
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_one_that_fails_fails_them_all(start_gateway: Any, ollama: OllamaStub, stream: bool) -> None:
    http = start_gateway().httpx()
    assert ask(http, PROMPTS[:1]).status_code == 200  # the start's own probes are over
    ollama.fail("status", times=1, model="qwen2.5:14b")
    assert [c["text"] for c in ask(http).json()["choices"]] == SAID, "the next model takes it over"
    ollama.heal()
    ollama.fail("error_mid" if stream else "status", after=1)
    answer = ask(http, stream=stream)
    if stream:
        assert "[DONE]" not in answer.text
        assert answer.text.count('"error"') == 1
    else:
        assert (answer.status_code, answer.headers["x-aicc-error"]) == (503, "aicc_upstream_down")


@pytest.mark.live
def test_an_answer_of_several_is_kept_whole(shared_gateway: Any, ollama: OllamaStub) -> None:
    http = shared_gateway(policy={"cache": {"enabled": True}}).httpx()
    first = ask(http, temperature=0).json()
    asked = len(ollama.calls)
    again = ask(http, temperature=0)
    assert again.headers["x-aicc-cache"] == "exact"
    assert [c["text"] for c in again.json()["choices"]] == [c["text"] for c in first["choices"]] == SAID
    assert len(ollama.calls) == asked


def test_any_cut_of_the_bytes_gives_the_same_stream() -> None:
    one = (
        b'data: {"id":"a","object":"text_completion","choices":[{"index":0,"text":"x","finish_reason":null}]}\n\n'
        b'data: {"id":"a","choices":[{"index":0,"text":"","finish_reason":"stop"}]}\n\n'
        b'data: {"id":"a","choices":[],"usage":{"total_tokens":3,"details":{}}}\n\ndata: [DONE]\n\n'
    )

    def whole(step: int) -> bytes:
        stream, out = Stream(), b""
        for _ in range(2):
            stream.next()
            out += b"".join(stream.feed(one[n : n + step], last=False) for n in range(0, len(one), step))
            out += stream.feed(b"", last=True)
            assert stream.done
        return out + stream.end()

    assert {whole(step) for step in (1, 2, 7, 50)} == {whole(len(one))}
    assert b'"total_tokens":6' in whole(5)
    assert whole(5).count(b"data: ") == 6
