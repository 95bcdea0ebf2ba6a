"""The stand-ins behave like what they stand in for, and the harness starts, ends and finds what it says."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema
import openai
import pytest
from langfuse.api.client import LangfuseAPI
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.harness import (
    GatewayProcess,
    GatewayStartError,
    RedisProcess,
    free_port,
    make_canaries,
    search_bytes,
    wait_until,
)
from tests.harness.gateway import ROOT, plain_config
from tests.ollama_stub import OllamaStub
from tests.standins.answers import embedding
from tests.standins.cloud import CloudStandIn
from tests.standins.langfuse import LangfuseStandIn

HI = [{"role": "user", "content": "hi"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "minLength": 3},
                "days": {"type": "integer", "minimum": 2, "maximum": 5},
                "unit": {"enum": ["C", "F"]},
            },
            "required": ["city", "days"],
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 2},
        "note": {"anyOf": [{"type": "null"}, {"type": "string"}]},
    },
    "required": ["items", "note"],
    "additionalProperties": False,
    "$defs": {
        "item": {
            "type": "object",
            "properties": {"n": {"type": "number", "exclusiveMinimum": 3}},
            "required": ["n"],
        }
    },
}


@pytest.fixture
def http(ollama: OllamaStub) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=ollama.url, timeout=30, trust_env=False) as client:
        yield client


def chat(http: httpx.Client, **body: Any) -> httpx.Response:
    return http.post("/api/chat", json={"model": "qwen2.5:14b", "messages": HI, "stream": False, **body})


# -- Ollama: answers ----------------------------------------------------------------------------------
def test_a_stream_of_ndjson_lines_adds_up_to_the_whole_answer(http: httpx.Client) -> None:
    lines = [json.loads(line) for line in chat(http, stream=True).text.splitlines()]
    whole = chat(http).json()
    assert "".join(line["message"]["content"] for line in lines) == whole["message"]["content"]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    last = lines[-1]
    assert last["done_reason"] == "stop"
    assert last["eval_count"] == len(lines)
    assert {
        "total_duration",
        "load_duration",
        "prompt_eval_count",
        "prompt_eval_duration",
        "eval_duration",
    } <= set(last)


def test_streaming_is_the_default_of_ollamas_own_api_and_not_of_v1(http: httpx.Client) -> None:
    body = {"model": "qwen2.5:14b", "messages": HI}
    assert http.post("/api/chat", json=body).headers["content-type"] == "application/x-ndjson"
    assert http.post("/v1/chat/completions", json=body).json()["object"] == "chat.completion"


@pytest.mark.parametrize("prompt", ["call the tool please", "what does get_weather say?"])
def test_a_tool_is_called_with_arguments_that_fit_its_schema(http: httpx.Client, prompt: str) -> None:
    messages = [{"role": "user", "content": prompt}]
    calls = chat(http, messages=messages, tools=[WEATHER]).json()["message"]["tool_calls"]
    assert [c["function"]["name"] for c in calls] == ["get_weather"]
    jsonschema.validate(calls[0]["function"]["arguments"], WEATHER["function"]["parameters"])
    after = [*messages, {"role": "tool", "content": "rain"}]
    assert "tool_calls" not in chat(http, messages=after, tools=[WEATHER]).json()["message"]


def test_tools_alone_do_not_make_the_model_call_one(http: httpx.Client) -> None:
    assert "tool_calls" not in chat(http, tools=[WEATHER]).json()["message"]


def test_a_schema_gets_json_that_validates(http: httpx.Client) -> None:
    content = chat(http, format=SCHEMA).json()["message"]["content"]
    jsonschema.validate(json.loads(content), SCHEMA)


def test_thinking_is_apart_from_content_and_can_be_switched_off(http: httpx.Client) -> None:
    assert chat(http, model="deepseek-r1:14b", think=True).json()["message"]["thinking"]
    assert "thinking" not in chat(http, model="deepseek-r1:14b", think=False).json()["message"]
    refused = chat(http, think=True)
    assert (refused.status_code, refused.json()) == (
        400,
        {"error": '"qwen2.5:14b" does not support thinking'},
    )


def test_directives_in_the_prompt_choose_the_answer(http: httpx.Client) -> None:
    def say(text: str) -> str:
        return chat(http, messages=[{"role": "user", "content": text}]).json()["message"]["content"]

    assert say("[[reply: my key is abc]]") == "my key is abc"
    assert len(say("[[words: 30]]").split()) == 30
    assert say("[[echo]] this") == "[[echo]] this"


def test_what_ollama_refuses_is_refused_in_its_words(http: httpx.Client) -> None:
    unknown = chat(http, model="gone:1b")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "model 'gone:1b' not found"})
    assert http.post("/v1/chat/completions", json={"model": "gone", "messages": HI}).json()["error"][
        "message"
    ] == ("model 'gone' not found")
    toolless = chat(http, model="deepseek-r1:14b", tools=[WEATHER])
    assert toolless.status_code == 400
    assert toolless.json()["error"].endswith("deepseek-r1:14b does not support tools")
    assert chat(http, model="nomic-embed-text").status_code == 400


def test_a_long_prompt_is_cut_silently_at_num_ctx(http: httpx.Client, ollama: OllamaStub) -> None:
    long = [{"role": "user", "content": "word " * 8000}]
    assert chat(http, messages=long).json()["prompt_eval_count"] == 4096
    assert chat(http, messages=long, options={"num_ctx": 16384}).json()["prompt_eval_count"] > 9000
    assert [c.notes["truncated"] for c in ollama.calls] == [True, False]


def test_embeddings_are_unit_vectors_closer_for_similar_texts(http: httpx.Client) -> None:
    texts = ["how do I reset my password", "how can I reset the password", "best pasta in Rome"]
    body = http.post("/api/embed", json={"model": "nomic-embed-text", "input": texts}).json()
    a, b, c = body["embeddings"]
    assert len(a) == 768
    assert math.isclose(math.hypot(*a), 1.0, rel_tol=1e-9)
    near, far = (sum(x * y for x, y in zip(a, other, strict=True)) for other in (b, c))
    assert near > 0.6 > far
    assert list(embedding(texts[0])) == a


def test_v1_embeddings_are_the_same_vectors_in_base64(ollama: OllamaStub) -> None:
    with openai.OpenAI(base_url=ollama.url + "/v1", api_key="x", max_retries=0, timeout=5) as client:
        data = client.embeddings.create(model="nomic-embed-text", input="hello").data[0].embedding
    assert data == pytest.approx(embedding("hello"), abs=1e-6)


# -- Ollama: memory -----------------------------------------------------------------------------------
def test_a_model_loads_once_and_everyone_waits_for_it(http: httpx.Client, ollama: OllamaStub) -> None:
    ollama.models["qwen2.5:14b"].load_delay = 2.0
    waits: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        assert chat(http).status_code == 200
        waits.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(waits) == 4
    assert min(waits) > 0.5  # also of the one that came last
    assert ollama.memory.loads == [("qwen2.5:14b", 4096)]
    assert [m["name"] for m in http.get("/api/ps").json()["models"]] == ["qwen2.5:14b"]


def test_another_num_ctx_loads_again(http: httpx.Client, ollama: OllamaStub) -> None:
    for context in (4096, 4096, 8192):
        chat(http, options={"num_ctx": context})
    assert ollama.memory.loads == [("qwen2.5:14b", 4096), ("qwen2.5:14b", 8192)]
    assert http.get("/api/ps").json()["models"][0]["context_length"] == 8192


def test_hanging_up_cancels_the_load_and_is_recorded(http: httpx.Client, ollama: OllamaStub) -> None:
    ollama.models["qwen2.5:14b"].load_delay = 5.0
    with pytest.raises(httpx.ReadTimeout):
        http.post("/api/chat", json={"model": "qwen2.5:14b", "messages": HI}, timeout=1.0)
    wait_until(lambda: ollama.memory.cancelled_loads == 1, 10)
    assert ollama.calls[0].disconnected
    assert http.get("/api/ps").json() == {"models": []}


def test_keep_alive_decides_how_long_a_model_stays(http: httpx.Client) -> None:
    chat(http, keep_alive="10m")
    chat(http, model="llama3.2", keep_alive=0)
    chat(http, model="deepseek-r1:14b", keep_alive=0.05)
    time.sleep(0.1)
    assert [m["name"] for m in http.get("/api/ps").json()["models"]] == ["qwen2.5:14b"]
    assert chat(http, messages=[], keep_alive=0).json()["done_reason"] == "unload"
    assert http.get("/api/ps").json()["models"] == []


def test_two_models_at_most_when_memory_allows_two(http: httpx.Client, ollama: OllamaStub) -> None:
    ollama.memory.max_loaded = 2
    for model in ("qwen2.5:14b", "deepseek-r1:14b", "llama3.2"):
        chat(http, model=model)
    assert list(ollama.memory.loaded) == ["deepseek-r1:14b", "llama3.2:latest"]


def test_num_parallel_lines_requests_up(ollama: OllamaStub) -> None:
    model = ollama.add_model("slow:1b", token_delay=0.01, num_parallel=2)

    async def run() -> list[int]:
        async with httpx.AsyncClient(base_url=ollama.url, timeout=5, trust_env=False) as client:
            body = {"model": "slow:1b", "messages": HI}
            return [
                r.status_code
                for r in await asyncio.gather(*(client.post("/api/chat", json=body) for _ in range(5)))
            ]

    assert asyncio.run(run()) == [200] * 5
    assert model.peak == 2


# -- failures -----------------------------------------------------------------------------------------
def test_the_received_bytes_are_kept_exactly(http: httpx.Client, ollama: OllamaStub) -> None:
    body = b'{"model":"qwen2.5:14b", "stream":false,"messages":[{"role":"user","content":"caf\\u00e9 \xc3\xa9"}]}'
    http.post("/api/chat", content=body, headers={"x-mark": "7"})
    (call,) = ollama.calls
    assert call.body == body
    assert call.headers["x-mark"] == "7"
    assert call.finished
    assert not call.disconnected


def test_an_error_can_repeat_the_prompt(http: httpx.Client, ollama: OllamaStub) -> None:
    with ollama.failing("echo"):
        answer = chat(http, messages=[{"role": "user", "content": "canary-4711"}])
    assert answer.status_code == 500
    assert "canary-4711" in answer.json()["error"]
    assert chat(http).status_code == 200


def test_a_counted_failure_is_not_used_up_by_probes(http: httpx.Client, ollama: OllamaStub) -> None:
    fault = ollama.fail("oom", times=1, model="qwen2.5:14b")
    assert http.get("/api/tags").status_code == 200
    assert chat(http, model="llama3.2").status_code == 200
    assert "more system memory" in chat(http).json()["error"]
    assert chat(http).status_code == 200
    assert fault.hits == 1


def test_garbage_is_not_json(http: httpx.Client, ollama: OllamaStub) -> None:
    ollama.fail("garbage")
    answer = chat(http)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r".+"):
        answer.json()


@pytest.mark.parametrize(
    ("kind", "error"), [("half_close", httpx.RemoteProtocolError), ("reset_mid", httpx.ReadError)]
)
def test_a_stream_can_break_after_some_chunks(
    http: httpx.Client, ollama: OllamaStub, kind: str, error: Any
) -> None:
    ollama.fail(kind, after=3)
    lines: list[str] = []
    with (
        pytest.raises(error),
        http.stream("POST", "/api/chat", json={"model": "qwen2.5:14b", "messages": HI}) as answer,
    ):
        lines.extend(answer.iter_lines())
    assert kind == "reset_mid" or len(lines) == 3  # RST may drop what was not read yet


def test_a_stream_can_hold_an_error_line_or_garbage(http: httpx.Client, ollama: OllamaStub) -> None:
    with ollama.failing("error_mid", after=1):
        lines = chat(http, stream=True).text.splitlines()
    assert "error" in json.loads(lines[-1])
    assert len(lines) == 2
    with ollama.failing("garbage_mid", after=1):
        lines = chat(http, stream=True).content.splitlines()
    with pytest.raises(ValueError, match=r".+"):
        json.loads(lines[1])


@pytest.mark.parametrize("kind", ["freeze", "freeze_mid"])
def test_a_frozen_answer_goes_on_when_healed(http: httpx.Client, ollama: OllamaStub, kind: str) -> None:
    fault = ollama.fail(kind)
    timer = threading.Timer(0.3, ollama.remove, [fault])
    began = time.monotonic()
    timer.start()
    assert json.loads(chat(http, stream=True).text.splitlines()[-1])["done"]
    timer.join(5)
    assert time.monotonic() - began > 0.25


def test_a_reset_connection_and_a_refused_one(http: httpx.Client, ollama: OllamaStub) -> None:
    with ollama.failing("reset"), pytest.raises(httpx.ReadError):
        chat(http)
    with ollama.refusing(), pytest.raises(httpx.ConnectError):
        chat(http)
    assert chat(http).status_code == 200


def test_tokens_can_drip(http: httpx.Client, ollama: OllamaStub) -> None:
    ollama.fail("drip", seconds=0.02)
    arrivals, began = [], time.monotonic()
    with http.stream("POST", "/api/chat", json={"model": "qwen2.5:14b", "messages": HI}) as answer:
        for _ in answer.iter_lines():
            arrivals.append(time.monotonic())
    assert arrivals[-1] - began > 0.02 * (len(arrivals) - 2)


def test_a_slow_reader_slows_the_stream_down(ollama: OllamaStub) -> None:
    ollama.add_model("endless:1b", reply="x " * 400_000, context=10_000)
    body = json.dumps({"model": "endless:1b", "messages": HI}).encode()
    with socket.create_connection(("127.0.0.1", ollama.port), 5) as sock:
        sock.sendall(b"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        wait_until(lambda: ollama.calls and ollama.calls[0].bytes_sent > 0, 20)
        sizes = [0, -1]
        while sizes[-1] != sizes[-2]:
            time.sleep(0.3)
            sizes.append(ollama.calls[0].bytes_sent)
        assert sizes[-1] < 30_000_000  # what the sockets hold, not the answer of some 45 MB
    wait_until(lambda: ollama.calls[0].disconnected, 20)


def test_the_control_api_does_the_same_from_another_process(http: httpx.Client, ollama: OllamaStub) -> None:
    chat(http)
    assert http.get("/_stub/count").json() == {"count": 1}
    (seen,) = http.get("/_stub/requests").json()
    assert json.loads(seen["body"])["messages"] == HI
    http.post("/_stub/faults", json={"kind": "status", "status": 503, "text": "busy"})
    assert chat(http).status_code == 503
    http.request("DELETE", "/_stub/faults")
    assert http.post("/_stub/faults", json={"kind": "nonsense"}).status_code == 400
    http.post("/_stub/model", json={"name": "qwen2.5:14b", "load_delay": 0.2})
    http.post("/_stub/unload", json={})
    began = time.monotonic()
    assert chat(http).status_code == 200
    assert time.monotonic() - began > 0.15
    http.post("/_stub/refuse", json={"seconds": 2})
    wait_until(lambda: ollama._server is None, 10)
    with pytest.raises(httpx.ConnectError):
        httpx.get(ollama.url, trust_env=False, timeout=1)
    wait_until(lambda: ollama._server is not None, 20)
    assert chat(http).status_code == 200


def test_the_stub_runs_as_a_command(tmp_path: Any) -> None:
    port = free_port()
    command = [sys.executable, "-m", "tests.ollama_stub", "--port", str(port)]
    with (
        (tmp_path / "out").open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process,
    ):
        try:

            def answers() -> bool:
                try:
                    return (
                        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=1).text
                        == "Ollama is running"
                    )
                except httpx.HTTPError:
                    return False

            wait_until(answers, 20)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()


# -- Langfuse -----------------------------------------------------------------------------------------
def send_span(server: LangfuseStandIn, key: str, compression: Compression = Compression.NoCompression) -> str:
    """One generation span through the real OTLP exporter; returns the trace id."""
    credentials = base64.b64encode(f"{server.public_key}:{key}".encode()).decode()
    exporter = OTLPSpanExporter(
        server.url + "/api/public/otel/v1/traces",
        headers={"authorization": f"Basic {credentials}"},
        compression=compression,
        timeout=10,
    )
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("chat") as span:
        span.set_attributes(
            {
                "langfuse.trace.name": "request",
                "langfuse.trace.tags": ["a", "b"],
                "langfuse.trace.metadata.route": "qwen-local",
                "langfuse.observation.type": "generation",
                "langfuse.observation.input": json.dumps([{"role": "user", "content": "zebra-77"}]),
                "langfuse.observation.usage_details": json.dumps({"input": 3, "output": 4}),
                "session.id": "s1",
            }
        )
    provider.shutdown()
    return format(span.get_span_context().trace_id, "032x")


@pytest.fixture
def langfuse_api(langfuse: LangfuseStandIn) -> Iterator[LangfuseAPI]:
    with httpx.Client(timeout=5, trust_env=False) as client:
        yield LangfuseAPI(
            base_url=langfuse.url,
            username=langfuse.public_key,
            password=langfuse.secret_key,
            httpx_client=client,
        )


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_a_trace_is_read_back_as_it_was_sent(
    langfuse: LangfuseStandIn, langfuse_api: LangfuseAPI, compression: Compression
) -> None:
    trace_id = send_span(langfuse, langfuse.secret_key, compression)
    langfuse_api.scores.create(name="thumbs", value=1, trace_id=trace_id)
    trace = langfuse_api.trace.get(trace_id)
    assert (trace.name, trace.session_id, trace.tags) == ("request", "s1", ["a", "b"])
    assert trace.metadata == {"route": "qwen-local"}
    assert [(o.type, o.usage_details) for o in trace.observations] == [
        ("GENERATION", {"input": 3, "output": 4})
    ]
    assert [(s.name, s.value) for s in trace.scores] == [("thumbs", 1)]
    assert [t.id for t in langfuse_api.trace.list(session_id="s1").data] == [trace_id]
    assert [o.trace_id for o in langfuse_api.observations.get_many(trace_id=trace_id).data] == [trace_id]
    assert search_bytes(langfuse.received_bytes, ["zebra-77"])


def test_wrong_keys_are_refused_and_nothing_is_kept(
    langfuse: LangfuseStandIn, langfuse_api: LangfuseAPI
) -> None:
    send_span(langfuse, "sk-wrong")
    assert langfuse.requests
    assert langfuse.traces == {}
    assert len(langfuse_api.projects.get().data) == 1
    langfuse.add_prompt("greet", "Hello {{name}}")
    assert langfuse_api.prompts.get("greet").prompt == "Hello {{name}}"
    with httpx.Client(base_url=langfuse.url, auth=("x", "y"), timeout=5, trust_env=False) as stranger:
        assert stranger.get("/api/public/projects").status_code == 401
        assert stranger.get("/api/public/health").json()["status"] == "OK"


def test_a_span_that_is_sent_twice_counts_once(langfuse: LangfuseStandIn) -> None:
    send_span(langfuse, langfuse.secret_key)
    (first,) = langfuse.requests
    keep = {k: v for k, v in first.headers.items() if k in ("authorization", "content-type")}
    httpx.post(langfuse.url + first.target, content=first.body, headers=keep, timeout=5, trust_env=False)
    assert len(langfuse.traces) == 1
    assert langfuse.duplicates == 1


# -- cloud --------------------------------------------------------------------------------------------
def test_the_cloud_speaks_openai_and_remembers_being_touched(cloud: CloudStandIn) -> None:
    assert not cloud.touched
    with openai.OpenAI(base_url=cloud.base_url, api_key="sk-x", max_retries=0, timeout=5) as client:
        reply = client.chat.completions.create(model="gpt-cloud", messages=HI).choices[0].message.content  # type: ignore[arg-type]
        stream = client.chat.completions.create(model="gpt-cloud", messages=HI, stream=True)  # type: ignore[arg-type]
        assert "".join(c.choices[0].delta.content or "" for c in stream) == reply
        assert client.responses.create(model="gpt-cloud", input="hi").output_text == reply
        events = list(client.responses.create(model="gpt-cloud", input="hi", stream=True))
        assert events[-1].type == "response.completed"
        assert client.completions.create(model="gpt-cloud", prompt="hi").choices[0].text == reply
        assert len(client.embeddings.create(model="embed-cloud", input="hi").data[0].embedding) == 1536
    assert cloud.touched
    assert cloud.requests[0].headers["authorization"] == "Bearer sk-x"


def test_the_policy_of_the_cloud_makes_it_not_local(cloud: CloudStandIn, ollama: OllamaStub) -> None:
    from aicc_hooks.locality import Locality

    locality = Locality(cloud.policy["local_hosts"])
    assert not locality.check(cloud.url)
    assert locality.check(ollama.url)


# -- canaries -----------------------------------------------------------------------------------------
CANARIES = make_canaries()


def test_there_is_a_canary_of_every_entity_and_no_two_are_alike() -> None:
    from aicc_hooks.detect import entities

    assert [c.entity for c in CANARIES] == list(entities.ALL)
    assert all(c.value in c.text for c in CANARIES)
    values = [
        c.value
        for seed in range(3)
        for c in make_canaries(seed)
        if c.entity not in ("person_name", "postal_address")
    ]
    assert len(set(values)) == len(values)
    assert make_canaries(5) == make_canaries(5)


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda v: v.encode(),
    "json": lambda v: json.dumps({"k": v}).encode(),
    "json in json": lambda v: json.dumps(json.dumps({"k": v})).encode(),
    "url": lambda v: urllib.parse.quote(v, safe="").encode(),
    "form": lambda v: urllib.parse.urlencode({"k": v}).encode(),
    "base64": lambda v: base64.b64encode(v.encode()),
    "base64 inside": lambda v: base64.b64encode(b"a" + v.encode() + b"tail"),
    "base64 url": lambda v: base64.urlsafe_b64encode(b"ab" + v.encode() + b"??>"),
    "reversed": lambda v: v[::-1].encode(),
    "hex": lambda v: v.encode().hex().encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_canary_is_found_in_every_form(form: str) -> None:
    noise = os.urandom(2000)
    for canary in CANARIES:
        hits = search_bytes(noise + FORMS[form](canary.value) + noise, CANARIES)
        assert canary.entity in [h.entity for h in hits]
    assert search_bytes(noise * 3, CANARIES) == []


def test_a_value_that_needs_escapes_is_found_too() -> None:
    awkward = 'p"w\\ä/ +&1\n2'
    for encode in FORMS.values():
        assert search_bytes(encode(awkward), [awkward])


# -- Redis --------------------------------------------------------------------------------------------
def test_redis_can_be_killed_frozen_and_read_whole(redis_server: RedisProcess) -> None:
    with redis_server.client() as client:
        client.set("k1", "value-one")
        client.hset("k2", "field", "value-two")
        client.rpush("k3", "value-three")
        client.zadd("k4", {"value-four": 1.0})
        client.xadd("k5", {"f": "value-five"})
    dump = redis_server.dump()
    assert all(f"value-{n}".encode() in dump for n in ("one", "two", "three", "four", "five"))
    redis_server.freeze()
    with socket.create_connection(("127.0.0.1", redis_server.port), 1) as sock:
        sock.settimeout(0.2)
        sock.sendall(b"PING\r\n")
        with pytest.raises(TimeoutError):
            sock.recv(10)
        redis_server.thaw()
        sock.settimeout(5)
        assert sock.recv(10).startswith(b"+PONG")
    assert redis_server.ping()
    redis_server.kill()
    assert not redis_server.ping()
    redis_server.start()
    assert redis_server.dump() == b""


# -- the real proxy -----------------------------------------------------------------------------------
@pytest.mark.live
def test_the_real_proxy_works_against_the_stub(shared_gateway: Any, ollama: OllamaStub) -> None:
    gateway: GatewayProcess = shared_gateway(plain_config(ollama.url))
    assert shared_gateway(plain_config(ollama.url)) is gateway
    client = gateway.client()
    ask: Any = client.chat.completions.create
    whole = ask(model="qwen-local", messages=HI).choices[0].message.content
    chunks = list(ask(model="qwen-local", messages=HI, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole

    prompt = [{"role": "user", "content": "please call the tool"}]
    call = ask(model="qwen-local", messages=prompt, tools=[WEATHER]).choices[0].message.tool_calls[0]
    jsonschema.validate(json.loads(call.function.arguments), WEATHER["function"]["parameters"])
    streamed = [
        c.choices[0].delta for c in ask(model="qwen-local", messages=prompt, tools=[WEATHER], stream=True)
    ]
    assert (
        "".join(c.function.arguments or "" for d in streamed for c in d.tool_calls or [])
        == call.function.arguments
    )

    assert ask(model="deepseek-local", messages=HI).choices[0].message.reasoning_content
    data = client.embeddings.create(model="embed-local", input=["one", "two"]).data
    assert [d.embedding for d in data] == [list(embedding("one")), list(embedding("two"))]
    assert ollama.calls[0].json["messages"][-1]["content"] == "hi"

    with gateway.httpx(headers={}) as stranger:
        assert stranger.get("/v1/models").status_code in (400, 401, 500)
    assert gateway.memory_mb > 50
    assert any(name.endswith("stderr.log") for name in gateway.written())


@pytest.mark.live
def test_a_proxy_that_cannot_start_says_why() -> None:
    process = GatewayProcess(
        {"model_list": [], "litellm_settings": {"callbacks": ["no_such_module.handler"]}}
    )
    try:
        with pytest.raises(GatewayStartError, match="no_such_module"):
            process.start()
        assert process.returncode is not None
    finally:
        process.close()
