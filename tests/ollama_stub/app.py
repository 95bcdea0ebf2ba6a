"""Ollama's HTTP API, answered at once or with the delays and failures a test asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

from tests.ollama_stub import request_types, shapes
from tests.ollama_stub.models import Memory, Model, default_models, seconds
from tests.standins import answers, openai_api
from tests.standins.openai_api import Turn
from tests.standins.server import StandIn
from tests.standins.stream import stream
from tests.standins.wire import Reply, Request, head, json_response

NDJSON, SSE = "application/x-ndjson", "text/event-stream"
VERSION = "0.13.0"
THOUGHT = "The user asks something; a short answer will do."
INFERENCE = frozenset({"/api/chat", "/api/generate", "/api/embed", "/api/embeddings",
                       "/v1/chat/completions", "/v1/completions", "/v1/embeddings"})  # fmt: skip


class OllamaError(Exception):
    """An error answer in Ollama's shape."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class OllamaStub(StandIn):
    """See docs/testing.md for what it does and where it differs from Ollama."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, keep: int | None = None) -> None:
        super().__init__(host, port, keep)
        self.models = default_models()
        self.memory = Memory()
        self._slots: dict[str, asyncio.Semaphore] = {}

    # -- for tests ----------------------------------------------------------------------------------
    @property
    def calls(self) -> list[Request]:
        """The requests that made a model work: no /api/tags, /api/ps, /api/show …"""
        return [r for r in self.requests if r.path in INFERENCE]

    def is_probe(self, request: Request) -> bool:
        return request.path not in INFERENCE

    def add_model(self, name: str, **fields: Any) -> Model:
        """Install a model (`Model` fields); replaces one of that name."""
        model = self.models[name] = Model(name, **fields)
        self._slots.pop(name, None)
        return model

    def unload(self, name: str | None = None) -> None:
        """Forget loaded models, so that the next request loads again."""
        for loaded in [name] if name else list(self.memory.loaded):
            self.memory.loaded.pop(loaded, None)

    def reset(self) -> None:
        super().reset()
        self.models = default_models()
        self.memory = Memory()
        self._slots.clear()

    def control(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        """Adds POST model {name, load_delay, …} and POST unload {name?} to the common control API."""
        body = request.json if isinstance(request.json, dict) else {}
        match request.method, request.path.removeprefix(self.control_prefix):
            case "POST", "model":
                old = self.models.get(str(body.get("name")))
                known = {k: v for k, v in body.items() if k in Model.__dataclass_fields__}
                known["capabilities"] = tuple(
                    body.get("capabilities") or (old.capabilities if old else ("completion",))
                )
                self.models[body["name"]] = Model(**{**(vars(old) if old else {}), **known})
                self._slots.pop(body["name"], None)
                return json_response({"ok": True})
            case "POST", "unload":
                self.unload(body.get("name"))
                return json_response({"ok": True})
            case "GET", "state":
                return json_response({"loads": self.memory.loads, "cancelled_loads": self.memory.cancelled_loads,
                                      "peak": {m.name: m.peak for m in self.models.values()}})  # fmt: skip
        return super().control(request, reply)

    # -- routes -------------------------------------------------------------------------------------
    def handle(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        try:
            return self._route(request, reply)
        except OllamaError as exc:
            return self._error(request, exc)

    def _error(self, request: Request, exc: OllamaError) -> bytes:
        if request.path.startswith("/v1/"):
            kind = {404: "not_found_error", 400: "invalid_request_error"}.get(exc.status, "api_error")
            body = {"error": {"message": exc.message, "type": kind, "param": None, "code": None}}
            return json_response(body, exc.status)
        return json_response({"error": exc.message}, exc.status)

    def _route(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        match request.method, request.path:
            case "POST", path if path in INFERENCE:
                return self._infer(request, reply)
            case "POST", "/api/show":
                return json_response(self._model(request.model).show())
            case "GET", "/api/tags":
                return json_response({"models": [m.tag() for m in self.models.values()]})
            case "GET", "/api/ps":
                return json_response({"models": self.memory.ps(self.models)})
            case "GET", "/api/version":
                return json_response({"version": VERSION})
            case "GET", "/v1/models":
                data = [
                    {"id": n, "object": "model", "created": 1738324800, "owned_by": "library"}
                    for n in self.models
                ]
                return json_response({"object": "list", "data": data})
            case "GET" | "HEAD", "/":
                text = b"Ollama is running"
                return head(200, "text/plain; charset=utf-8", len(text)) + (
                    text if request.method == "GET" else b""
                )
        text = b"404 page not found"
        return head(404, "text/plain", len(text)) + text

    def _model(self, name: str) -> Model:
        full = name if ":" in name else name + ":latest"
        model = self.models.get(full)
        if model is None:
            raise OllamaError(404, f"model '{name}' not found")
        return model

    # -- inference ----------------------------------------------------------------------------------
    def _infer(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        if request.body and request.json == {}:
            raise OllamaError(400, "invalid character in JSON body")
        body: dict[str, Any] = request.json
        if wrong := request_types.wrong_image(body.get("messages")):
            raise OllamaError(400, wrong)
        model = self._model(request.model)
        options = body.get("options") or {}
        if wrong := request_types.wrong_option(options) or request_types.wrong_format(body.get("format")):
            raise OllamaError(500, wrong)
        num_ctx = min(int(options.get("num_ctx") or model.default_ctx), model.context)
        keep_alive = seconds(body.get("keep_alive"))
        cold = not self.memory.ready(model, num_ctx)
        request.notes.update(model=model.name, num_ctx=num_ctx, cold=cold)
        answer = self._answer(request, model, num_ctx)
        streams = request.path != "/api/embed" and "embeddings" not in request.path
        streams = streams and bool(body.get("stream", request.path.startswith("/api/")))
        if (
            not streams
            and not model.num_parallel
            and reply.fault is None
            and (not cold or not model.load_delay)
        ):
            if cold:
                self.memory.loaded.pop(model.name, None)
                self.memory.put(model, num_ctx, keep_alive)
            self.memory.touch(model, keep_alive)
            return shapes.whole(request.path, answer, 0.0)
        return self._slow_path(request, reply, model, num_ctx, keep_alive, answer, streams)

    async def _slow_path(
        self,
        request: Request,
        reply: Reply,
        model: Model,
        num_ctx: int,
        keep_alive: float,
        answer: Any,
        streams: bool,
    ) -> None:
        loaded_in = await self.memory.load(model, num_ctx, keep_alive)
        request.notes["load_seconds"] = loaded_in
        if model.num_parallel:
            slot = self._slots.setdefault(model.name, asyncio.Semaphore(model.num_parallel))
            async with slot:
                await self._speak(request, reply, model, answer, loaded_in, streams)
        else:
            await self._speak(request, reply, model, answer, loaded_in, streams)
        self.memory.touch(model, keep_alive)

    async def _speak(
        self, request: Request, reply: Reply, model: Model, answer: Any, loaded_in: float, streams: bool
    ) -> None:
        model.active += 1
        model.peak = max(model.peak, model.active)
        try:
            if not streams:
                fault = reply.fault
                if isinstance(answer, Turn):  # tokens take the same time whether or not they are shown
                    drip = fault.seconds if fault is not None and fault.kind == "drip" else 0.0
                    await asyncio.sleep((drip or model.token_delay) * len(answers.pieces(answer.text)))
                whole = shapes.whole(request.path, answer, loaded_in)
                if fault is not None and not fault.whole_request and fault.kind != "drip":
                    return await self._cut(reply, whole)
                return reply.write(whole)
            lines: Iterator[bytes]
            if request.path.startswith("/v1/"):
                usage = bool((request.json.get("stream_options") or {}).get("include_usage"))
                make = openai_api.chat_chunks if "chat" in request.path else openai_api.completion_chunks
                lines, kind = shapes.sse(make(answer, usage)), SSE
            else:
                lines, kind = shapes.ndjson(request.path, answer, loaded_in), NDJSON
            error = b'{"error":"an error was encountered while running the model: unexpected EOF"}\n'
            await stream(
                self,
                reply,
                kind,
                lines,
                model.token_delay,
                b"data: " + error + b"\n" if kind == SSE else error,
            )
        finally:
            model.active -= 1

    async def _cut(self, reply: Reply, whole: bytes) -> None:
        """A mid-stream failure on an answer that is not a stream: half of its bytes, then the failure."""
        fault = reply.fault
        assert fault is not None
        reply.write(whole[: len(whole) - 20])
        if fault.kind == "freeze_mid":
            await self.frozen(fault)
            return reply.write(whole[len(whole) - 20 :])
        if fault.kind == "reset_mid":
            return reply.reset()
        reply.half_close()

    # -- answers ------------------------------------------------------------------------------------
    def _answer(self, request: Request, model: Model, num_ctx: int) -> Any:
        """Check the request as Ollama does; returns a `Turn`, or the embedding body."""
        body, path = request.json, request.path
        if "embed" in path:
            return self._embed(request, model, num_ctx)
        if "completion" not in model.capabilities:
            raise OllamaError(
                400, f'"{request.model}" does not support {"generate" if "generate" in path else "chat"}'
            )
        if body.get("tools") and "tools" not in model.capabilities:
            raise OllamaError(400, f"registry.ollama.ai/library/{model.name} does not support tools")
        think = body.get("think")
        if think and "thinking" not in model.capabilities:
            raise OllamaError(400, f'"{request.model}" does not support thinking')
        default = model.reply or answers.DEFAULT_REPLY
        if path in ("/api/generate", "/v1/completions"):
            prompt = body.get("prompt") or ""
            messages = [
                {
                    "role": "user",
                    "content": prompt if isinstance(prompt, str) else "\n".join(map(str, prompt)),
                }
            ]
            if body.get("system"):
                messages.insert(0, {"role": "system", "content": body["system"]})
        else:
            messages = body.get("messages") or []
        schema = body.get("format") or openai_api.schema_of(body)
        turn = openai_api.converse(request.model, messages, body.get("tools"), schema, default)
        if "thinking" in model.capabilities and think is not False and path != "/v1/completions":
            turn.thinking = THOUGHT
        request.notes["prompt_tokens"] = turn.prompt_tokens
        # Ollama cuts the oldest messages (generate: the middle) without a word; only the count tells.
        request.notes["truncated"] = turn.prompt_tokens > num_ctx
        turn.prompt_tokens = min(turn.prompt_tokens, num_ctx)
        limit = (body.get("options") or {}).get("num_predict") or body.get("max_tokens")
        kept = answers.pieces(turn.text)
        if limit and 0 < limit < len(kept):
            turn.text = "".join(kept[:limit])
            request.notes["done_reason"] = "length"
        if path.startswith("/api/") and not (messages if path == "/api/chat" else body.get("prompt")):
            request.notes["done_reason"] = "unload" if seconds(body.get("keep_alive")) == 0 else "load"
            turn.text, turn.thinking = "", ""
        turn.done_reason = request.notes.get("done_reason", "stop")
        return turn

    def _embed(self, request: Request, model: Model, num_ctx: int) -> dict[str, Any]:
        body, path = request.json, request.path
        if path == "/v1/embeddings":
            return openai_api.embeddings(request.model, body, model.dims)
        if path == "/api/embeddings":
            return {"embedding": answers.embed_any(body.get("prompt") or "", model.dims)}
        given = body.get("input", "")
        items = [given] if isinstance(given, str) else list(given)
        counts = [answers.count_tokens(i if isinstance(i, str) else repr(i)) for i in items]
        room = min(num_ctx, model.context)
        if body.get("truncate") is False and any(c > room for c in counts):
            raise OllamaError(400, "the input length exceeds the context length")
        request.notes["truncated"] = any(c > room for c in counts)
        counts = [min(c, room) for c in counts]
        dims = int(body.get("dimensions") or model.dims)
        vectors = [answers.embed_any(i, dims) for i in items]
        return {"model": request.model, "embeddings": vectors, "total_duration": 14143917, "load_duration": 1019500,
                "prompt_eval_count": sum(counts)}  # fmt: skip
