"""Types of a request's fields, checked as Ollama's Go code does and refused in its words."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

# api/types.go, `Options` and `Runner`, with those that older releases have.
_INTEGERS = frozenset(("num_keep", "seed", "num_predict", "top_k", "repeat_last_n", "mirostat", "num_ctx", "num_batch", "num_gpu",
                       "main_gpu", "num_thread"))  # fmt: skip
_FLOATS = frozenset(("top_p", "min_p", "typical_p", "tfs_z", "repeat_penalty", "temperature", "presence_penalty",
                     "frequency_penalty", "mirostat_tau", "mirostat_eta"))  # fmt: skip
_FLAGS = frozenset(("penalize_newline", "numa", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mmap", "use_mlock"))  # fmt: skip
_SCHEMA_TYPES = frozenset(("object", "array", "string", "number", "integer", "boolean", "null"))


def wrong_option(options: Mapping[str, Any]) -> str:
    """What `Options.FromMap` says of the first option of a wrong type, or ""."""
    for name, value in options.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        kind = ""
        if value is None:
            continue
        if name in _INTEGERS and not number:
            kind = "type integer"
        elif name in _FLOATS and not number:
            kind = "type float32"
        elif name in _FLAGS and not isinstance(value, bool):
            kind = "type boolean"
        elif name == "stop" and not isinstance(value, list):
            kind = "type array"
        elif name == "stop" and not all(isinstance(word, str) for word in value):
            kind = "an array of strings"
        if kind:
            return f'option "{name}" must be of {kind}'
    return ""


def wrong_format(wanted: Any) -> str:
    """What is said of `format`, or ""."""
    if wanted in (None, "", "json"):
        return ""
    if not isinstance(wanted, dict):
        return f'invalid format: "{wanted}"; expected "json" or a valid JSON Schema object'
    kind = wanted.get("type", "object")
    known = kind in _SCHEMA_TYPES if isinstance(kind, str) else isinstance(kind, list)
    return "" if known else "invalid JSON schema in format"


def wrong_image(messages: Any) -> str:
    """What Go's JSON decoder says of a picture that is no base64, or ""."""
    for message in messages if isinstance(messages, list) else ():
        for image in message.get("images") or ():
            try:
                base64.b64decode(image, validate=True)
            except (binascii.Error, ValueError, TypeError):
                return "illegal base64 data at input byte 4"
    return ""
