"""Models in policy `resilience`: under which names they are found, and what is said of those that are not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.adapter.status import health
from aicc_hooks.adapter.upstreams import Upstreams
from aicc_hooks.catalog import Catalog, build_catalog
from aicc_hooks.resilience.config import ResilienceConfig
from aicc_hooks.resilience.model_names import settle
from tests.ollama_stub import OllamaStub

A = "http://127.0.0.1:11434"


def catalog(address: str = A, **more: str) -> Catalog:
    models = {
        "qwen-local": "ollama_chat/qwen2.5:14b", "llama-fast": "ollama_chat/llama3.2", "big": "openai/gpt-4o", **more,
    }  # fmt: skip
    entries = [
        {"model_name": name, "litellm_params": {"model": model, "api_base": address}}
        for name, model in models.items()
    ]
    return build_catalog(entries, {address: True})


def settled(found: Catalog | None = None, **sections: Any) -> tuple[ResilienceConfig, tuple[str, ...]]:
    return settle(ResilienceConfig.model_validate(sections), found or catalog())


@pytest.mark.parametrize("word", ["llama3.2", "llama3.2:latest", "llama-fast"])
def test_a_model_is_found_by_its_name_with_and_without_tag_and_by_its_group(word: str) -> None:
    config, unknown = settled(
        limits={"models": {word: 1}},
        context={"models": {word: [4096]}},
        cold_start={"keep_alive": {word: -1}, "warm_up": [{"model": word}]},
        high_qps={"enabled": True, "model": word},
    )
    assert unknown == ()
    assert config.limits.models == {"llama3.2": 1}
    assert config.context.buckets_for("llama3.2") == (4096,)
    assert config.cold_start.keep_alive == {"llama3.2": -1}
    assert [rule.model for rule in config.cold_start.warm_up] == ["llama3.2"]
    assert config.high_qps.model == "llama-fast"


def test_a_models_own_entry_stands_over_its_groups() -> None:
    for order in (("llama-fast", "llama3.2:latest"), ("llama3.2:latest", "llama-fast")):
        values = {"llama-fast": 4, "llama3.2:latest": 1}
        config, _ = settled(limits={"models": {word: values[word] for word in order}})
        assert config.limits.models == {"llama3.2": 1}


def test_names_of_nothing_are_told_with_the_closest() -> None:
    config, unknown = settled(
        limits={"models": {"quen-local": 1}}, cold_start={"warm_up": [{"model": "mistral"}, {"model": "big"}]}
    )
    assert unknown == (
        "resilience.limits.models: 'quen-local' is no model of config.yaml; did you mean 'qwen-local'?",
        "resilience.cold_start.warm_up: 'mistral' is no model of config.yaml",
        "resilience.cold_start.warm_up: 'big' is not served by Ollama",
    )
    assert config.limits.models == {"quen-local": 1}
    assert config.cold_start.warm_up == ()
    assert settled(limits={"models": {"x": 1}}, high_qps={"model": "off anyway"})[1] != ()
    assert settled(high_qps={"model": "off anyway"})[1] == ()
    assert settled(catalog(any="openai/*"), limits={"models": {"x": 1}})[1] == ()
    assert settled(Catalog(), limits={"models": {"x": 1}})[1] == ()


def test_health_tells_of_them(tmp_path: Path) -> None:
    runtime = Runtime({"AICC_HOME": str(tmp_path)})
    runtime.recorder.close()
    runtime.upstreams.configure(ResilienceConfig.model_validate({"limits": {"models": {"quen": 1}}}))
    assert "policy_models" not in asyncio.run(health(runtime))["problems"]
    runtime.upstreams.adopt(catalog())
    assert "'quen'" in asyncio.run(health(runtime))["problems"]["policy_models"]


def test_a_changed_policy_changes_what_is_warmed_up(tmp_path: Path, ollama: OllamaStub) -> None:
    def loads(model: str) -> int:
        return sum(call.path == "/api/generate" and call.model == model for call in ollama.calls)

    async def until(model: str, count: int) -> None:
        while loads(model) < count:
            await asyncio.sleep(0.02)

    async def main() -> None:
        up = Upstreams(tmp_path)
        up.adopt(catalog(ollama.url))
        up.start(redis=None, litellm=lambda: None, langfuse=None, backlog=None)  # type: ignore[arg-type, return-value]

        def rules(*models: str) -> ResilienceConfig:
            warm_up = [{"model": model, "every_s": 0.05} for model in models]
            return ResilienceConfig.model_validate({"cold_start": {"warm_up": warm_up}})

        try:
            await asyncio.to_thread(up.configure, rules("llama-fast"))
            await until("llama3.2:latest", 3)
            await asyncio.to_thread(up.configure, rules("qwen2.5:14b"))
            await until("qwen2.5:14b", 2)
            before = loads("llama3.2:latest")
            await until("qwen2.5:14b", loads("qwen2.5:14b") + 4)
            assert loads("llama3.2:latest") == before
            await asyncio.to_thread(up.configure, rules())
        finally:
            await up.stop()

    asyncio.run(asyncio.wait_for(main(), 60))
