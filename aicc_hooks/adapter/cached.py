"""The response cache at the gate: asked after key check and verdict, before LiteLLM does any work.

Behind LiteLLM's own cache seam a hit would still cost its auth, hooks and router (32–42 ms of 48–61,
measured), streams would be stored twice, and identical concurrent requests could not share a call.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson

from aicc_hooks.adapter import prompts
from aicc_hooks.adapter.asgi import Message
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.embedder import Embed, SemanticSwitch
from aicc_hooks.adapter.keeping import worth_keeping
from aicc_hooks.cache import CacheConfig, CacheControl, CacheHit, CacheRequest, ResponseCache, report
from aicc_hooks.cache.metrics import CacheMetrics
from aicc_hooks.cache.rules import lookup_refusal
from aicc_hooks.cache.semantic import SemanticTier
from aicc_hooks.cache.singleflight import SingleFlight
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.payload.replay import stream_of, with_model
from aicc_hooks.redis_env import redis_settings
from aicc_hooks.redis_link import RedisLink
from aicc_hooks.redis_link import key as redis_key
from aicc_hooks.resilience.health_check import ProbeFailed

log = logging.getLogger("aicc_hooks")

_LARGE = 64_000  # characters of a request whose keys are made in a thread

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

    def __init__(
        self,
        home: Path,
        env: Mapping[str, str],
        embed: Embed,
        identify: Callable[[str], Awaitable[str]],
    ) -> None:
        self.switch = SemanticSwitch(home, embed, identify)
        self.metrics = CacheMetrics()  # of the process, whatever the policy says in between
        self.link = RedisLink(redis_settings(env))
        self.flights: SingleFlight[Message] = SingleFlight(size=_size)
        self.cache: ResponseCache | None = None
        self._stale = False
        self._secret = b""
        self._key_id = ""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._config = CacheConfig()
        self._detector: PrivacyDetector | None = None

    def configure(self, config: CacheConfig, detector: PrivacyDetector) -> None:
        """Take a policy into force, from any thread; a changed section starts with an empty memory tier."""
        self._detector = detector
        if config != self._config:
            self._config = config
            self._stale = True
        self.link.limit(config.redis_timeout_ms)

    def ready(self, master_key: str) -> ResponseCache | None:
        """The cache, made when the key is known: gateways with one key share what Redis holds."""
        if not master_key:
            return None
        if self.cache is None or self._stale:
            self._stale = False
            self._close(self.cache)
            self.switch.forget()
            self._secret = hashlib.blake2b(master_key.encode(), person=b"aicc-cache", digest_size=32).digest()
            self._key_id = hashlib.blake2b(
                master_key.encode(), person=b"aicc-key-id", digest_size=8
            ).hexdigest()
            # Also when it is off: requests under way still hold on to one, and it must refuse what they bring.
            self.cache = ResponseCache(
                self._config, secret=self._secret, link=self.link, metrics=self.metrics
            )
        return self.cache if self._config.enabled else None

    @property
    def enabled(self) -> bool:
        """As the policy in force says."""
        return self._config.enabled

    @property
    def problem(self) -> str:
        """Why the semantic tier is off although the policy says `on`."""
        asked = self._config.enabled and self._config.semantic == "on"
        return self.switch.reason if asked and self.switch.threshold is None else ""

    def counters(self) -> dict[str, int]:
        """Counts since this process began, for the metrics of all processes."""
        found = self.metrics.counters() | {"cache_followers": self.flights.counters.followed}
        if self.cache is not None:
            found["cache_evictions_memory"] = self.cache.memory.evictions
        return found

    def picture(self) -> dict[str, Any]:
        """What is held now, for metrics and status."""
        cache = self.cache
        if cache is None:
            return {}
        held: dict[str, Any] = {"memory": {"entries": len(cache.memory), "bytes": cache.memory.bytes}}
        if (shared := report.held(cache.shared)) is not None:
            held["redis"] = shared
        if cache.semantic is not None:
            about = cache.semantic.stats()
            held["semantic"] = {"entries": about.get("entries"), "bytes": about.get("bytes")}
        return held

    async def keep(self, master_key: str) -> None:
        """Once a second: read what other gateways added, notice a calibration or another embedder."""
        if self.ready(master_key) is None:
            return
        changed = await self.switch.look(self._config)
        cache = self.ready(master_key)  # the policy may have changed meanwhile
        if cache is None:
            return
        if changed:
            cache.semantic = tier = self._tier()
            if tier is not None:
                self._spawn(tier.warm())
        cache.start()

    def _tier(self) -> SemanticTier | None:
        return self.switch.tier(self._config, secret=self._secret, link=self.link, metrics=self.metrics)

    def _close(self, old: ResponseCache | None) -> None:
        """End a replaced cache; its writes go on for a moment."""
        if old is not None:
            self._spawn(old.aclose())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def request_of(self, call: Call, headers: Mapping[bytes, bytes]) -> CacheRequest | None:
        """What the cache is asked for this call, or None when it must not be asked at all."""
        kind, decision, verdict = _KINDS.get(call.endpoint), call.decision, call.verdict
        if kind is None or decision is None or verdict is None or call.body is None or not decision.cache:
            return None
        if call.stream and prompts.are_several(call):
            # A stream is kept as one answer with one end, and each prompt's may end in its own way.
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
        if call.extract is not None and sum(len(s.text) for s in call.extract.segments) > _LARGE:
            await asyncio.to_thread(self.cache.prepare, request)
        hit = await self.cache.get(request)
        call.timings["cache"] = (time.perf_counter() - begin) * 1000
        if hit is None:
            asked = not lookup_refusal(request, self._config) and self.cache.key(request)
            call.cache_tier = "miss" if asked else "bypass"
            return None
        call.cache_tier, call.cache_age_s, call.cache_similarity = hit.label, hit.age, hit.similarity
        return hit

    def replay(self, call: Call, hit: CacheHit) -> list[Message]:
        """ASGI messages that tell a stored answer, whole or as a stream."""
        whole = with_model(orjson.loads(hit.value), call.requested)
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
    ) -> AsyncGenerator[Message, None]:
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

        async with aclosing(
            self.flights.join(f"{key}:{call.stream}" if key else None, open_upstream)
        ) as flight:
            async for message in flight:
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
        left = False

        async def work() -> None:
            try:
                await run(messages.put)
            finally:
                if not left:  # else nobody makes room in a full queue, and this task would wait for ever
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
            left = True
            task.cancel()
            if not task.done():
                await asyncio.gather(task, return_exceptions=True)

    async def _keep(self, call: Call, request: CacheRequest, body: bytes) -> None:
        assert self.cache is not None
        if call.attempts and call.decision is not None and call.attempts[-1].group != call.decision.route:
            self.metrics.refused["fallback"] += 1  # the key names the model that did not answer
            return
        if call.cut:  # a hit would not say so
            self.metrics.refused["cut"] += 1
            return
        try:
            whole = await asyncio.to_thread(
                worth_keeping, self._detector, call.endpoint, body, stream=call.stream
            )
        except Exception as error:  # an odd answer is passed on like any other
            log.error("an answer could not be read for the cache: %s", type(error).__name__)
            return
        if whole is None:
            self.metrics.refused["not whole or with findings"] += 1
            return
        spent = (time.perf_counter() - call.started) * 1000
        await self.cache.put(request, whole, {"ms": round(spent, 1)})

    async def ping(self, value: str) -> str | bytes | None:
        """Write and read back a value of our own, for health. Raises ProbeFailed with the link's reason."""
        name = redis_key("health", "probe")
        await self.link.run(lambda r: r.set(name, value, ex=60), None, write=True)
        found: str | bytes | None = await self.link.run(lambda r: r.get(name), None)
        if found is None and (why := self.link.health()["detail"]):
            raise ProbeFailed(f"Redis: {why}")
        return found

    async def stop(self) -> None:
        """Finish writes and close Redis."""
        if self.cache is not None:
            await self.cache.aclose()
        await self.link.aclose()


def _size(message: Message) -> int:
    return len(message.get("body", b"")) + 64


async def _rest(messages: asyncio.Queue[Message | None]) -> list[Message]:
    rest: list[Message] = []
    while (message := await messages.get()) is not None:
        rest.append(message)
    return rest
