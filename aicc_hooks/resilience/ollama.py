"""A small client for Ollama's own API: what is there, what is loaded, what a model can do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import httpx

from aicc_hooks.resilience.config import KeepAlive
from aicc_hooks.resilience.ollama_models import (
    Loaded,
    ModelInfo,
    full_name,
    parse_show,
    runs_elsewhere,
    same_model,
    whole,
)

T = TypeVar("T")


class OllamaError(Exception):
    """Ollama answered, but not with what was asked. Holds the HTTP status (`status`) and no request text."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class OllamaGarbage(OllamaError):
    """The answer is not Ollama's JSON (another server on the port, or a cut connection)."""


@dataclass(frozen=True, slots=True)
class Cached(Generic[T]):
    """A result with its age. `stale`: a later refresh failed."""

    value: T
    at: float
    stale: bool = False


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
        self.looked = False  # asked once what is in memory, whatever came of it
        self._ps: Cached[tuple[Loaded, ...]] | None = None
        self._tags: Cached[Mapping[str, int]] | None = None
        self._passed_on: frozenset[str] = frozenset()  # of the last `/api/tags`
        self._info: dict[str, Cached[ModelInfo]] = {}
        self._version: tuple[int, ...] = ()
        self._answered: dict[str, int] = {}  # num_ctx of the last answer, by full name

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    # -- asks Ollama ------------------------------------------------------------------------------------------

    async def version(self) -> str:
        """`/api/version`."""
        version = str((await self._call("GET", "/api/version")).get("version", ""))
        self._version = tuple(int(part) for part in re.findall(r"\d{1,9}", version)[:2])
        return version

    async def tags(self) -> Mapping[str, int]:
        """`/api/tags`: size in bytes by full model name."""
        try:
            rows = _rows(await self._call("GET", "/api/tags"))
        except Exception:
            self._tags = _aged(self._tags)
            raise
        value = {full_name(str(r.get("name") or r.get("model"))): whole(r.get("size")) for r in rows}
        self._tags = Cached(value, self._clock())
        self._passed_on = frozenset(
            full_name(str(r.get("name") or r.get("model"))) for r in rows if runs_elsewhere(r)
        )
        return value

    async def ps(self) -> tuple[Loaded, ...]:
        """`/api/ps`: the models in memory."""
        try:
            rows = _rows(await self._call("GET", "/api/ps"))
        except Exception:
            self._ps = _aged(self._ps)
            raise
        finally:
            self.looked = True
        value = tuple(
            Loaded(
                full_name(str(r.get("name") or r.get("model"))),
                whole(r.get("size")),
                whole(r.get("context_length")),
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
        """A model that has just answered is in memory with `num_ctx`, whatever the last `/api/ps` said."""
        self._answered[full_name(model)] = num_ctx
        if self._ps is None or self._ps.stale:
            return
        rows = [r for r in self._ps.value if r.name != full_name(model)]
        old = next((r for r in self._ps.value if r.name == full_name(model)), Loaded(full_name(model)))
        self._ps = Cached((*rows, replace(old, context_length=num_ctx)), self._ps.at)

    def num_ctx(self, model: str) -> int | None:
        """What the model runs with, whoever asked for it; None when it is not in memory or nobody knows.

        Ollama before 0.12 told it times OLLAMA_NUM_PARALLEL; there only our own last answer counts.
        """
        rows = self.loaded()
        row = next((r for r in rows or () if r.name == full_name(model)), None)
        if rows is not None and row is None:
            return None
        if row is not None and row.context_length and self._version >= (0, 12):
            return row.context_length
        return self._answered.get(full_name(model))

    def info(self, model: str) -> ModelInfo | None:
        """The last `/api/show` of a model, however old."""
        known = self._info.get(full_name(model))
        return known.value if known is not None else None

    def remote(self, model: str) -> bool | None:
        """Whether this Ollama passes the model on to another machine; None while it has told nothing of it."""
        known = self._info.get(full_name(model))
        if full_name(model) in self._passed_on:
            return True
        return known.value.remote if known is not None else None

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


def _rows(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = answer.get("models")
    if not isinstance(rows, list):
        raise OllamaGarbage("no list of models in the answer; is this Ollama?")
    return [r for r in rows if isinstance(r, Mapping) and (r.get("name") or r.get("model"))]


def _aged(cached: Cached[T] | None) -> Cached[T] | None:
    return None if cached is None else Cached(cached.value, cached.at, stale=True)


def _error_text(response: httpx.Response) -> str:
    try:
        return str(response.json().get("error", ""))[:300]
    except (ValueError, AttributeError):
        return response.text[:100]
