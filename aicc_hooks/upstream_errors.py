"""Errors of LiteLLM and of model servers → our stable codes, in our own words.

Providers echo prompts in their errors and LiteLLM passes them on, so no text of
theirs is repeated: known shapes are recognised and told anew, the rest is told by status.
"""

from __future__ import annotations

import re

from aicc_hooks.errors import Refusal, bad_field
from aicc_hooks.payload.known_fields import is_field

_NOT_FOUND = re.compile(
    rb"model [\\'\"]{0,4}[\w./:-]{1,100}[\\'\"]{0,4} not found|try pulling it first", re.I
)
_INVALID_MODEL = re.compile(
    rb"Invalid model name passed in|no healthy deployments for this model|There are no healthy deployments",
    re.I,
)
_CONTEXT = re.compile(
    rb"larger than the max(imum)? context|context.{0,20}(length|window|size).{0,40}(exceed|limit|maximum|too)"
    rb"|exceeds? (the |maximum |available )*context|prompt is too long"
    rb"|too large to process|must have less than \d{1,9} tokens",  # llama.cpp without room (-ub), TEI
    re.I,
)
_BATCH = re.compile(rb"too large to process\. increase the physical batch", re.I)
# What Ollama answers 500 to although the request is wrong (api/types.go, llm/server.go); quotes may be escaped twice.
_OPTION = re.compile(
    rb"option [\\\"']{1,8}([a-z_]{1,40})[\\\"']{1,8} must be of (?:type (integer|boolean|float32|string|array)|(an array of strings))"
)
_FORMAT = re.compile(rb"invalid format: |invalid JSON schema in format|failed to parse grammar", re.I)
_PICTURE = re.compile(rb"illegal base64 data|image: unknown format", re.I)
_FAULTS = (400, 500, 502)  # 502: an error inside a stream
_TYPES = {
    "integer": "a whole number",
    "boolean": "a boolean",
    "float32": "a number",
    "string": "a string",
    "array": "an array",
}
_FORMAT_FIELD = {"responses": "text.format", "messages": "output_format"}
_MEMORY = re.compile(
    rb"requires more system memory|out of memory|cudaMalloc failed|llama runner process has terminated", re.I
)
_NO_TOOLS = re.compile(rb"does not support (tools|thinking|images|vision)", re.I)
_NO_RERANK = re.compile(rb"does not support rerank", re.I)
_REFUSED = re.compile(
    rb"connection refused|cannot connect|connecterror|all connection attempts failed|connect call failed",
    re.I,
)
_TIMEOUT = re.compile(rb"timed? ?out|timeout", re.I)
_UNSUPPORTED = re.compile(rb"does not support parameters: \[?([\w', ]{1,120})", re.I)
# The field an OpenAI-compatible server blames, in JSON or as LiteLLM repeats it; no more of its path than numbers.
_PARAM = re.compile(rb"""['"]param\\?['"]:\s{0,2}\\?['"]([a-z_]{1,40})((?:\.?\[\d{1,5}\])?)""")
_BUSY = re.compile(rb"server busy|maximum pending requests|too many requests|rate.?limit", re.I)


def explain(
    status: int, body: bytes, *, attempted: bool, model: str = "", ollama: bool = True, endpoint: str = ""
) -> Refusal:
    """The refusal a client is given for an upstream or LiteLLM error.

    `attempted`: a model server was called. `model`: its model name, from config.yaml; `ollama`: whether an Ollama serves it.
    `endpoint`: the client's, for the name of a field.
    """
    text = body[:20_000]
    name = model or "the model"
    if status == 401:
        if attempted:
            return Refusal(
                "aicc_upstream_down",
                f"The upstream of {name} refused the gateway's credentials; check its api_key in config.yaml.",
                503,
            )
        return Refusal("invalid_api_key", "That key is not this gateway's key (AICC_MASTER_KEY).", 401)
    unknown = _NOT_FOUND.search(text)
    if attempted and (unknown or (status == 404 and _blamed(text) in (None, "model"))):
        # The gateway knows the model by its name, so it is what config.yaml says of it that the server does not have.
        what = f"Ollama does not have {name}; run `ollama pull {model or 'MODEL'}`."
        if not (ollama and unknown):
            what = f"The server of {name} does not know it (HTTP {status}); check model and api_base in config.yaml."
        return Refusal("aicc_upstream_down", what, 503)
    fault = request_fault(text, name, endpoint) if attempted and status in _FAULTS else None
    if fault is not None:
        return fault
    if _CONTEXT.search(text):
        return Refusal(
            "aicc_context_too_long",
            f"The prompt is longer than the context of {name}; shorten it or use a model with more room.",
            400,
        )
    if _MEMORY.search(text):
        return Refusal(
            "aicc_upstream_down",
            f"There is not enough memory to run {name}; see OLLAMA_MAX_LOADED_MODELS or use a smaller model.",
            503,
        )
    if attempted and _NO_RERANK.search(text):
        return Refusal(
            "aicc_upstream_down",
            f"The server of {name} does not rerank; start llama-server with --reranking.",
            503,
        )
    found = _NO_TOOLS.search(text)
    if found:
        return Refusal(
            "aicc_invalid_request",
            f"{name} does not support {found.group(1).decode().lower()}; use another model or 'auto'.",
            400,
        )
    if not attempted and (status == 404 or _INVALID_MODEL.search(text)):
        return Refusal("model_not_found", "There is no such model; GET /v1/models lists what exists.", 404)
    if status == 429 or _BUSY.search(text):
        return Refusal("aicc_overloaded", "The model server is busy; try again shortly.", 429)
    unsupported = _fields(_UNSUPPORTED.search(text))
    if unsupported:
        return Refusal(
            "aicc_invalid_request",
            f"{name} does not support: {', '.join(unsupported)}.",
            400,
            param=unsupported[0],
        )
    if status in (400, 404, 405, 409, 413, 415, 422):
        param = _blamed(text)
        return Refusal(
            "aicc_invalid_request",
            f"The request was refused as invalid by the model server or by LiteLLM; check {param or 'its fields'}.",
            400,
            param=param,
        )
    if not attempted and status == 500:
        return Refusal(
            "aicc_internal_error",
            "LiteLLM failed on this request before a model was called; see the gateway's log.",
            500,
        )
    if _REFUSED.search(text):
        return Refusal("aicc_upstream_down", f"The server of {name} cannot be reached; is it running?", 503)
    if status in (408, 504) or _TIMEOUT.search(text):
        return Refusal("aicc_upstream_down", f"The server of {name} took too long to answer.", 503)
    return Refusal("aicc_upstream_down", f"The server of {name} answered with an error (HTTP {status}).", 503)


def _fields(found: re.Match[bytes] | None) -> list[str]:
    """Of the words that a server calls parameters, those that are: it may be repeating the prompt."""
    words = re.findall(r"\w+", found.group(1).decode()) if found else []
    return [word for word in words if is_field(word)]


def request_fault(text: bytes, name: str, endpoint: str) -> Refusal | None:
    """The refusal for a 500 that the request caused, as `text` says; None for any other. `name`: the model's."""
    option = _OPTION.search(text)
    if option is not None:
        field = option[1].decode()
        param = field if is_field(field) else None
        what = _TYPES[option[2].decode()] if option[2] else "an array of strings"
        told = f"{param or 'A field'}: {name} takes this only as {what}."
        return Refusal("aicc_invalid_request", told, 400, param=param)
    if _FORMAT.search(text):
        param = _FORMAT_FIELD.get(endpoint, "response_format")
        return bad_field(
            param, f"{name} cannot follow this JSON schema; simplify it or ask for a JSON object."
        )
    if _PICTURE.search(text):
        return Refusal(
            "aicc_invalid_request",
            f"{name} cannot read a picture of this request; send JPEG or PNG as a data URL.",
            400,
        )
    if _BATCH.search(text):
        return Refusal(
            "aicc_context_too_long",
            f"The input is longer than the server of {name} takes at once; shorten it, or start llama-server with a larger "
            "--ubatch-size.",
            400,
        )
    return None


def _blamed(text: bytes) -> str | None:
    """The field a server blames. Only names of the APIs: anything else may be a piece of the prompt."""
    found = _PARAM.search(text)
    if found is None or not is_field(found[1].decode()):
        return None
    return (found[1] + found[2]).decode()
