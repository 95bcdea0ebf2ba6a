"""The bytes of a request as a JSON object, with a clear word where they are none."""

from __future__ import annotations

import json
from typing import Any

import orjson

from aicc_hooks.errors import Refusal


def parse_body(raw: bytes) -> tuple[dict[str, Any], bool]:
    """The body as a dict, and whether it must be serialised again because it was mended. Raises Refusal."""
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
        return _mend(json.loads(raw, parse_int=_whole))
    except (ValueError, RecursionError) as error:
        where = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise Refusal("aicc_invalid_request", f"The body is not valid JSON{where}.", 400) from None


def _whole(digits: str) -> int | float:
    """As orjson reads it, which also refuses to write what needs more than 64 bits."""
    return int(digits) if len(digits) < 19 else float(digits)


def _mend(value: Any) -> Any:
    """Replace lone surrogates, which no UTF-8 text can hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    return value
