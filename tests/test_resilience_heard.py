"""What a stream's attempt is counted as depends on what LiteLLM sent, not on how fast, or whether, clients read it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from litellm.proxy._types import ProxyException

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.adapter.gate import Gate
from aicc_hooks.adapter.hooks import PrivacyHook
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.catalog import address_of, build_catalog
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.resilience.config import ResilienceConfig
from aicc_hooks.verdict import Decision

KEY = "sk-test-" + "k" * 40
PARAMS = {"model": "ollama_chat/m", "api_base": "http://127.0.0.1:11434"}
WORD = b'data: {"choices": [{"index": 0, "delta": {"content": "word"}}]}\n\n'
ERROR = b'data: {"error": {"message": "unexpected EOF", "code": "500"}}\n\n'
DONE = b"data: [DONE]\n\n"

Script = Callable[[Callable[..., Awaitable[None]]], Awaitable[None]]


@pytest.fixture(params=[True, False], ids=["cache", "no cache"])
def runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Runtime]:
    monkeypatch.setattr(Runtime, "master_key", lambda _: KEY)
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"cache: {{enabled: {str(request.param).lower()}}}\n")
    made = Runtime({"AICC_HOME": str(tmp_path), "AICC_POLICY": str(policy), "AICC_MASTER_KEY": KEY})
    models = [
        {"model_name": name, "litellm_params": PARAMS, "model_info": {"mode": "chat", "id": name, "max_input_tokens": 8192}}
        for name in ("llama-fast", "qwen-local", "deepseek-local")
    ]  # fmt: skip
    made.catalog = build_catalog(models, {address_of(PARAMS): True})
    made.upstreams.configure(
        ResilienceConfig.model_validate(
            {"breaker": {"consecutive_failures": 1, "cooldown_s": 0.01, "max_cooldown_s": 0.01, "jitter": 0}}
        )
    )
    yield made
    made.recorder.close()
    calls._current.set(None)


@dataclass
class Stack:
    """LiteLLM's place: begins one attempt and follows its script."""

    runtime: Runtime
    script: Script
    asked: list[Call] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = calls.current()
        assert call is not None
        self.asked.append(call)
        attempt = Attempt("llama-fast", "llama-fast", PARAMS["model"], PARAMS["api_base"], call.started)
        call.attempts.append(attempt)
        attempt.parameters = await self.runtime.upstreams.begin(call, attempt)
        kind = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})

        async def say(data: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        await self.script(say)

    @property
    def attempt(self) -> Attempt:
        return self.asked[0].attempts[0]


class Client:
    """Sends one chat stream request through a gate. `reads` unset: it takes nothing; `leave()`: it hangs up."""

    def __init__(self, *, reads: bool = True) -> None:
        self.got = b""
        self.reads = asyncio.Event()
        self._left = asyncio.Event()
        self._sent = False
        if reads:
            self.reads.set()

    def leave(self) -> None:
        self._left.set()

    async def ask(self, gate: Gate) -> None:
        head = [(b"authorization", b"Bearer " + KEY.encode()), (b"content-type", b"application/json")]
        path = "/v1/chat/completions"
        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": head,
                 "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 4000), "scheme": "http"}  # fmt: skip
        await gate(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        if not self._sent:
            self._sent = True
            body = {
                "model": "llama-fast",
                "stream": True,
                "temperature": 0,
                "messages": [{"role": "user", "content": "hi"}],
            }
            return {"type": "http.request", "body": orjson.dumps(body), "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            await self.reads.wait()
            self.got += message.get("body", b"")
            if not message.get("more_body"):
                self._left.set()  # as servers do: after the answer there is nothing but a disconnect


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 30))


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def state(runtime: Runtime) -> Any:
    return runtime.upstreams.breaker.open_circuits().get(("deployment", "llama-fast"))


@pytest.mark.parametrize("end", [[WORD], [WORD, ERROR], [WORD, ERROR, DONE]], ids=["cut", "error", "ended"])
def test_a_broken_stream_counts_before_its_client_reads_it(runtime: Runtime, end: list[bytes]) -> None:
    async def script(say: Callable[..., Awaitable[None]]) -> None:
        for data in end:
            await say(data)
        await say(b"", more=False)

    async def main() -> None:
        stack, client = Stack(runtime, script), Client(reads=False)
        asking = asyncio.ensure_future(client.ask(Gate(stack, runtime)))
        if runtime.cached.enabled:
            await until(lambda: stack.asked and stack.attempt.ended)
        client.reads.set()
        await asking
        assert stack.attempt.error == Outcome.SERVER_ERROR
        assert state(runtime) is not None
        assert b"aicc_upstream_down" in client.got
        assert stack.asked[0].error_code == "aicc_upstream_down"

    run(main)


def test_a_whole_stream_counts_as_one_though_its_client_hangs_up_after_it(runtime: Runtime) -> None:
    """Servers tell of a disconnect after every complete answer, and LiteLLM still has work to do by then."""

    async def script(say: Callable[..., Awaitable[None]]) -> None:
        await say(WORD)
        await say(DONE, more=False)
        await asyncio.sleep(0.05)

    async def main() -> None:
        records: list[Any] = []
        runtime.recorder.finish = lambda call, outcome: records.append((call, outcome))  # type: ignore[method-assign]
        stack, client = Stack(runtime, script), Client()
        await client.ask(Gate(stack, runtime))
        assert client.got.endswith(DONE)
        assert stack.attempt.error == ""
        assert not records[0][1].disconnected

    run(main)


def test_a_word_is_known_as_soon_as_litellm_sends_it(runtime: Runtime) -> None:
    """Else another model would go on after it when the rest of the stream breaks in the same moment."""
    known: list[bool] = []

    async def script(say: Callable[..., Awaitable[None]]) -> None:
        call = calls.current()
        assert call is not None
        known.append(call.spoke)
        await say(WORD)
        known.append(call.spoke)
        await say(DONE, more=False)

    async def main() -> None:
        client = Client(reads=runtime.cached.enabled is False)
        asking = asyncio.ensure_future(client.ask(Gate(Stack(runtime, script), runtime)))
        await until(lambda: len(known) == 2)
        client.reads.set()
        await asking

    run(main)
    assert known == [False, True]


def test_the_attempt_of_a_client_that_left_has_ended_when_its_record_is_written(runtime: Runtime) -> None:
    began, cleaned = asyncio.Event(), []

    async def script(say: Callable[..., Awaitable[None]]) -> None:
        await say(WORD)
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.02)  # closing a connection takes a moment
            cleaned.append(True)

    async def main() -> None:
        seen: list[tuple[bool, list[str]]] = []

        def finish(call: Call, outcome: Any) -> None:
            seen.append((outcome.disconnected, [attempt.error for attempt in call.attempts]))

        runtime.recorder.finish = finish  # type: ignore[method-assign]
        client = Client()
        asking = asyncio.ensure_future(client.ask(Gate(Stack(runtime, script), runtime)))
        await began.wait()
        client.leave()
        await asking
        assert seen == [(True, ["cancelled"])]
        assert state(runtime) is None

    run(main)
    assert cleaned


@pytest.mark.parametrize("runtime", [True], indirect=True)
def test_a_leader_that_leaves_takes_nothing_from_the_answer_of_the_others(runtime: Runtime) -> None:
    go = asyncio.Event()

    async def script(say: Callable[..., Awaitable[None]]) -> None:
        await say(WORD)
        await go.wait()
        await say(DONE, more=False)

    async def main() -> None:
        stack, leader, follower = Stack(runtime, script), Client(), Client()
        gate = Gate(stack, runtime)
        leading = asyncio.ensure_future(leader.ask(gate))
        await until(lambda: leader.got)
        following = asyncio.ensure_future(follower.ask(gate))
        await until(lambda: follower.got)
        leader.leave()
        await leading
        go.set()
        await following
        assert follower.got.endswith(DONE)
        assert len(stack.asked) == 1
        assert (stack.attempt.error, bool(stack.attempt.ended)) == ("", True)

    run(main)


def test_a_stack_that_raises_is_a_failure_of_its_attempt(runtime: Runtime) -> None:
    async def script(say: Callable[..., Awaitable[None]]) -> None:
        raise RuntimeError("no words")

    async def main() -> None:
        stack, client = Stack(runtime, script), Client()
        await client.ask(Gate(stack, runtime))
        assert stack.attempt.error == Outcome.SERVER_ERROR
        assert b"no words" not in client.got

    run(main)


@pytest.mark.parametrize("runtime", [True], indirect=True)
def test_a_private_request_stopped_at_the_last_door_is_no_failure_of_the_server_beyond(
    runtime: Runtime,
) -> None:
    async def main() -> None:
        call = Call(endpoint="chat", decision=Decision(route="cloud", local_only=True))
        attempt = Attempt("cloud", "c1", "openai/gpt-4o", "", call.started)
        await runtime.upstreams.begin(call, attempt)
        call.attempts.append(attempt)
        calls.enter(call)
        with pytest.raises(ProxyException):
            await PrivacyHook(runtime).async_pre_call_deployment_hook(
                {"model": "openai/gpt-4o", "model_info": {"id": "c1"}}, "acompletion"
            )
        assert attempt.error == Outcome.CANCELLED
        assert runtime.upstreams.breaker.open_circuits() == {}

    run(main)
