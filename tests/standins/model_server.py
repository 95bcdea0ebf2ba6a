"""OpenAI-compatible servers as they describe themselves: llama.cpp, mlx_lm.server, LM Studio, vLLM, TEI, Infinity.

Chat, completions, embeddings and rerank come from the cloud stand-in. What is not imitated: docs/testing.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.standins import answers, openai_api
from tests.standins.cloud import CloudStandIn
from tests.standins.openai_api import Turn
from tests.standins.stream import stream
from tests.standins.wire import Reply, Request, json_response

_ids = itertools.count(1)
_NOT_FOUND = {"error": {"message": "not found", "type": "not_found_error", "code": 404}}


@dataclass
class About:
    """One model of the server."""

    name: str
    context: int = 0  # what one request gets
    trained: int = 0  # what the model was trained for
    tools: bool | None = None
    vision: bool | None = None
    kind: str = "llm"  # llm, vlm, embeddings, embedding, reranker


@dataclass
class Flavour:
    """`kind`: llama.cpp, mlx, lm-studio, vllm, tei or infinity. `old`: a llama.cpp without chat_template_caps."""

    kind: str
    models: list[About] = field(default_factory=list)
    old: bool = False
    loading: bool = False
    unfinished: bool = False  # streams without finish_reason, but with [DONE]
    key: str = ""  # asked for when set


class ModelServerStandIn(CloudStandIn):
    """Answers like `flavour.kind`; change `flavour` while it runs."""

    def __init__(self, kind: str, *models: About, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.flavour = Flavour(kind, list(models))

    def handle(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        flavour = self.flavour
        if flavour.key and request.headers.get("authorization") != f"Bearer {flavour.key}":
            return json_response({"error": {"message": "Invalid API Key", "code": 401}}, 401)
        if request.method == "GET":
            answer = self._about(request.path)
            if flavour.loading and request.path != "/health":
                return json_response(
                    {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503
                )
            return json_response(_NOT_FOUND, 404) if answer is None else json_response(answer)
        if request.path.endswith("/responses"):
            if flavour.kind in ("mlx", "tei", "infinity"):
                return json_response(_NOT_FOUND, 404)
            if flavour.kind == "llama.cpp" and request.json.get("stream"):
                return self._sparse(request, reply)
        return super().handle(request, reply)

    def _answer(
        self, request: Request, reply: Reply, turn: Turn, whole: Any, chunks: Any
    ) -> bytes | Awaitable[None]:
        def without_reason(*args: Any) -> Iterator[dict[str, Any]]:
            yield from (c for c in chunks(*args) if not any(x["finish_reason"] for x in c["choices"]))

        given = without_reason if self.flavour.unfinished else chunks
        return super()._answer(request, reply, turn, whole, given)

    # --- what each says of itself ---------------------------------------------------------------

    def _about(self, path: str) -> dict[str, Any] | None:
        kind, models = self.flavour.kind, self.flavour.models
        listed = path in ("/v1/models", "/models") and not (kind == "mlx" and path == "/models")
        if listed and kind != "tei":
            return {"object": "list", "data": [self._row(model) for model in models]}
        if kind == "llama.cpp" and path == "/props":
            return _props(models[0], old=self.flavour.old)
        if kind == "lm-studio" and path == "/api/v0/models":
            return {"object": "list", "data": [_lm_studio(model) for model in models]}
        if kind == "tei" and path == "/info":
            return _tei(models[0])
        return None

    def _row(self, model: About) -> dict[str, Any]:
        row: dict[str, Any] = {"id": model.name, "object": "model", "created": 1738324800}
        match self.flavour.kind:
            case "llama.cpp":
                meta = {
                    "vocab_type": 2,
                    "n_vocab": 128256,
                    "n_ctx_train": model.trained,
                    "n_embd": 4096,
                    "n_params": 8030261312,
                    "size": 4912898304,
                }
                row |= {"owned_by": "llamacpp", "meta": meta}
                if not self.flavour.old:
                    reads = ["text", "image"] if model.vision else ["text"]
                    row["architecture"] = {"input_modalities": reads, "output_modalities": ["text"]}
            case "vllm":
                row |= {
                    "owned_by": "vllm",
                    "root": model.name,
                    "parent": None,
                    "max_model_len": model.context,
                    "permission": [],
                }
            case "lm-studio":
                row |= {"owned_by": "organization_owner"}
            case "infinity":
                row |= {
                    "owned_by": "infinity",
                    "stats": {},
                    "backend": "torch",
                    "capabilities": ["rerank" if model.kind == "reranker" else "embed"],
                }
        return row

    # --- /v1/responses of llama.cpp: no output_index, content_index, sequence_number, logprobs ----

    def _sparse(self, request: Request, reply: Reply) -> Awaitable[None]:
        given = request.json.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else list(given or [])
        turn = openai_api.converse(
            request.model, items, request.json.get("tools"), default="Hello from llama.cpp."
        )
        events = [openai_api.sse(event, event["type"]) for event in _sparse_events(turn)]
        return stream(self, reply, "text/event-stream", events)


def _props(model: About, *, old: bool) -> dict[str, Any]:
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    props: dict[str, Any] = {
        "default_generation_settings": {"id": 0, "id_task": -1, "n_ctx": model.context, "speculative": False, "params": {"n_predict": -1}},
        "total_slots": 1, "model_path": f"/models/{model.name}", "modalities": {"vision": bool(model.vision), "audio": False},
        "chat_template": "{% if tools %}{{ tools }}{% endif %}" + template if model.tools else template, "build_info": "b1-standin",
    }  # fmt: skip
    if not old:
        props["chat_template_caps"] = {
            "supports_tools": model.tools is True,
            "supports_tool_calls": model.tools is True,
        }
    return props


def _lm_studio(model: About) -> dict[str, Any]:
    row: dict[str, Any] = {"id": model.name, "object": "model", "type": model.kind, "publisher": "x", "arch": "qwen2",
                           "compatibility_type": "gguf", "quantization": "Q4_K_M", "state": "not-loaded", "max_context_length": model.trained}  # fmt: skip
    if model.context:
        row |= {"state": "loaded", "loaded_context_length": model.context}
    if model.tools is not None:
        row["capabilities"] = ["tool_use"] if model.tools else []
    return row


def _tei(model: About) -> dict[str, Any]:
    return {"model_id": model.name, "model_sha": None, "model_dtype": "float16", "model_type": {model.kind: {}},
            "max_concurrent_requests": 512, "max_input_length": model.context, "max_client_batch_size": 32, "version": "1.8.0"}  # fmt: skip


def _sparse_events(turn: Turn) -> Iterator[dict[str, Any]]:
    number = next(_ids)
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant"}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": turn.text}
    response = {"id": f"resp_{number}", "object": "response", "created_at": 1738324800, "model": turn.model}
    output: list[dict[str, Any]] = []
    opened = {"id": response["id"], "object": "response", "status": "in_progress"}
    opening = [{"type": kind, "response": opened} for kind in ("response.created", "response.in_progress")]
    yield from opening
    if turn.text:
        yield {
            "type": "response.output_item.added",
            "item": {**message, "status": "in_progress", "content": []},
        }
        yield {
            "type": "response.content_part.added",
            "item_id": message["id"],
            "part": {"type": "output_text", "text": ""},
        }
        for number, piece in enumerate(answers.pieces(turn.text)):
            yield {"type": "response.output_text.delta", "item_id": message["id"], "delta": piece}
            if number == 0:
                yield from opening  # a real one does so now and then
        yield {"type": "response.output_text.done", "item_id": message["id"], "text": turn.text}
        yield {"type": "response.content_part.done", "item_id": message["id"], "part": part}
        output.append({**message, "status": "completed", "content": [part]})
        yield {"type": "response.output_item.done", "item": output[-1]}
    for call in turn.tool_calls:
        ident = f"fc_{next(_ids)}"
        arguments = orjson.dumps(call["arguments"]).decode()
        item = {"type": "function_call", "call_id": ident, "name": call["name"]}
        yield {
            "type": "response.output_item.added",
            "item": {**item, "arguments": "", "status": "in_progress"},
        }
        yield {"type": "response.function_call_arguments.delta", "item_id": ident, "delta": arguments}
        yield {"type": "response.function_call_arguments.done", "item_id": ident, "arguments": arguments}
        output.append({**item, "arguments": arguments, "status": "completed"})
        yield {"type": "response.output_item.done", "item": output[-1]}
    usage = {"input_tokens": turn.prompt_tokens, "output_tokens": turn.completion_tokens,
             "total_tokens": turn.prompt_tokens + turn.completion_tokens}  # fmt: skip
    yield {
        "type": "response.completed",
        "response": {**response, "status": "completed", "output": output, "usage": usage},
    }
