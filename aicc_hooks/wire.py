"""What leaves the gateway about a request: error bodies in the caller's API shape, and the x-aicc headers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

STATUS: Final[dict[str, int]] = {
    "aicc_blocked_injection": 400,
    "aicc_invalid_request": 400,
    "aicc_context_too_long": 400,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "aicc_route_not_allowed": 404,
    "aicc_request_too_large": 413,
    "aicc_overloaded": 429,
    "aicc_internal_error": 500,
    "aicc_private_no_local_model": 503,
    "aicc_upstream_down": 503,
    "aicc_not_configured": 503,
}
RETRY_AFTER_S: Final = {"aicc_overloaded": 2, "aicc_upstream_down": 5}
_ANTHROPIC: Final = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 503: "overloaded_error",
}  # fmt: skip
_PROMPTS: Final = {
    "chat": "messages", "completions": "prompt", "responses": "input", "embeddings": "input", "rerank": "documents",
}  # fmt: skip


def error_object(
    endpoint: str, code: str, message: str, status: int, param: str | None = None
) -> dict[str, Any]:
    """The error as the caller's client library expects it: Anthropic shape on `messages`, else OpenAI's.

    LiteLLM puts the HTTP status in `code`, so our stable code stands in `type`. `param`: the field at fault,
    which Anthropic's shape has no place for.
    """
    if endpoint == "messages":
        return {"type": "error", "error": {"type": _ANTHROPIC.get(status, "api_error"), "message": message}}
    return {
        "error": {
            "message": message,
            "type": code,
            "param": _param(endpoint, code, param),
            "code": str(status),
        }
    }


def _param(endpoint: str, code: str, param: str | None) -> str | None:
    """The field at fault, also where the code alone tells it."""
    told = {"model_not_found": "model", "aicc_context_too_long": _PROMPTS.get(endpoint)}
    return param or told.get(code)


def holds_error(event: object) -> bool:
    """True for an event of a stream that reports a failure, in any of the three APIs' shapes."""
    if not isinstance(event, dict):
        return False
    inner = event.get("response")
    failed = isinstance(inner, dict) and bool(inner.get("error"))  # Responses API: response.failed
    return bool(event.get("error")) or event.get("type") == "error" or failed


def error_events(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number of the line, event) of each server-sent event that reports a failure."""
    for number, line in enumerate(lines):
        if not line.startswith(b"data:") or b'"error"' not in line:
            continue
        try:
            event = orjson.loads(line[5:].strip())
        except orjson.JSONDecodeError:
            continue
        if holds_error(event):
            yield number, event


def mended_event(
    event: dict[str, Any], endpoint: str, code: str, message: str, status: int, param: str | None = None
) -> dict[str, Any]:
    """The same failure in our words; what else the event carries stays."""
    inner = event.get("response")
    if isinstance(inner, dict):
        return {**event, "response": {**inner, "error": {"code": code, "message": message}}}
    if event.get("type") == "error" and endpoint == "responses":
        number = event.get("sequence_number", 0)
        return _responses_error(code, message, _param(endpoint, code, param), number)
    return error_object(endpoint, code, message, status, param)


def _responses_error(code: str, message: str, param: str | None, number: int) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": message, "param": param, "sequence_number": number}


def error_bytes(endpoint: str, code: str, message: str, status: int, param: str | None = None) -> bytes:
    """`error_object` as JSON."""
    return json.dumps(error_object(endpoint, code, message, status, param)).encode()


def error_event(
    endpoint: str, code: str, message: str, status: int, param: str | None = None, *, number: int = 0
) -> bytes:
    """The same inside a stream that has begun, as the API's own error event. `number`: of a Responses event."""
    if endpoint == "responses":
        shape = _responses_error(code, message, _param(endpoint, code, param), number)
    else:
        shape = error_object(endpoint, code, message, status, param)
    name = "" if endpoint in ("chat", "completions") else "event: error\n"
    return f"{name}data: {json.dumps(shape)}\n\n".encode()


def header_value(text: str, limit: int = 400) -> bytes:
    """A header value: printable ASCII only, bounded."""
    return "".join(c if " " <= c <= "~" else "_" for c in text[:limit]).encode("ascii")


def encode_headers(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Raw ASGI headers."""
    return [(name.encode("ascii"), header_value(value)) for name, value in pairs]
