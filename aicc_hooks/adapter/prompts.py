"""Several prompts of one /v1/completions request, asked one after the other.

LiteLLM makes one conversation of them for a chat model and gives one answer; OpenAI gives one for each. They share the
request's verdict, decision and record; each is an attempt of its own, so breaker and queue apply to each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from aicc_hooks.adapter.asgi import App, Message, Receive, Scope, Send
from aicc_hooks.adapter.calls import Call
from aicc_hooks.payload import several

_LENGTH = b"content-length"


def are_several(call: Call) -> bool:
    """Whether a request holds more than one prompt."""
    prompt = (call.body or {}).get("prompt")
    return call.endpoint == "completions" and isinstance(prompt, list) and len(prompt) > 1


def one_by_one(app: App, call: Call, answered: Callable[[Call], None]) -> App:
    """`app` as often as there are prompts, as one answer. `answered(call)` ends the attempt of the prompt before."""

    async def each(scope: Scope, receive: Receive, send: Send) -> None:
        body = orjson.loads((await receive()).get("body", b""))
        collect = _Streams(send) if call.stream else _Wholes(send)
        for number, prompt in enumerate(body["prompt"]):
            if number:
                answered(call)
            call.applied, call.spoke, call.refusal = False, False, None
            raw = orjson.dumps({**body, "prompt": prompt})
            await app(_with_length(scope, raw), _replay(raw, receive), collect.take)
            if not collect.goes_on():
                return
        await collect.finish()

    return each


class _Wholes:
    """Whole answers: kept until the last is there. One that is none is passed on in the place of all."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._bodies: list[bytes] = []
        self._failed = False

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._failed = message["status"] != 200
            self._start = self._start if self._start and not self._failed else message
            self._bodies.append(b"")
        elif not self._failed:
            self._bodies[-1] += message.get("body", b"")
            return
        if self._failed:
            await self._send(message)

    def goes_on(self) -> bool:
        return not self._failed

    async def finish(self) -> None:
        body = several.merged(self._bodies)
        headers = [
            (name, value) for name, value in self._start.get("headers") or () if name.lower() != _LENGTH
        ]
        headers.append((_LENGTH, str(len(body)).encode()))
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


class _Streams:
    """Streams, passed on as they come. One that fails or breaks off is the last."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._stream = several.Stream()
        self._started = self._failed = False

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._failed = message["status"] != 200
            if not self._started or self._failed:
                self._started = True
                await self._send(message)
        elif self._failed:
            await self._send(message)
        else:
            told = self._stream.feed(message.get("body", b""), last=not message.get("more_body"))
            if told:
                await self._send({"type": "http.response.body", "body": told, "more_body": True})
            if not message.get("more_body") and not self._stream.done:
                self._failed = True  # it ended in an error event, or without a word
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def goes_on(self) -> bool:
        self._stream.next()
        return not self._failed

    async def finish(self) -> None:
        await self._send({"type": "http.response.body", "body": self._stream.end(), "more_body": False})


def _with_length(scope: Scope, raw: bytes) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name != _LENGTH]
    return {**scope, "headers": [*headers, (_LENGTH, str(len(raw)).encode())]}


def _replay(raw: bytes, after: Receive) -> Receive:
    """The prompt's own body, then what the client does."""
    given = False

    async def receive() -> Any:
        nonlocal given
        if given:
            return await after()
        given = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive
