"""Ollama's own words for what went wrong, over HTTP and through LiteLLM: the kind, and which circuit opens.

The texts stand in its sources (llm/server.go, llm/status.go, server/sched.go, server/routes.go, ml/backend.go, and in those
of the llama-server it runs since 0.30) and in its issues, whose numbers are given.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import litellm
import pytest

from aicc_hooks.adapter import ollama_stream
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.adapter.upstreams import Upstreams
from aicc_hooks.resilience.classify import Outcome
from tests.ollama_stub import OllamaStub

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # LiteLLM's own, which would be taken for failures of the call

MODEL = "llama3.2:latest"
DIED = "llama runner process has terminated: "
HELLO = {"role": "user", "content": "hello"}
HERE = "http://127.0.0.1:45455"

# (status, text, kind). Each that counts opens the model's circuit after three requests, and never the server's.
ERRORS = [
    # not enough memory
    (500, "model requires more system memory (5.3 GiB) than is available (3.3 GiB)", "oom"),
    (500, DIED + "error loading model: unable to allocate backend buffer", "oom"),  # #5941
    (500, DIED + "error:failed to allocate buffer, size = 33074.89 MiB", "oom"),  # #11733
    (500, DIED + "cudaMalloc failed: out of memory", "oom"),
    (500, "memory layout cannot be allocated with num_gpu = 48", "oom"),
    (500, "unable to load full model on GPU", "oom"),
    (500, "insufficient memory - required allocations: {InputWeights:550502400A}", "oom"),
    (500, "an error was encountered while running the model: CUDA error: out of memory", "oom"),
    (500, "do load request: Post \"" + HERE + "/load\": vk::Device::allocateMemory: ErrorOutOfDeviceMemory", "oom"),
    # a model it cannot load, a process that died
    (500, "exception error loading model architecture: unknown model architecture: 'phi3'", "server_error"),  # #4002
    (500, DIED + "error loading model: error loading model hyperparameters: key not found", "server_error"),
    (500, "llama-server process has terminated: exit status 1: error loading model: unknown model architecture: 'mllama'",
     "server_error"),  # #16547
    (500, "unable to load model: /root/.ollama/models/blobs/sha256-477ee", "server_error"),  # #12984
    (500, DIED + "signal: killed", "server_error"),
    (500, DIED + "exit status 2", "server_error"),
    (500, "llama runner process no longer running: -1 ", "server_error"),
    (500, "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check "
          "ollama server logs for details", "server_error"),
    (500, "an error was encountered while running the model: unexpected EOF", "server_error"),  # #8258
    (500, f'POST predict: Post "{HERE}/completion": EOF', "server_error"),
    # its own connection to that process: Ollama itself is there
    (500, f'health resp: Get "{HERE}/health": dial tcp 127.0.0.1:45455: connect: connection refused', "server_error"),
    (500, f'health resp: Get "{HERE}/health": dial tcp 127.0.0.1:45455: connectex: Only one usage of each socket address is '
          "normally permitted.", "server_error"),  # #6791
    (500, "connection refused", "server_error"),
    (500, "server not responding", "server_error"),
    # a load that stalled is told after minutes: no reason to let everybody wait for it
    (500, "timed out waiting for llama runner to start - progress 0.00 - ", "server_error"),
    # busy
    (500, "unexpected server status: llm server loading model", "loading"),
    (500, "no slots available after 10 retries", "server_error"),
    (503, "server busy, please try again.  maximum pending requests exceeded", "server_error"),
    # the request's own
    (404, 'model "qwen9" not found, try pulling it first', "server_error"),
    (400, "registry.ollama.ai/library/llama3.2 does not support tools", "client_error"),
    (400, "the input length exceeds the context length", "client_error"),
    (499, "request canceled", "cancelled"),
]  # fmt: skip


async def tell(up: Upstreams, base: str, *, stream: bool = False, deployment: str = "d1") -> Outcome:
    """One attempt at the stand-in through LiteLLM; its kind, and the breaker has learnt it."""
    one = Attempt("llama-fast", deployment, f"ollama_chat/{MODEL}", base, time.perf_counter())
    await up.begin(Call(), one)
    try:
        answer = await litellm.acompletion(model=one.model, api_base=base, messages=[HELLO], stream=stream)
        if stream:
            async for _ in answer:
                pass
    except Exception as error:
        return up.failed(one, error)
    up.end(one, Outcome.OK)
    return Outcome.OK


@pytest.mark.parametrize(("status", "text", "kind"), ERRORS, ids=[f"{s} {t[:40]}" for s, t, _ in ERRORS])
def test_what_ollama_says_and_which_circuit_opens(
    ollama: OllamaStub, tmp_path: Path, status: int, text: str, kind: str
) -> None:
    async def main() -> None:
        up = Upstreams(tmp_path)
        with ollama.failing("status", status=status, text=text, model=MODEL):
            assert [await tell(up, ollama.url) for _ in range(3)] == [kind] * 3
        counts = kind in ("oom", "server_error")
        assert set(up.breaker.open_circuits()) == ({("deployment", "d1")} if counts else set())
        assert await tell(up, ollama.url, deployment="d2") is Outcome.OK, (
            "another model of the server is asked"
        )

    asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_nobody_at_the_address_opens_it_for_all_its_models(
    ollama: OllamaStub, tmp_path: Path, stream: bool
) -> None:
    async def main() -> None:
        up = Upstreams(tmp_path)
        with ollama.refusing():
            assert await tell(up, ollama.url, stream=stream) is Outcome.REFUSED
        assert [scope for scope, _ in up.breaker.open_circuits()] == ["address"]
        assert not up.breaker.usable(ollama.url, "d2")

    asyncio.run(main())


def test_what_the_first_model_met_is_not_what_its_fallback_met(ollama: OllamaStub, tmp_path: Path) -> None:
    """LiteLLM asks the fallback inside the `except` of the first error, which Python then keeps behind the second."""

    async def main() -> None:
        up = Upstreams(tmp_path)
        away = Attempt("a", "d1", f"ollama_chat/{MODEL}", "http://127.0.0.1:1", time.perf_counter())
        await up.begin(Call(), away)
        try:
            await litellm.acompletion(model=away.model, api_base=away.address, messages=[HELLO])
        except Exception as error:
            kinds = [up.failed(away, error)]
            with ollama.failing("garbage", model=MODEL):
                kinds.append(await tell(up, ollama.url, deployment="d2"))
        assert kinds == [Outcome.REFUSED, Outcome.SERVER_ERROR]
        assert set(up.breaker.open_circuits()) == {("address", "localhost:1")}

    asyncio.run(main())


def test_a_stream_that_ends_in_such_words_is_the_model_s_failure_too(
    ollama: OllamaStub, tmp_path: Path
) -> None:
    assert ollama_stream.install() == ""

    async def main() -> None:
        up = Upstreams(tmp_path)
        with ollama.failing("error_mid", model=MODEL, after=0):
            assert [await tell(up, ollama.url, stream=True) for _ in range(3)] == [Outcome.SERVER_ERROR] * 3
        assert set(up.breaker.open_circuits()) == {("deployment", "d1")}

    asyncio.run(main())
