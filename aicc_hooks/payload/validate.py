"""Shape checks that give a client a clear 400 before LiteLLM answers with a 500 or a stack trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aicc_hooks.errors import Refusal, bad_field
from aicc_hooks.payload.choices import check_choices

_REQUIRED = {
    "chat": (("messages", (list,)),),
    "messages": (("messages", (list,)),),
    "completions": (("prompt", (str, list)),),
    "embeddings": (("input", (str, list)),),
    "responses": (("input", (str, list)),),
    "rerank": (("query", (str, dict)), ("documents", (list,))),
}
# What models are steered with. A wrong type makes LiteLLM or the model server fail: a 500 that looks like an outage,
# tries every fallback and opens the circuit for everybody else. `null` is always "not given".
_WHOLE, _NUMBER, _FLAG, _OBJECT = "a whole number", "a number", "a boolean", "an object"
_TEXT, _TIME, _FORMAT = (
    "a string or a number",
    "a number of seconds or a string such as '5m'",
    "'json' or an object that holds a JSON schema",
)
_FIELDS = {
    "max_tokens": _WHOLE, "max_completion_tokens": _WHOLE, "max_output_tokens": _WHOLE, "n": _WHOLE, "best_of": _WHOLE, "seed": _WHOLE,
    "top_k": _WHOLE, "top_logprobs": _WHOLE, "dimensions": _WHOLE, "num_ctx": _WHOLE, "temperature": _NUMBER, "top_p": _NUMBER,
    "min_p": _NUMBER, "presence_penalty": _NUMBER, "frequency_penalty": _NUMBER, "repeat_penalty": _NUMBER, "repeat_last_n": _WHOLE,
    "mirostat": _WHOLE, "mirostat_eta": _NUMBER, "mirostat_tau": _NUMBER, "stream": _FLAG,
    "num_predict": _WHOLE, "num_keep": _WHOLE, "num_batch": _WHOLE, "num_gpu": _WHOLE, "num_thread": _WHOLE, "main_gpu": _WHOLE,
    "typical_p": _NUMBER, "tfs_z": _NUMBER, "use_mmap": _FLAG, "use_mlock": _FLAG, "penalize_newline": _FLAG, "low_vram": _FLAG,
    "numa": _FLAG, "vocab_only": _FLAG, "f16_kv": _FLAG, "logits_all": _FLAG, "keep_alive": _TIME, "format": _FORMAT, "user": _TEXT, "safety_identifier": _TEXT,
    "parallel_tool_calls": _FLAG, "store": _FLAG, "echo": _FLAG, "response_format": _OBJECT, "logit_bias": _OBJECT,
}  # fmt: skip
# LiteLLM fails on any other in a chat message of the user, before a model server is asked (`ValidUserMessageContentTypes`).
USER_PARTS = frozenset(
    [
        "text", "image_url", "input_audio", "audio_url", "document", "guarded_text", "grounding_source", "query", "video_url", "file",
    ]
)  # fmt: skip
_AT_LEAST_1 = frozenset(("n", "best_of", "dimensions"))
_MOST_PROMPTS = 100
_MAX_DEPTH = 128  # deeper than any tool schema; recursion over a request stays far from Python's limit
_NESTED = frozenset((dict, list))
_NAMES = {
    str: "a string",
    list: "an array",
    dict: "an object",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def check_body(endpoint: str, body: Mapping[str, Any]) -> None:
    """Raise Refusal(aicc_invalid_request) naming the field, what was found and what is allowed."""
    _check_depth(body)
    model = body.get("model")
    if model is not None and not isinstance(model, str):
        raise _bad("model", model, "a string")
    for name, kinds in _REQUIRED.get(endpoint, ()):
        value = body.get(name)
        wanted = " or ".join(_NAMES[kind] for kind in kinds)
        if value is None:
            raise bad_field(name, f"missing; send {wanted}.")
        if not isinstance(value, kinds):
            raise _bad(name, value, wanted)
        if not value and name != "prompt":
            raise bad_field(name, "empty; send at least one item.")
    if endpoint in ("chat", "messages"):
        _check_messages(body["messages"], chat=endpoint == "chat")
    if endpoint == "messages" and body.get("max_tokens") is None:
        raise bad_field("max_tokens", "missing; send a whole number: Anthropic's API has no default.")
    if body.get("tools") and body.get("functions"):
        raise Refusal(
            "aicc_invalid_request",
            "tools and functions: send only one of them; `functions` is the old name of `tools`.",
            400,
            param="functions",
        )
    for name in ("tools", "functions"):
        value = body.get(name)
        if value is not None and not isinstance(value, list):
            raise _bad(name, value, "an array")
        for number, item in enumerate(value or ()):
            if not isinstance(item, Mapping):
                raise _bad(f"{name}[{number}]", item, "an object")
    check_fields(body)
    check_choices(endpoint, body)
    if endpoint == "completions":
        _check_prompt(body["prompt"])
    elif endpoint == "responses":
        _check_items(body["input"])
    elif endpoint == "chat":
        _check_functions(body.get("tools") or ())


def check_fields(body: Mapping[str, Any]) -> None:
    """Raise Refusal when a field that steers a model is of a wrong type. A variant's parameters are checked by it too."""
    for name in _FIELDS.keys() & body.keys():
        value, wanted = body[name], _FIELDS[name]
        if value is None:
            continue
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (
            (wanted is _NUMBER and number)
            or (wanted is _WHOLE and number and (isinstance(value, int) or value.is_integer()))
            or (wanted is _FLAG and isinstance(value, bool))
            or (wanted is _OBJECT and isinstance(value, Mapping))
            or (wanted in (_TEXT, _TIME) and (number or isinstance(value, str)))
            or (wanted is _FORMAT and (value in ("", "json") or isinstance(value, Mapping)))
        ):
            raise _bad(name, value, wanted)
        if name in _AT_LEAST_1 and value < 1:
            raise bad_field(name, f"allowed: {wanted} of at least 1.")
    stop = body.get("stop")
    words = [stop] if stop is None or isinstance(stop, str) else stop
    if not isinstance(words, list) or not all(word is stop or isinstance(word, str) for word in words):
        raise _bad("stop", stop, "a string or an array of strings")
    words = body.get("stop_sequences")
    if words is not None and not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
        raise _bad("stop_sequences", words, "an array of strings")


def _check_items(items: Any) -> None:
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if not isinstance(item, Mapping):
            raise _bad(
                f"input[{number}]", item, "an object with role and content, or another item of the API"
            )


def _check_functions(tools: Sequence[Mapping[str, Any]]) -> None:
    """Ollama would be shown a function without name and body."""
    for number, tool in enumerate(tools):
        function = tool.get("function")
        if tool.get("type") == "function" and not isinstance(function, Mapping):
            raise _bad(f"tools[{number}].function", function, "an object with name and parameters")


def _check_prompt(prompt: Any) -> None:
    if isinstance(prompt, list) and len(prompt) > _MOST_PROMPTS:
        raise bad_field("prompt", f"found {len(prompt)} prompts; allowed: at most {_MOST_PROMPTS} a request.")
    for number, item in enumerate(prompt if isinstance(prompt, list) else ()):
        if not isinstance(item, str):
            # Token ids too: nobody here can read them, and Ollama takes none.
            raise _bad(f"prompt[{number}]", item, "a string")


def _check_depth(body: Mapping[str, Any]) -> None:
    level: list[Any] = [body]
    for _ in range(_MAX_DEPTH):
        deeper: list[Any] = []
        for value in level:
            items = value.values() if isinstance(value, Mapping) else value
            # One pass at C speed first: an embedding request may hold a million token ids.
            if not _NESTED.isdisjoint(map(type, items)):
                deeper += [item for item in items if type(item) in _NESTED]
        level = deeper
        if not level:
            return
    raise Refusal("aicc_invalid_request", f"body: nested more than {_MAX_DEPTH} levels deep.", 400)


def _check_messages(messages: list[Any], *, chat: bool) -> None:
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise _bad(f"messages[{number}]", message, "an object with role and content")
        if not isinstance(message.get("role"), str):
            raise _bad(f"messages[{number}].role", message.get("role"), "a string such as 'user'")
        content = message.get("content")
        if content is not None and not isinstance(content, (str, list)):
            raise _bad(f"messages[{number}].content", content, "a string or an array of parts")
        for index, part in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(part, Mapping):
                raise _bad(f"messages[{number}].content", part, "parts that are objects")
            kind = part.get("type")
            if chat and message["role"] == "user" and not (isinstance(kind, str) and kind in USER_PARTS):
                where = f"messages[{number}].content[{index}].type"
                raise bad_field(where, "allowed: text, image_url, input_audio, file.")
        _check_calls(f"messages[{number}].tool_calls", message.get("tool_calls"))
        call = message.get("function_call")
        if call is not None and not isinstance(call, Mapping):
            raise _bad(f"messages[{number}].function_call", call, "an object with name and arguments")


def _check_calls(name: str, calls: Any) -> None:
    if calls is None:
        return
    if not isinstance(calls, list):
        raise _bad(name, calls, "an array")
    for number, call in enumerate(calls):
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) and not (isinstance(call, Mapping) and call.get("custom")):
            raise _bad(f"{name}[{number}].function", function, "an object with name and arguments")


def _bad(name: str, value: Any, wanted: str) -> Refusal:
    found = _NAMES.get(type(value), type(value).__name__)
    return bad_field(name, f"found {found}; allowed: {wanted}.")
