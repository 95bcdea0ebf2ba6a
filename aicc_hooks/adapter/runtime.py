"""The process-wide state the hooks share: policy in force, detectors, catalog, locality, self-test."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

import litellm

from aicc_hooks.adapter import embedding_limit, savings, trials
from aicc_hooks.adapter.cached import Cached
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.adapter.embedder import embed_with
from aicc_hooks.adapter.judging import Judging
from aicc_hooks.adapter.observe import Observer
from aicc_hooks.adapter.recorder import Recorder
from aicc_hooks.adapter.upstreams import Upstreams
from aicc_hooks.cache.embedder_id import embedder_id
from aicc_hooks.catalog import Catalog, address_of, build_catalog, keys_of
from aicc_hooks.errors import ConfigError
from aicc_hooks.home import home_dir, policy_path
from aicc_hooks.inspection import Active, Inspector
from aicc_hooks.locality import Locality
from aicc_hooks.payload.references import AnswerItems
from aicc_hooks.policy import LoadedPolicy, Policy, PolicyStore
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.resilience.probes import litellm_probe
from aicc_hooks.sticky import StickySessions

log = logging.getLogger("aicc_hooks")

_POLL_S = 1.0  # a changed policy must be in force within 2 s
_LOCALITY_REFRESH_S = 25.0  # under Locality's 30 s, so that requests find a fresh answer


class Runtime:
    """One per process. Everything here is safe to use before LiteLLM has finished loading."""

    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        self.env = env
        self.home = home_dir(env)
        self.started = time.time()
        self.counters: Counter[str] = Counter()
        self.problems: dict[str, str] = {}  # self-test name → what is wrong; shown in health
        self.fatal: str = ""  # a seam privacy rests on is broken: nothing is served
        self.known_leaks: tuple[str, ...] = ()  # foreign callbacks the policy allows to see raw text
        self.unsaved: Mapping[
            str, str
        ] = {}  # savings that a setting of config.yaml forbids, and that setting
        self.inspector: Inspector | None = None
        self._tested: asyncio.Task[Any] | None = None
        self.locality = Locality(())
        self.catalog = Catalog()
        self._catalog_source: tuple[int, int] = (0, 0)
        self.judging = Judging(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self.recorder = Recorder(self.home, env)
        self.upstreams = Upstreams(self.home)
        self.cached = Cached(self.home, env, self._embed, self._identify)
        self.sticky = StickySessions(self.recorder.database, self._session_names)
        self.items = AnswerItems()
        self.store = PolicyStore(policy_path(self.config_path(), env), groups=self._groups)
        self.store.on_change(self._adopt)
        self.experiments = trials.store_of(self)
        self.observer = Observer(self)

    # --- policy -----------------------------------------------------------------------------

    def _adopt(self, loaded: LoadedPolicy) -> None:
        self.inspector = Inspector.of(loaded.policy)
        self.locality = Locality(loaded.policy.local_hosts)
        self.recorder.configure(loaded.policy, self.inspector.privacy)
        self.upstreams.configure(loaded.policy.resilience)
        self.cached.configure(loaded.policy.cache, self.inspector.privacy)
        self._catalog_source = (0, 0)  # locality may have changed: rebuild
        for problem in self.inspector.privacy.pattern_problems:
            log.warning("policy pattern disabled: %s: %s; %s", problem.field, problem.reason, problem.fix)

    def _groups(self) -> Iterable[str] | None:
        router = self.router()
        return None if router is None else [str(m.get("model_name")) for m in router.model_list]

    def _session_names(self, session: str) -> tuple[str, ...]:
        redactor = self.recorder.redactor
        return (redactor.pseudonym(session, "session") if redactor else session, session)

    @property
    def policy(self) -> Policy:
        """The policy in force. Raises ConfigError while there is no good one."""
        if self.store.current is None:
            raise ConfigError(self.store.error or "no policy loaded")
        return self.store.current.policy

    def saves(self, name: str) -> bool:
        """Whether a saving of the policy's section `speed` is made: config.yaml asks for nothing it would leave out."""
        return getattr(self.policy.speed, name) is True and name not in self.unsaved

    # --- LiteLLM's globals ------------------------------------------------------------------

    @staticmethod
    def router() -> Any:
        """LiteLLM's router, or None while the proxy is still loading."""
        server = sys.modules.get("litellm.proxy.proxy_server")
        return getattr(server, "llm_router", None)

    def master_key(self) -> str:
        """The key clients must send; "" while none is configured."""
        server = sys.modules.get("litellm.proxy.proxy_server")
        key = getattr(server, "master_key", None)
        return str(key) if key else ""

    @staticmethod
    def config_path() -> Path | None:
        """config.yaml that LiteLLM loaded, or None."""
        server = sys.modules.get("litellm.proxy.proxy_server")
        found = getattr(server, "user_config_file_path", None)
        return Path(str(found)).resolve() if found else None

    # --- catalog ----------------------------------------------------------------------------

    async def refresh_catalog(self, *, force: bool = False) -> Catalog:
        """Rebuild the catalog when the router's model list changed. DNS runs off the loop."""
        router = self.router()
        if router is None:
            return self.catalog
        source = (id(router), len(router.model_list))
        if source != self._catalog_source or force:
            models = list(router.model_list)
            default = self.ollama_default()
            addresses = {address_of(m.get("litellm_params") or {}, ollama_default=default) for m in models}
            local = await asyncio.to_thread(lambda: {a: self.locality.check(a) for a in addresses if a})
            catalog = build_catalog(models, local, ollama_default=default, learnt=self.upstreams.learnt)
            self.upstreams.adopt(catalog, getattr(router, "fallbacks", None) or (), keys_of(models, default))
            self.catalog = catalog.with_context(self.upstreams.context.of_group)
            await asyncio.to_thread(trials.poll, self.experiments)
            self._catalog_source = source
        return self.catalog

    def ollama_default(self) -> str:
        """Where LiteLLM sends `ollama/` models that name no api_base."""
        return self.env.get("OLLAMA_API_BASE", "")

    @property
    def active(self) -> Active:
        """The detectors whose hooks stand in config.yaml's callbacks."""
        parts = {getattr(callback, "aicc_part", "") for callback in litellm.callbacks}
        return Active("privacy" in parts, "injection" in parts, "complexity" in parts)

    # --- judging ----------------------------------------------------------------------------

    async def judge(self, call: Call) -> None:
        """Fill in the call's verdict and decision. Raises ConfigError without a policy."""
        await self.judging.judge(call)

    async def ensure_tested(self) -> None:
        """Run LiteLLM's seams self-test once, when the proxy has finished loading. Waits for it."""
        if self._tested is None and self.router() is not None:
            from aicc_hooks.adapter import selftest

            self._tested = asyncio.get_running_loop().create_task(selftest.run(self))
            self._tested.add_done_callback(self._loaded)
        if self._tested is not None and not self._tested.done():
            await asyncio.shield(self._tested)

    def _loaded(self, _: Any) -> None:
        if self.store.current is not None and self.store.current.policy.speed.garbage:
            savings.collect_less()

    # --- lifecycle --------------------------------------------------------------------------

    def start(self) -> None:
        """Start background work in the running loop; harmless without one."""
        if missing := embedding_limit.install(self):
            self.problems["embedding_limit"] = f"embeddings have no time limit: {missing}"
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            self._spawn(self._tick())
            self._spawn(self._keep_cache())
            self._spawn(self._refresh_prompts())

    async def stop(self) -> None:
        """Commit what is queued and end delivery; called when the server shuts down."""
        await self.observer.stop()
        await self.upstreams.stop()
        await self.cached.stop()
        await self.judging.stop()
        await self.recorder.stop_delivery()
        if not await asyncio.to_thread(self.recorder.close):
            log.error("some records were not written before the end")

    async def _start_upstreams(self) -> None:
        """Begin probing once LiteLLM's models are known."""
        if self.upstreams.health is not None or self.router() is None:
            return
        await self.refresh_catalog()
        recorder = self.recorder
        self.upstreams.start(
            redis=self.cached.ping if self.cached.link.settings is not None else None,
            litellm=lambda: litellm_probe(self.problems, lambda: self.fatal),
            langfuse=recorder.langfuse_probe if recorder.exporter is not None else None,
            backlog=recorder.backlog if recorder.exporter is not None else None,
            link=self.cached.link,
        )
        self.observer.start()
        self._spawn(self._learn_models())

    async def _embed(self, model: str, text: str) -> list[float]:
        return await embed_with(self.router(), model, text, self._give_up)

    async def _identify(self, group: str) -> str:
        return await embedder_id(await self.refresh_catalog(), group)

    def _give_up(self, attempts: list[Attempt]) -> None:
        """End what nobody ended; a cancelled call reports to no hook."""
        for attempt in attempts:
            if not attempt.ended:
                self.upstreams.end(attempt, Outcome.CANCELLED)

    async def _learn_models(self) -> None:
        await self.upstreams.learn_models()
        await self.refresh_catalog(force=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refresh_prompts(self) -> None:
        """Managed prompts, in a loop of their own: a slow Langfuse must not delay a changed policy."""
        while True:
            try:
                await asyncio.to_thread(self.experiments.prompts.refresh)
            except Exception as error:
                self.counters["prompt_failures"] += 1
                log.error("managed prompts could not be refreshed: %s", type(error).__name__)
            await asyncio.sleep(_POLL_S)

    async def _keep_cache(self) -> None:
        """In a loop of its own: it may wait for Ollama and Redis."""
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                if self.router() is not None:
                    await self.cached.keep(self.master_key())
            except Exception as error:
                self.counters["cache_upkeep_failures"] += 1
                log.error("cache upkeep failed: %s", type(error).__name__)

    async def _tick(self) -> None:
        """Policy and locality upkeep. A failure never ends the loop; of failures in a row the 1st, 61st, … is logged."""
        last_locality = 0.0
        checked_routes = False
        failed = 0  # in a row
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                await self.ensure_tested()
                await self._start_upstreams()
                force = not checked_routes and self.router() is not None
                before = self.store.error
                place = policy_path(self.config_path(), self.env)
                if place != self.store.path:
                    self.store.path, force = place, True  # `aicc init` made one while we run
                if await asyncio.to_thread(self.store.poll, force=force):
                    log.info("policy %s in force", self.store.current.version if self.store.current else "-")
                if self.store.error and self.store.error != before:
                    log.error("policy refused, keeping the last good one: %s", self.store.error)
                await asyncio.to_thread(trials.poll, self.experiments)
                checked_routes = checked_routes or force
                if time.monotonic() - last_locality > _LOCALITY_REFRESH_S:
                    await self.refresh_catalog(force=True)
                    last_locality = time.monotonic()
                failed = 0
            except Exception as error:
                self.counters["tick_failures"] += 1
                if failed % 60 == 0:
                    log.error("upkeep failed: %s", type(error).__name__)
                failed += 1


_runtime: Runtime | None = None


def get_runtime() -> Runtime:
    """The process's Runtime, made on first use."""
    global _runtime
    if _runtime is None:
        _runtime = Runtime()
    return _runtime
