"""An OpenAI-compatible "cloud" that no private request may reach; `touched` tells."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Iterator
from typing import Any

from tests.standins import answers, openai_api
from tests.standins.openai_api import Turn
from tests.standins.server import StandIn
from tests.standins.stream import stream
from tests.standins.wire import Reply, Request, json_response

_ids = itertools.count(1)
REPLY = "Hello from the cloud stand-in."


class CloudStandIn(StandIn):
    """Chat, completions, embeddings, responses, rerank and models, streamed or not; any key is accepted."""

    @property
    def base_url(self) -> str:
        """For `api_base` in LiteLLM's config."""
        return self.url + "/v1"

    @property
    def policy(self) -> dict[str, Any]:
        """Policy that makes this stand-in's loopback address count as not local, and Ollama's as local."""
        return {"local_hosts": ["127.0.0.1"]}

    def deployment(self, name: str = "cloud", model: str = "gpt-cloud", **params: Any) -> dict[str, Any]:
        """An entry for `model_list`."""
        given = {
            "model": f"openai/{model}",
            "api_base": self.base_url,
            "api_key": "sk-cloud-stand-in",
            **params,
        }
        return {"model_name": name, "litellm_params": given}

    def handle(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        body = request.json if isinstance(request.json, dict) else {}
        path = request.path.removeprefix("/v1")
        match request.method, path:
            case "POST", "/chat/completions":
                turn = openai_api.converse(
                    request.model,
                    body.get("messages") or [],
                    body.get("tools"),
                    openai_api.schema_of(body),
                    REPLY,
                )
                return self._answer(request, reply, turn, openai_api.chat_completion, openai_api.chat_chunks)
            case "POST", "/completions":
                turn = openai_api.converse(
                    request.model, [{"role": "user", "content": body.get("prompt")}], default=REPLY
                )
                return self._answer(request, reply, turn, openai_api.completion, openai_api.completion_chunks)
            case "POST", "/embeddings":
                return json_response(openai_api.embeddings(request.model, body, 1536))
            case "POST", "/rerank":
                return json_response(_rerank(body))
            case "POST", "/responses":
                return self._responses(body, request, reply)
            case "GET", "/models":
                data = [{"id": "gpt-cloud", "object": "model", "created": 1738324800, "owned_by": "stand-in"}]
                return json_response({"object": "list", "data": data})
        return json_response(
            {"error": {"message": f"no route {request.path}", "type": "invalid_request_error"}}, 404
        )

    def _answer(
        self, request: Request, reply: Reply, turn: Turn, whole: Any, chunks: Any
    ) -> bytes | Awaitable[None]:
        body = request.json
        if not body.get("stream"):
            return json_response(whole(turn))
        usage = bool((body.get("stream_options") or {}).get("include_usage"))
        lines = (*map(openai_api.sse, chunks(turn, usage)), openai_api.SSE_DONE)
        return stream(self, reply, "text/event-stream", lines, error=_STREAM_ERROR)

    def _responses(self, body: dict[str, Any], request: Request, reply: Reply) -> bytes | Awaitable[None]:
        given = body.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else list(given or [])
        turn = openai_api.converse(request.model, items, body.get("tools"), default=REPLY)
        if not body.get("stream"):
            return json_response(_response(turn))
        events = [openai_api.sse(e, e["type"]) for e in _response_events(turn)]
        return stream(self, reply, "text/event-stream", events, error=_STREAM_ERROR)


_STREAM_ERROR = b'data: {"error":{"message":"the stand-in broke off","type":"server_error"}}\n\n'


def _rerank(body: dict[str, Any]) -> dict[str, Any]:
    """As llama.cpp answers: every document in its place, whatever `top_n` says, and without its text."""
    query = answers.embedding(str(body.get("query")))
    scored = []
    for index, document in enumerate(body.get("documents") or []):
        text = document.get("text", "") if isinstance(document, dict) else str(document)
        score = sum(a * b for a, b in zip(query, answers.embedding(text), strict=True))
        scored.append({"index": index, "relevance_score": score})
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return {"model": body.get("model"), "object": "list", "usage": usage, "results": scored}


def _response(turn: Turn, status: str = "completed") -> dict[str, Any]:
    number = next(_ids)
    content = [{"type": "output_text", "text": turn.text, "annotations": []}]
    output = [
        {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": status, "content": content}
    ]
    return {
        "id": f"resp_{number}", "object": "response", "created_at": int(time.time()), "status": status,
        "model": turn.model, "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "error": None, "incomplete_details": None, "instructions": None, "metadata": {}, "temperature": 1.0, "top_p": 1.0,
        "usage": {"input_tokens": turn.prompt_tokens, "output_tokens": turn.completion_tokens,
                  "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
                  "total_tokens": turn.prompt_tokens + turn.completion_tokens},
    }  # fmt: skip


def _response_events(turn: Turn) -> Iterator[dict[str, Any]]:
    done = _response(turn)
    opened = {**done, "status": "in_progress", "output": [], "usage": None}
    item = done["output"][0]
    where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    numbers = itertools.count()

    def event(kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, "sequence_number": next(numbers), **fields}

    yield event("response.created", response=opened)
    yield event("response.in_progress", response=opened)
    yield event(
        "response.output_item.added", output_index=0, item={**item, "status": "in_progress", "content": []}
    )
    empty = {"type": "output_text", "text": "", "annotations": []}
    yield event("response.content_part.added", **where, part=empty)
    for piece in answers.pieces(turn.text):
        yield event("response.output_text.delta", **where, delta=piece, logprobs=[])
    yield event("response.output_text.done", **where, text=turn.text, logprobs=[])
    yield event("response.content_part.done", **where, part=item["content"][0])
    yield event("response.output_item.done", output_index=0, item=item)
    yield event("response.completed", response=done)
