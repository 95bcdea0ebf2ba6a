"""A small client for OpenAI-compatible servers: which models they serve and what each can do.

The list of models says little in OpenAI's API, so each server's own addition is read as well:
llama.cpp (`meta`, `/props`), LM Studio (`/api/v0/models`), vLLM (`max_model_len`), TEI (`/info`), Infinity
(`capabilities`). mlx_lm.server names its models and nothing else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

_LIMIT = 4 << 20  # bytes of one answer; a chat template is some 10 kB
_DETAILS_AGE_S = 60.0
_MODES = {"embeddings": "embedding", "embedding": "embedding", "embed": "embedding", "rerank": "rerank", "reranker": "rerank"}  # fmt: skip


class ServerError(Exception):
    """The server answered, but not with a list of models. `status`: HTTP status; no text of the server."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Served:
    """One model of a server. 0, None and "" mean: not stated."""

    name: str
    context: int = 0
    tools: bool | None = None
    vision: bool | None = None
    mode: str = ""  # chat, embedding, rerank
    batch: int = 0  # texts in one call
    aliases: tuple[str, ...] = ()

    def as_model_info(self) -> dict[str, Any]:
        """What is stated, under the names of config.yaml's `model_info`."""
        stated = {"max_input_tokens": self.context or None, "supports_function_calling": self.tools,
                  "supports_vision": self.vision, "mode": self.mode or None, "max_client_batch_size": self.batch or None}  # fmt: skip
        return {key: value for key, value in stated.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Serves:
    """What a server said. `any_name`: it has one model and answers with it whatever name is sent."""

    kind: str
    models: tuple[Served, ...]
    any_name: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """As the server spells them."""
        return tuple(model.name for model in self.models)

    def find(self, name: str) -> Served | None:
        """The model that answers to `name`."""
        for model in self.models:
            if model.name in (name, f"{name}:latest") or name in model.aliases:
                return model
        return self.models[0] if self.any_name and len(self.models) == 1 else None


class OpenAIServer:
    """Asks one server. `serves` is its last answer, for the request path; None before the first."""

    def __init__(
        self,
        api_base: str,
        *,
        key: str = "",
        timeout_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.api_base = api_base.rstrip("/")
        self.root = self.api_base.removesuffix("/v1")
        self.serves: Serves | None = None
        self._clock = clock
        self._details: tuple[float, tuple[str, ...]] | None = None  # when, and for which names
        # trust_env off: HTTP_PROXY must not send a call to this machine elsewhere. Redirects are not followed.
        self._http = httpx.AsyncClient(
            timeout=timeout_s,
            trust_env=False,
            transport=transport,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=4, keepalive_expiry=30),
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def look(self) -> Serves:
        """Asks what is served now. Raises ServerError, or httpx's errors when nobody answers."""
        try:
            found = await self._list()
        except Exception:
            self._details = None  # another model may stand there when it comes back
            raise
        self.serves = found
        return found

    async def _list(self) -> Serves:
        places = [f"{self.api_base}/models"]
        if self.root == self.api_base:
            places.append(f"{self.api_base}/v1/models")
        for place in places:
            try:
                answer = await self._get(place)
            except ServerError as error:
                if error.status not in (404, 405):
                    raise
                continue
            return await self._with_details(parse_models(answer))
        return parse_tei(await self._get(f"{self.root}/info"))

    async def _with_details(self, found: Serves) -> Serves:
        """The server's own page, once a minute and when its models change; between, what it said last."""
        if found.kind == "vllm" or not found.models:
            return found
        at, names = self._details or (float("-inf"), ())
        if self.serves is not None and names == found.names and self._clock() - at < _DETAILS_AGE_S:
            return self.serves
        self._details = (self._clock(), found.names)
        if len(found.models) == 1 and (props := await self._try("/props")):
            return with_props(found, props)
        if found.kind == "llamacpp":
            return found
        if listed := (await self._try("/api/v0/models") or await self._try("/api/v1/models")):
            return with_lm_studio(found, listed)
        return found

    async def _try(self, path: str) -> dict[str, Any] | None:
        try:
            return await self._get(self.root + path)
        except (ServerError, httpx.HTTPError):
            return None

    async def _get(self, url: str) -> dict[str, Any]:
        async with self._http.stream("GET", url) as response:
            if response.status_code != 200:
                raise ServerError(f"HTTP {response.status_code}", response.status_code)
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _LIMIT:
                    raise ServerError("the answer is too long")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ServerError("the answer is not JSON") from error
        if not isinstance(answer, dict):
            raise ServerError("the answer is no object")
        return answer


def parse_models(answer: Mapping[str, Any]) -> Serves:
    """`GET /v1/models` of any of them. Raises ServerError when it is no list of models."""
    rows = answer.get("data")
    if not isinstance(rows, list):
        raise ServerError("no list of models in the answer")
    rows = [row for row in rows if isinstance(row, Mapping) and isinstance(row.get("id"), str)]
    kind = str(rows[0].get("owned_by") or "") if rows else ""
    return Serves(kind, tuple(map(_of_row, rows)), kind == "llamacpp" and len(rows) == 1)


def _of_row(row: Mapping[str, Any]) -> Served:
    meta, architecture = _mapping(row.get("meta")), _mapping(row.get("architecture"))
    reads, can = architecture.get("input_modalities"), row.get("capabilities")
    can = can if isinstance(can, list) else []
    return Served(
        row["id"],
        context=_int(row.get("max_model_len")) or _int(meta.get("n_ctx")) or _int(meta.get("n_ctx_train")),
        vision="image" in reads if isinstance(reads, list) else None,
        mode=next((_MODES[word] for word in can if isinstance(word, str) and word in _MODES), ""),
        aliases=tuple(n for n in also if isinstance(n, str))
        if isinstance(also := row.get("aliases"), list)
        else (),
    )


def with_props(found: Serves, props: Mapping[str, Any]) -> Serves:
    """llama.cpp's `/props`: the context of one slot, which is what a request gets, and what the template knows."""
    settings, seen = _mapping(props.get("default_generation_settings")), _mapping(props.get("modalities"))
    if not settings and not seen:
        return found
    caps, template = _mapping(props.get("chat_template_caps")), props.get("chat_template")
    tools: bool | None = None
    if isinstance(caps.get("supports_tools"), bool):
        tools = caps["supports_tools"]
    elif isinstance(template, str) and template:
        tools = "tools" in template
    model = found.models[0]
    vision = seen.get("vision")
    model = replace(
        model,
        context=_int(settings.get("n_ctx")) or model.context,
        tools=model.tools if tools is None else tools,
        vision=vision if isinstance(vision, bool) else model.vision,
    )
    return replace(found, models=(model,), any_name=True)


def with_lm_studio(found: Serves, listed: Mapping[str, Any]) -> Serves:
    """LM Studio's own list, version 0 (`data`) or 1 (`models`)."""
    rows = listed.get("data") or listed.get("models")
    about: dict[str, Served] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping):
            served = _of_lm_studio(row)
            about[served.name] = served
    return replace(found, models=tuple(about.get(model.name, model) for model in found.models))


def _of_lm_studio(row: Mapping[str, Any]) -> Served:
    can, kind = row.get("capabilities"), str(row.get("type") or "")
    loaded = row.get("loaded_instances")
    first = _mapping(loaded[0]) if isinstance(loaded, list) and loaded else {}
    context = _int(row.get("loaded_context_length")) or _int(
        _mapping(first.get("config")).get("context_length")
    )
    tools: bool | None = None
    vision: bool | None = kind == "vlm" if kind in ("llm", "vlm") else None
    if isinstance(can, list):
        tools = "tool_use" in can
    elif isinstance(can, Mapping):
        tools, vision = can.get("trained_for_tool_use") is True, can.get("vision") is True
    return Served(
        str(row.get("id") or row.get("key") or ""),
        context=context or _int(row.get("max_context_length")),
        tools=tools,
        vision=vision,
        mode=_MODES.get(kind, ""),
    )


def parse_tei(answer: Mapping[str, Any]) -> Serves:
    """`GET /info` of text-embeddings-inference: one model, whatever name is sent."""
    name = answer.get("model_id")
    if not isinstance(name, str):
        raise ServerError("no model in the answer")
    kind = next(iter(_mapping(answer.get("model_type"))), "")
    model = Served(
        name,
        context=_int(answer.get("max_input_length")),
        mode=_MODES.get(str(kind), ""),
        batch=_int(answer.get("max_client_batch_size")),
    )
    return Serves("tei", (model,), any_name=True)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _int(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else 0
