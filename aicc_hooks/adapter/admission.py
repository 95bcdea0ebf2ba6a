"""Who may come in, through which door, and with how large a body: the first steps of the gate, in its order."""

from __future__ import annotations

import hmac
import time

from aicc_hooks.access import Door, find_door, fit_for_lan, is_published, loopback_peer
from aicc_hooks.adapter.asgi import Receive, Scope, Send
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.cors import allowed_origin, preflight_headers
from aicc_hooks.errors import Refusal
from aicc_hooks.web import session


class Disconnected(Exception):
    """The client went away before its request was complete."""


def check_peer(runtime: Runtime, scope: Scope) -> None:
    if loopback_peer(scope.get("client")):
        return
    current = runtime.store.current
    # `aicc serve` refuses to start with a weak key; plain `litellm`, or a policy changed later, meets it here.
    if current is None or not current.policy.lan or not fit_for_lan(runtime.master_key()):
        raise Refusal(
            "aicc_route_not_allowed",
            "This gateway answers only this machine; set `lan: true` in policy.yaml to open it.",
            404,
        )


def note_origin(runtime: Runtime, scope: Scope, call: Call) -> None:
    current = runtime.store.current
    if current is not None and current.policy.gate.cors_origins:
        sent = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")
        call.origin = allowed_origin(sent, current.policy.gate.cors_origins)


def door_of(runtime: Runtime, scope: Scope, call: Call) -> Door:
    current = runtime.store.current
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
            "This path and method are not open on this gateway; policy gate.extra_routes can open more.",
            404,
        )
    call.endpoint = door.endpoint
    return door


def check_serving(runtime: Runtime, door: Door) -> None:
    if not door.key:
        return
    if not runtime.master_key() or is_published(runtime.master_key()):
        raise Refusal(
            "aicc_not_configured",
            "No key of your own is set: put AICC_MASTER_KEY into the environment or run `aicc init`, then restart.",
            503,
        )


def knows_key(runtime: Runtime, scope: Scope) -> bool:
    """Whether a request to an open path of ours has the key, or a session of the status page."""
    if not runtime.master_key():
        return False
    headers = {bytes(k): bytes(v) for k, v in scope["headers"]}
    sent = sent_key(scope)
    if sent is not None:
        return hmac.compare_digest(sent, runtime.master_key().encode())
    return session.admits(headers, scope["method"], runtime.master_key(), now=time.time())


def check_key(runtime: Runtime, scope: Scope, door: Door) -> None:
    sent = sent_key(scope)
    if sent is None and door.endpoint == "own":
        headers = {bytes(k): bytes(v) for k, v in scope["headers"]}
        if session.admits(headers, scope["method"], runtime.master_key(), now=time.time()):
            return
    if sent is None:
        raise Refusal(
            "invalid_api_key",
            "No key: send it as `Authorization: Bearer …`, `x-api-key` or `api-key`.",
            401,
        )
    if not hmac.compare_digest(sent, runtime.master_key().encode()):
        raise Refusal("invalid_api_key", "That key is not this gateway's key (AICC_MASTER_KEY).", 401)


async def read_body(runtime: Runtime, scope: Scope, receive: Receive) -> bytes:
    current = runtime.store.current
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
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Refusal(
            "aicc_invalid_request", "Compressed request bodies are not accepted; send plain JSON.", 400
        )
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large
        parts.append(chunk)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def answer_preflight(scope: Scope, origin: str, send: Send) -> None:
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


def sent_key(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() == b"bearer" and token.strip():
                return bytes(token.strip())
        elif name in (b"x-api-key", b"api-key") and value:
            return bytes(value.strip())
    return None
