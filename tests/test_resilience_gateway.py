"""Ollama fails in every way it can; the gateway goes on answering, and says when it cannot."""

from __future__ import annotations

import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from aicc_hooks.record import SpoolReader
from aicc_hooks.record.alerts.store import read_alerts
from tests.harness import GatewayProcess, RedisProcess, wait_until
from tests.harness.gateway import SHIPPED_CONFIG
from tests.harness.webhook import hook_server
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn

pytestmark = pytest.mark.live

QWEN, LLAMA, DEEPSEEK = "qwen2.5:14b", "llama3.2:latest", "deepseek-r1:14b"
NEVER_OPEN = {"consecutive_failures": 1000, "min_requests": 10_000}
PRIVATE = "my ssn is 078-05-1120"


def say(text: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **fields}


def ask(gateway: GatewayProcess, text: str = "hello", **fields: Any) -> httpx.Response:
    return gateway.httpx().post("/v1/chat/completions", json=say(text, **fields))


ENDPOINTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "/v1/chat/completions": lambda text: {"messages": [{"role": "user", "content": text}]},
    "/v1/completions": lambda text: {"prompt": text},
    "/v1/responses": lambda text: {"input": text},
    "/v1/messages": lambda text: {"max_tokens": 500, "messages": [{"role": "user", "content": text}]},
}


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


def error_code(path: str, event: dict[str, Any]) -> str:
    """Our code in an error event, in the shape of each API; "" when it is none."""
    if path == "/v1/responses":
        if event.get("type") == "error":
            return str(event["code"])
        failed = (event.get("response") or {}) if event.get("type") == "response.failed" else {}
        return str((failed.get("error") or {}).get("code") or "")
    if path == "/v1/messages":
        return "aicc_upstream_down" if event.get("type") == "error" else ""
    return str((event.get("error") or {}).get("type") or "")


def health(gateway: GatewayProcess) -> httpx.Response:
    return httpx.get(gateway.url + "/aicc/health", timeout=10, trust_env=False)


def knows(gateway: GatewayProcess, status: str) -> Callable[[], bool]:
    return lambda: health(gateway).json()["dependencies"].get("ollama", {}).get("status") == status


@pytest.fixture(scope="module")
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    with hook_server() as server:
        yield server


RESILIENCE = {
    "breaker": NEVER_OPEN,
    "cold_start": {"prefer_loaded": False, "sse_keepalive_s": 0.4},
    "health": {"interval_s": 0.5},
    "embeddings": {"timeout_s": 1},
}


@pytest.fixture(scope="module")
def patient(shared_gateway: Any, webhook: tuple[str, list[dict[str, Any]]]) -> GatewayProcess:
    """Its breaker never opens, so that many kinds of failure can be told apart; it comments on waiting streams."""
    policy = {
        "cache": {"enabled": False},
        "resilience": RESILIENCE,
        "alerts": {
            "every_s": 1,
            "rules": {"spool_failing": {"for_s": 0, "clear_for_s": 0}},
            "webhook": {"url": webhook[0]},
        },
    }
    started: GatewayProcess = shared_gateway(policy=policy)
    return started


@pytest.fixture(scope="module")
def caching(ollama: OllamaStub) -> Iterator[GatewayProcess]:
    """The same with the cache on, where answers pass a queue that clients share."""
    with GatewayProcess(policy={"resilience": RESILIENCE}, ollama_url=ollama.url) as process:
        yield process


@pytest.fixture(params=["patient", "caching"])
def either(request: pytest.FixtureRequest) -> GatewayProcess:
    """For tests whose requests are never kept."""
    gateway: GatewayProcess = request.getfixturevalue(request.param)
    return gateway


@pytest.fixture(scope="module")
def strict(ollama: OllamaStub, cloud: CloudStandIn) -> Iterator[GatewayProcess]:
    """Short cooldowns, quick probes, small limits, and a cloud model that could be fallen back to."""
    import yaml

    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"].append(cloud.deployment())
    for entry in config["router_settings"]["fallbacks"]:
        for others in entry.values():
            others.append("cloud")
    other = {"model": "ollama/bge-m3", "api_base": "os.environ/OLLAMA_BASE_URL"}
    config["model_list"].append(
        {"model_name": "embed-other", "litellm_params": other, "model_info": {"mode": "embedding"}}
    )
    config["router_settings"]["fallbacks"].append({"embed-local": ["embed-other"]})
    with GatewayProcess(config, policy=strict_policy(cloud), ollama_url=ollama.url) as process:
        wait_until(knows(process, "up"), 30)
        yield process


def served_by(response: httpx.Response) -> str:
    return response.headers["x-aicc-route"] if response.status_code == 200 else ""


def closed(gateway: GatewayProcess) -> None:
    """Wait until what an earlier test broke is trusted again."""
    for model in ("llama-fast", "qwen-local", "deepseek-local"):
        wait_until(lambda m=model: served_by(ask(gateway, model=m)) == m, 60)


# --- failures before the first token ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["status", "oom", "reset", "garbage", "half_close"])
def test_a_failing_model_falls_back_quickly(patient: GatewayProcess, ollama: OllamaStub, kind: str) -> None:
    ask(patient, model="deepseek-local")
    times = []
    for path, body in ENDPOINTS.items():
        for stream in (False, True):
            before = len(ollama.calls)
            with ollama.failing(kind, model=QWEN, after=0):
                began = time.monotonic()
                response = patient.httpx().post(
                    path, json={"model": "qwen-local", "stream": stream, **body("hello")}
                )
                times.append(time.monotonic() - began)
            assert response.status_code == 200, (kind, path, stream, response.text)
            assert times[-1] < 10, (kind, path, stream)  # the bound is 1 s on a quiet machine
            assert "stand-in model" in response.text or "delta" in response.text or "text" in response.text
            # A connection that breaks is dialled twice by the HTTP client itself.
            tried = [call.model for call in ollama.calls[before:]]
            assert tried.count(QWEN) <= 2
            assert tried[-1] == DEEPSEEK
    assert min(times) < 3, times
    assert response.headers["x-aicc-reason"] == "fallback:upstream_down" or stream
    record = patient.record_of(response)
    assert record["route"] == "deepseek-local"
    assert [a["deployment"] for a in record["attempts"]] == ["qwen-local/ollama_chat/qwen2.5:14b"]


def test_an_error_line_of_ollama_is_no_fault_of_the_request(
    either: GatewayProcess, ollama: OllamaStub
) -> None:
    with ollama.failing("error_mid", model=QWEN, after=0):
        response = ask(either, model="qwen-local", stream=True)
    assert response.status_code == 200, response.text
    assert [call.model for call in ollama.calls] == [QWEN, DEEPSEEK]


# --- failures after it -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "delay"),
    # Without a delay words and failure arrive together.
    [("half_close", 0.01), ("reset_mid", 0.01), ("garbage_mid", 0.01), ("error_mid", 0.01), ("error_mid", 0)],
)
def test_a_stream_that_breaks_ends_with_an_error_event(
    either: GatewayProcess, ollama: OllamaStub, kind: str, delay: float
) -> None:
    ollama.models[QWEN].token_delay = delay
    for path, body in ENDPOINTS.items():
        before = len(ollama.calls)
        with ollama.failing(kind, model=QWEN, after=20):
            response = either.httpx().post(
                path, json={"model": "qwen-local", "stream": True, **body("[[words: 60]]")}
            )
        told = events(response.text)
        assert "word3" in response.text, (kind, path, response.text[:500])
        codes = [code for event in told if (code := error_code(path, event))]
        assert codes == ["aicc_upstream_down"], (kind, path, response.text[-700:])
        if path.endswith("/responses"):
            assert [event["sequence_number"] for event in told] == list(range(len(told)))
        assert not any(c.get("finish_reason") for e in told for c in e.get("choices") or [])
        assert '"message_stop"' not in response.text
        assert "response.completed" not in response.text
        # Once a word was read nobody else goes on with the sentence.
        assert [call.model for call in ollama.calls[before:]] == [QWEN], (kind, path)
        assert "unexpected EOF" not in response.text  # Ollama's words may repeat a prompt
        record = either.record_of(response)
        assert record["error"] == "aicc_upstream_down"
        assert record["attempts"], (kind, path)


def test_a_client_that_leaves_ends_the_upstream_call(either: GatewayProcess, ollama: OllamaStub) -> None:
    ollama.models[LLAMA].token_delay = 0.05
    body = say("[[words: 400]]", model="llama-fast", stream=True)
    with either.httpx().stream("POST", "/v1/chat/completions", json=body) as response:
        next(response.iter_bytes())
    wait_until(lambda: ollama.calls[-1].disconnected, 30)
    record = either.record_of(response)
    assert record["status"] == 499
    assert record["attempts"][-1]["error"] == "cancelled"


def test_a_client_that_does_not_read_stops_the_model_and_loses_nothing(
    patient: GatewayProcess, ollama: OllamaStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"{number:-<8000}" for number in range(2000)]  # 16 MB: more than the kernel's buffers hold
    monkeypatch.setattr(ollama.models[LLAMA], "reply", " ".join(words))
    body = json.dumps(say(model="llama-fast", stream=True)).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {patient.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # else it grows
        client.connect(("127.0.0.1", patient.port))
        client.sendall(head.encode() + body)
        wait_until(lambda: ollama.calls and ollama.calls[-1].bytes_sent, 10)
        upstream, sent = ollama.calls[-1], [0]

        def stands() -> bool:
            time.sleep(1.5)
            sent.append(upstream.bytes_sent)
            return sent[-1] == sent[-2]

        wait_until(stands, 60)
        assert not upstream.finished  # only what the kernel's buffers hold was taken from it
        answer = b"".join(iter(lambda: client.recv(1 << 20), b""))
    told = [event["choices"][0]["delta"].get("content") or "" for event in events(answer.decode())]
    assert "".join(told).split() == words
    assert b"data: [DONE]" in answer


# --- cold starts -----------------------------------------------------------------------------------


def test_waiting_streams_get_comments_and_then_their_answer(
    patient: GatewayProcess, ollama: OllamaStub
) -> None:
    ollama.models[LLAMA].load_delay = 3.0
    for path, body in ENDPOINTS.items():
        ollama.unload()
        patient.wait_probed()
        response = patient.httpx().post(
            path, json={"model": "llama-fast", "stream": True, **body("[[words: 5]]")}
        )
        assert response.status_code == 200
        assert response.text.startswith(": waiting\n\n: waiting\n\n"), (path, response.text[:200])
        assert "word4" in response.text
        assert not any(error_code(path, event) for event in events(response.text))
        assert response.headers["x-aicc-cold-start"] == "true"
    assert ollama.memory.cancelled_loads == 0


def test_a_failure_after_a_comment_is_an_error_event(patient: GatewayProcess, ollama: OllamaStub) -> None:
    def read(path: str, body: dict[str, Any], commented: threading.Event) -> tuple[int, str]:
        text = ""
        with patient.httpx().stream("POST", path, json=body) as response:
            for part in response.iter_text():
                text += part
                if ": waiting\n\n" in text:
                    commented.set()
        return response.status_code, text

    for path, body in ENDPOINTS.items():
        before, commented = len(ollama.calls), threading.Event()
        ollama.fail("freeze")
        with ThreadPoolExecutor(1) as pool:
            try:
                asked = {"model": "llama-fast", "stream": True, **body("hello")}
                pending = pool.submit(read, path, asked, commented)
                wait_until(lambda seen=before: len(ollama.calls) > seen, 20)
                assert commented.wait(30), path
                ollama.refuse()  # cuts the frozen connection too
                status, text = pending.result(30)
            finally:
                ollama.heal()  # accepts again
        wait_until(lambda: ask(patient, model="llama-fast").status_code == 200, 20)
        assert status == 200
        assert text.startswith(": waiting\n\n")
        codes = [code for event in events(text) if (code := error_code(path, event))]
        assert codes == ["aicc_upstream_down"], (path, text)


def test_requests_for_a_loading_model_wait_together(strict: GatewayProcess, ollama: OllamaStub) -> None:
    closed(strict)
    before = len(ollama.memory.loads)
    ollama.models[LLAMA].load_delay = 2.0
    ollama.unload()
    strict.wait_probed()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: ask(strict, f"hello {n}", model="llama-fast"), range(4)))
    assert [a.status_code for a in answers] == [200] * 4
    assert [name for name, _ in ollama.memory.loads[before:]].count(LLAMA) == 1
    assert ollama.memory.cancelled_loads == 0
    # Two run and meet the load; the two that wait in line may find the model loaded.
    assert any(a.headers.get("x-aicc-cold-start") == "true" for a in answers)
    assert "x-aicc-cold-start" not in ask(strict, model="llama-fast").headers


def test_a_model_that_left_for_another_is_known_to_be_cold(
    start_gateway: Any, ollama: OllamaStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks: the next would come in a minute."""
    monkeypatch.setattr(ollama.memory, "max_loaded", 1)
    ollama.unload()
    policy = {"cache": {"enabled": False}, "resilience": {"health": {"interval_s": 60}}}
    gateway = start_gateway(policy=policy)
    wait_until(knows(gateway, "up"), 30)
    for model in ("llama-fast", "qwen-local", "llama-fast"):
        before = gateway.probe_time()
        assert ask(gateway, model=model).headers.get("x-aicc-cold-start") == "true"
        wait_until(lambda seen=before: gateway.probe_time() != seen, 30)
    assert "x-aicc-cold-start" not in ask(gateway, model="llama-fast").headers


# --- context ---------------------------------------------------------------------------------------


def test_num_ctx_is_always_sent_and_grows_in_buckets(patient: GatewayProcess, ollama: OllamaStub) -> None:
    def num_ctx() -> int:
        return int(ollama.calls[-1].json["options"]["num_ctx"])

    ask(patient, model="llama-fast")
    assert num_ctx() == 8192
    ask(patient, "word " * 5800, model="llama-fast", max_tokens=16)
    assert num_ctx() == 8192
    ask(patient, "word " * 5800, model="llama-fast", max_tokens=4000)
    assert num_ctx() == 16384  # resilience.context.reply_tokens makes the difference
    ask(patient, model="llama-fast")
    assert num_ctx() == 16384  # a smaller one would reload the model
    too_long = ask(patient, "word " * 200_000, model="llama-fast")
    assert too_long.status_code == 400
    assert too_long.headers["x-aicc-error"] == "aicc_context_too_long"
    assert any(character.isdigit() for character in too_long.json()["error"]["message"])


def test_a_cut_reply_is_marked_in_the_record(patient: GatewayProcess) -> None:
    for stream in (False, True):
        cut = ask(patient, "[[words: 50]]", model="llama-fast", max_tokens=5, stream=stream)
        assert patient.record_of(cut)["cut"] == "reply"
    assert patient.record_of(ask(patient, model="llama-fast"))["cut"] == ""


# --- embeddings ------------------------------------------------------------------------------------


def test_a_frozen_embedding_server_is_given_up_after_the_policy_s_time(
    patient: GatewayProcess, ollama: OllamaStub
) -> None:
    body = {"model": "embed-local", "input": "hello"}
    assert patient.httpx().post("/v1/embeddings", json=body).status_code == 200
    with ollama.failing("freeze", path="/api/embed"):
        began = time.monotonic()
        response = patient.httpx().post("/v1/embeddings", json=body)
        took = time.monotonic() - began
        assert response.status_code == 503, response.text
        assert response.headers["x-aicc-error"] == "aicc_upstream_down"
        assert int(response.headers["retry-after"]) >= 1
        assert 0.9 < took < 20
        wait_until(lambda: ollama.calls[-1].disconnected, 20)  # the call at the server is given up too
    assert patient.record_of(response)["attempts"][-1]["error"] == "timeout"
    assert patient.httpx().post("/v1/embeddings", json=body).status_code == 200


def test_an_embedding_is_never_another_model_s(strict: GatewayProcess, ollama: OllamaStub) -> None:
    body = {"model": "embed-local", "input": "hello"}
    with ollama.failing("status", path="/api/embed"):
        response = strict.httpx().post("/v1/embeddings", json=body)
    assert response.status_code == 503, response.text  # config.yaml falls back to another embedder
    assert {call.model for call in ollama.calls if "embed" in call.path} == {"nomic-embed-text"}


# --- records ---------------------------------------------------------------------------------------


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="limits of another process can be set on Linux only"
)
def test_a_full_disk_stops_records_not_answers_and_is_told(
    patient: GatewayProcess, webhook: tuple[str, list[dict[str, Any]]]
) -> None:
    def told_by_webhook() -> list[str]:
        return [event["status"] for event in webhook[1] if event["rule"] == "spool_failing"]

    ask(patient, model="llama-fast")
    wait_until(lambda: "spool" not in health(patient).json()["problems"], 30)
    before = resource.prlimit(patient.pid, resource.RLIMIT_FSIZE)
    try:
        resource.prlimit(patient.pid, resource.RLIMIT_FSIZE, (1, before[1]))  # every write to a file fails
        answers = [ask(patient, f"hello {n}", model="llama-fast") for n in range(5)]
        assert [a.status_code for a in answers] == [200] * 5
        told = wait_until(lambda: health(patient).json()["problems"].get("spool", ""), 30)
        assert "cannot be written" in told
        assert health(patient).json()["status"] == "degraded"
        wait_until(lambda: "records wait" in health(patient).json()["problems"].get("spool", ""), 30)
        wait_until(
            lambda: told_by_webhook() == ["fired"], 40, "the alert is told while nothing can be written"
        )
    finally:
        resource.prlimit(patient.pid, resource.RLIMIT_FSIZE, before)
    wait_until(lambda: "spool" not in health(patient).json()["problems"], 30)
    assert [patient.record_of(answer)["status"] for answer in answers] == [200] * 5  # they waited in memory
    reader = SpoolReader(patient.home / "usage.db")

    def noted() -> list[str]:
        events = read_alerts(reader, now=time.time())["events"]
        return [e["kind"] for e in events if e["rule"] == "spool_failing"]

    wait_until(lambda: len(noted()) >= 2, 40, "the alert's beginning and end are in the file")
    assert noted() == ["recovered", "fired"]
    assert told_by_webhook() == ["fired", "recovered"]


# --- breaker ---------------------------------------------------------------------------------------


def test_a_refused_connection_is_answered_at_once_until_ollama_is_back(
    strict: GatewayProcess, ollama: OllamaStub, cloud: CloudStandIn
) -> None:
    closed(strict)
    before = len(cloud.requests)  # LiteLLM asks an OpenAI-compatible server for its models once, at its start
    with ollama.refusing():
        first = ask(strict, PRIVATE)  # private: the cloud model is no way out
        assert first.status_code == 503, first.text
        client, times = strict.httpx(), []
        for _ in range(12):
            began = time.monotonic()
            response = client.post("/v1/chat/completions", json=say(PRIVATE))
            times.append(time.monotonic() - began)
            assert response.status_code == 503
            assert response.headers["x-aicc-error"] == "aicc_upstream_down"
            assert int(response.headers["retry-after"]) >= 1
        assert min(times) < 0.5, times  # LiteLLM alone: 4.8 s each
        assert len(cloud.requests) == before
        wait_until(knows(strict, "down"), 20)
        # Nothing private, and config.yaml names the cloud as a fallback.
        assert served_by(ask(strict, model="qwen-local")) == "cloud"
    wait_until(lambda: ask(strict, PRIVATE).status_code == 200, 20)


def test_who_asks_finds_out_that_ollama_is_back(shared_gateway: Any, ollama: OllamaStub) -> None:
    """Neither the circuit, due after a minute, nor the next probe, after half a minute, is waited for."""
    resilience = {"breaker": {"cooldown_s": 60}, "health": {"interval_s": 300}}
    gateway = shared_gateway(policy={"cache": {"enabled": False}, "resilience": resilience})
    wait_until(lambda: ask(gateway).status_code == 200, 30)  # whatever earlier tests left open
    with ollama.refusing():
        assert ask(gateway).status_code == 503
        wait_until(knows(gateway, "down"), 20)
        refused = ask(gateway)
        assert int(refused.headers["retry-after"]) <= 2, refused.text
    wait_until(lambda: ask(gateway).status_code == 200, 20)


def test_an_open_circuit_half_opens_with_one_request(strict: GatewayProcess, ollama: OllamaStub) -> None:
    closed(strict)
    ollama.fail("status", model=QWEN)
    for _ in range(4):
        assert ask(strict, model="qwen-local").status_code == 200  # another model answers
    before = len(ollama.calls)
    assert ask(strict, model="qwen-local").headers["x-aicc-route"] != "qwen-local"
    assert not any(call.model == QWEN for call in ollama.calls[before:])  # open: not even asked
    time.sleep(6.2)  # the longest cooldown, with its jitter, is 6 s
    before = len(ollama.calls)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: ask(strict, f"hi {n}", model="qwen-local"), range(4)))
    assert [a.status_code for a in answers] == [200] * 4
    assert sum(call.model == QWEN for call in ollama.calls[before:]) == 1  # one trial
    ollama.heal()
    wait_until(lambda: ask(strict, model="qwen-local").headers["x-aicc-route"] == "qwen-local", 60)


def test_errors_of_the_request_do_not_open_the_circuit(strict: GatewayProcess, ollama: OllamaStub) -> None:
    closed(strict)
    with ollama.failing("status", status=400, text="invalid options", model=LLAMA):
        for _ in range(6):
            assert ask(strict, model="llama-fast").status_code in (200, 400)
    assert ask(strict, model="llama-fast").headers["x-aicc-route"] == "llama-fast"


def test_a_private_request_falls_back_only_on_this_machine(
    strict: GatewayProcess, ollama: OllamaStub, cloud: CloudStandIn
) -> None:
    closed(strict)
    with ollama.failing("status"):
        for _ in range(3):
            assert ask(strict, PRIVATE, model="qwen-local").status_code == 503
    assert not cloud.touched


# --- limits ----------------------------------------------------------------------------------------


def test_more_requests_than_places_wait_in_line(strict: GatewayProcess, ollama: OllamaStub) -> None:
    closed(strict)
    body = say(model="llama-fast")
    before = len(ollama.calls)

    def asked() -> int:
        return sum(call.model == LLAMA for call in ollama.calls[before:])

    def one(number: int) -> httpx.Response:
        return strict.httpx().post("/v1/chat/completions", json={**body, "user": f"u{number % 3}"})

    with ThreadPoolExecutor(14) as pool:
        with ollama.failing("freeze", model=LLAMA):
            pending = [pool.submit(one, number) for number in range(14)]
            # Two places, four in line: whoever comes later is told at once, in whatever order they arrive.
            wait_until(lambda: sum(each.done() for each in pending) == 8 and asked() == 2, 30)
            refused = [each.result() for each in pending if each.done()]
            waiting = [each for each in pending if not each.done()]
            late = one(14)  # the queue is full for sure: of the others, some met it full behind the gate
        served = [each.result(30) for each in waiting]
    assert [answer.status_code for answer in (*refused, late)] == [429] * 9
    for answer in (*refused, late):
        assert answer.headers["x-aicc-error"] == "aicc_overloaded"
        assert int(answer.headers["retry-after"]) >= 1
    # LiteLLM's way to an error costs four times an answer: a flood of them would leave no time for the others.
    assert strict.record_of(late)["attempts"] == []
    assert [answer.status_code for answer in served] == [200] * 6, [answer.text for answer in served]
    assert asked() == 6
    assert {answer.headers["x-aicc-route"] for answer in served} == {"llama-fast"}
    told = 'aicc_process_events_total{event="queue_refused"}'
    wait_until(lambda: told in strict.httpx().get("/aicc/metrics").text, 60)


def test_a_full_queue_refuses_nobody_who_shares_an_answer_under_way(
    shared_gateway: Any, ollama: OllamaStub
) -> None:
    limits = {"per_model": 1, "queue_length": 0}
    policy = {"cache": {"enabled": True}, "resilience": {"limits": limits}}
    gateway: GatewayProcess = shared_gateway(policy=policy)
    before = len(ollama.calls)

    def followers() -> int:
        return int(gateway.httpx().get("/aicc/cache").json()["single_flight"]["followers"])

    earlier = followers()
    with ThreadPoolExecutor(3) as pool:
        with ollama.failing("freeze", model=LLAMA):
            same = [pool.submit(ask, gateway, "the same", model="llama-fast", temperature=0)]
            wait_until(lambda: len(ollama.calls) > before, 20)
            same.append(pool.submit(ask, gateway, "the same", model="llama-fast", temperature=0))
            wait_until(lambda: followers() == earlier + 1, 20)
            other = ask(gateway, "another", model="llama-fast", temperature=0)
        assert [each.result(30).status_code for each in same] == [200, 200]
    assert (other.status_code, other.headers["x-aicc-error"]) == (429, "aicc_overloaded")
    assert int(other.headers["retry-after"]) >= 1
    assert len(ollama.calls) == before + 1


def test_places_come_back_after_errors_and_disconnects(strict: GatewayProcess, ollama: OllamaStub) -> None:
    closed(strict)
    ollama.models[LLAMA].token_delay = 0.05
    for _ in range(4):  # twice the places
        body = say("[[words: 400]]", model="llama-fast", stream=True)
        with strict.httpx().stream("POST", "/v1/chat/completions", json=body) as response:
            next(response.iter_bytes())
    ollama.models[LLAMA].token_delay = 0
    with ollama.failing("status", model=LLAMA, times=2):
        for _ in range(2):
            ask(strict, model="llama-fast")
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda n: ask(strict, f"x {n}", model="llama-fast"), range(2)))
    assert [a.status_code for a in answers] == [200, 200]
    assert time.monotonic() - began < 20  # a place that is not given back is waited for for 30 s


# --- choices ---------------------------------------------------------------------------------------


def test_auto_takes_a_loaded_model_and_the_quick_one_under_load(
    start_gateway: Any, ollama: OllamaStub
) -> None:
    gateway = start_gateway(
        policy={
            "cache": {"enabled": False},
            "resilience": {
                "health": {"interval_s": 0.3},
                "high_qps": {"enabled": True, "requests_per_s": 1, "window_s": 3},
            },
        }
    )
    wait_until(knows(gateway, "up"), 30)
    easy, harder = "What is the capital of France?", "Write a Python function that merges two sorted lists."
    ollama.unload()
    ask(gateway, model="qwen-local")  # now only qwen is in memory
    gateway.wait_probed()
    time.sleep(3.5)  # no request in the window
    assert served_by(ask(gateway, easy)) == "qwen-local"  # llama-fast would have to load first
    calm = served_by(ask(gateway, harder))
    assert calm != "llama-fast"
    with ThreadPoolExecutor(4) as pool:
        busy = list(pool.map(lambda n: served_by(ask(gateway, f"{harder} ({n})")), range(24)))
    assert busy[-1] == "llama-fast"


# --- two gateways ----------------------------------------------------------------------------------


def test_two_gateways_share_what_they_learn(
    start_gateway: Any, ollama: OllamaStub, redis_server: RedisProcess
) -> None:
    policy = {
        "cache": {"enabled": False},
        "resilience": {"breaker": {"cooldown_s": 60, "sync_interval_s": 0.3}},
    }
    env = {"REDIS_URL": redis_server.url}
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: start_gateway(policy=policy, env=env), range(2))
    for gateway in (one, two):
        wait_until(knows(gateway, "up"), 30)
    ollama.fail("status", model=QWEN)
    for _ in range(3):
        ask(one, model="qwen-local")

    def told() -> list[str]:
        """Open circuits, as alerts, page, metrics and `aicc status` name them."""
        found = two.httpx().get("/aicc/api/state").json()["gateway"]["breakers"]["deployment"]
        return [name for name, circuit in found.items() if circuit["state"] == "open"]

    wait_until(told, 40)
    assert told() == [f"qwen-local/{QWEN}"]
    before = len(ollama.calls)
    assert ask(two, model="qwen-local").headers["x-aicc-route"] != "qwen-local"
    assert not any(call.model == QWEN for call in ollama.calls[before:])  # it never met the failure itself
    redis_server.freeze()
    try:
        began = time.monotonic()
        assert ask(two, model="llama-fast").status_code == 200
        assert time.monotonic() - began < 10
    finally:
        redis_server.thaw()


def strict_policy(cloud: CloudStandIn) -> dict[str, Any]:
    return cloud.policy | {
        "cache": {"enabled": False},
        "resilience": {
            "breaker": {"cooldown_s": 5, "max_cooldown_s": 6},
            "limits": {"per_model": 2, "per_address": 4, "queue_length": 4, "max_wait_s": 30},
            "health": {"interval_s": 0.5},
        },
    }
