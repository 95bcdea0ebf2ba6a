"""The outermost ASGI layer: who may come in, through which door, with what body, and what the answer carries.

A request passes `Gate.__call__` top to bottom; every step is a named call.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from aicc_hooks.access import Door, find_door, loopback_peer
from aicc_hooks.adapter import calls, rerank, trials
from aicc_hooks.adapter.answer import Answer
from aicc_hooks.adapter.cached import UpstreamAnswer
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.cors import allowed_origin, preflight_headers
from aicc_hooks.errors import ConfigError, Refusal
from aicc_hooks.payload import embeddings, extract, strip_body
from aicc_hooks.payload.known_fields import drop_unknown
from aicc_hooks.payload.validate import check_body
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.web import session
from aicc_hooks.wire import STATUS

log = logging.getLogger("aicc_hooks")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Everything else a client sends as a header stays here: LiteLLM steers by `x-litellm-*`, `langfuse_*` and more.
_FORWARDED = frozenset((b"content-type", b"accept", b"host", b"anthropic-version", b"anthropic-beta"))
_STEERING_HEADERS = (b"x-litellm-", b"litellm-", b"langfuse", b"x-aicc-")
# Doors whose requests leave a record. "other" is where refused paths end up.
_RECORDED = frozenset(("chat", "completions", "embeddings", "responses", "messages", "rerank", "other"))
_INLINE_BYTES = 32_000
_OUR_HEADERS = frozenset((b"x-litellm-session-id", b"x-aicc-semantic"))


# From documentation and examples: everybody knows them.
KNOWN_DEFAULT_KEYS = frozenset(("sk-1234", "sk-command-center-local", "sk-12345", "changeme"))


class _Disconnected(Exception):
    """The client went away before its request was complete."""


class Gate:
    """ASGI middleware. `app` is LiteLLM's whole stack, `short` the part of it that model calls need."""

    def __init__(self, app: App, runtime: Runtime, short: App | None = None) -> None:
        self.app = app
        self.runtime = runtime
        self._short = short
        self._warm: set[str] = (
            set()
        )  # doors the whole stack has served: LiteLLM loads some routes on first use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            # Websockets carry prompts that no hook sees as a request (LITELLM facts §1).
            return await send({"type": "websocket.close", "code": 1008, "reason": "aicc_route_not_allowed"})
        call = Call(method=scope["method"], path=scope["path"])
        answer = Answer(call, send, self.runtime)
        try:
            self._check_peer(scope)
            self._note_origin(scope, call)
            if call.origin and scope["method"] == "OPTIONS":
                return await _answer_preflight(scope, call.origin, send)
            door = self._find_door(scope, call)
            self._check_serving(door)
            if door.key:
                self._check_key(scope, door)
            if not door.body:
                await self.app(self._forward_scope(scope, call, door, None), receive, answer.send)
                return None
            body = await self._read_body(scope, receive)
            forwarded = await self._prepare(scope, call, door, body)
            calls.enter(call)
            self.runtime.recorder.hold(call)
            call.timings["gate"] = (time.perf_counter() - call.started) * 1000
            await self._forward(
                self._forward_scope(scope, call, door, forwarded),
                forwarded,
                receive,
                call,
                answer,
                dict(scope["headers"]),
            )
        except _Disconnected:
            answer.outcome.disconnected = True
        except Refusal as refusal:
            call.refusal = refusal
            await answer.refuse(refusal)
        except Exception as error:
            # Never str(error): it may hold the prompt.
            self.runtime.counters["gate_failures"] += 1
            log.error("request %s failed in the gateway: %s", call.id, type(error).__name__)
            await answer.refuse(
                Refusal("aicc_internal_error", "The gateway failed on this request; see its log.", 500)
            )
        finally:
            if call.attempts and answer.outcome.status == 200:
                self._warm.add(call.endpoint)
            if not call.shared:
                self._close_attempts(call, answer)
            if call.endpoint in _RECORDED:
                call.mode = "demo" if self.runtime.catalog.demo else "live"
                self.runtime.recorder.finish(call, answer.close())

    async def _forward(
        self,
        scope: Scope,
        body: bytes,
        receive: Receive,
        call: Call,
        answer: Answer,
        headers: dict[bytes, bytes],
    ) -> None:
        """Answer from the cache or LiteLLM's stack; end the work when the client goes away."""
        gone = asyncio.ensure_future(_until_disconnect(receive))
        work = asyncio.ensure_future(self._serve(scope, body, gone, call, answer, headers))
        pause = self.runtime.upstreams.config.cold_start.sse_keepalive_s if call.stream else 0
        waiting = asyncio.ensure_future(answer.keep_alive(pause)) if pause else None
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                answer.outcome.disconnected = True
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        finally:
            gone.cancel()
            work.cancel()
            if waiting is not None:
                waiting.cancel()

    async def _serve(
        self,
        scope: Scope,
        body: bytes,
        gone: asyncio.Future[Message],
        call: Call,
        answer: Answer,
        headers: dict[bytes, bytes],
    ) -> None:
        cached = self.runtime.cached
        request = (
            cached.request_of(call, headers) if cached.ready(self.runtime.master_key()) is not None else None
        )
        if request is None:
            self.runtime.upstreams.refuse_if_down(call)
            return await self._stack(call, answer)(scope, _replay(body, gone), answer.send)
        hit = await cached.lookup(call, request)
        if hit is not None:
            for message in cached.replay(call, hit):
                await answer.send(message)
            return None

        self.runtime.upstreams.refuse_if_down(call)

        async def run(send: Send) -> None:
            # The call may be shared: one client's leaving must not end it for the others.
            never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            try:
                await self._stack(call, answer)(scope, _replay(body, never), send)
            finally:
                self._close_attempts(call, answer)

        call.shared = True
        try:
            async for message in cached.share(call, request, run):
                await answer.send(message)
        except UpstreamAnswer as failed:
            for message in failed.messages:
                await answer.send(message)
        return None

    def _stack(self, call: Call, answer: Answer) -> App:
        """LiteLLM's whole stack until it served a door once, then the short one (policy speed.middlewares)."""
        if call.endpoint in self._warm and self._short is not None and self.runtime.policy.speed.middlewares:
            return self._short
        return self.app

    def _close_attempts(self, call: Call, answer: Answer) -> None:
        """Whatever ended the request, its attempt ends with it: the place in the queue is free again."""
        for attempt in call.attempts:
            if attempt.ended:
                continue
            if answer.outcome.disconnected:
                outcome = Outcome.CANCELLED
            else:
                outcome = Outcome.SERVER_ERROR if call.error_code else Outcome.OK
            self.runtime.upstreams.end(attempt, outcome)

    # --- steps ------------------------------------------------------------------------------

    def _check_peer(self, scope: Scope) -> None:
        current = self.runtime.store.current
        lan = current is not None and current.policy.lan
        if not lan and not loopback_peer(scope.get("client")):
            raise Refusal(
                "aicc_route_not_allowed",
                "This gateway answers only this machine; set `lan: true` in policy.yaml to open it.",
                404,
            )

    def _note_origin(self, scope: Scope, call: Call) -> None:
        current = self.runtime.store.current
        if current is not None and current.policy.gate.cors_origins:
            sent = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")
            call.origin = allowed_origin(sent, current.policy.gate.cors_origins)

    def _find_door(self, scope: Scope, call: Call) -> Door:
        current = self.runtime.store.current
        policy = current.policy if current else None
        door = find_door(
            scope["method"],
            scope["path"],
            debug=bool(policy and policy.debug),
            extra=policy.gate.extra_routes if policy else (),
        )
        if door is None:
            raise Refusal(
                "aicc_route_not_allowed",
                "This path is not open on this gateway; see the list in its README.",
                404,
            )
        call.endpoint = door.endpoint
        return door

    def _check_serving(self, door: Door) -> None:
        runtime = self.runtime
        if not door.key:
            return
        if not runtime.master_key() or runtime.master_key() in KNOWN_DEFAULT_KEYS:
            raise Refusal(
                "aicc_not_configured",
                "No key of your own is set: put AICC_MASTER_KEY into the environment or run `aicc init`, then restart.",
                503,
            )

    def _check_key(self, scope: Scope, door: Door) -> None:
        sent = _sent_key(scope)
        if sent is None and door.endpoint == "own":
            headers = {bytes(k): bytes(v) for k, v in scope["headers"]}
            if session.admits(headers, scope["method"], self.runtime.master_key(), now=time.time()):
                return
        if sent is None:
            raise Refusal(
                "invalid_api_key",
                "No key: send it as `Authorization: Bearer …`, `x-api-key` or `api-key`.",
                401,
            )
        if not hmac.compare_digest(sent, self.runtime.master_key().encode()):
            raise Refusal("invalid_api_key", "That key is not this gateway's key (AICC_MASTER_KEY).", 401)

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        current = self.runtime.store.current
        limit = current.policy.gate.max_body_bytes if current else 1 << 20
        headers = dict(scope["headers"])
        too_large = Refusal(
            "aicc_request_too_large",
            f"The body is larger than {limit} bytes (policy gate.max_body_bytes).",
            413,
        )
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise too_large
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refusal(
                "aicc_invalid_request", "Compressed request bodies are not accepted; send plain JSON.", 400
            )
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise too_large
            parts.append(chunk)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _prepare(self, scope: Scope, call: Call, door: Door, raw: bytes) -> bytes:
        """Parse, check, strip, judge. Returns the body LiteLLM is given."""
        await self.runtime.ensure_tested()
        if self.runtime.fatal:
            raise Refusal(
                "aicc_not_configured", f"A self-test failed, so nothing is served: {self.runtime.fatal}", 503
            )
        body, changed = _parse(raw)
        call.body = body
        headers = {bytes(k): bytes(v) for k, v in scope["headers"]}
        sent = body.get("metadata")
        metadata: dict[str, Any] = sent if isinstance(sent, dict) else {}
        call.metadata = metadata
        _identify(call, headers, body, metadata)
        stripped = strip_body(body)
        stripped += sorted(
            name.decode("latin-1")
            for name in headers
            if name.startswith(_STEERING_HEADERS) and name not in _OUR_HEADERS
        )
        changed = changed or bool(stripped) or bool(metadata)
        if door.model and body.get("model") != door.model:
            body["model"] = door.model
            changed = True
        model = body.get("model")
        if isinstance(model, str) and "," in model:
            # LiteLLM fans a comma list out to several groups (§2.6).
            body["model"] = next((part.strip() for part in model.split(",") if part.strip()), "")
            stripped.append("model")
            changed = True
        call.stripped = tuple(stripped)
        check_body(door.endpoint, body)
        if door.endpoint == "embeddings":
            call.encoding = embeddings.take_format(body)
            changed = changed or bool(call.encoding)
        call.requested = str(body.get("model") or "")
        if not call.requested and door.endpoint in ("chat", "completions", "responses", "messages"):
            body["model"] = "auto"
            changed = True
        call.stream = body.get("stream") is True
        if call.stream and door.endpoint in ("chat", "completions"):
            # Record and cache need the token counts; a client that did not ask for them does not see them.
            options = body.get("stream_options") or {}
            if options.get("include_usage") is not True:
                body["stream_options"] = {**options, "include_usage": True}
                call.hide_usage = changed = True
        # A session id often looks like a key. It goes nowhere (metadata is dropped) and is recorded as a hash.
        told = {key: value for key, value in metadata.items() if key != "session_id"}
        seen = {**body, "metadata": told} if told else body
        # Walking a long text and estimating its tokens takes milliseconds that others would wait for.
        large = len(raw) > _INLINE_BYTES
        call.extract = (
            await asyncio.to_thread(extract, door.endpoint, seen) if large else extract(door.endpoint, seen)
        )
        try:
            await self.runtime.judge(call)
        except ConfigError as error:
            raise Refusal("aicc_not_configured", f"The policy is not usable: {error}", 503) from None
        decision = call.decision
        if decision is not None and decision.blocked:
            raise Refusal(decision.blocked, decision.sentence, STATUS.get(decision.blocked, 400))
        changed = trials.apply(call) or changed
        unknown = drop_unknown(door.endpoint, body)
        call.stripped += tuple(unknown)
        renamed = self._hide_user(body)
        return orjson.dumps(body) if changed or unknown or renamed else raw

    def _hide_user(self, body: dict[str, Any]) -> bool:
        """LiteLLM writes the end user's name into Redis keys; models need none, providers only a stable one."""
        redactor = self.runtime.recorder.redactor
        named = [
            name for name in ("user", "safety_identifier") if isinstance(body.get(name), str) and body[name]
        ]
        for name in named:
            body[name] = redactor.pseudonym(body[name], "user") if redactor else ""
        return bool(named)

    def _forward_scope(self, scope: Scope, call: Call, door: Door, body: bytes | None) -> Scope:
        """The scope LiteLLM sees: the canonical path we judged, our key, and only headers that cannot steer."""
        own = door.endpoint == "own"
        path = door.path
        if (
            door.endpoint == "rerank"
            and call.decision
            and rerank.by_embeddings(self.runtime, call.decision.route)
        ):
            path = rerank.PATH
        headers = [(k, v) for k, v in scope["headers"] if own or k in _FORWARDED]
        if door.key and not own:
            headers.append((b"authorization", b"Bearer " + self.runtime.master_key().encode()))
        headers.append((b"x-litellm-call-id", call.id.encode()))
        if body is not None:
            headers = [(k, v) for k, v in headers if k not in (b"content-type", b"content-length")]
            headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        return {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            "query_string": scope["query_string"] if own else b"",
            "headers": headers,
            "aicc_call": call,
        }


async def _answer_preflight(scope: Scope, origin: str, send: Send) -> None:
    headers = dict(scope["headers"])
    requested = headers.get(b"access-control-request-headers", b"").decode("latin-1")
    private = headers.get(b"access-control-request-private-network") == b"true"
    pairs = preflight_headers(origin, requested=requested, private_network=private)
    # `encode_headers` shortens values to what our own headers need; a list of header names may be longer.
    await send(
        {
            "type": "http.response.start",
            "status": 204,
            "headers": [(k.encode(), v.encode("ascii")) for k, v in pairs],
        }
    )
    await send({"type": "http.response.body", "body": b""})


def _parse(raw: bytes) -> tuple[dict[str, Any], bool]:
    """The body as a dict, and whether it must be serialised again. Raises Refusal."""
    try:
        body = orjson.loads(raw)
        changed = False
    except orjson.JSONDecodeError:
        # orjson refuses lone surrogates, which JavaScript clients make by cutting a string in an emoji.
        body, changed = _parse_leniently(raw), True
    if not isinstance(body, dict):
        raise Refusal(
            "aicc_invalid_request", f"The body must be a JSON object, found {type(body).__name__}.", 400
        )
    return body, changed


def _parse_leniently(raw: bytes) -> Any:
    try:
        return _mend(json.loads(raw))
    except (ValueError, RecursionError) as error:
        where = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise Refusal("aicc_invalid_request", f"The body is not valid JSON{where}.", 400) from None


def _mend(value: Any) -> Any:
    """Replace lone surrogates, which no UTF-8 text can hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    return value


def _sent_key(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() == b"bearer" and token.strip():
                return bytes(token.strip())
        elif name in (b"x-api-key", b"api-key") and value:
            return bytes(value.strip())
    return None


def _identify(
    call: Call, headers: dict[bytes, bytes], body: dict[str, Any], metadata: dict[str, Any]
) -> None:
    """Session, user and client label, as the contract orders their sources."""
    session = headers.get(b"x-session-id") or headers.get(b"x-litellm-session-id")
    call.session = session.decode("latin-1") if session else str(metadata.get("session_id") or "")
    user = body.get("user")
    call.user = user if isinstance(user, str) and user else headers.get(b"x-user-id", b"").decode("latin-1")
    call.client = headers.get(b"user-agent", b"").decode("latin-1").partition("/")[0][:40]


async def _until_disconnect(receive: Receive) -> Message:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message


def _replay(body: bytes, gone: asyncio.Future[Message]) -> Receive:
    """A receive that hands out the body once, then the disconnect when it comes."""
    done = False

    async def replay() -> Message:
        nonlocal done
        if not done:
            done = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await asyncio.shield(gone)

    return replay
