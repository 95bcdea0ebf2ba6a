"""Repairs of streams and embeddings as pure functions: any cut of the bytes gives the same answer."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicc_hooks.payload.embeddings import pack
from aicc_hooks.payload.event_repair import ChatRepair, ResponsesRepair, complete_whole
from aicc_hooks.payload.known_fields import drop_unknown
from aicc_hooks.payload.replay import stream_of

CHAT = (
    b'data: {"id":"a","choices":[{"index":0,"delta":{"content":"say \\"id\\":\\"b\\""}}]}\n\n'
    b'data: {"id":"b","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c","choices":[{"index":0,"delta":{}}],"usage":{"total_tokens":3}}\n\ndata: [DONE]\n\n'
)
RESPONSES = (
    b'data: {"type":"response.created","response":{"id":"r","output":[]}}\n\n'
    b'data: {"type":"response.reasoning_summary_text.delta","item_id":"rs","output_index":0,"delta":"hm"}\n\n'
    b'data: {"type":"response.output_text.delta","item_id":"m","output_index":1,"delta":"caf\xc3\xa9 \\n"}\n\ndata: [DONE]\n\n'
)


def feed(repair: ChatRepair | ResponsesRepair, data: bytes, cuts: list[int]) -> bytes:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    return b"".join(repair.feed(piece) for piece in pieces) + repair.feed(b"", last=True)


@given(st.lists(st.integers(min_value=0, max_value=2000), max_size=12))
def test_any_cut_gives_the_same_stream(cuts: list[int]) -> None:
    assert feed(ChatRepair(), CHAT, cuts) == feed(ChatRepair(), CHAT, [])
    assert feed(ResponsesRepair(), RESPONSES, cuts) == feed(ResponsesRepair(), RESPONSES, [])


def test_chat_chunks_get_one_id_and_text_is_untouched() -> None:
    chunks = [
        json.loads(line[6:])
        for line in feed(ChatRepair(), CHAT, []).decode().splitlines()
        if line.startswith("data: {")
    ]
    assert [c["id"] for c in chunks] == ["a", "a", "a"]
    assert chunks[0]["choices"][0]["delta"]["content"] == 'say "id":"b"'
    assert chunks[1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[2]["choices"] == []


def test_reasoning_parts_are_announced_once_and_numbers_have_no_gap() -> None:
    out = feed(ResponsesRepair(), RESPONSES, []).decode()
    events = [json.loads(line[6:]) for line in out.splitlines() if line.startswith("data: {")]
    assert [e["type"].removeprefix("response.") for e in events] == [
        "created", "reasoning_summary_part.added", "reasoning_summary_text.delta", "output_text.delta"
    ]  # fmt: skip
    assert [e["sequence_number"] for e in events] == [0, 1, 2, 3]
    assert events[-1]["delta"] == "café \n"
    assert out.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("repair", [ChatRepair, ResponsesRepair])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b": ping\n\n",
        b"data: not json\n\n",
        b'data: "text"\n\n',
        b"data: {",
        b'{"error": 1}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_event_passes_unchanged(repair: type[ChatRepair], data: bytes) -> None:
    assert feed(repair(), data, [3]) == data


@pytest.mark.parametrize("data", [b"", b"no json", b"[1]", b'{"data": "x"}', b'{"error": {"message": "no"}}'])
def test_other_answers_pass_the_rewrites_unharmed(data: bytes) -> None:
    for rewrite in (pack, complete_whole):
        written = rewrite(data)
        assert written == data or json.loads(written) == json.loads(data)


def test_embeddings_already_in_base64_stay_as_they_are() -> None:
    assert json.loads(pack(b'{"data": [{"embedding": "AACAPw=="}, {"embedding": [1.0]}]}'))["data"] == [
        {"embedding": "AACAPw=="}, {"embedding": "AACAPw=="}
    ]  # fmt: skip


def test_a_field_name_cannot_break_the_header() -> None:
    body = {"model": "auto", "messages": [], "x\r\nset-cookie: a": 1, "ü" * 300: 2}
    names = drop_unknown("chat", body)
    assert body == {"model": "auto", "messages": []}
    assert all(name.isascii() and "\n" not in name and "\r" not in name and len(name) <= 60 for name in names)


def test_a_kept_response_is_told_as_it_first_was() -> None:
    call = {
        "type": "function_call",
        "id": "fc",
        "call_id": "c",
        "name": "f",
        "arguments": '{"a": 1}',
        "status": "completed",
    }
    thought = {
        "type": "reasoning",
        "id": "rs",
        "content": [{"type": "output_text", "text": "hm"}],
    }  # LiteLLM's form
    events = [
        json.loads(event.partition(b"data: ")[2])
        for event in stream_of("responses", {"id": "r", "output": [thought, call]}, include_usage=True)
    ]
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[2:8] == [
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done",
        "reasoning_summary_part.done", "output_item.done",
    ]  # fmt: skip
    opened = {e["item"]["type"]: e["item"] for e in events if e["type"] == "response.output_item.added"}
    told = "".join(e["delta"] for e in events if e["type"] == "response.function_call_arguments.delta")
    assert opened["function_call"]["arguments"] + told == '{"a": 1}', (
        "clients add the pieces to the announcement"
    )
    assert opened["reasoning"]["summary"] == []
