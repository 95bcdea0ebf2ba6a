"""The way back: x-aicc headers on every response, and one shape and wording for every error."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import orjson

from aicc_hooks.adapter import reshape, turns
from aicc_hooks.adapter.asgi import Message, Send
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.heard import is_sse
from aicc_hooks.adapter.recorder import Outcome
from aicc_hooks.adapter.refusals import broken_stream, meaning
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.cors import answer_headers
from aicc_hooks.errors import Refusal
from aicc_hooks.payload.stream_end import EndMark
from aicc_hooks.resilience.cold_start import KEEPALIVE
from aicc_hooks.wire import (
    RETRY_AFTER_S,
    encode_headers,
    error_bytes,
    error_event,
    error_events,
    mended_event,
)

log = logging.getLogger("aicc_hooks")

_ERROR_LIMIT = 1 << 20
_KEEP_LIMIT = 2 << 20  # of a response, for its record
# No page may frame an answer or guess its type: what LiteLLM's own layer says, also where that layer is left out.
_FOR_BROWSERS = (
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_LLM = frozenset(("chat", "completions", "embeddings", "responses", "messages", "rerank", "models", "other"))


class Answer:
    """Wraps ASGI `send` of one request."""

    def __init__(self, call: Call, send: Send, runtime: Runtime) -> None:
        self.call = call
        self.outcome = Outcome()
        self.started = False
        self.complete = False  # its last byte was handed to the server
        self._send = send
        self._runtime = runtime
        self._held: Message | None = None  # response.start of an error, until its body is known
        self._error_body = bytearray()
        self._sse = False
        self._early = False  # we began the stream ourselves, to say that it waits
        self._ended = False
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._feed: Callable[..., bytes] | None = None  # rewrites a stream
        self._end: EndMark | None = None
        self._whole: Callable[[bytes], bytes] | None = None  # rewrites a whole answer, which is collected
        self._collected = bytearray()
        self._waiting: Message | None = None  # response.start of an answer that is being collected

    async def send(self, message: Message) -> None:
        """Pass a message on, with our headers, or hold it while it is an error."""
        if message["type"] == "http.response.start":
            self.outcome.status = int(message["status"])
            if self.outcome.status >= 400 and self.call.endpoint in _LLM:
                self._held = message
                return
            if self.outcome.status == 200 and not is_sse(message):
                self._whole = reshape.of_whole(self.call, turns.keeper(self._runtime, self.call))
            if self._whole is not None:
                self._waiting = message
                return
            if not self._early:
                await self._start(message)
            if self._sse:
                self._feed = reshape.of_stream(self.call, turns.keeper(self._runtime, self.call))
                self._end = EndMark(self.call.endpoint)
        elif message["type"] == "http.response.body" and self._whole is not None:
            self._collected += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish_whole(self._whole)
        elif message["type"] == "http.response.body" and self._held is not None:
            self._error_body += message.get("body", b"")[: _ERROR_LIMIT - len(self._error_body)]
            if not message.get("more_body"):
                await self._finish_error()
        else:
            if self._sse and b'"error"' in message.get("body", b""):
                message = {**message, "body": self._mend_stream_error(message["body"])}
            if self._feed is not None and message["type"] == "http.response.body":
                body = self._feed(message.get("body", b""), last=not message.get("more_body"))
                if not body and message.get("more_body"):
                    return
                message = {**message, "body": body}
            if self._end is not None and message["type"] == "http.response.body":
                message = self._with_end(self._end, message)
            self._keep(message.get("body", b""))
            self._ended = not message.get("more_body")
            if self._sse and self.call.hide_usage and b'"usage"' in message.get("body", b""):
                message = {**message, "body": without_usage_chunk(message["body"])}
            await self._send(message)
            self.complete = self._ended

    def _with_end(self, mark: EndMark, message: Message) -> Message:
        """The message; with an error event behind it when the stream stops here without the end of its API."""
        mark.feed(message.get("body", b""))
        if message.get("more_body") or mark.seen or self.call.error_code:
            return message
        refusal = self.call.refusal or broken_stream()
        self.call.error_code = refusal.code
        event = error_event(self.call.endpoint, *refusal.told, number=reshape.next_number(self._feed))
        return {**message, "body": message.get("body", b"") + event}

    def close(self) -> Outcome:
        """What the client was sent, complete."""
        self.outcome.ended = time.perf_counter()
        self.outcome.body = b"".join(self._kept)
        return self.outcome

    def _keep(self, chunk: bytes) -> None:
        """Copy for the record, bounded; the client gets its bytes whatever happens here."""
        if chunk and not self.outcome.first_byte:
            self.outcome.first_byte = time.perf_counter()
        if self._kept_bytes < _KEEP_LIMIT:
            self._kept.append(chunk)
            self._kept_bytes += len(chunk)

    async def keep_alive(self, interval_s: float) -> None:
        """Tell a stream that waits so, every `interval_s`, until its first byte. The gate ends this task."""
        while not self.outcome.first_byte and not self._ended:
            await asyncio.sleep(interval_s)
            if self.outcome.first_byte or self._ended or self._held is not None:
                return
            if not self.started:
                self._early, self.outcome.status = True, 200
                kind = (b"content-type", b"text/event-stream; charset=utf-8")
                await self._start({"type": "http.response.start", "status": 200, "headers": [kind]})
            await self._send({"type": "http.response.body", "body": KEEPALIVE, "more_body": True})

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with our own error; as an event where the stream already began."""
        call = self.call
        call.error_code = refusal.code
        if self.started:
            log.error("request %s broke after its response began: %s", call.id, refusal.code)
            if self._sse and not self._ended:
                self._ended, self.outcome.status = True, 200
                event = error_event(call.endpoint, *refusal.told, number=reshape.next_number(self._feed))
                self._keep(event)
                await self._send({"type": "http.response.body", "body": event, "more_body": False})
                self.complete = True
            return
        body = error_bytes(call.endpoint, *refusal.told)
        extra = [("content-type", "application/json"), ("content-length", str(len(body)))]
        retry = refusal.retry_after or RETRY_AFTER_S.get(refusal.code)
        if retry is not None:
            extra.append(("retry-after", str(retry)))
        if refusal.status == 401:
            extra.append(("www-authenticate", "Bearer"))
        self.outcome.status, self.started = refusal.status, True
        headers = [*encode_headers([*extra, *response_headers(call, self._runtime)]), *_FOR_BROWSERS]
        await self._send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
        self.complete = True

    async def _start(self, message: Message) -> None:
        self.started = True
        if self.outcome.status < 400:
            self.call.error_code = ""
        # LiteLLM allows every origin; who may read answers in a browser is ours to say (cors.py).
        headers = [
            (k, v) for k, v in message.get("headers") or [] if not k.lower().startswith(b"access-control-")
        ]
        self._sse = is_sse(message)
        present = {k for k, _ in headers}
        headers += [pair for pair in _FOR_BROWSERS if pair[0] not in present]
        headers += encode_headers(response_headers(self.call, self._runtime))
        await self._send({**message, "headers": headers})

    async def _finish_whole(self, rewrite: Callable[[bytes], bytes]) -> None:
        """Send a collected answer in its new form."""
        start, body = self._waiting, rewrite(bytes(self._collected))
        assert start is not None
        self._whole = self._waiting = None
        headers = [(k, v) for k, v in start.get("headers") or [] if k.lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._start({**start, "headers": headers})
        self._keep(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
        self.complete = True

    async def _finish_error(self) -> None:
        self._held = None
        await self.refuse(meaning(self.call, self.outcome.status, bytes(self._error_body)))

    def _mend_stream_error(self, body: bytes) -> bytes:
        """Replace provider errors inside a stream: their text may repeat the prompt."""
        lines = body.split(b"\n")
        for number, event in error_events(lines):
            told = lines[number][5:]
            refusal = meaning(self.call, 502, told)
            self.call.error_code = refusal.code
            shaped = mended_event(event, self.call.endpoint, *refusal.told)
            lines[number] = b"data: " + orjson.dumps(shaped)
        return b"\n".join(lines)


def without_usage_chunk(body: bytes) -> bytes:
    """Drop the event that only tells usage; other events lose nothing."""
    kept = []
    for event in body.split(b"\n\n"):
        if b'"usage"' in event and event.startswith(b"data: {"):
            try:
                chunk = orjson.loads(event[6:])
            except orjson.JSONDecodeError:
                chunk = {}
            choices = chunk.get("choices") or []
            if chunk.get("usage") and not any(
                c.get("delta") or c.get("text") or c.get("finish_reason") for c in choices
            ):
                continue
        kept.append(event)
    return b"\n\n".join(kept)


def response_headers(call: Call, runtime: Runtime) -> list[tuple[str, str]]:
    """The contract's x-aicc headers for what is known of a call by now."""
    pairs = [("x-aicc-request-id", call.id)]
    verdict, decision = call.verdict, call.decision
    if verdict is not None and decision is not None:
        route, reason = decision.route, decision.reason
        served = call.attempts[-1].group if call.attempts else ""
        if served and served != route and not call.error_code:
            route, reason = served, "fallback:upstream_down"
        if route:
            pairs.append(("x-aicc-route", route))
        pairs += [
            ("x-aicc-reason", reason),
            ("x-aicc-privacy", ",".join(verdict.privacy.types) or "clean"),
            ("x-aicc-injection", f"{verdict.injection.score:.2f}"),
            ("x-aicc-complexity", verdict.complexity.tier),
            ("x-aicc-cache", call.cache_tier),
        ]
        if call.cache_similarity is not None:
            pairs.append(("x-aicc-cache-similarity", f"{call.cache_similarity:.3f}"))
        if decision.variant:
            pairs.append(("x-aicc-variant", decision.variant))
    # What answered decides: a field that means nothing to Ollama may mean something to its fallback.
    dropped = call.attempts[-1].dropped.difference(call.stripped) if call.attempts else ()
    if call.stripped or dropped:
        pairs.append(("x-aicc-stripped", ",".join((*call.stripped, *sorted(dropped)))))
    if call.cut:
        pairs.append(("x-aicc-cut", call.cut))
    if call.cold_start:
        pairs.append(("x-aicc-cold-start", "true"))
    if runtime.catalog.demo:
        pairs.append(("x-aicc-mode", "demo"))
    if call.error_code:
        pairs.append(("x-aicc-error", call.error_code))
    if call.origin:
        pairs += answer_headers(call.origin)
    return pairs
