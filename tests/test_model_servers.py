"""OpenAI-compatible servers on this machine: what they say of their models is used, and their broken streams are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from aicc_hooks.adapter.reshape import by_chat
from aicc_hooks.catalog import Deployment, build_catalog
from aicc_hooks.gateway_config import load_config
from aicc_hooks.ops.doctor.model import Context
from aicc_hooks.ops.doctor.servers import model_servers
from aicc_hooks.payload.event_repair import ResponsesRepair
from aicc_hooks.policy import Policy
from aicc_hooks.resilience.health_check import HealthChecker, Probe, ProbeResult
from aicc_hooks.resilience.model_servers import ModelServers
from aicc_hooks.resilience.models_present import not_served
from aicc_hooks.resilience.ollama_models import parse_show
from aicc_hooks.resilience.openai_server import OpenAIServer, Served, ServerError, Serves
from aicc_hooks.resilience.probes import ServersProbe, injected, standard_probes
from tests.harness import GatewayProcess, wait_until
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.model_server import About, ModelServerStandIn

MLX_NAME = "mlx-community/Qwen2.5-14B-Instruct-4bit"


def look(server: ModelServerStandIn, key: str = "") -> Serves:
    async def ask() -> Serves:
        client = OpenAIServer(server.url + "/v1", key=key)
        try:
            return await client.look()
        finally:
            await client.aclose()

    return asyncio.run(ask())


# --- what each server says -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "model", "learnt"),
    [
        (
            "llama.cpp",
            About("a.gguf", context=4096, trained=131072, tools=True, vision=True),
            {"max_input_tokens": 4096, "supports_function_calling": True, "supports_vision": True},
        ),
        (
            "llama.cpp",
            About("a.gguf", context=8192, trained=131072, tools=False, vision=False),
            {"max_input_tokens": 8192, "supports_function_calling": False, "supports_vision": False},
        ),
        ("mlx", About(MLX_NAME), {}),
        ("vllm", About("Qwen/Qwen3-8B", context=40960), {"max_input_tokens": 40960}),
        (
            "lm-studio",
            About("qwen2.5-vl-7b", context=16384, trained=32768, tools=True, kind="vlm"),
            {"max_input_tokens": 16384, "supports_function_calling": True, "supports_vision": True},
        ),
        (
            "lm-studio",
            About("gemma-2b", trained=8192, kind="llm"),
            {"max_input_tokens": 8192, "supports_vision": False},
        ),
        (
            "lm-studio",
            About("text-embedding-nomic", trained=2048, kind="embeddings"),
            {"max_input_tokens": 2048, "mode": "embedding"},
        ),
        ("tei", About("BAAI/bge-m3", context=8192, kind="embedding"), {"max_input_tokens": 8192, "mode": "embedding", "max_client_batch_size": 32}),
        ("tei", About("bge-reranker", context=512, kind="reranker"), {"max_input_tokens": 512, "mode": "rerank", "max_client_batch_size": 32}),
        ("infinity", About("bge-small", kind="embedding"), {"mode": "embedding"}),
        ("infinity", About("bge-reranker", kind="reranker"), {"mode": "rerank"}),
    ],
)  # fmt: skip
def test_each_server_is_read_as_it_describes_itself(kind: str, model: About, learnt: dict[str, Any]) -> None:
    with ModelServerStandIn(kind, model) as server:
        found = look(server).find(model.name)
    assert found is not None
    assert found.as_model_info() == learnt


@pytest.mark.parametrize("tools", [True, False])
def test_an_older_llama_cpp_tells_tools_by_its_template(tools: bool) -> None:
    with ModelServerStandIn("llama.cpp", About("a.gguf", 2048, 4096, tools=tools)) as server:
        server.flavour.old = True
        assert look(server).models[0].tools is tools


def test_a_key_is_sent_and_a_wrong_one_told() -> None:
    with ModelServerStandIn("vllm", About("m", 4096)) as server:
        server.flavour.key = "sk-local"
        assert look(server, key="sk-local").names == ("m",)
        with pytest.raises(ServerError) as wrong:
            look(server)
    assert wrong.value.status == 401


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"data": 7}', b"{}", b"[" * 100_000, b'{"data": [' + b" " * (5 << 20) + b"]}"],
    ids=["html", "list", "number", "empty", "deep", "long"],
)
def test_what_is_no_list_of_models_is_an_error_not_a_crash(body: bytes) -> None:
    async def ask() -> None:
        answer = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
        await OpenAIServer("http://127.0.0.1:9/v1", transport=answer).look()

    with pytest.raises(ServerError):
        asyncio.run(ask())


@pytest.mark.parametrize("rows", [[{"id": 3}, 7, None], [{"id": "m", "meta": [], "capabilities": {"x": 1}, "max_model_len": "many"}]])  # fmt: skip
def test_fields_of_another_type_are_not_believed(rows: list[Any]) -> None:
    async def ask() -> Serves:
        answer = httpx.MockTransport(lambda r: httpx.Response(200, json={"data": rows, "modalities": 3}))
        return await OpenAIServer("http://127.0.0.1:9/v1", transport=answer).look()

    assert all(model == Served("m") for model in asyncio.run(ask()).models)


def test_an_alias_names_the_model() -> None:
    async def ask() -> Serves:
        rows = [{"id": "a.gguf", "aliases": ["fast", 3], "owned_by": "llamacpp"}, {"id": "b.gguf"}]
        answer = httpx.MockTransport(lambda r: httpx.Response(200, json={"data": rows}))
        return await OpenAIServer("http://127.0.0.1:9/v1", transport=answer).look()

    serves = asyncio.run(ask())
    found = serves.find("fast")
    assert found is not None
    assert found.name == "a.gguf"
    assert serves.find("slow") is None


def test_a_servers_own_page_is_read_once_a_minute_and_when_its_models_change() -> None:
    now = 0.0

    async def ask() -> list[int]:
        nonlocal now
        client = OpenAIServer(server.url + "/v1", clock=lambda: now)
        counts = []
        for at, name in ((0, "a"), (10, "a"), (20, "a"), (30, "b"), (40, "b"), (91, "b")):
            now, server.flavour.models = at, [About(name, 1000 + at, 9000)]
            found = await client.look()
            counts.append(sum(r.path == "/props" for r in server.requests))
            assert found.models[0].name == name
        assert found.models[0].context == 1091
        await client.aclose()
        return counts

    with ModelServerStandIn("llama.cpp", About("a", 1000, 9000)) as server:
        assert asyncio.run(ask()) == [1, 1, 1, 2, 2, 3]


# --- what is made of it ----------------------------------------------------------------------------


def entry(name: str, model: str, base: str, **info: Any) -> dict[str, Any]:
    params = {"model": f"openai/{model}", "api_base": base, "api_key": "none"}
    return {"model_name": name, "litellm_params": params, "model_info": info}


def test_what_config_yaml_states_wins_over_what_the_server_says() -> None:
    says = {"max_input_tokens": 4096, "supports_function_calling": False, "supports_vision": True, "mode": "embedding"}  # fmt: skip
    rows = [
        entry("stated", "m", "http://a", max_input_tokens=9000, supports_function_calling=True,
              supports_vision=False, mode="chat"),
        entry("renamed", "m", "http://a", context_length=7000),
        entry("silent", "m", "http://a", supports_vision=None),
    ]  # fmt: skip
    groups = build_catalog(rows, {"http://a": True}, learnt=lambda address, model: says).groups
    stated, silent = groups["stated"], groups["silent"]
    assert (stated.context, stated.tools, stated.vision, stated.mode) == (9000, True, False, "chat")
    assert (silent.context, silent.tools, silent.vision, silent.mode) == (4096, False, True, "embedding")
    assert groups["renamed"].context == 7000


def test_ollamas_capabilities_fill_what_config_yaml_leaves_out() -> None:
    shown = parse_show("llava", {"capabilities": ["completion", "vision"], "model_info": {}})
    rows = [{"model_name": "eye", "litellm_params": {"model": "ollama_chat/llava"}}]
    group = build_catalog(rows, {}, learnt=lambda address, model: shown.as_model_info()).groups["eye"]
    assert (group.tools, group.vision) == (False, True)
    assert parse_show("old", {"model_info": {}}).as_model_info() == {}, (
        "an Ollama that names none says nothing"
    )


def test_a_server_elsewhere_is_not_asked() -> None:
    async def ask(server: ModelServerStandIn, *local: bool) -> dict[str, Any]:
        servers, address = ModelServers(), server.url + "/v1"
        for here in local:
            servers.adopt(build_catalog([entry("x", "m", address)], {address: here}), {})
        await servers.look()
        await servers.aclose()
        return servers.learnt(address, "openai/m")

    with ModelServerStandIn("vllm", About("m", 4096)) as server:
        assert asyncio.run(ask(server, False)) == {}
        assert asyncio.run(ask(server, True, False)) == {}
        assert not server.touched
        assert asyncio.run(ask(server, True)) == {"max_input_tokens": 4096}


def test_a_model_that_is_not_served_is_named_with_the_closest() -> None:
    serves = Serves("", (Served(MLX_NAME), Served("mlx-community/Llama-3.2-3B-Instruct-4bit")))
    (lacking,) = not_served(
        ["mlx-community/Qwen2.5-14B-4bit", MLX_NAME, "default_model"], serves, "http://x/v1"
    )
    assert lacking.closest[0] == MLX_NAME
    assert "mlx-community/Qwen2.5-14B-4bit" in lacking.sentence
    assert "http://x/v1" in lacking.sentence
    assert not not_served(["anything"], Serves("llamacpp", (Served("a.gguf"),), any_name=True), "http://x")


def probe(
    server: ModelServerStandIn, names: list[str], timeout_s: float = 5
) -> tuple[ProbeResult, list[str]]:
    told: list[str] = []

    async def ask() -> ProbeResult:
        client = OpenAIServer(server.url + "/v1", timeout_s=timeout_s)
        try:
            run = ServersProbe(
                {server.url: client},
                lambda address: names,
                on_reachable=lambda a: told.append("reachable"),
                on_refused=lambda a: told.append("refused"),
            )
            return await run()
        finally:
            await client.aclose()

    return asyncio.run(ask()), told


def test_one_frozen_server_of_two_hides_nothing_of_the_other(tmp_path: Path) -> None:
    async def ask(well: str, frozen: str) -> dict[str, Any]:
        servers = {url: OpenAIServer(url + "/v1") for url in (well, frozen)}  # the limits a gateway has
        off = injected(None, "off")
        probes = standard_probes(
            ollama=off, servers=ServersProbe(servers, lambda _address: []), redis=None, litellm=None, langfuse=None, home=tmp_path, free_mb=lambda: 0,
        )  # fmt: skip
        checker = HealthChecker(probes)
        try:
            await checker.check("model_servers")
        finally:
            for server in servers.values():
                await server.aclose()
        found: dict[str, Any] = checker.details()["model_servers"]
        return found

    about = About("qwen3-8b", 4096)
    with (
        ModelServerStandIn("vllm", about) as well,
        ModelServerStandIn("vllm", about) as frozen,
        frozen.failing("freeze"),
    ):
        seen = asyncio.run(ask(well.url, frozen.url))
    assert (seen["status"], seen["warning"]) == ("up", True), seen
    assert seen["facts"][well.url]["models"] == ["qwen3-8b"]


def test_the_probe_tells_missing_loading_refused_and_frozen() -> None:
    with ModelServerStandIn("vllm", About("qwen3-8b", 4096)) as server:
        result, told = probe(server, ["qwen3-8b"])
        assert (result.status, result.warning, told) == ("up", False, ["reachable"])
        result, _ = probe(server, ["qwen3-8B-instruct"])
        assert (result.status, result.warning) == ("up", True)
        assert "qwen3-8b" in result.detail
        server.flavour.loading = True
        result, told = probe(server, [])
        assert (result.status, result.warning, told) == ("up", True, [])
        assert "loading" in result.detail
        server.flavour.loading, server.flavour.key = False, "sk"
        assert "api_key" in probe(server, [])[0].detail
        server.flavour.key = ""
        with server.failing("status", status=404):  # it lists no models, and may serve them all the same
            result, told = probe(server, [])
            assert (result.status, told) == ("up", ["reachable"])
        with server.failing("freeze"):
            assert probe(server, [], timeout_s=0.5)[0].status == "down"
        with server.refusing():
            result, told = probe(server, [])
            assert (result.status, told) == ("down", ["refused"])


@pytest.mark.parametrize(("others", "overall"), [(True, "degraded"), (False, "down")])
def test_without_ollama_the_servers_decide_whether_anything_is_served(others: bool, overall: str) -> None:
    async def check() -> str:
        async def found(status: Any) -> ProbeResult:
            return ProbeResult(status)

        probes = [Probe("ollama", lambda: found("off")), Probe("model_servers", lambda: found("down"))]
        checker = HealthChecker(probes, can_serve=lambda: others)
        await checker.check()
        return checker.overall()

    assert asyncio.run(check()) == overall


def test_the_doctor_tells_names_context_keys_and_silence(tmp_path: Path) -> None:
    def examine(*entries: dict[str, Any]) -> dict[str, Any]:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump({"model_list": list(entries)}))
        context = Context(tmp_path, {}, 4000, path, config=load_config(path, {}), policy=Policy())
        return {f.level: f"{f.found} -> {f.fix}" for f in model_servers(context)}

    with ModelServerStandIn("vllm", About("qwen3-8b", 4096)) as server:
        base = server.url + "/v1"
        assert list(examine(entry("a", "qwen3-8b", base))) == ["ok"]
        assert "qwen3-8b" in examine(entry("a", "qwen3:8b", base))["fail"]
        assert "4096" in examine(entry("a", "qwen3-8b", base, max_input_tokens=9000))["warn"]
        server.flavour.key = "sk-local"
        assert "api_key" in examine(entry("a", "qwen3-8b", base))["fail"]
        server.refuse()
        assert base in examine(entry("a", "qwen3-8b", base))["fail"]
        asked = len(server.requests)
    assert examine(entry("a", "gpt", "https://api.example.com/v1")) == {}, "a cloud is not asked"
    assert asked == 4


@pytest.mark.parametrize(
    ("deployment", "given", "sent"),
    [
        (Deployment("1", "openai/m", "http://127.0.0.1:8080/v1", local=True), {}, True),
        (Deployment("1", "openai/m", "http://127.0.0.1:8080/v1", local=True), {"use_chat_completions_api": False}, False),
        (Deployment("1", "openai/tensorzero::model_name::m", "http://127.0.0.1:8000/openai/v1"), {}, True),
        (Deployment("1", "openai/gpt", "https://api.example.com/v1"), {}, None),
        (Deployment("1", "ollama_chat/m", "http://127.0.0.1:11434", local=True), {}, None),
        (None, {}, None),
    ],
)  # fmt: skip
def test_responses_calls_become_chat_calls_only_for_servers_here(
    deployment: Deployment | None, given: dict[str, Any], sent: bool | None
) -> None:
    by_chat(given, deployment)
    assert given.get("use_chat_completions_api") is sent


# --- Responses events of llama.cpp -----------------------------------------------------------------


def test_events_without_their_places_are_completed_whatever_the_pieces() -> None:
    events = [
        {"type": "response.created", "response": {"id": "r", "object": "response", "status": "in_progress"}},
        {"type": "response.output_item.added", "item": {"id": "msg_1", "type": "message", "content": []}},
        {"type": "response.content_part.added", "item_id": "msg_1", "part": {"type": "output_text", "text": ""}},
        {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hi"},
        {"type": "response.created", "response": {"id": "r", "object": "response", "status": "in_progress"}},
        {"type": "response.output_item.added", "item": {"type": "function_call", "call_id": "fc_1", "name": "f"}},
        {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "delta": "{}"},
        {"type": "response.output_item.done", "item": {"type": "function_call", "call_id": "fc_1", "name": "f"}},
    ]  # fmt: skip
    sent = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()
    for size in (1, 7, len(sent)):
        repair = ResponsesRepair("auto")
        pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
        got = b"".join(repair.feed(p, last=p is pieces[-1]) for p in pieces)
        made = [json.loads(line[6:]) for line in got.decode().splitlines() if line.startswith("data: ")]
        assert [e["sequence_number"] for e in made] == list(range(len(events) - 1)), "one beginning"
        assert [e.get("output_index") for e in made] == [None, 0, 0, 0, 1, 1, 1]
        assert made[2]["content_index"] == made[3]["content_index"] == 0
        assert made[4]["item"]["id"] == "fc_1"
        assert made[0]["response"]["model"] == "auto"
        assert made[0]["response"]["created_at"] > 0
        assert made[0]["response"]["output"] == []


# --- through the gateway ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama() -> Iterator[ModelServerStandIn]:
    with ModelServerStandIn(
        "llama.cpp", About("qwen.gguf", 4096, 131072, tools=False, vision=False)
    ) as server:
        yield server


@pytest.fixture(scope="module")
def mlx() -> Iterator[ModelServerStandIn]:
    with ModelServerStandIn("mlx", About(MLX_NAME)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    ollama: OllamaStub, llama: ModelServerStandIn, mlx: ModelServerStandIn
) -> Iterator[GatewayProcess]:
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    native = entry("llama-native", "qwen.gguf", llama.url + "/v1")
    native["litellm_params"]["use_chat_completions_api"] = False
    config["model_list"] += [
        entry("llama-cpp", "whatever", llama.url + "/v1"),
        native,
        entry("mlx-local", MLX_NAME, mlx.url + "/v1"),
        entry("mlx-other", "mlx-community/Qwen2.5-14B-4bit", mlx.url + "/v1"),
    ]
    policy = {
        "routing": {"simple_route": "llama-cpp"},
        "resilience": {
            "breaker": {"consecutive_failures": 1000, "min_requests": 10_000},
            "cold_start": {"prefer_loaded": False},
            "health": {"interval_s": 0.5},
        },
    }
    with GatewayProcess(config, policy=policy, ollama_url=ollama.url) as process:
        wait_until(lambda: "model_servers" in problems(process), 30)
        yield process


def problems(gateway: GatewayProcess) -> dict[str, str]:
    found: dict[str, str] = httpx.get(gateway.url + "/aicc/health", timeout=10, trust_env=False).json()[
        "problems"
    ]
    return found


BODIES: dict[str, Any] = {
    "/v1/chat/completions": lambda text: {"messages": [{"role": "user", "content": text}]},
    "/v1/completions": lambda text: {"prompt": text},
    "/v1/responses": lambda text: {"input": text},
    "/v1/messages": lambda text: {"max_tokens": 500, "messages": [{"role": "user", "content": text}]},
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}  # fmt: skip
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # fmt: skip


@pytest.mark.live
def test_what_a_server_says_steers_requests(gateway: GatewayProcess, llama: ModelServerStandIn) -> None:
    def ask(content: Any, **fields: Any) -> httpx.Response:
        body = {"model": "auto", "messages": [{"role": "user", "content": content}], **fields}
        return gateway.httpx().post("/v1/chat/completions", json=body)

    plain = ask("hello there")
    assert plain.headers["x-aicc-route"] == "llama-cpp", plain.headers
    tools = ask("hello there", tools=[TOOL])
    assert tools.headers["x-aicc-route"] != "llama-cpp"
    assert tools.headers["x-aicc-reason"] == "capability:tools"
    long = ask("hello there " * 3000)  # about 6,000 tokens; the server takes 4,096
    assert long.status_code == 200, long.text
    assert long.headers["x-aicc-route"] != "llama-cpp"
    seen = [r for r in llama.requests if r.method == "POST"]
    assert len(seen) == 1, "what it cannot take was not sent to it"


@pytest.mark.live
def test_health_names_the_model_that_is_not_served(gateway: GatewayProcess) -> None:
    told = problems(gateway)["model_servers"]
    assert "mlx-community/Qwen2.5-14B-4bit" in told
    assert MLX_NAME in told, "the closest one that is there"
    assert "qwen.gguf" not in told, "llama.cpp answers whatever name it is given"


@pytest.mark.live
def test_every_api_reaches_a_server_that_has_chat_alone(
    gateway: GatewayProcess, mlx: ModelServerStandIn
) -> None:
    for path, body in BODIES.items():
        for stream in (False, True):
            answer = gateway.httpx().post(
                path, json={"model": "mlx-local", "stream": stream, **body("[[reply: yes]]")}
            )
            assert answer.status_code == 200, (path, answer.text)
            assert "yes" in answer.text
            assert answer.headers["x-aicc-route"] == "mlx-local"
    assert not [r for r in mlx.requests if r.path.endswith("/responses")]


@pytest.mark.live
@pytest.mark.parametrize("model", ["mlx-local", "llama-native"])
def test_a_stream_without_its_end_ends_with_an_error_event(
    gateway: GatewayProcess, mlx: ModelServerStandIn, llama: ModelServerStandIn, model: str
) -> None:
    server = mlx if model == "mlx-local" else llama
    for path, body in BODIES.items():
        asked = {"model": model, "stream": True, "temperature": 0, **body(f"[[words: 60]] {model}")}
        with server.failing("end_mid", path="/v1/", after=20):
            broken = gateway.httpx().post(path, json=asked)
        assert broken.status_code == 200
        assert "word9" in broken.text, (path, broken.text)
        events = [json.loads(line[6:]) for line in broken.text.splitlines() if line.startswith("data: {")]
        assert "aicc_upstream_down" in broken.text or '"overloaded_error"' in broken.text, (
            path,
            broken.text[-600:],
        )
        if path.endswith("/responses"):
            assert [e["sequence_number"] for e in events] == list(range(len(events)))
        assert not any(c.get("finish_reason") for e in events for c in e.get("choices") or [])
        assert '"message_stop"' not in broken.text
        assert '"response.completed"' not in broken.text
        assert gateway.record_of(broken)["error"] == "aicc_upstream_down", path
        whole = gateway.httpx().post(path, json=asked)
        assert whole.headers["x-aicc-cache"] == "miss", "half an answer is not kept"
        assert "word59" in whole.text


@pytest.mark.live
def test_done_without_a_finish_reason_is_an_end(gateway: GatewayProcess, mlx: ModelServerStandIn) -> None:
    mlx.flavour.unfinished = True
    try:
        body = {
            "model": "mlx-local",
            "stream": True,
            "messages": [{"role": "user", "content": "[[reply: all of it]]"}],
        }
        answer = gateway.httpx().post("/v1/chat/completions", json=body)
    finally:
        mlx.flavour.unfinished = False
    assert "error" not in answer.text
    assert '"finish_reason":"stop"' in answer.text
    assert answer.text.rstrip().endswith("data: [DONE]")


@pytest.mark.live
def test_the_events_of_a_servers_own_responses_api_are_complete(gateway: GatewayProcess) -> None:
    with gateway.client().responses.stream(model="llama-native", input="hello") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == "Hello from llama.cpp."
    assert [event.type for event in events].count("response.created") == 1
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert deltas
    assert all(event.output_index == 0 and event.content_index == 0 for event in deltas)
