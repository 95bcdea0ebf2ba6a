"""Recommended `OLLAMA_MAX_LOADED_MODELS` and `OLLAMA_NUM_PARALLEL`, from RAM and model sizes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aicc_hooks.resilience.config import ContextConfig
from aicc_hooks.resilience.context import GIB, choose_num_ctx, memory_limit, room
from aicc_hooks.resilience.ollama_models import ModelInfo

_SHARE = 0.75  # macOS lets the GPU wire about three quarters of unified memory; the rest is the user's
_MAX_PARALLEL = 4  # one person and a few agents; every place costs a whole KV cache


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to set before starting Ollama, and why in one sentence."""

    max_loaded_models: int
    num_parallel: int
    sentence: str

    @property
    def commands(self) -> tuple[str, ...]:
        """For Ollama as a macOS app; with `ollama serve` export the same names."""
        return (
            f"launchctl setenv OLLAMA_MAX_LOADED_MODELS {self.max_loaded_models}",
            f"launchctl setenv OLLAMA_NUM_PARALLEL {self.num_parallel}",
        )


def total_ram() -> int:
    """Bytes of physical memory (macOS and Linux)."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def usual_num_ctx(info: ModelInfo, context: ContextConfig) -> int:
    """The `num_ctx` a short request asks this model for."""
    memory = memory_limit(context.memory_budget_gb * GIB, info.kv_bytes_per_token)
    limits = info.context_length or None, context.buckets_for(info.name), memory
    return choose_num_ctx(0, *limits) or room(*limits)


def caches(infos: Iterable[ModelInfo], context: ContextConfig) -> dict[str, int]:
    """KV cache of one request of the usual size by full model name, in bytes, where Ollama tells enough."""
    return {i.name: i.kv_bytes_per_token * usual_num_ctx(i, context) for i in infos if i.kv_bytes_per_token}


def recommend(
    ram: int, sizes: Mapping[str, int], kv_bytes: Mapping[str, int] | None = None
) -> Recommendation:
    """`sizes`: bytes on disk by model, the ones in use. `kv_bytes`: KV cache of one request by model, in bytes.

    The largest models are assumed to be loaded together; the first that does not fit ends the count.
    """
    usable = int(ram * _SHARE)
    caches = kv_bytes or {}
    # Weights take their file size plus about 10% (graph, buffers); an unknown cache is taken as 1 GiB.
    needs = sorted(
        ((int(size * 1.1), caches.get(model, GIB)) for model, size in sizes.items() if size > 0), reverse=True
    )
    loaded, used, cache = 0, 0, 0
    for weights, kv in needs:
        if used + weights + kv > usable:
            break
        loaded, used, cache = loaded + 1, used + weights + kv, cache + kv
    if not needs:
        return Recommendation(1, 1, "No models are known yet: pull them, then ask again.")
    if loaded == 0:
        return Recommendation(
            1,
            1,
            f"The largest model needs {(needs[0][0] + needs[0][1]) / GIB:.1f} GiB and about {usable / GIB:.1f} GiB of "
            f"{ram / GIB:.0f} GiB is usable: choose a smaller one or a lower quantisation.",
        )
    parallel = 1
    while parallel < _MAX_PARALLEL and used + cache * parallel <= usable:
        parallel += 1
    return Recommendation(
        loaded,
        parallel,
        f"{loaded} of {len(needs)} models fit together in {usable / GIB:.1f} GiB of {ram / GIB:.0f} GiB "
        f"(weights and one context each: {used / GIB:.1f} GiB), with {parallel} request(s) at a time.",
    )
