"""Work per request, counted rather than timed, and the gateway with every saving off."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from aicc_hooks.access import find_door
from aicc_hooks.adapter import calls, gate, hooks, judging, speed
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.preparing import prepare
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.cache import CacheConfig, CacheRequest, ResponseCache, tiers
from aicc_hooks.catalog import address_of, build_catalog
from aicc_hooks.detect.complexity import ComplexityDetector
from aicc_hooks.detect.injection import InjectionDetector
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.inspection import Active, Inspector
from aicc_hooks.payload import extract
from aicc_hooks.policy import Policy
from aicc_hooks.redis_link import RedisLink
from aicc_hooks.speed_config import SpeedConfig
from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub

ASK = [{"role": "user", "content": "What is the capital of France?"}]
ALL_OFF = dict.fromkeys(SpeedConfig.model_fields, False)


def chat(url: str, key: str, count: int, **fields: Any) -> list[tuple[int, str]]:
    """Status and text of `count` answers."""
    import httpx

    out = []
    with httpx.Client(
        base_url=url, headers={"authorization": f"Bearer {key}"}, trust_env=False, timeout=60
    ) as client:
        for number in range(count):
            ask = [{"role": "user", "content": f"Say hello to number {number}, please."}]
            response = client.post("/v1/chat/completions", json={"model": "auto", "messages": ask, **fields})
            out.append((response.status_code, response.text))
    return out


@pytest.mark.live
def test_one_request_is_one_call_to_the_model(gateway: GatewayProcess, ollama: OllamaStub) -> None:
    chat(gateway.url, gateway.key, 1)
    before, seen = len(ollama.calls), len(ollama.requests)
    assert [status for status, _ in chat(gateway.url, gateway.key, 5)] == [200] * 5
    assert len(ollama.calls) - before == 5
    # LiteLLM asks /api/show for models its price list does not know: never per request. Our own probe may ask once for each.
    shown = Counter(r.body for r in ollama.requests[seen:] if r.path == "/api/show")
    assert max(shown.values(), default=0) < 5


@pytest.mark.live
def test_everything_works_with_every_saving_off(
    start_gateway: Callable[..., GatewayProcess], ollama: OllamaStub
) -> None:
    process = start_gateway(policy={"speed": ALL_OFF})
    assert [status for status, _ in chat(process.url, process.key, 3)] == [200] * 3
    status, text = chat(process.url, process.key, 1, stream=True)[0]
    assert status == 200
    assert "[DONE]" in text
    with process.httpx() as client:
        private = client.post(
            "/v1/chat/completions",
            json={
                "model": "auto",
                "messages": [{"role": "user", "content": "My IBAN is DE89370400440532013000."}],
            },
        )
    assert private.headers["x-aicc-reason"] == "privacy:iban"
    assert len(ollama.calls) == 5


# --- in process ---------------------------------------------------------------------------------


def counting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[str]:
    """Note each call of `owner.name` in the returned list."""
    full, noted = getattr(owner, name), []

    def noting(*args: Any, **kwargs: Any) -> Any:
        noted.append(name)
        return full(*args, **kwargs)

    monkeypatch.setattr(owner, name, noting)
    return noted


def test_the_cache_key_is_made_once_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    made = counting(monkeypatch, tiers, "exact_key")
    cache = ResponseCache(CacheConfig(), secret=b"s" * 32, link=RedisLink(None))
    request = CacheRequest(group="g", body={"messages": ASK})
    assert cache.key(request) == cache.flight_key(request) == cache.key(request)
    assert len(made) == 1


@pytest.fixture
def runtime(tmp_path: Any) -> Iterator[Runtime]:
    (tmp_path / "policy.yaml").write_text("{}\n")
    made = Runtime({"AICC_HOME": str(tmp_path), "AICC_POLICY": str(tmp_path / "policy.yaml")})
    address = "http://127.0.0.1:11434"
    params = {"model": "ollama_chat/m", "api_base": address}
    info = {"mode": "chat", "max_input_tokens": 10_000_000}
    groups = ("llama-fast", "qwen-local", "deepseek-local")
    models = [
        {"model_name": name, "litellm_params": params, "model_info": {**info, "id": name}} for name in groups
    ]
    made.catalog = build_catalog(models, {address_of(params): True})
    yield made
    made.recorder.close()


def test_a_request_is_inspected_once_though_three_hooks_apply_the_verdict(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    inspections = counting(monkeypatch, Inspector, "inspect")
    scans = [
        counting(monkeypatch, owner, "inspect")
        for owner in (PrivacyDetector, InjectionDetector, ComplexityDetector)
    ]
    monkeypatch.setattr(Runtime, "active", Active())
    call = Call(endpoint="chat", requested="auto", extract=extract("chat", {"messages": ASK}))

    async def request() -> None:
        await runtime.judge(call)
        calls.enter(call)
        for hook in (hooks.PrivacyHook, hooks.InjectionHook, hooks.ComplexityHook):
            await hook(runtime).async_pre_call_hook(
                None, None, {"model": "auto", "messages": ASK}, "acompletion"
            )

    asyncio.run(request())
    calls._current.set(None)
    assert len(inspections) == 1
    assert [len(noted) for noted in scans] == [1, 1, 1]


def scanned(text: str) -> int:
    """Characters the privacy detector's families are shown for `text`."""
    inspector = Inspector.of(Policy())
    total = 0
    full = inspector.privacy._hits

    class Counting(type(inspector.privacy)):  # type: ignore[misc]
        def _hits(self, doc: Any) -> Any:
            nonlocal total
            total += len(doc.text)
            return full(doc)

    inspector.privacy.__class__ = Counting
    inspector.inspect(extract("chat", {"messages": [{"role": "user", "content": text}]}).segments)
    return total


def test_the_detector_is_shown_each_character_about_once() -> None:
    # Windows overlap; scanning a text twice would still cost twice.
    sentence = "The committee met in the garden and spoke about the price of copper. "
    short, long = sentence * 10, sentence * 6000
    assert len(short) <= scanned(short) < 1.3 * len(short)
    assert len(long) <= scanned(long) < 1.5 * len(long)


LITELLM_PROBE = """
import json
from types import SimpleNamespace
from aicc_hooks.adapter import speed
import litellm
from litellm.llms.ollama.common_utils import OllamaModelInfo
from litellm.llms.ollama.chat import transformation

out = {}
class Keys(dict):
    walks = 0
    def __iter__(self):
        Keys.walks += 1
        return super().__iter__()
    def keys(self):
        Keys.walks += 1
        return super().keys()
    def items(self):
        Keys.walks += 1
        return super().items()
prices = litellm.model_cost
litellm.model_cost = Keys(prices)
names = ("qwen2.5:14b", "ollama/llama2", "llama3.2:latest", "ollama_chat/llama3.1", "nobody-knows")
before = [OllamaModelInfo._is_static_ollama_model(n) for n in names for _ in range(4)]
out["walks_stock"] = Keys.walks
Keys.walks = 0
speed.remember_price_scan()
after = [OllamaModelInfo._is_static_ollama_model(n) for n in names for _ in range(4)]
out["walks_ours"], out["same"] = Keys.walks, before == after

import httpx
counted = []
full = litellm.token_counter
def counter(*args, **kwargs):
    counted.append(sum(len(m.get("content") or "") for m in kwargs.get("messages") or []))
    return full(*args, **kwargs)
litellm.token_counter = counter
def answer(**counts):
    body = {"model": "m", "message": {"role": "assistant", "content": "hi"}, "done": True, "done_reason": "stop", **counts}
    logging = SimpleNamespace(post_call=lambda **k: None)
    return transformation.OllamaChatConfig().transform_response(
        model="m", raw_response=httpx.Response(200, json=body), model_response=litellm.ModelResponse(), logging_obj=logging,
        request_data={}, messages=[{"role": "user", "content": "word " * 1000}], optional_params={}, litellm_params={}, encoding=None)
answer(prompt_eval_count=7, eval_count=1)
out["stock_counted"] = sum(counted)
speed.believe_token_count()
counted.clear()
out["prompt_tokens"] = answer(prompt_eval_count=7, eval_count=1).usage.prompt_tokens
out["counted"] = sum(counted)
counted.clear()
out["without_count"] = answer().usage.prompt_tokens
out["answer_without_count"] = answer(prompt_eval_count=7).usage.completion_tokens
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def probe() -> dict[str, Any]:
    """What LiteLLM does with and without our savings, in a process of its own: they change it for good."""
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", LITELLM_PROBE],
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_price_list_is_walked_once_and_says_the_same(probe: dict[str, Any]) -> None:
    assert probe["same"]
    assert probe["walks_ours"] == 1


def test_upstream_still_walks_the_price_list_on_every_call(probe: dict[str, Any]) -> None:
    """When this fails, LiteLLM has cured it: remove `speed.remember_price_scan` and its switch."""
    assert probe["walks_stock"] >= 20


def test_a_prompt_is_not_tokenised_when_the_server_counted_it(probe: dict[str, Any]) -> None:
    assert probe["prompt_tokens"] == 7
    assert probe["counted"] == 0
    assert probe["without_count"] > 500  # no count from the server: LiteLLM's own
    assert probe["answer_without_count"] == 1


def test_upstream_still_tokenises_prompts_that_were_counted(probe: dict[str, Any]) -> None:
    """When this fails, LiteLLM has cured it: remove `speed.believe_token_count` and its switch."""
    assert probe["stock_counted"] >= 5000


def test_every_switch_belongs_to_a_saving() -> None:
    """Most stand in `install`; the others are applied by the gate, where texts are judged, or after loading."""
    places = (speed.install, speed.direct, gate.Gate._stack, judging.Judging.judge, Runtime._loaded)
    source = "".join(inspect.getsource(place) for place in places)
    for name in SpeedConfig.model_fields:
        assert f'"{name}"' in source or f"speed.{name}" in source, name


def test_a_saving_that_no_longer_fits_is_reported_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    def moved(*_: Any) -> None:
        raise AttributeError("gone")

    applied: list[str] = []
    monkeypatch.setattr(speed, "remember_price_scan", moved)
    for name in ("skip_cost_diagnostics", "skip_local_price", "believe_token_count"):
        monkeypatch.setattr(speed, name, lambda name=name: applied.append(name))
    monkeypatch.setattr(speed, "skip_success_logging", lambda _: applied.append("skip_success_logging"))
    monkeypatch.setattr(speed, "trust_the_gate", lambda *_: applied.append("trust_the_gate"))
    for name in ("skip_limits", "silence_access_log"):
        monkeypatch.setattr(speed.savings, name, lambda name=name: applied.append(name))
    speed.install(runtime, None)
    assert list(runtime.problems) == ["speed.price_scan"]
    assert len(applied) == 7


def test_a_small_request_is_judged_beside_the_walk_of_a_large_one(runtime: Runtime) -> None:
    """The loop turns while the text of a large body is walked; each turn is work another request could do."""
    raw = orjson.dumps(
        {"model": "auto", "messages": [{"role": "user", "content": "one more word " * 60_000}]}
    )
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def request() -> None:
        beside = asyncio.create_task(other())
        call = Call(endpoint="chat")
        door = find_door("POST", "/v1/chat/completions", debug=False, extra=())
        await prepare(runtime, {"headers": []}, call, door, raw)
        beside.cancel()
        calls._current.set(None)

    asyncio.run(request())
    assert turns > 20
