"""From the bytes a client sent to the body LiteLLM is given: parse, strip, check, judge. And the scope beside it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson

from aicc_hooks.access import Door
from aicc_hooks.adapter import attachments, rerank, token_ids, trials, turns
from aicc_hooks.adapter.asgi import Scope
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.errors import ConfigError, Refusal
from aicc_hooks.payload import embeddings, extract, functions, strip_body
from aicc_hooks.payload.body import parse_body
from aicc_hooks.payload.known_fields import drop_unknown
from aicc_hooks.payload.validate import check_body
from aicc_hooks.wire import STATUS

# Everything else a client sends as a header stays here: LiteLLM steers by `x-litellm-*`, `langfuse_*` and more.
_FORWARDED = frozenset((b"content-type", b"accept", b"host", b"anthropic-version", b"anthropic-beta"))
# A cloud provider gets these as they are, and nobody reads them for values: only versions and names with a date pass.
_WORDS = {
    b"anthropic-version": re.compile(rb"20\d\d-\d\d-\d\d"),
    b"anthropic-beta": re.compile(rb"[a-z][a-z0-9-]{0,60}-20\d\d-?\d\d-?\d\d"),
}
_STEERING_HEADERS = (b"x-litellm-", b"litellm-", b"langfuse", b"x-aicc-")
_OUR_HEADERS = frozenset((b"x-litellm-session-id", b"x-aicc-semantic"))
_INLINE_BYTES = 32_000
_CLIENT_LENGTH = 200


async def prepare(runtime: Runtime, scope: Scope, call: Call, door: Door, raw: bytes) -> bytes:
    """Parse, check, strip, judge. Returns the body LiteLLM is given. Raises Refusal."""
    await runtime.ensure_tested()
    if runtime.fatal:
        raise Refusal(
            "aicc_not_configured", f"A self-test failed, so nothing is served: {runtime.fatal}", 503
        )
    body, changed = parse_body(raw)
    call.body = body
    headers = {bytes(k): bytes(v) for k, v in scope["headers"]}
    sent = body.get("metadata")
    call.metadata = sent if isinstance(sent, dict) else {}
    _identify(call, headers, body)
    changed = _strip(call, headers, body, door) or changed
    check_body(door.endpoint, body)
    if door.endpoint == "chat" and functions.is_old(body):
        call.old_names = changed = True
        functions.as_tools(body)
    changed = _complete(call, body, door) or changed
    changed = await token_ids.read(call, body) or changed
    await _judge(runtime, call, body, door, large=len(raw) > _INLINE_BYTES)
    token_ids.refuse_unread(runtime, call, body)
    changed = turns.settle(runtime, call, body) or changed
    changed = await attachments.settle(runtime, call, body, large=len(raw) > _INLINE_BYTES) or changed
    changed = trials.apply(runtime.experiments, call) or changed
    unknown = drop_unknown(door.endpoint, body)
    call.stripped += tuple(unknown)
    renamed = _hide_user(runtime, body)
    return orjson.dumps(body) if changed or unknown or renamed else raw


def forward_scope(runtime: Runtime, scope: Scope, call: Call, door: Door, body: bytes | None) -> Scope:
    """The scope LiteLLM sees: the canonical path we judged, our key, and only headers that cannot steer."""
    own = door.endpoint == "own"
    path = rerank.PATH if door.endpoint == "rerank" else door.path
    headers = [(k, v if own else _known_words(k, v)) for k, v in scope["headers"] if own or k in _FORWARDED]
    headers = [(k, v) for k, v in headers if v]
    if door.key and not own:
        headers.append((b"authorization", b"Bearer " + runtime.master_key().encode()))
    headers.append((b"x-litellm-call-id", call.id.encode()))
    if body is not None:
        headers = [(k, v) for k, v in headers if k not in (b"content-type", b"content-length")]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return {
        **scope,
        # LiteLLM has no HEAD; the server leaves the body out by the method of its own scope.
        "method": "GET"
        if scope["method"] == "HEAD" and (not door.key or door.endpoint == "models")
        else scope["method"],
        "path": path,
        "raw_path": path.encode(),
        "query_string": scope["query_string"] if own else b"",
        "headers": headers,
        "aicc_call": call,
    }


def _known_words(name: bytes, value: bytes) -> bytes:
    """A forwarded header's value without the items that are not what it is for; others pass as they are."""
    word = _WORDS.get(name)
    if word is None:
        return value
    return b",".join(item for item in value.replace(b" ", b"").split(b",") if word.fullmatch(item))


def _identify(call: Call, headers: dict[bytes, bytes], body: dict[str, Any]) -> None:
    """Session, user and client label, as the contract orders their sources."""
    session = headers.get(b"x-session-id") or headers.get(b"x-litellm-session-id")
    call.session = session.decode("latin-1") if session else str(call.metadata.get("session_id") or "")
    user = body.get("user")
    named = str(user) if isinstance(user, (str, int, float)) and not isinstance(user, bool) else ""
    call.user = named or headers.get(b"x-user-id", b"").decode("latin-1")
    call.client = headers.get(b"user-agent", b"").decode("latin-1")[:_CLIENT_LENGTH]


def _strip(call: Call, headers: dict[bytes, bytes], body: dict[str, Any], door: Door) -> bool:
    """Take out what could steer LiteLLM, and settle which one model is meant. True when the body changed."""
    stripped = strip_body(body)
    stripped += sorted(
        name.decode("latin-1")
        for name, value in headers.items()
        if (name.startswith(_STEERING_HEADERS) and name not in _OUR_HEADERS)
        or (name in _WORDS and _known_words(name, value) != value.replace(b" ", b""))
    )
    changed = bool(stripped) or bool(call.metadata)
    if door.model and body.get("model") != door.model:
        body["model"] = door.model
        changed = True
    model = body.get("model")
    if isinstance(model, str) and "," in model:
        # LiteLLM fans a comma list out to several groups.
        body["model"] = next((part.strip() for part in model.split(",") if part.strip()), "")
        stripped.append("model")
        changed = True
    call.stripped = tuple(stripped)
    return changed


def _complete(call: Call, body: dict[str, Any], door: Door) -> bool:
    """Fill in what a client may leave out and we need. True when the body changed."""
    changed = False
    if door.endpoint == "embeddings":
        call.encoding = embeddings.take_format(body)
        changed = bool(call.encoding)
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
    return changed


async def _judge(runtime: Runtime, call: Call, body: dict[str, Any], door: Door, *, large: bool) -> None:
    """The request's one verdict and decision. Raises Refusal when it is to be blocked."""
    # A session id often looks like a key. It goes nowhere (metadata is dropped) and is recorded as a hash.
    told = {key: value for key, value in call.metadata.items() if key != "session_id"}
    seen = turns.judged(runtime, call, body)
    large = large or seen is not body
    seen = {**seen, "metadata": told} if told else seen
    # Walking a long text and estimating its tokens takes milliseconds that others would wait for.
    call.extract = (
        await asyncio.to_thread(extract, door.endpoint, seen) if large else extract(door.endpoint, seen)
    )
    try:
        await runtime.judge(call)
    except ConfigError as error:
        raise Refusal("aicc_not_configured", f"The policy is not usable: {error}", 503) from None
    decision = call.decision
    if decision is not None and decision.blocked:
        param = attachments.place(call, decision)
        sentence = f"{param}: {decision.sentence}" if param else decision.sentence
        raise Refusal(decision.blocked, sentence, STATUS.get(decision.blocked, 400), param=param)


def _hide_user(runtime: Runtime, body: dict[str, Any]) -> bool:
    """LiteLLM writes the end user's name into Redis keys; models need none, providers only a stable one."""
    redactor = runtime.recorder.redactor
    named = [name for name in ("user", "safety_identifier") if body.get(name) not in (None, "")]
    for name in named:
        body[name] = redactor.pseudonym(str(body[name]), "user") if redactor else ""
    return bool(named)
