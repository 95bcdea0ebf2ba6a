"""An error event that the gateway itself adds to a Responses stream goes on with the stream's numbers."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from aicc_hooks.adapter.answer import Answer
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.refusals import broken_stream
from aicc_hooks.payload.response import stream_events

EVENTS = (
    {"type": "response.created", "response": {"id": "r"}},
    {"type": "response.output_text.delta", "item_id": "m", "delta": "half"},
    {"type": "response.output_text.delta", "item_id": "m", "delta": " an answer"},
)


@pytest.mark.parametrize("stops", [True, False], ids=["the upstream stops", "the gateway ends it"])
def test_an_added_error_event_has_the_next_number(stops: bool) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        call = Call(endpoint="responses", stream=True, body={"store": False})
        answer = Answer(call, send, SimpleNamespace(catalog=SimpleNamespace(demo=False)))  # type: ignore[arg-type]
        kind = (b"content-type", b"text/event-stream")
        await answer.send({"type": "http.response.start", "status": 200, "headers": [kind]})
        for event in EVENTS:
            body = b"data: " + orjson.dumps(event) + b"\n\n"
            await answer.send({"type": "http.response.body", "body": body, "more_body": True})
        if stops:
            await answer.send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await answer.refuse(broken_stream())

    asyncio.run(main())
    told = list(stream_events(b"".join(message.get("body", b"") for message in sent)))
    assert [event["type"] for event in told] == [*(event["type"] for event in EVENTS), "error"]
    assert [event["sequence_number"] for event in told] == [0, 1, 2, 3]
