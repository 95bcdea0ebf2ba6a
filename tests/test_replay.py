"""A kept answer tells the same as a whole one and as a stream, whichever of the two it was kept from."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from aicc_hooks.payload.replay import stream_of, whole_of
from aicc_hooks.payload.response import stream_events
from tests.harness import wait_until
from tests.ollama_stub import OllamaStub

LONG = "One thought after another. " * 40  # several deltas


def message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": list(content), "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 9}, **more,
    }  # fmt: skip


def chat(*choices: dict[str, Any], kind: str = "chat.completion") -> dict[str, Any]:
    usage = {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}
    return {
        "id": "c",
        "object": kind,
        "created": 1738324800,
        "model": "m",
        "choices": list(choices),
        "usage": usage,
    }


def token(text: str) -> dict[str, Any]:
    return {"token": text, "logprob": -0.1, "bytes": list(text.encode()), "top_logprobs": []}


TEXT = {"type": "text", "text": LONG}
CALL = {"type": "tool_use", "id": "t", "name": "look", "input": {"city": "Reno", "days": [1, 2]}}
LOGPROBS = {"content": [token("Hel"), token("lo")], "refusal": None}
OLD_LOGPROBS = {
    "tokens": ["Hel", "lo"],
    "token_logprobs": [-0.1, -0.2],
    "top_logprobs": [{}, {}],
    "text_offset": [0, 3],
}
KEPT: dict[str, tuple[str, dict[str, Any]]] = {
    "thoughts before a text": ("messages", message({"type": "thinking", "thinking": LONG, "signature": "c2ln"}, TEXT)),
    "thoughts without a signature": ("messages", message({"type": "thinking", "thinking": LONG, "signature": ""}, TEXT)),
    "thoughts nobody may read": ("messages", message({"type": "redacted_thinking", "data": "eHg="}, TEXT, CALL, stop_reason="tool_use")),
    "thoughts between calls": ("messages", message(
        {"type": "thinking", "thinking": "a", "signature": "s"}, CALL, {"type": "thinking", "thinking": "b", "signature": "t"}, {**CALL, "id": "u", "input": {}})),
    "a cited text": ("messages", message({**TEXT, "citations": [{"type": "char_location", "cited_text": "x", "start_char_index": 0}]})),
    "a stop sequence": ("messages", message(TEXT, stop_reason="stop_sequence", stop_sequence="END")),
    "logprobs": ("chat", chat({"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop", "logprobs": LOGPROBS})),
    "two choices": ("chat", chat(
        {"index": 0, "message": {"role": "assistant", "content": LONG}, "finish_reason": "length", "logprobs": LOGPROBS},
        {"index": 1, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop", "logprobs": {**LOGPROBS, "content": [token("Hello")]}})),
    "logprobs of a completion": ("completions", chat({"index": 0, "text": LONG, "logprobs": OLD_LOGPROBS, "finish_reason": "stop"}, kind="text_completion")),
    "an empty completion": ("completions", chat({"index": 0, "text": "", "logprobs": None, "finish_reason": "length"}, kind="text_completion")),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_a_stream_of_a_kept_answer_is_the_answer(name: str) -> None:
    endpoint, kept = KEPT[name]
    told = whole_of(endpoint, b"".join(stream_of(endpoint, kept, include_usage=True)))
    assert told is not None
    assert orjson.loads(told) == kept


def test_logprobs_that_come_with_each_token_are_put_together() -> None:
    chunks = [
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
         "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None, "logprobs": {"content": [token(text)], "refusal": None}}]}
        for text in ("Hel", "lo", "!")
    ]  # fmt: skip
    end = {**chunks[0], "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": None}]}
    lines = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in (*chunks, end)]
    whole = orjson.loads(whole_of("chat", b"".join([*lines, b"data: [DONE]\n\n"])) or b"null")
    [choice] = whole["choices"]
    assert choice["message"]["content"] == "Hello!"
    assert choice["logprobs"] == {"content": [token("Hel"), token("lo"), token("!")], "refusal": None}


def test_an_empty_text_announced_before_a_call_is_left_out() -> None:
    stream = b"".join(stream_of("messages", message({"type": "text", "text": ""}, CALL), include_usage=False))
    assert orjson.loads(whole_of("messages", stream) or b"null")["content"] == [CALL]


def test_a_call_with_broken_arguments_is_not_kept() -> None:
    stream = b"".join(stream_of("messages", message(CALL), include_usage=False))
    assert whole_of("messages", stream.replace(rb'"{\"city', rb'"{{\"city')) is None


@pytest.mark.live
@pytest.mark.parametrize("streamed_first", [True, False], ids=["from a stream", "from a whole answer"])
def test_thoughts_of_a_messages_answer_survive_the_cache(
    shared_gateway: object, ollama: OllamaStub, streamed_first: bool
) -> None:
    http: httpx.Client = shared_gateway(policy={"cache": {"enabled": True}}).httpx()  # type: ignore[operator]
    body = {
        "model": "deepseek-local",
        "max_tokens": 2000,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": f"Why is rye bread heavy? {streamed_first}"}],
    }

    def ask(*, stream: bool) -> tuple[list[dict[str, Any]], str]:
        response = http.post("/v1/messages", json={**body, "stream": stream})
        assert response.status_code == 200, response.text
        content = response.content
        whole = orjson.loads(whole_of("messages", content) or b"null") if stream else orjson.loads(content)
        if stream:
            kinds = [e["content_block"]["type"] for e in stream_events(content) if "content_block" in e]
            assert len(kinds) >= len(whole["content"])
        return [{k: v for k, v in block.items() if v} for block in whole["content"]], response.headers[
            "x-aicc-cache"
        ]

    first, tier = ask(stream=streamed_first)
    assert tier == "miss"
    assert [block["type"] for block in first] == ["thinking", "text"]
    assert all(block.get("thinking") or block.get("text") for block in first)
    wait_until(lambda: ask(stream=not streamed_first)[1] == "exact")
    assert ask(stream=not streamed_first) == (first, "exact")
    assert ask(stream=streamed_first) == (first, "exact")
