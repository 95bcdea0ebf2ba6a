"""The response cache at the gate: asked after key check and verdict, before LiteLLM does any work.

Behind LiteLLM's own cache seam a hit would still cost its auth, hooks and router (32–42 ms of 48–61,
LITELLM facts §8.1), streams would be stored twice, and identical concurrent requests could not share a call.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import orjson

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.calls import Call
from aicc_hooks.cache import CacheConfig, CacheControl, CacheHit, CacheRequest, ResponseCache
from aicc_hooks.cache.calibrate import load, tier_threshold
from aicc_hooks.cache.metrics import CacheMetrics
from aicc_hooks.cache.semantic import SemanticTier
from aicc_hooks.cache.singleflight import SingleFlight
from aicc_hooks.detect.complexity import split_ask
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.payload import extract
from aicc_hooks.payload.replay import stream_of, whole_of, with_model
from aicc_hooks.payload.response import parse_response
from aicc_hooks.redis_link import RedisLink, RedisSettings
from aicc_hooks.redis_link import key as redis_key
from aicc_hooks.verdict import Decision, Role, Verdict

log = logging.getLogger("aicc_hooks")

Message = MutableMapping[str, Any]
Embed = Callable[[str, str], Awaitable[list[float]]]

# The gateway's endpoint names → the cache's.
_KINDS = {"chat": "chat", "completions": "completion", "responses": "responses", "messages": "messages",
          "embeddings": "embedding", "rerank": "rerank"}  # fmt: skip


class UpstreamAnswer(Exception):
    """A shared call ended in an error response; whoever led it passes the response on."""

    def __init__(self, messages: list[Message]) -> None:
        super().__init__("the shared call was answered with an error")
        self.messages = messages


class Cached:
    """One per process: cache object, single-flight and Redis link."""

    def __init__(self, home: Path, env: Mapping[str, str], embed: Embed) -> None:
        self._home = home
        self._embed = embed
        self.link = RedisLink(redis_settings(env))
        self.flights: SingleFlight[Message] = SingleFlight(size=_size)
        self.cache: ResponseCache | None = None
        self.semantic_off = "not calibrated"
        self._key_id = ""
        self._config = CacheConfig()
        self._detector: PrivacyDetector | None = None

    def configure(self, config: CacheConfig, detector: PrivacyDetector) -> None:
        """Take a policy into force; a changed section starts with an empty memory tier."""
        self._detector = detector
        if config != self._config:
            self._config = config
            self.cache = None

    def ready(self, master_key: str) -> ResponseCache | None:
        """The cache, made when the key is known: gateways with one key share what Redis holds."""
        if not self._config.enabled or not master_key:
            return None
        if self.cache is None:
            secret = hashlib.blake2b(master_key.encode(), person=b"aicc-cache", digest_size=32).digest()
            self._key_id = hashlib.blake2b(
                master_key.encode(), person=b"aicc-key-id", digest_size=8
            ).hexdigest()
            metrics = CacheMetrics()
            self.cache = ResponseCache(
                self._config,
                secret=secret,
                link=self.link,
                semantic=self._semantic(secret, metrics),
                metrics=metrics,
            )
        return self.cache

    def _semantic(self, secret: bytes, metrics: CacheMetrics) -> SemanticTier | None:
        name = self._config.semantic_embedder
        calibration = load(self._home / "calibration.json", name)
        threshold, self.semantic_off = tier_threshold(
            self._config.semantic, calibration, bound=self._config.false_hit_bound
        )
        if threshold is None:
            return None

        async def embed(text: str) -> list[float]:
            return await self._embed(name, text)

        return SemanticTier(
            self._config,
            embed=embed,
            embedder=name,
            threshold=threshold,
            split=split_ask,
            secret=secret,
            link=self.link,
            metrics=metrics,
        )

    def request_of(self, call: Call, headers: Mapping[bytes, bytes]) -> CacheRequest | None:
        """What the cache is asked for this call, or None when it must not be asked at all."""
        kind, decision, verdict = _KINDS.get(call.endpoint), call.decision, call.verdict
        if kind is None or decision is None or verdict is None or call.body is None or not decision.cache:
            return None
        control = CacheControl.parse(
            headers.get(b"cache-control", b"").decode("latin-1"), call.body.get("cache")
        )
        return CacheRequest(
            group=decision.route, body=call.body, endpoint=kind, variant=decision.variant,
            # An e-mail address does not make a request private, and still must not stand in Redis.
            private=decision.local_only or bool(verdict.privacy.types),
            flagged=verdict.injection.flagged, key_id=self._key_id, user=call.user, control=control,
            semantic=headers.get(b"x-aicc-semantic", b"").strip().lower() != b"off",
        )  # fmt: skip

    async def lookup(self, call: Call, request: CacheRequest) -> CacheHit | None:
        """A stored answer; notes tier, age and time on the call."""
        assert self.cache is not None
        begin = time.perf_counter()
        hit = await self.cache.get(request)
        call.timings["cache"] = (time.perf_counter() - begin) * 1000
        if hit is None:
            call.cache_tier = "miss" if self.cache.flight_key(request) else "bypass"
            return None
        call.cache_tier, call.cache_age_s, call.cache_similarity = hit.label, hit.age, hit.similarity
        return hit

    def replay(self, call: Call, hit: CacheHit) -> list[Message]:
        """ASGI messages that tell a stored answer, whole or as a stream."""
        whole = with_model(call.endpoint, orjson.loads(hit.value), call.requested)
        if call.stream:
            options = call.body.get("stream_options") if call.body else None
            wants = isinstance(options, dict) and options.get("include_usage") is True and not call.hide_usage
            body = b"".join(stream_of(call.endpoint, whole, include_usage=wants))
            kind = b"text/event-stream; charset=utf-8"
        else:
            body, kind = orjson.dumps(whole), b"application/json"
        headers = [(b"content-type", kind), (b"age", str(int(hit.age)).encode())]
        if not call.stream:
            headers.append((b"content-length", str(len(body)).encode()))
        return [
            {"type": "http.response.start", "status": 200, "headers": headers},
            {"type": "http.response.body", "body": body, "more_body": False},
        ]

    async def share(
        self,
        call: Call,
        request: CacheRequest,
        run: Callable[[Callable[[Message], Awaitable[None]]], Awaitable[None]],
    ) -> AsyncIterator[Message]:
        """ASGI messages of one upstream call, shared by identical requests under way. Raises UpstreamAnswer.

        `run(send)` runs LiteLLM's stack. Streams share with streams, whole answers with whole answers.
        """
        assert self.cache is not None
        key = self.cache.flight_key(request)
        led = False

        def open_upstream() -> AsyncIterator[Message]:
            nonlocal led
            led = True
            return self._fly(call, request, run)

        async for message in self.flights.join(f"{key}:{call.stream}" if key else None, open_upstream):
            if not led and call.cache_tier != "exact":
                call.cache_tier, call.cache_age_s = "exact", 0.0
            yield message

    async def _fly(
        self,
        call: Call,
        request: CacheRequest,
        run: Callable[[Callable[[Message], Awaitable[None]]], Awaitable[None]],
    ) -> AsyncIterator[Message]:
        messages: asyncio.Queue[Message | None] = asyncio.Queue(maxsize=64)

        async def work() -> None:
            try:
                await run(messages.put)
            finally:
                await messages.put(None)

        task = asyncio.ensure_future(work())
        kept: list[bytes] = []
        status = 0
        try:
            while (message := await messages.get()) is not None:
                if message["type"] == "http.response.start":
                    status = int(message["status"])
                    if status >= 400:
                        raise UpstreamAnswer([message, *await _rest(messages)])
                else:
                    kept.append(message.get("body", b""))
                    if not message.get("more_body") and status == 200:
                        await self._keep(call, request, b"".join(kept))
                yield message
            await task
        finally:
            task.cancel()

    async def _keep(self, call: Call, request: CacheRequest, body: bytes) -> None:
        assert self.cache is not None
        whole = whole_of(call.endpoint, body) if call.stream else body
        if whole is None or await asyncio.to_thread(self._tells_something, call.endpoint, whole):
            return
        spent = (time.perf_counter() - call.started) * 1000
        await self.cache.put(request, whole, {"ms": round(spent, 1)})

    def _tells_something(self, endpoint: str, whole: bytes) -> bool:
        """True when the answer holds a finding, which a model may invent or a tool bring in."""
        if endpoint in ("embeddings", "rerank"):
            return False
        output = parse_response(endpoint, whole, stream=False).output
        text = orjson.dumps(output).decode().replace("\\n", "\n")
        try:
            return self._detector is None or any(
                f.action != "ignore" for f in self._detector.find(text, Role.ASSISTANT)
            )
        except Exception:
            return True

    async def ping(self, value: str) -> str | bytes | None:
        """Write and read back a value of our own, for health."""
        name = redis_key("health", "probe")
        await self.link.run(lambda r: r.set(name, value, ex=60), None, write=True)
        found: str | bytes | None = await self.link.run(lambda r: r.get(name), None)
        return found

    async def stop(self) -> None:
        """Finish writes and close Redis."""
        if self.cache is not None:
            await self.cache.aclose()
        await self.link.aclose()


def redis_settings(env: Mapping[str, str]) -> RedisSettings | None:
    """REDIS_URL, or REDIS_HOST with PORT, PASSWORD, USERNAME, DB, SSL; None when Redis is not configured."""
    if env.get("REDIS_URL"):
        return RedisSettings(url=env["REDIS_URL"])
    if env.get("REDIS_SOCKET"):
        return RedisSettings(unix_socket=env["REDIS_SOCKET"], password=env.get("REDIS_PASSWORD") or None)
    if not env.get("REDIS_HOST"):
        return None
    port = env.get("REDIS_PORT") or "6379"
    return RedisSettings(
        host=env["REDIS_HOST"],
        port=int(port) if port.isdigit() else 6379,
        db=int(env["REDIS_DB"]) if env.get("REDIS_DB", "").isdigit() else 0,
        username=env.get("REDIS_USERNAME") or None,
        password=env.get("REDIS_PASSWORD") or None,
        tls=env.get("REDIS_SSL", "").lower() in ("1", "true", "yes"),
    )


async def embed_with(router: Any, model: str, text: str) -> list[float]:
    """A vector from LiteLLM's router, as a call of our own that may only go to a local model."""

    async def ask() -> list[float]:
        inner = Call(
            endpoint="embeddings",
            requested=model,
            verdict=Verdict(),
            extract=extract("embeddings", {"input": text}),
        )
        inner.decision = Decision(route=model, local_only=True, cache=False)
        calls.enter(inner)
        try:
            response = await router.aembedding(model=model, input=[text])
        finally:
            calls.leave(inner)
        row = response.data[0]
        return list(row["embedding"] if isinstance(row, dict) else row.embedding)

    # A context of its own: hooks must find this inner call, and the request's call stays as it is.
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().create_task(ask(), context=context)


def _size(message: Message) -> int:
    return len(message.get("body", b"")) + 64


async def _rest(messages: asyncio.Queue[Message | None]) -> list[Message]:
    rest: list[Message] = []
    while (message := await messages.get()) is not None:
        rest.append(message)
    return rest
