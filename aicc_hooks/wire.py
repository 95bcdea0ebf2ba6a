"""What leaves the gateway about a request: error bodies in the caller's API shape, and the x-aicc headers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

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


def error_object(
    endpoint: str, code: str, message: str, status: int, param: str | None = None
) -> dict[str, Any]:
    """The error as the caller's client library expects it: Anthropic shape on `messages`, else OpenAI's.

    LiteLLM puts the HTTP status in `code`, so our stable code stands in `type`.
    """
    if endpoint == "messages":
        return {"type": "error", "error": {"type": _ANTHROPIC.get(status, "api_error"), "message": message}}
    return {"error": {"message": message, "type": code, "param": param, "code": str(status)}}


def holds_error(event: object) -> bool:
    """True for an event of a stream that reports a failure, in any of the three APIs' shapes."""
    if not isinstance(event, dict):
        return False
    inner = event.get("response")
    failed = isinstance(inner, dict) and bool(inner.get("error"))  # Responses API: response.failed
    return bool(event.get("error")) or event.get("type") == "error" or failed


def mended_event(
    event: dict[str, Any], endpoint: str, code: str, message: str, status: int
) -> dict[str, Any]:
    """The same failure in our words; what else the event carries stays."""
    inner = event.get("response")
    if isinstance(inner, dict):
        return {**event, "response": {**inner, "error": {"code": code, "message": message}}}
    if event.get("type") == "error" and endpoint == "responses":
        return {"type": "error", "code": code, "message": message, "param": None} | {
            key: event[key] for key in ("sequence_number",) if key in event
        }
    return error_object(endpoint, code, message, status)


def error_bytes(endpoint: str, code: str, message: str, status: int) -> bytes:
    """`error_object` as JSON."""
    return json.dumps(error_object(endpoint, code, message, status)).encode()


def error_event(endpoint: str, code: str, message: str, status: int) -> bytes:
    """The same inside a stream that has begun, as the API's own error event."""
    if endpoint == "responses":
        shape: dict[str, object] = {
            "type": "error", "code": code, "message": message, "param": None, "sequence_number": 0,
        }  # fmt: skip
    else:
        shape = error_object(endpoint, code, message, status)
    name = "" if endpoint in ("chat", "completions") else "event: error\n"
    return f"{name}data: {json.dumps(shape)}\n\n".encode()


def header_value(text: str, limit: int = 400) -> bytes:
    """A header value: printable ASCII only, bounded."""
    return "".join(c if " " <= c <= "~" else "_" for c in text[:limit]).encode("ascii")


def encode_headers(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Raw ASGI headers."""
    return [(name.encode("ascii"), header_value(value)) for name, value in pairs]
