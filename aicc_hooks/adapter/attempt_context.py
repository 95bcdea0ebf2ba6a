"""How much context an attempt at Ollama gets: the `num_ctx` to send, from policy, model, memory and what is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.catalog import ModelGroup, server_name
from aicc_hooks.resilience.config import ResilienceConfig
from aicc_hooks.resilience.context import GIB, choose_num_ctx, memory_limit, room, too_long
from aicc_hooks.resilience.ollama import OllamaClient


class AttemptContext:
    """One per process. `clients`: by address; `config`: the policy in force."""

    def __init__(self, clients: Mapping[str, OllamaClient], config: Callable[[], ResilienceConfig]) -> None:
        self._clients = clients
        self._config = config
        self._num_ctx: dict[tuple[str, str], int] = {}

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
        if client is None or call.needs is None or call.needs.mode != "chat":
            return {}
        name = server_name(attempt.model)
        attempt.loading = client.is_loaded(name) is False
        call.cold_start = call.cold_start or attempt.loading
        limit = self._room(attempt.address, name)
        info = client.info(name)
        context = self._config().context
        memory = memory_limit(context.memory_budget_gb * GIB, info.kv_bytes_per_token) if info else None
        key = (attempt.address, name)
        loaded = None if attempt.loading else self._num_ctx.get(key)
        chosen = choose_num_ctx(
            call.needs.tokens,
            (info.context_length or None) if info else None,
            context.buckets_for(name),
            memory,
            loaded=loaded,
        )
        if chosen is None:
            raise too_long(name, call.needs.tokens, limit, model_max=info.context_length if info else None)
        self._num_ctx[key] = chosen
        attempt.num_ctx = chosen
        added: dict[str, Any] = {"num_ctx": chosen}
        cold = self._config().cold_start
        keep = cold.keep_alive.get(name, cold.default_keep_alive)
        if keep is not None:
            added["keep_alive"] = keep
        return added

    def _room(self, address: str, name: str) -> int:
        client = self._clients.get(address)
        info = client.info(name) if client is not None else None
        context = self._config().context
        memory = memory_limit(context.memory_budget_gb * GIB, info.kv_bytes_per_token) if info else None
        return room((info.context_length or None) if info else None, context.buckets_for(name), memory)
