"""What a stand-in model says: deterministic text, tool calls, schema-shaped JSON, embeddings."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

DIRECTIVE = re.compile(r"\[\[(reply|words|echo)(?:: ?(.*?))?\]\]", re.DOTALL)
WANTS_TOOL = re.compile(r"\b(call|use|invoke)\b[^.?!]{0,80}\b(tools?|functions?)\b", re.IGNORECASE)
DEFAULT_REPLY = "Hello from the stand-in model. This text is always the same."


def reply_text(prompt: str, default: str = DEFAULT_REPLY) -> str:
    """The answer to a prompt: a directive in it decides, else `default`.

    `[[reply: text]]` says exactly that, `[[words: 40]]` counts to 40 words, `[[echo]]` repeats the prompt.
    """
    match = DIRECTIVE.search(prompt) if "[[" in prompt else None
    if match is None:
        return default
    verb, argument = match[1], match[2] or ""
    if verb == "words":
        return " ".join(f"word{i}" for i in range(int(argument or 1)))
    return prompt if verb == "echo" else argument


@lru_cache(maxsize=256)
def pieces(text: str) -> tuple[str, ...]:
    """Token-like pieces that join to `text` exactly: a word with the space before it."""
    return tuple(re.findall(r"\s*\S+|\s+$", text)) or ("",)


def count_tokens(text: str) -> int:
    """About what a tokenizer counts: four characters each, at least one."""
    return max(1, (len(text) + 3) // 4)


def pick_tools(tools: Sequence[dict[str, Any]], prompt: str) -> list[dict[str, Any]]:
    """The tools to call for a prompt: those it names, or the first when it asks for a call; else none."""
    functions = [t.get("function", t) for t in tools]
    named = [f for f in functions if re.search(rf"\b{re.escape(str(f.get('name')))}\b", prompt)]
    if named:
        return named
    return functions[:1] if WANTS_TOOL.search(prompt) else []


def sample(schema: Any, root: Any = None, depth: int = 0) -> Any:
    """A value that validates against the common part of JSON schema (see docs/testing.md for what is not)."""
    if not isinstance(schema, dict) or depth > 12:
        return None
    root = schema if root is None else root
    if "$ref" in schema:
        target = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(part, {}) if isinstance(target, dict) else {}
        return sample(target, root, depth + 1)
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return sample(schema[word][0], root, depth + 1)
    if schema.get("allOf"):
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged |= part
        return sample(merged, root, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    return _SAMPLERS.get(kind, lambda *_: None)(schema, root, depth)


def _object(schema: dict[str, Any], root: Any, depth: int) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    required = set(schema.get("required") or properties)
    # A recursive optional property would never end: past a few levels only what is required is filled.
    return {k: sample(v, root, depth + 1) for k, v in properties.items() if k in required or depth < 4}


def _array(schema: dict[str, Any], root: Any, depth: int) -> list[Any]:
    count = max(int(schema.get("minItems", 0)), 1 if depth < 4 else 0)
    return [sample(schema.get("items") or {}, root, depth + 1) for _ in range(count)]


def _string(schema: dict[str, Any], _root: Any, _depth: int) -> str:
    formats = {"date": "2024-01-31", "date-time": "2024-01-31T12:00:00Z", "time": "12:00:00Z", "uri": "https://example.org/",
               "email": "nobody@example.org", "uuid": "00000000-0000-4000-8000-000000000000"}  # fmt: skip
    text = formats.get(str(schema.get("format")), "text")
    return text.ljust(int(schema.get("minLength", 0)), "x")[: int(schema.get("maxLength", 10_000))]


def _number(schema: dict[str, Any], _root: Any, _depth: int) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = max(low, 1)
    if high is not None and value > high:
        value = max(low, high - ("exclusiveMaximum" in schema))
    step = schema.get("multipleOf")
    return value if not step else step * -(-value // step)


_SAMPLERS: dict[str, Callable[[dict[str, Any], Any, int], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _number,
    "number": _number,
    "boolean": lambda *_: True,
    "null": lambda *_: None,
}


def sample_json(schema: Any) -> str:
    """The sample as compact JSON text; `"json"` (Ollama's loose mode) gives a small object."""
    if schema == "json":
        return '{"answer": "stand-in"}'
    return orjson.dumps(sample(schema)).decode()


@lru_cache(maxsize=4096)
def embedding(text: str, dims: int = 768) -> tuple[float, ...]:
    """A unit vector from hashed words and character trigrams: similar texts give similar vectors."""
    vector = np.zeros(dims)
    cleaned = " ".join(re.findall(r"\w+", text.lower()))
    for weight, features in (
        (1.0, cleaned.split()),
        (0.4, [f" {cleaned} "[i : i + 3] for i in range(len(cleaned))]),
    ):
        for feature in features:
            code = zlib.crc32(feature.encode())
            vector[code % dims] += weight if code & 0x80000000 else -weight
    norm = float(np.linalg.norm(vector))
    if norm == 0.0:
        vector[0] = norm = 1.0
    return tuple((vector / norm).tolist())


def embed_any(item: Any, dims: int = 768) -> list[float]:
    """Embed a string or a list of token ids."""
    return list(embedding(item if isinstance(item, str) else repr(item), dims))
