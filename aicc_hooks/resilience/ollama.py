"""A small client for Ollama's own API: what is there, what is loaded, what a model can do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

from aicc_hooks.resilience.config import KeepAlive

T = TypeVar("T")


class OllamaError(Exception):
    """Ollama answered, but not with what was asked. Holds the HTTP status (`status`) and no request text."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class OllamaGarbage(OllamaError):
    """The answer is not Ollama's JSON (another server on the port, or a cut connection)."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """`/api/show`, reduced. Zero and empty mean: not stated."""

    name: str
    context_length: int = 0
    capabilities: frozenset[str] = field(default_factory=frozenset)
    kv_bytes_per_token: int = 0  # f16 cache
    family: str = ""

    @property
    def tools(self) -> bool:
        """Calls tools."""
        return "tools" in self.capabilities

    @property
    def vision(self) -> bool:
        """Sees images."""
        return "vision" in self.capabilities

    def as_model_info(self) -> dict[str, bool]:
        """Tools and images under the names of config.yaml's `model_info`; {} when Ollama names no capabilities.

        The context is not among them: what a model may be asked for here also depends on the memory budget.
        """
        if not self.capabilities:
            return {}
        return {"supports_function_calling": self.tools, "supports_vision": self.vision}


@dataclass(frozen=True, slots=True)
class Loaded:
    """One row of `/api/ps`."""

    name: str
    size: int = 0
    context_length: int = 0
    expires_at: str = ""


@dataclass(frozen=True, slots=True)
class Cached(Generic[T]):
    """A result with its age. `stale`: a later refresh failed."""

    value: T
    at: float
    stale: bool = False


def same_model(a: str, b: str) -> bool:
    """Ollama's names: no tag means `:latest`."""
    return full_name(a) == full_name(b)


def full_name(name: str) -> str:
    """`llama3.2` -> `llama3.2:latest`; a provider prefix (`ollama_chat/`) is dropped."""
    for prefix in ("ollama_chat/", "ollama/"):
        name = name.removeprefix(prefix)
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


class OllamaClient:
    """Calls one Ollama. Results are kept: `loaded_names` and `info` answer from memory, for the request path."""

    def __init__(
        self,
        base_url: str = "http://localhost:11434",
        *,
        timeout_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/").removesuffix("/v1").removesuffix("/api")
        self._clock = clock
        # trust_env off: HTTP_PROXY must not send a call to this machine elsewhere.
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            timeout=timeout_s,
            trust_env=False,
            transport=transport,
            limits=httpx.Limits(max_connections=8, keepalive_expiry=30),
        )
        self._ps: Cached[tuple[Loaded, ...]] | None = None
        self._tags: Cached[Mapping[str, int]] | None = None
        self._info: dict[str, Cached[ModelInfo]] = {}

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    # -- asks Ollama ------------------------------------------------------------------------------------------

    async def version(self) -> str:
        """`/api/version`."""
        return str((await self._call("GET", "/api/version")).get("version", ""))

    async def tags(self) -> Mapping[str, int]:
        """`/api/tags`: size in bytes by full model name."""
        try:
            rows = _rows(await self._call("GET", "/api/tags"))
        except Exception:
            self._tags = _aged(self._tags)
            raise
        value = {full_name(str(r.get("name") or r.get("model"))): _int(r.get("size")) for r in rows}
        self._tags = Cached(value, self._clock())
        return value

    async def ps(self) -> tuple[Loaded, ...]:
        """`/api/ps`: the models in memory."""
        try:
            rows = _rows(await self._call("GET", "/api/ps"))
        except Exception:
            self._ps = _aged(self._ps)
            raise
        value = tuple(
            Loaded(
                full_name(str(r.get("name") or r.get("model"))),
                _int(r.get("size")),
                _int(r.get("context_length")),
                str(r.get("expires_at", "")),
            )
            for r in rows
        )
        self._ps = Cached(value, self._clock())
        return value

    async def show(self, model: str, *, max_age_s: float = 3600) -> ModelInfo:
        """`/api/show`, kept for an hour: limits change only when a model is pulled anew."""
        name = full_name(model)
        known = self._info.get(name)
        if known is not None and not known.stale and self._clock() - known.at < max_age_s:
            return known.value
        try:
            info = parse_show(name, await self._call("POST", "/api/show", {"model": name}))
        except Exception:
            if known is not None:
                self._info[name] = Cached(known.value, known.at, stale=True)
            raise
        self._info[name] = Cached(info, self._clock())
        return info

    async def warm_up(
        self,
        model: str,
        *,
        keep_alive: KeepAlive | None = None,
        num_ctx: int | None = None,
        timeout_s: float = 600,
    ) -> float:
        """Loads a model and returns the seconds it took. No text is sent.

        `num_ctx` must be the bucket requests will use: another one would reload the model on the first request.
        """
        began = self._clock()
        body: dict[str, Any] = {"model": full_name(model), "stream": False}
        if keep_alive is not None:
            body["keep_alive"] = keep_alive
        if num_ctx is not None:
            body["options"] = {"num_ctx": num_ctx}
        try:
            await self._call("POST", "/api/generate", body, timeout_s)
        except OllamaError as error:
            if error.status != 400:
                raise
            # "does not support generate": an embedding model is loaded by embedding nothing.
            body.pop("stream")
            await self._call("POST", "/api/embed", body | {"input": ""}, timeout_s)
        return self._clock() - began

    async def generate(self, model: str, *, num_ctx: int | None = None, timeout_s: float = 330) -> float:
        """A real answer of one token, on request only. Returns the seconds it took."""
        began = self._clock()
        options: dict[str, Any] = {"num_predict": 1} | ({"num_ctx": num_ctx} if num_ctx else {})
        body = {"model": full_name(model), "prompt": "Hi", "stream": False, "options": options}
        answer = await self._call("POST", "/api/generate", body, timeout_s)
        if not answer.get("done"):
            raise OllamaGarbage("the generation did not finish")
        return self._clock() - began

    # -- answers from memory ----------------------------------------------------------------------------------

    def loaded(self, max_age_s: float | None = None) -> tuple[Loaded, ...] | None:
        """The last `/api/ps`, or None when there is none, it is too old, or Ollama went away since."""
        if self._ps is None or self._ps.stale:
            return None
        if max_age_s is not None and self._clock() - self._ps.at > max_age_s:
            return None
        return self._ps.value

    def is_loaded(self, model: str, max_age_s: float | None = None) -> bool | None:
        """Whether the model is in memory; None when not known."""
        rows = self.loaded(max_age_s)
        return None if rows is None else any(same_model(r.name, model) for r in rows)

    def note_loaded(self, model: str, num_ctx: int) -> None:
        """A model that has just answered is in memory, whatever the last `/api/ps` said."""
        if self._ps is None or self._ps.stale or self.is_loaded(model):
            return
        row = Loaded(full_name(model), 0, num_ctx, "")
        self._ps = Cached((*self._ps.value, row), self._ps.at)

    def info(self, model: str) -> ModelInfo | None:
        """The last `/api/show` of a model, however old."""
        known = self._info.get(full_name(model))
        return known.value if known is not None else None

    def sizes(self) -> Mapping[str, int]:
        """The last `/api/tags`."""
        return self._tags.value if self._tags is not None else {}

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, timeout_s: float | None = None
    ) -> dict[str, Any]:
        timeout = httpx.Timeout(timeout_s, connect=5) if timeout_s else httpx.USE_CLIENT_DEFAULT
        response = await self._http.request(method, path, json=body, timeout=timeout)
        if response.status_code >= 400:
            raise OllamaError(
                f"{path}: HTTP {response.status_code}: {_error_text(response)}", response.status_code
            )
        try:
            answer = response.json()
        except ValueError as error:
            raise OllamaGarbage(f"{path}: the answer is not JSON; is this Ollama?") from error
        if not isinstance(answer, dict):
            raise OllamaGarbage(f"{path}: unexpected answer; is this Ollama?")
        return answer


def parse_show(name: str, answer: Mapping[str, Any]) -> ModelInfo:
    """Context length, capabilities and KV bytes per token out of `/api/show`."""
    raw = answer.get("model_info")
    info: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    arch = str(info.get("general.architecture", ""))

    def number(key: str) -> int:
        value = info.get(f"{arch}.{key}")
        return max((_int(v) for v in value), default=0) if isinstance(value, list) else _int(value)

    heads = number("attention.head_count")
    kv_heads = number("attention.head_count_kv") or heads
    key_length = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    value_length = number("attention.value_length") or key_length
    capabilities = answer.get("capabilities")
    details = answer.get("details")
    return ModelInfo(
        name=full_name(name),
        context_length=number("context_length"),
        capabilities=frozenset(map(str, capabilities)) if isinstance(capabilities, list) else frozenset(),
        kv_bytes_per_token=number("block_count") * kv_heads * (key_length + value_length) * 2,
        family=str(details.get("family", "")) if isinstance(details, Mapping) else "",
    )


def _rows(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = answer.get("models")
    if not isinstance(rows, list):
        raise OllamaGarbage("no list of models in the answer; is this Ollama?")
    return [r for r in rows if isinstance(r, Mapping) and (r.get("name") or r.get("model"))]


def _int(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def _aged(cached: Cached[T] | None) -> Cached[T] | None:
    return None if cached is None else Cached(cached.value, cached.at, stale=True)


def _error_text(response: httpx.Response) -> str:
    try:
        return str(response.json().get("error", ""))[:300]
    except (ValueError, AttributeError):
        return response.text[:100]
