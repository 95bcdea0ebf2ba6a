"""Our own routes on LiteLLM's app. The gate has checked the key before any of them runs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from aicc_hooks.adapter.admission import knows_key
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import get_runtime
from aicc_hooks.adapter.status import health
from aicc_hooks.errors import ConfigError, Refusal
from aicc_hooks.explain import as_dict
from aicc_hooks.payload import extract, strip_body
from aicc_hooks.payload.body import parse_body
from aicc_hooks.payload.validate import check_body
from aicc_hooks.wire import error_object

_QUOTING = frozenset(("policy", "policy_models", "experiments"))  # they say what was found in the file
_SEALED = "the file is refused; asked with the key, and by `aicc doctor`, this says why"

router = APIRouter(include_in_schema=False)
rest = APIRouter(include_in_schema=False)


@router.get("/aicc/health")
async def get_health(request: Request) -> JSONResponse:
    """No key: status words and timings only, nothing about requests, and no words of the owner's files."""
    runtime = get_runtime()
    body = await health(runtime)
    if not knows_key(runtime, request.scope):
        body["problems"] |= {name: _SEALED for name in _QUOTING & body["problems"].keys()}
    return JSONResponse(body, status_code=503 if body["status"] == "down" else 200)


@router.post("/aicc/explain")
async def post_explain(request: Request) -> JSONResponse:
    """Verdict, decision and sentence for a body; calls no model."""
    runtime = get_runtime()
    try:
        raw = await _read(request, runtime.policy.gate.max_body_bytes)
        body, _ = parse_body(raw)
    except Refusal as refusal:
        return _error(*refusal.told)
    except ConfigError as error:
        return _error("aicc_not_configured", str(error), 503)
    endpoint = "chat" if "messages" in body else next((e for e, k in _KEYS.items() if k in body), "chat")
    try:
        metadata = body.get("metadata")
        strip_body(body)
        if endpoint == "chat":  # Anthropic's body looks like one, and its parts are of other types
            check_body("messages", {**body, "max_tokens": body.get("max_tokens") or 1})
        else:
            check_body(endpoint, body)
        call = Call(endpoint=endpoint, requested=str(body.get("model") or ""))
        # Who asks decides about experiments. Not the session: looking must not make one private.
        call.client = request.headers.get("user-agent", "")
        call.user = str(body.get("user") or request.headers.get("x-user-id", ""))
        call.metadata = metadata if isinstance(metadata, dict) else {}
        call.extract = extract(endpoint, {**body, "metadata": metadata} if metadata else body)
        await runtime.judge(call)
    except Refusal as refusal:
        return _error(*refusal.told)
    except ConfigError as error:
        return _error("aicc_not_configured", str(error), 503)
    assert call.verdict is not None
    assert call.decision is not None
    return JSONResponse(as_dict(call.verdict, call.decision, call.extract))


@rest.api_route("/aicc", methods=["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
@rest.api_route(
    "/aicc/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"]
)
async def refuse_rest() -> JSONResponse:
    """A path or method of /aicc that there is not: an error of ours, not FastAPI's."""
    return _error(
        "aicc_route_not_allowed", "There is nothing here for this method; see docs/status-page.md.", 404
    )


async def _read(request: Request, limit: int) -> bytes:
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise Refusal(
                "aicc_request_too_large",
                f"The body is larger than {limit} bytes (policy gate.max_body_bytes).",
                413,
            )
        parts.append(chunk)
    return b"".join(parts)


_KEYS = {"responses": "input", "completions": "prompt", "rerank": "documents"}


def _error(code: str, message: str, status: int, param: str | None = None) -> JSONResponse:
    body: dict[str, Any] = error_object("own", code, message, status, param)
    return JSONResponse(body, status_code=status, headers={"x-aicc-error": code})
