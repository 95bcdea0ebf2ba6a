"""Breaker and queue as an attempt meets them: admitted, refused, and ended by LiteLLM's exceptions."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import litellm
import pytest

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.attempts import Gateway
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.adapter.status import health
from aicc_hooks.adapter.upstreams import Upstreams
from aicc_hooks.catalog import Catalog, Deployment, ModelGroup, build_catalog
from aicc_hooks.errors import Refusal
from aicc_hooks.ops.doctor.model import Context
from aicc_hooks.ops.doctor.running import gateway
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.resilience.config import BreakerConfig, ResilienceConfig
from aicc_hooks.resilience.health_check import ProbeResult
from aicc_hooks.resilience.permit import Permit
from aicc_hooks.verdict import Needs
from tests.ollama_stub import OllamaStub

A = "http://127.0.0.1:11434"


def upstreams(home: Path, **sections: dict[str, Any]) -> Upstreams:
    made = Upstreams(home)
    made.configure(ResilienceConfig.model_validate(sections))
    return made


def attempt(deployment: str = "d1", model: str = "ollama_chat/qwen2.5:14b") -> Attempt:
    return Attempt("qwen-local", deployment, model, A, time.perf_counter())


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def refused() -> Exception:
    failure = litellm.InternalServerError("Cannot connect to host", llm_provider="ollama_chat", model="m")
    failure.__cause__ = ConnectionRefusedError(111, "Connection refused")
    return failure


def test_a_refused_connection_stops_every_model_of_the_address_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path)
        first = attempt()
        await up.begin(Call(), first)
        assert up.failed(first, refused()) is Outcome.REFUSED
        began = time.perf_counter()
        for model in ("qwen2.5:14b", "llama3.2", "bge-m3"):
            with pytest.raises(Refusal) as told:
                await up.begin(Call(), attempt(model, f"ollama_chat/{model}"))
            assert (told.value.code, told.value.status) == ("aicc_upstream_down", 503)
            assert told.value.retry_after is not None
            assert told.value.retry_after >= 1
        assert time.perf_counter() - began < 1

    run(main())


def status(code: int) -> Exception:
    kinds: dict[int, Callable[..., Exception]] = {400: litellm.BadRequestError, 401: litellm.AuthenticationError,
                                                  404: litellm.NotFoundError, 422: litellm.UnprocessableEntityError}  # fmt: skip
    extra = {"response": httpx.Response(code, request=httpx.Request("POST", A))} if code == 422 else {}
    return kinds[code](message="no", model="m", llm_provider="ollama_chat", **extra)


@pytest.mark.parametrize(
    ("error", "loading"),
    [
        (status(400), False), (status(422), False), (asyncio.CancelledError(), False),
        (Refusal("aicc_overloaded", "full", 429), False),
        (litellm.Timeout("slow", model="m", llm_provider="ollama_chat"), True),
        (litellm.InternalServerError("llm server loading model", llm_provider="ollama_chat", model="m"), False),
    ],
)  # fmt: skip
def test_what_is_no_fault_of_the_server_never_opens_a_circuit(
    tmp_path: Path, error: BaseException, loading: bool
) -> None:
    async def main() -> None:
        up = upstreams(tmp_path)
        for _ in range(60):
            one = attempt()
            await up.begin(Call(), one)
            one.loading = loading
            up.failed(one, error)
        assert up.breaker.open_circuits() == {}

    run(main())


def test_health_names_the_circuits_that_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "master_key", lambda _: "sk-test")
    runtime = Runtime({"AICC_HOME": str(tmp_path)})
    runtime.recorder.close()
    models = [
        {"model_name": name, "litellm_params": {"model": f"ollama_chat/{model}", "api_base": A}, "model_info": {"id": ident}}
        for name, model, ident in (("qwen-local", "qwen2.5:14b", "d1"), ("llama-fast", "llama3.2", "d2"))
    ]  # fmt: skip
    runtime.catalog = build_catalog(models, {A: True})
    breaker = runtime.upstreams.breaker
    breaker.configure(BreakerConfig(cooldown_s=600, max_cooldown_s=600, jitter=0))
    assert "circuits" not in asyncio.run(health(runtime))["problems"]
    for _ in range(3):
        permit = breaker.allow(A, "d1")
        assert isinstance(permit, Permit)
        breaker.record(permit, Outcome.OOM)
    told = asyncio.run(health(runtime))["problems"]["circuits"]
    assert re.fullmatch(
        r"qwen-local/qwen2\.5:14b: left alone for \d{3} s \(oom: 3 failures in a row\)", told
    ), told
    seen = Context(
        tmp_path,
        {},
        4000,
        tmp_path / "config.yaml",
        health={"status": "degraded", "problems": {"circuits": told}},
    )
    assert any(finding.found == told for finding in gateway(seen))


def test_only_what_a_probe_has_not_found_itself_makes_it_look_again(tmp_path: Path) -> None:
    nudged: list[str] = []

    class Checker:
        def nudge(self, name: str) -> None:
            nudged.append(name)

    up = upstreams(tmp_path)
    up.health = Checker()  # type: ignore[assignment]
    up.breaker.unreachable(A)
    up.breaker.reachable(A)
    assert nudged == []
    for _ in range(3):
        permit = up.breaker.allow(A, "d1")
        assert isinstance(permit, Permit)
        up.breaker.record(permit, Outcome.OOM)
    assert nudged == ["ollama"]


def test_before_the_first_look_nobody_says_that_a_model_is_in_memory(tmp_path: Path) -> None:
    """The requests that waited for a gateway to start meet models that have to load."""

    async def main() -> None:
        up = upstreams(tmp_path)
        up.adopt(build_catalog([{"model_name": "qwen-local", "litellm_params": {"model": "ollama_chat/qwen2.5:14b", "api_base": A}}], {A: True}))  # fmt: skip
        call, one = Call(endpoint="chat", needs=Needs(tokens=10)), attempt()
        await up.begin(call, one)
        assert one.loading
        assert not call.cold_start  # nor the opposite
        assert up.failed(one, TimeoutError()) is Outcome.LOADING
        await up.stop()

    run(main())


def test_a_request_that_every_model_chokes_on_closes_its_first_choice_alone(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path)
        for _ in range(3):  # a client that tries again twice
            call = Call()
            for model in ("d1", "d2", "d3"):
                one = attempt(model)
                call.attempts.append(one)
                await up.begin(call, one)
                up.failed(one, litellm.InternalServerError("no", llm_provider="ollama_chat", model="m"))
        assert set(up.breaker.open_circuits()) == {("deployment", "d1")}

    run(main())


def test_models_that_fail_for_different_requests_close_their_server(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path)
        for model in ("d1", "d2", "d1"):
            one = attempt(model)
            await up.begin(Call(attempts=[one]), one)
            up.failed(one, litellm.InternalServerError("no", llm_provider="ollama_chat", model="m"))
        with pytest.raises(Refusal):
            await up.begin(Call(), attempt("d3"))

    run(main())


def test_of_fifty_parallel_requests_one_tries_and_the_rest_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path, breaker={"cooldown_s": 0.05, "max_cooldown_s": 0.05, "jitter": 0})
        first = attempt()
        await up.begin(Call(), first)
        up.failed(first, refused())
        await asyncio.sleep(0.06)
        tries = [attempt() for _ in range(50)]
        answers = await asyncio.gather(*(up.begin(Call(), one) for one in tries), return_exceptions=True)
        through = [one for one, answer in zip(tries, answers, strict=True) if isinstance(answer, dict)]
        assert len(through) == 1
        assert sum(isinstance(answer, Refusal) and answer.status == 503 for answer in answers) == 49
        up.end(through[0], Outcome.OK)
        last = attempt()
        await up.begin(Call(), last)
        up.end(last, Outcome.OK)

    run(main())


def test_a_trial_that_finds_the_queue_full_leaves_its_turn_to_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(
            tmp_path,
            breaker={"cooldown_s": 0.05, "max_cooldown_s": 0.05, "jitter": 0, "consecutive_failures": 1},
            limits={"per_model": 1, "queue_length": 0},
        )
        held, broken = attempt("d2"), attempt("d1", "ollama_chat/llama3.2")
        await up.begin(Call(), held)
        await up.begin(Call(), broken)
        up.end(broken, Outcome.SERVER_ERROR)
        await asyncio.sleep(0.06)
        with pytest.raises(Refusal) as told:
            await up.begin(Call(), attempt("d1"))  # a trial of d1, but its model has no place
        assert told.value.status == 429
        up.end(held, Outcome.OK)
        trial = attempt("d1")
        await up.begin(Call(), trial)
        assert trial.permit is not None
        assert trial.permit.trial
        up.end(trial, Outcome.OK)
        assert up.breaker.open_circuits() == {}
        running = [lane["running"] for lane in up.limiter.snapshot()["addresses"].values()]
        assert running == [0]

    run(main())


def cloud(deployment: str, model: str) -> Attempt:
    """At a provider's own cloud: config.yaml names no address."""
    return Attempt("cloud", deployment, model, "", time.perf_counter())


def test_clouds_share_neither_circuit_nor_queue(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path, limits={"per_address": 2})
        for number in range(4):  # a wrong key at one, no credit at the other
            broken = cloud("c", "anthropic/claude") if number % 2 else cloud("o", "openai/gpt")
            await up.begin(Call(), broken)
            code = 401 if number % 2 else 429
            up.failed(broken, litellm.APIError(code, "no", llm_provider="x", model="m"))
        healthy = [cloud("r", "openrouter/llama") for _ in range(2)]
        for one in healthy:
            await up.begin(Call(), one)
        await asyncio.wait_for(
            up.begin(Call(), cloud("c", "anthropic/claude")), 5
        )  # the other cloud's places
        assert set(up.breaker.snapshot()["address"]) == {"cloud:openai", "cloud:anthropic"}
        assert {"cloud:openrouter", "cloud:anthropic"} <= set(up.limiter.snapshot()["addresses"])

    run(main())


def test_a_model_that_was_left_alone_is_no_excuse_for_its_fallback(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path)
        for _ in range(3):
            one = attempt("d1")
            await up.begin(Call(), one)
            up.end(one, Outcome.SERVER_ERROR)
        well = attempt("d3")
        await up.begin(Call(), well)
        up.end(well, Outcome.OK)  # the server is there
        listed = (
            Deployment("d1", "ollama_chat/m", A, local=True),
            Deployment("d2", "ollama_chat/m", A, local=True),
        )
        catalog = Catalog({"qwen-local": ModelGroup("qwen-local", listed)})
        hook = Gateway(SimpleNamespace(upstreams=up, catalog=catalog, ollama_default=lambda: ""))  # type: ignore[arg-type]

        def asked(deployment: str) -> dict[str, Any]:
            return {"model": "ollama_chat/m", "api_base": A, "model_info": {"id": deployment}}

        for _ in range(3):
            call = Call(endpoint="chat")
            calls.enter(call)
            with pytest.raises(litellm.ServiceUnavailableError):
                await hook.async_pre_call_deployment_hook(asked("d1"), "acompletion")
            await hook.async_pre_call_deployment_hook(asked("d2"), "acompletion")
            error = litellm.InternalServerError("no", llm_provider="ollama_chat", model="m")
            await hook.async_post_call_failure_deployment_hook(asked("d2"), error, "acompletion")
            assert [one.error for one in call.attempts] == ["open", "server_error"]
        assert not up.breaker.usable(A, "d2")

    run(main())


def test_who_waits_for_a_model_that_opens_meanwhile_is_told_and_does_not_try_it(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path, breaker={"consecutive_failures": 1}, limits={"per_model": 1})
        held = attempt()
        await up.begin(Call(), held)
        waiting = [attempt() for _ in range(3)]
        pending = [asyncio.ensure_future(up.begin(Call(), one)) for one in waiting]
        await asyncio.sleep(0)
        up.end(held, Outcome.SERVER_ERROR)
        told = await asyncio.gather(*pending, return_exceptions=True)
        assert [getattr(each, "status", None) for each in told] == [503] * 3
        assert [one.error for one in waiting] == ["open"] * 3
        assert [lane["running"] for lane in up.limiter.snapshot()["addresses"].values()] == [0]

    run(main())


def test_a_trial_does_not_stand_in_line(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(
            tmp_path,
            breaker={"cooldown_s": 0.05, "max_cooldown_s": 0.05, "jitter": 0, "consecutive_failures": 1},
            limits={"per_model": 1},
        )
        broken, held = attempt("d1"), attempt("d2")
        await up.begin(Call(), broken)
        up.end(broken, Outcome.SERVER_ERROR)
        await up.begin(Call(), held)  # another deployment of the model has its only place
        await asyncio.sleep(0.06)
        waiting = asyncio.ensure_future(up.begin(Call(), attempt("d1")))
        await asyncio.sleep(0)
        assert up.breaker.usable(A, "d1")  # whoever has a place may try it
        up.end(held, Outcome.OK)
        await waiting
        assert not up.breaker.usable(A, "d1")

    run(main())


def test_what_we_refuse_ourselves_is_recorded_as_such(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path, limits={"per_model": 1, "queue_length": 0})
        held, crowded = attempt(), attempt()
        await up.begin(Call(), held)
        with pytest.raises(Refusal):
            await up.begin(Call(), crowded)
        assert crowded.error == "overloaded"
        assert crowded.ended

    run(main())


def test_limits_reloaded_in_a_thread_wake_waiters_in_their_own_loop(tmp_path: Path) -> None:
    async def main() -> None:
        up = upstreams(tmp_path, limits={"per_model": 1})
        held, second = attempt(), attempt()
        await up.begin(Call(), held)
        waiting = asyncio.ensure_future(up.begin(Call(), second))
        await asyncio.sleep(0)
        assert not waiting.done()
        config = ResilienceConfig.model_validate({"limits": {"per_model": 2}})
        reload = threading.Thread(target=up.configure, args=(config,))
        reload.start()
        reload.join()  # the loop stands still meanwhile
        assert [lane["running"] for lane in up.limiter.snapshot()["addresses"].values()] == [1]
        await waiting

    run(main())


def catalog_of(*entries: tuple[str, str, str, str]) -> Catalog:
    """(group, model, address, mode) of each."""
    return build_catalog(
        [
            {
                "model_name": group,
                "litellm_params": {"model": model, "api_base": address or None},
                "model_info": {"mode": mode, "id": f"{group}-{number}"},
            }
            for number, (group, model, address, mode) in enumerate(entries)
        ],
        {address.rstrip("/"): True for _, _, address, _ in entries},
    )


async def looked(up: Upstreams) -> tuple[str, dict[str, Any]]:
    """Health after one look at everything: its word, and what Ollama's probe said."""

    async def fine() -> ProbeResult:
        return ProbeResult("up")

    up.start(redis=None, litellm=fine, langfuse=None, backlog=None)
    assert up.health is not None
    try:
        await up.health.check()
        return up.health.overall(), up.health.details()["ollama"]
    finally:
        await up.stop()


@pytest.mark.parametrize(
    ("other", "overall"),
    [
        (("claude", "anthropic/claude", "", "chat"), "degraded"),
        (("embed", "openai/tei", "here", "embedding"), "down"),
        (("mlx", "openai/mlx", "here", "chat"), "degraded"),
        (("cloud-embed", "openai/text-embedding-3-small", "", "embedding"), "down"),
    ],
)
def test_without_ollama_only_a_chat_model_elsewhere_keeps_the_gateway_serving(
    tmp_path: Path, ollama: OllamaStub, other: tuple[str, str, str, str], overall: str
) -> None:
    async def main() -> None:
        up = upstreams(tmp_path)
        group, model, address, mode = other
        address = address and ollama.url + "/v1"  # a server that answers
        local = ("qwen-local", "ollama_chat/qwen2.5:14b", "http://127.0.0.1:1", "chat")
        up.adopt(catalog_of(local, (group, model, address, mode)))
        word, seen = await looked(up)
        assert (word, seen["status"]) == (overall, "down")

    run(main())


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_missing_model_is_noticed_however_the_base_url_ends(
    tmp_path: Path, ollama: OllamaStub, ending: str
) -> None:
    async def main() -> None:
        up = upstreams(tmp_path)
        up.adopt(
            catalog_of(
                ("qwen-local", "ollama_chat/qwen2.5:14b", ollama.url + ending, "chat"),
                ("typo", "ollama_chat/qwen2.5:41b", ollama.url + ending, "chat"),
            )
        )
        _, seen = await looked(up)
        assert (seen["status"], seen["warning"]) == ("up", True)
        assert "qwen2.5:41b" in seen["detail"]

    run(main())
