"""Breaker, queue and health around LiteLLM's attempts: what may be tried now, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aicc_hooks.adapter.attempt_context import AttemptContext
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.catalog import OLLAMA_PROVIDERS, Catalog, Deployment, server_name
from aicc_hooks.errors import Refusal
from aicc_hooks.redis_link import RedisLink
from aicc_hooks.resilience.address import address_key
from aicc_hooks.resilience.circuit_breaker import CircuitBreaker
from aicc_hooks.resilience.classify import Outcome, classify, counted
from aicc_hooks.resilience.cold_start import RequestRate
from aicc_hooks.resilience.config import ResilienceConfig
from aicc_hooks.resilience.health_check import HealthChecker
from aicc_hooks.resilience.limits import FairLimiter
from aicc_hooks.resilience.model_names import settle
from aicc_hooks.resilience.model_servers import ModelServers
from aicc_hooks.resilience.ollama import OllamaClient, OllamaError
from aicc_hooks.resilience.ollama_models import same_model
from aicc_hooks.resilience.permit import Denied, upstream_down
from aicc_hooks.resilience.probes import OllamaProbe, standard_probes
from aicc_hooks.resilience.shared import BreakerSync, RedisStore
from aicc_hooks.resilience.warm_up import Warmer

log = logging.getLogger("aicc_hooks")
_EMBEDS = 2048  # tokens that Ollama reads of a text to embed
_OWN_WORDS = {
    "aicc_upstream_down": "open",
    "aicc_overloaded": "overloaded",
    "aicc_context_too_long": "too_long",
}
_LOOKED_AT_S = 2  # until a server that health looks at on request is known to be back


class Upstreams:
    """One per process. `begin` and `end` bracket every attempt; everything else is bookkeeping around them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.config = ResilienceConfig()
        self.breaker = CircuitBreaker(self.config.breaker)
        self.limiter = FairLimiter(self.config.limits)
        self.rate = RequestRate(self.config.high_qps.window_s)
        self.health: HealthChecker | None = None
        self.warmer: Warmer | None = None
        self.unknown_models: tuple[str, ...] = ()  # that the policy names and config.yaml does not have
        self._given = self.config  # as the policy says
        self._loop: asyncio.AbstractEventLoop | None = None
        self.sync: BreakerSync | None = None
        self._clients: dict[str, OllamaClient] = {}
        self.servers = ModelServers()
        self.context = AttemptContext(self._clients, lambda: self.config)
        self._catalog = Catalog()
        self._fallbacks: dict[str, list[str]] = {}
        self.breaker.subscribe(self._on_transition)

    # --- set-up -----------------------------------------------------------------------------

    def configure(self, config: ResilienceConfig) -> None:
        """Take a policy into force; open circuits and waiting requests stay as they are."""
        self._given = config
        self._name_models()
        self.breaker.configure(config.breaker)
        self.rate = RequestRate(config.high_qps.window_s)
        if self.health is not None:
            self.health.configure(config.health)

    def adopt(
        self,
        catalog: Catalog,
        fallbacks: Iterable[Mapping[str, Any]] = (),
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """Know the upstreams of config.yaml; `fallbacks`: its router_settings.fallbacks; `keys`: by address."""
        self._catalog = catalog
        self._fallbacks = {
            str(name): [str(other) for other in others]
            for rule in fallbacks
            for name, others in rule.items()
            if isinstance(others, list)
        }
        self._name_models()
        for address in {d.address for d in _deployments(catalog) if d.ollama}:
            if address and address not in self._clients:
                self._clients[address] = OllamaClient(address)
        self.servers.adopt(catalog, keys or {})

    def _name_models(self) -> None:
        """Which models of config.yaml the policy means; again when either changes. From any thread."""
        self.config, self.unknown_models = settle(self._given, self._catalog)
        self.limiter.configure(self.config.limits)
        loop, warmer = self._loop, self.warmer
        if loop is not None and warmer is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(warmer.follow, self.config.cold_start.warm_up)

    def start(
        self,
        *,
        redis: Callable[[str], Any] | None,
        litellm: Callable[[], Any],
        langfuse: Callable[[], Any] | None,
        backlog: Callable[[], Any] | None,
        link: RedisLink | None = None,
    ) -> None:
        """Begin probing and warming up in the running loop."""
        if self.health is not None:
            return
        reachable, refused = self.breaker.reachable, self.breaker.unreachable

        def limit() -> float:
            return self.config.health.timeout_s

        probe = OllamaProbe(
            list(self._clients.values()),
            self._expected,
            on_reachable=reachable,
            on_refused=refused,
            limit_s=limit,
        )
        self.health = HealthChecker(
            standard_probes(
                ollama=probe, servers=self.servers.probe(reachable, refused, limit),
                redis=redis, litellm=litellm, langfuse=langfuse, home=self._home, free_mb=lambda: self.config.health.disk_free_mb, backlog=backlog,
                backlog_limit=lambda: self.config.health.spool_backlog, crash_dir=self._home / "logs",
            ),
            self.config.health,
            can_serve=self._other_models,
        )  # fmt: skip
        self.health.start()
        if link is not None and link.settings is not None:
            self.sync = BreakerSync(self.breaker, RedisStore(link))
            self.sync.start()
        self._loop, self.warmer = asyncio.get_running_loop(), Warmer(self._loader_of, self._bucket_of)
        self.warmer.follow(self.config.cold_start.warm_up)

    async def stop(self) -> None:
        """End background work and connections."""
        self._loop = None
        if self.warmer is not None:
            await self.warmer.stop()
        if self.health is not None:
            await self.health.stop()
        if self.sync is not None:
            await self.sync.stop()
        await self.context.stop()
        for client in self._clients.values():
            await client.aclose()
        await self.servers.aclose()

    async def learn_models(self) -> None:
        """Ask each server once what its models can do; unknown stays unknown."""
        await self.servers.look()
        for deployment in _deployments(self._catalog):
            client = self._clients.get(deployment.address)
            if client is not None and client.info(deployment.name) is None:
                with contextlib.suppress(Exception):  # health tells of an Ollama that is away
                    await client.show(deployment.name)

    def learnt(self, address: str, model: str) -> Mapping[str, Any]:
        """What the server at `address` said of a model, as `model_info`; {} while unknown. From memory."""
        client = self._clients.get(address)
        if client is None or model.partition("/")[0] not in OLLAMA_PROVIDERS:
            return self.servers.learnt(address, model)
        name = server_name(model)
        shown = client.info(name)
        able = shown.as_model_info() if shown is not None else {}
        return {**able, "local": False} if client.remote(name) else able

    async def runs_at(self, address: str, model: str) -> bool | None:
        """Whether the server at `address` runs the model itself, as far as it tells; None: an Ollama that tells nothing now."""
        client = self._clients.get(address)
        if client is None:  # `openai/…` at the address of an Ollama is that Ollama
            key = address_key(address)
            client = next((c for a, c in self._clients.items() if address_key(a) == key), None)
        if client is None:
            return True
        name = model.removeprefix("openai/")
        remote = client.remote(name)
        if remote is None:
            try:
                remote = (await client.show(name)).remote
            except OllamaError as error:
                return True if error.status == 404 else None  # it has no such model, and will say so
            except Exception:
                return None
        return not remote

    def takes(self, address: str, model: str) -> Mapping[str, Any]:
        """How much the server at `address` takes of texts to embed or rank, as `model_info`; {} while unknown."""
        client = self._clients.get(address)
        if client is None or model.partition("/")[0] not in OLLAMA_PROVIDERS:
            return self.servers.learnt(address, model)
        shown = client.info(server_name(model))
        trained = shown.context_length if shown is not None else 0
        # A vector of a shorter window says more of it, and 2,048 tokens make no model load with more room.
        return {"max_input_tokens": min(trained, _EMBEDS)} if trained else {}

    # --- before the decision ----------------------------------------------------------------

    def down(self) -> frozenset[str]:
        """Groups that have no usable deployment now."""
        return frozenset(
            group.name
            for group in self._catalog.groups.values()
            if group.deployments and not any(self.breaker.usable(d.upstream, d.id) for d in group.deployments)
        )

    def loaded(self) -> frozenset[str] | None:
        """Groups whose model is in memory; None when nobody knows or the policy does not care."""
        if not self.config.cold_start.prefer_loaded:
            return None
        names: set[str] = set()
        known = False
        for group in self._catalog.groups.values():
            for deployment in group.deployments:
                client = self._clients.get(deployment.address)
                state = client.is_loaded(deployment.name, max_age_s=30) if client is not None else True
                known = known or (client is not None and state is not None)
                if state is not False:
                    names.add(group.name)
        return frozenset(names) if known else None

    def hurried(self) -> str:
        """The group `auto` prefers under high load, or "" (call once a request: it counts)."""
        rule = self.config.high_qps
        return rule.model if rule.enabled and self.rate.tick() > rule.requests_per_s else ""

    def refuse_if_down(self, call: Call) -> None:
        """503 at once when the route and everything config.yaml falls back to is down."""
        route = call.decision.route if call.decision else ""
        group = self._catalog.groups.get(route)
        if group is None or not group.deployments:
            return
        names = [route, *self._fallbacks.get(route, ()), *self._fallbacks.get("*", ())]
        pairs = [
            (deployment.upstream, deployment.id)
            for name in names
            if (other := self._catalog.groups.get(name)) is not None
            for deployment in other.deployments
            if deployment.local or not call.local_only
        ]
        if not pairs or any(self.breaker.usable(*pair) for pair in pairs):
            return
        raise upstream_down(route, self._retry_after(pairs), self.breaker.reason(pairs))

    def refuse_if_full(self, call: Call) -> None:
        """429 at once when no deployment of the route has a place, nor one in its queue.

        LiteLLM's way to an error takes four times the work of an answer (18 ms of CPU): a gateway that was flooded did
        not recover, since refusing left no time to answer.
        """
        group = self._catalog.groups.get(call.decision.route if call.decision else "")
        refusals = [
            self.limiter.refusal(d.name, d.upstream, _client_of(call))
            for d in (group.deployments if group is not None else ())
            if self.breaker.usable(d.upstream, d.id) and (d.local or not call.local_only)
        ]
        if refusals and refusals[0] is not None and None not in refusals:
            self.limiter.refused += 1
            raise refusals[0]

    # --- one attempt ------------------------------------------------------------------------

    async def begin(self, call: Call, attempt: Attempt) -> dict[str, Any]:
        """Admit one attempt; waits for a free place. Returns what to add to the call's parameters.

        Raises Refusal: the circuit is open (503), the queue is full (429), the prompt does not fit (400).
        """
        pair = (attempt.upstream, attempt.deployment)
        try:
            if not self.breaker.usable(*pair):
                raise self._denied(call, attempt, self.breaker.reason([pair]))
            began = time.perf_counter()
            model = server_name(attempt.model)
            attempt.slot = await self.limiter.acquire(model, attempt.upstream, _client_of(call))
            call.timings["queue"] = call.timings.get("queue", 0.0) + (time.perf_counter() - began) * 1000
            # Only now: the circuit may have opened while this waited, and a trial that waits would hold up all others.
            permit = self.breaker.allow(*pair)
            if isinstance(permit, Denied):
                raise self._denied(call, attempt, permit.reason)
            if any(a.upstream == attempt.upstream and a.error == Outcome.SERVER_ERROR for a in call.attempts):
                permit = replace(permit, again=True)
            attempt.permit = permit
            return self.context.parameters(call, attempt)
        except BaseException as error:
            if isinstance(error, Refusal):
                # Not asked at all, for a reason of ours: neither a failure of the model nor a client that left.
                attempt.error = _OWN_WORDS.get(error.code, error.code)
            self.end(attempt, Outcome.CANCELLED)
            raise

    def end(self, attempt: Attempt, outcome: Outcome) -> None:
        """Report what came of an attempt; idempotent."""
        if attempt.slot is not None:
            attempt.slot.release()
        if attempt.permit is not None:
            self.breaker.record(attempt.permit, outcome)
            attempt.permit = None
        if not attempt.ended:
            attempt.ended = time.perf_counter()
            if self.context.ended(attempt, answered=outcome is Outcome.OK) and self.health is not None:
                self.health.nudge("ollama")  # another model may have had to leave for it
        if outcome is not Outcome.OK and not attempt.error:
            attempt.error = outcome.value

    def failed(self, attempt: Attempt, error: BaseException) -> Outcome:
        """Report a failed attempt by its exception."""
        outcome = classify(error, loading=attempt.loading)
        counted(error)
        self.end(attempt, outcome)
        return outcome

    # --- help -------------------------------------------------------------------------------

    def _denied(self, call: Call, attempt: Attempt, reason: str) -> Refusal:
        asked = call.decision.route if call.decision else server_name(attempt.model)
        wait = self._retry_after([(attempt.upstream, attempt.deployment)])
        return upstream_down(asked, wait, reason)

    def _retry_after(self, pairs: Iterable[tuple[str, str]]) -> int:
        """Whole seconds until the first of these (address, deployment) pairs may be tried.

        A server that health looks at is looked at again now: whoever starts Ollama and asks is not told to wait for a
        circuit that grew to a minute meanwhile.
        """
        if self.health is not None:
            self.health.nudge("ollama")
            self.health.nudge("model_servers")

        def wait(address: str, deployment: str) -> int:
            of_address = self.breaker.retry_after([(address, "")])
            if address in self._clients or address in self.servers:
                of_address = min(of_address, _LOOKED_AT_S)
            return max(of_address, self.breaker.retry_after([("", deployment)]))

        return min(wait(*pair) for pair in pairs)

    def _expected(self, address: str) -> Iterable[str]:
        groups = [
            g for g in self._catalog.groups.values() if g.mode != "rerank"
        ]  # reranked through embeddings by default
        asked = [d for g in groups for d in g.deployments]
        # `address` is its client's: without the /v1 or /api that somebody may have written behind it.
        return {
            d.name
            for d in asked
            if d.address == address
            or ((client := self._clients.get(d.address)) is not None and client.base_url == address)
        }

    def _other_models(self) -> bool:
        """Whether a chat model outside Ollama may be asked: a cloud's, or one of another server."""
        chat = (d for group in self._catalog.of_mode("chat") for d in group.deployments)
        return any(not d.ollama and self.breaker.usable(d.upstream, d.id) for d in chat)

    def _loader_of(self, model: str) -> OllamaClient | None:
        found = self._deployment_of(model)
        return self._clients.get(found.address) if found is not None else None

    def _bucket_of(self, model: str) -> int | None:
        found = self._deployment_of(model)
        return self.context.to_warm(found.address, found.name) if found is not None else None

    def _deployment_of(self, model: str) -> Deployment | None:
        """Of a model, by the name its server has for it."""
        return next((d for d in _deployments(self._catalog) if same_model(d.name, model)), None)

    def _on_transition(self, transition: Any) -> None:
        name = self._catalog.deployment_names.get(transition.key, transition.key)
        log.warning("circuit of %s %s: %s → %s", transition.scope, name, transition.old, transition.new)
        # What a probe has just found needs no other look.
        if self.health is not None and not transition.reason.startswith("health probe"):
            self.health.nudge("ollama")


def _client_of(call: Call) -> str:
    """Who waits in line with itself."""
    return call.user or call.session or call.client.partition("/")[0]


def _deployments(catalog: Catalog) -> Collection[Deployment]:
    return [d for group in catalog.groups.values() for d in group.deployments]
