"""Which failure is which, for the exceptions and texts that really arrive."""

from __future__ import annotations

import asyncio
import json
import socket

import aiohttp
import httpx
import pytest

from aicc_hooks.errors import Refusal
from aicc_hooks.resilience.address import address_key
from aicc_hooks.resilience.classify import Outcome, classify
from tests.harness import free_port


class APIConnectionError(Exception):
    """Shaped like LiteLLM's: a 500 whose message holds the cause."""

    status_code = 500


class RateLimitError(Exception):
    status_code = 429


CASES = [
    # Ollama's own words
    (dict(status=500, text='{"error":"model requires more system memory (5.3 GiB) than is available (3.3 GiB)"}'), "oom"),
    (dict(status=500, text="llama runner process has terminated: cudaMalloc failed: out of memory"), "oom"),
    (dict(status=500, text="llama runner process has terminated: signal: killed"), "server_error"),
    (dict(status=500, text='{"error":{"code":500,"message":"input (600 tokens) is too large to process. increase the physical batch size (current batch size: 512)","type":"server_error"}}'), "client_error"),
    (dict(status=503, text="server busy, please try again.  maximum pending requests exceeded"), "server_error"),
    (dict(status=503, text='{"error":"llm server loading model"}'), "loading"),
    (dict(status=500, text="connection refused"), "server_error"),  # its own, to the process of one model
    (dict(text="connection refused"), "refused"),
    (dict(status=404, text="model 'qwen9' not found"), "server_error"),
    (dict(status=404, text='{"error":"model \\"qwen9\\" not found, try pulling it first"}'), "server_error"),
    (dict(status=404, text="no such route"), "client_error"),
    (dict(status=400, text="registry.ollama.ai/library/llama3.2 does not support tools"), "client_error"),
    (dict(status=400, text="the prompt talks about a connection refused"), "client_error"),
    # 500s that are the request's fault
    (dict(status=500, text='{"error":"option \\"stop\\" must be of type array"}'), "client_error"),
    (dict(error=APIConnectionError('Ollama_chatException - {"error":"option \\"num_gpu\\" must be of type integer"}')), "client_error"),
    (dict(status=500, text='{"error":"option \\"stop\\" must be of an array of strings"}'), "client_error"),
    (dict(status=500, text='{"error":"invalid format: \\"xml\\"; expected \\"json\\" or a valid JSON Schema object"}'), "client_error"),
    (dict(error=APIConnectionError("Ollama_chatException - invalid JSON schema in format")), "client_error"),
    (dict(status=500, text="input is too large to process. increase the physical batch size"), "client_error"),
    (dict(status=500, text="input (900 tokens) is too large to process. increase the physical batch size (current batch size: 512)"), "client_error"),
    (dict(status=500, text="input (900 tokens) is larger than the max context size (512 tokens). skipping"), "client_error"),
    (dict(status=500, text="the input length exceeds the context length"), "client_error"),
    (dict(status=500, text="illegal base64 data at input byte 4"), "client_error"),
    (dict(status=500, text="invalid json in the answer of the runner"), "garbage"),
    # statuses
    (dict(status=200), "ok"),
    (dict(), "ok"),
    (dict(status=200, text="<html>"), "garbage"),
    (dict(status=401), "server_error"),
    (dict(status=402, text="insufficient credits"), "server_error"),
    (dict(status=403), "client_error"),
    (dict(status=429), "server_error"),
    (dict(status=499), "cancelled"),
    (dict(status=408, text="Timeout on reading data from socket"), "timeout"),
    (dict(status=504), "timeout"),
    (dict(status=502), "server_error"),
    # exceptions
    (dict(error=ConnectionRefusedError(111, "Connection refused")), "refused"),
    (dict(error=httpx.ConnectError("All connection attempts failed")), "refused"),
    (dict(error=httpx.ConnectTimeout("")), "refused"),
    (dict(error=socket.gaierror(-2, "Name or service not known")), "refused"),
    (dict(error=APIConnectionError("OllamaException - Cannot connect to host localhost:11434 ssl:default")), "refused"),
    (dict(error=APIConnectionError("Ollama ended the stream with an error: connection refused")), "server_error"),
    (dict(error=APIConnectionError("Ollama_chatException - Server disconnected without sending a response.")), "server_error"),
    (dict(error=httpx.RemoteProtocolError("Server disconnected without sending a response.")), "server_error"),
    (dict(error=httpx.RemoteProtocolError("peer closed connection without sending complete message body")), "garbage"),
    (dict(error=ConnectionResetError(104, "Connection reset by peer")), "server_error"),
    (dict(error=httpx.ReadTimeout("")), "timeout"),
    (dict(error=TimeoutError()), "timeout"),
    (dict(error=TimeoutError(), loading=True), "loading"),
    (dict(error=ConnectionRefusedError(), loading=True), "refused"),
    (dict(error=APIConnectionError("Timeout on reading data from socket")), "timeout"),
    (dict(error=json.JSONDecodeError("Expecting value", "x", 0)), "garbage"),
    (dict(error=aiohttp.ClientPayloadError("Response payload is not completed")), "garbage"),
    (dict(error=asyncio.CancelledError()), "cancelled"),
    (dict(error=RateLimitError("slow down")), "server_error"),
    (dict(error=Refusal("aicc_overloaded", "queue", 429)), "client_error"),
    (dict(error=RuntimeError("something odd")), "server_error"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), CASES, ids=[str(i) for i in range(len(CASES))])
def test_kinds(given: dict[str, object], expected: str) -> None:
    assert classify(**given) == expected  # type: ignore[arg-type]


def test_the_cause_behind_a_wrapper_is_found() -> None:
    outer = APIConnectionError("wrapped")
    outer.__cause__ = ConnectionRefusedError(61, "refused")
    assert classify(outer) is Outcome.REFUSED


def test_a_time_limit_that_cancelled_its_work_is_no_client_that_left() -> None:
    async def over() -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(over())
    error = caught.value
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert classify(error) is Outcome.TIMEOUT
    dialling = aiohttp.ConnectionTimeoutError("Connection timeout to host")  # a machine that is asleep
    dialling.__cause__ = error
    assert classify(dialling) is Outcome.REFUSED


def test_what_an_earlier_try_met_is_not_what_the_answer_says() -> None:
    request = httpx.Request("POST", "http://127.0.0.1:11434/api/chat")
    answer = httpx.HTTPStatusError(
        "Server error '500'", request=request, response=httpx.Response(500, request=request)
    )
    answer.__context__ = ConnectionRefusedError(61, "refused")  # LiteLLM dials anew inside its `except`
    outer = APIConnectionError("no")
    outer.__context__ = answer
    assert classify(outer) is Outcome.SERVER_ERROR


def test_a_cycle_of_causes_ends() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first) is Outcome.SERVER_ERROR


def test_a_real_refused_connection_of_both_clients_is_refused() -> None:
    async def run() -> None:
        port = free_port()
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError) as http:
                await client.get(f"http://127.0.0.1:{port}/")
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError) as aio:
                await session.get(f"http://127.0.0.1:{port}/")
        assert classify(http.value) is classify(aio.value) is Outcome.REFUSED

    asyncio.run(run())


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://127.0.0.1:11434/v1", "localhost:11434"),
        ("http://localhost:11434", "localhost:11434"),
        ("http://[::1]:11434/", "localhost:11434"),
        ("HTTPS://API.Example.com/v1", "api.example.com:443"),
        ("http://user:secret@host/", "host:80"),
        ("host:99999999", "host:80"),
        ("localhost:11434", "localhost:11434"),
        ("cloud:anthropic", "cloud:anthropic"),
        ("cloud:8080", "cloud:8080"),
        ("", ""),
    ],
)
def test_one_server_has_one_name(url: str, key: str) -> None:
    assert address_key(url) == key
    assert address_key(key) == key
