"""What an answer tells of its attempt, noted as LiteLLM hands it over.

A shared answer waits in a queue for its readers. What is tried next, and what an attempt is counted as, must not
depend on how fast they read.
"""

from __future__ import annotations

from aicc_hooks.adapter.asgi import Message, Send
from aicc_hooks.adapter.calls import Call
from aicc_hooks.payload.stream_end import EndMark
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.wire import error_events

_SPOKEN = (b'delta"', b'"text"')  # in chat, responses and messages; in completions


class Heard:
    """Wraps ASGI `send` of one upstream call."""

    def __init__(self, call: Call, send: Send) -> None:
        self.outcome: Outcome | None = None  # None: the answer stopped before it was whole
        self._call = call
        self._send = send
        self._mark: EndMark | None = None  # of a stream
        self._word = _SPOKEN[call.endpoint == "completions"]

    async def send(self, message: Message) -> None:
        """Note what the message tells, and pass it on."""
        if message["type"] == "http.response.body":
            self._note(message.get("body", b""), last=not message.get("more_body"))
        elif message["type"] == "http.response.start":
            self._begin(message)
        await self._send(message)

    def _begin(self, message: Message) -> None:
        if message["status"] >= 400:
            self.outcome = Outcome.SERVER_ERROR
            return
        # A fallback answered: what an earlier attempt was refused for is no error of this request.
        self._call.error_code, self._call.refusal = "", None
        if is_sse(message):
            self._mark = EndMark(self._call.endpoint)

    def _note(self, body: bytes, *, last: bool) -> None:
        whole = True
        if self._mark is not None:
            if not self._call.spoke:
                self._call.spoke = self._word in body
            if b'"error"' in body and any(error_events(body.split(b"\n"))):
                self.outcome = Outcome.SERVER_ERROR
            self._mark.feed(body)
            whole = self._mark.seen
        if last and self.outcome is None:
            self.outcome = Outcome.OK if whole else Outcome.SERVER_ERROR


def is_sse(message: Message) -> bool:
    """Whether a response.start begins a stream of events."""
    headers = message.get("headers") or []
    return any(k.lower() == b"content-type" and b"text/event-stream" in v for k, v in headers)
