"""How much context an attempt at Ollama gets: the `num_ctx` to send, from policy, model, memory and what is loaded.

A request with another `num_ctx` than the model runs with reloads it, so what is under way counts too.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.catalog import ModelGroup, server_name
from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.resilience.config import ResilienceConfig
from aicc_hooks.resilience.context import GIB, choose_num_ctx, memory_limit, room, too_long
from aicc_hooks.resilience.loads import Loads
from aicc_hooks.resilience.ollama import OllamaClient
from aicc_hooks.resilience.stopping import stopping

_READ = 200_000  # characters


class AttemptContext:
    """One per process. `clients`: by address; `config`: the policy in force."""

    def __init__(self, clients: Mapping[str, OllamaClient], config: Callable[[], ResilienceConfig]) -> None:
        self._clients = clients
        self._config = config
        self._under_way: dict[tuple[str, str], list[weakref.ref[Call]]] = {}
        self._loads = Loads()

    def of_group(self, group: ModelGroup) -> int:
        """Tokens this group takes here: config, the model's own limit and the memory budget; 0 = unknown."""
        limits = [group.context] if group.context else []
        for deployment in group.deployments:
            if deployment.ollama:
                limits.append(self._room(deployment.address, deployment.name))
        return min(limits) if limits else 0

    def parameters(self, call: Call, attempt: Attempt) -> dict[str, Any]:
        """What to add to the call: num_ctx, keep_alive. Notes a cold start. Raises Refusal: it does not fit (400)."""
        client = self._clients.get(attempt.address)
        if client is None:
            return {}
        name = server_name(attempt.model)
        key = (attempt.address, name)
        if call.endpoint in ("embeddings", "rerank"):
            return self._of_embedding(call, attempt, key)
        if call.needs is None or call.needs.mode != "chat":
            return {}
        others = self._others(key)
        # Ollama lists a model that is still loading, so the first word of an answer tells, not its list.
        loads = client.is_loaded(name) is False or any(a.loading for _, a in others)
        spoke = any(other.spoke for other, _ in others)
        attempt.loading = loads and not spoke
        runs = self._runs(*key)
        chosen = self._choose(call.needs.tokens, *key, runs)
        if chosen is None:
            info, limit = client.info(name), self._room(*key)
            raise too_long(name, call.needs.tokens, limit, model_max=info.context_length if info else None)
        attempt.loading = attempt.loading or runs not in (None, chosen)
        call.cold_start = call.cold_start or attempt.loading
        # A gateway that has just started does not know: such an attempt may load, and its patience says nothing.
        attempt.loading = attempt.loading or not (client.looked or spoke)
        return self._sized(call, attempt, key, chosen)

    def _of_embedding(self, call: Call, attempt: Attempt, key: tuple[str, str]) -> dict[str, Any]:
        """As for chat, but the model's own tokenizer judges whether a text is too long. Rerank's windows may be cut."""
        longest = max((s.text for s in call.extract.segments), key=len, default="") if call.extract else ""
        needed = 0
        if call.endpoint == "embeddings":
            read = longest[
                :_READ
            ]  # more than any embedding model takes, and no more than the loop has time for
            needed = int(
                estimate_tokens(read) * len(longest) / max(1, len(read)) * self._config().context.safety
            )
        added = self._sized(
            call, attempt, key, self._choose(needed, *key, self._runs(*key)) or self._room(*key)
        )
        # The semantic cache's own calls have no needs: nobody would read an error.
        refuses = call.endpoint == "embeddings" and call.needs is not None and not call.cut
        return {**added, "truncate": False} if refuses else added

    def _sized(self, call: Call, attempt: Attempt, key: tuple[str, str], num_ctx: int) -> dict[str, Any]:
        attempt.num_ctx = num_ctx
        self._under_way.setdefault(key, []).append(weakref.ref(call))
        cold = self._config().cold_start
        keep = cold.keep_alive.get(key[1], cold.default_keep_alive)
        return {"num_ctx": num_ctx} if keep is None else {"num_ctx": num_ctx, "keep_alive": keep}

    def ended(self, attempt: Attempt, *, answered: bool) -> bool:
        """An attempt has just ended. True when its answer tells that a load is over."""
        if not answered or not attempt.num_ctx:
            return False
        key = (attempt.address, server_name(attempt.model))
        self._clients[attempt.address].note_loaded(key[1], attempt.num_ctx)
        for _, other in self._others(key):
            other.loading = other.loading and other.num_ctx != attempt.num_ctx
        return attempt.loading

    def to_warm(self, address: str, model: str) -> int:
        """The `num_ctx` to load a model with: what it runs with or is asked for now, else what a short request takes."""
        return self._choose(0, address, model, self._runs(address, model)) or self._room(address, model)

    async def let_load(self, call: Call, work: asyncio.Future[Any]) -> None:
        """Wait for the load an abandoned call is in, if any; Ollama ends a load with the request that began it.

        Else others that wait would start from zero, and a client that gives up sooner than the model loads would never
        get an answer, however often it asks. `work`: the call itself, which may end first.
        """
        attempt = call.attempts[-1] if call.attempts else None
        if attempt is None or attempt.ended or not attempt.loading or call.spoke:
            return
        client, keep = self._clients[attempt.address], attempt.parameters.get("keep_alive")
        load = self._loads.join(client, server_name(attempt.model), attempt.num_ctx, keep)
        while not (work.done() or load.done() or stopping()):
            await asyncio.wait({work, load}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        """Wait for no load any more."""
        await self._loads.stop()

    def _others(self, key: tuple[str, str]) -> list[tuple[Call, Attempt]]:
        """What is under way at a model now."""
        calls = [call for ref in self._under_way.pop(key, ()) if (call := ref()) is not None]
        found = [
            (call, attempt)
            for call in calls
            for attempt in call.attempts
            if attempt.num_ctx and not attempt.ended and (attempt.address, server_name(attempt.model)) == key
        ]
        if found:
            self._under_way[key] = [weakref.ref(call) for call, _ in found]
        return found

    def _runs(self, address: str, name: str) -> int | None:
        """The `num_ctx` a model has, or will have once what is under way is served."""
        asked = max((attempt.num_ctx for _, attempt in self._others((address, name))), default=0)
        client = self._clients.get(address)
        return asked or (client.num_ctx(name) if client is not None else None)

    def _choose(self, tokens: int, address: str, name: str, runs: int | None) -> int | None:
        return choose_num_ctx(tokens, *self._limits(address, name), loaded=runs)

    def _room(self, address: str, name: str) -> int:
        return room(*self._limits(address, name))

    def _limits(self, address: str, name: str) -> tuple[int | None, Sequence[int], int | None]:
        """The model's own length, the buckets of policy, and what the memory budget allows."""
        client = self._clients.get(address)
        info = client.info(name) if client is not None else None
        context = self._config().context
        memory = memory_limit(context.memory_budget_gb * GIB, info.kv_bytes_per_token) if info else None
        return (info.context_length or None) if info else None, context.buckets_for(name), memory
