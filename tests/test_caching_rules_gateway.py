"""Cache rules through the whole gateway that need a policy of their own or a look into Redis: scope, TTL, age, versions."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.harness import GatewayProcess, RedisProcess, wait_until
from tests.ollama_stub import OllamaStub

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def gateway_by_user(shared_gateway: Any, redis_server: RedisProcess) -> GatewayProcess:
    """Users share nothing; little memory, so that Redis is asked."""
    env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_server.port)}
    policy = {
        "cache": {"scope": "user", "ttl_jitter": 0, "max_memory_bytes": 0, "semantic": "on"},
        "resilience": {"cold_start": {"prefer_loaded": False}},
    }
    process: GatewayProcess = shared_gateway(env=env, policy=policy)
    return process


@pytest.fixture(scope="module")
def http(gateway_by_user: GatewayProcess) -> httpx.Client:
    return gateway_by_user.httpx(timeout=60)


def writes(redis: RedisProcess) -> int:
    """How many answers Redis was given since its start."""
    with redis.client() as client:
        return int(client.info("commandstats").get("cmdstat_zadd", {}).get("calls", 0))


@pytest.fixture
def tier(http: httpx.Client, redis_server: RedisProcess) -> Callable[..., str]:
    """Asks, and says which tier answered; a new answer is in Redis by then, which is written after the client has it."""

    def ask(text: str, user: str = "ann", headers: dict[str, str] | None = None, **fields: Any) -> str:
        body = {"model": "llama-fast", "messages": [{"role": "user", "content": text}], **fields}
        if user:
            body["user"] = user
        before = writes(redis_server)
        answer = http.post("/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        found = str(answer.headers["x-aicc-cache"])
        if found == "miss" and "no-store" not in fields.get("cache", {}):
            wait_until(lambda: writes(redis_server) > before, 10, "the answer in Redis")
        return found

    return ask


def test_health_says_when_semantic_answers_are_wanted_and_not_possible(http: httpx.Client) -> None:
    wait_until(
        lambda: "calibrate" in http.get("/aicc/health").json()["problems"].get("semantic_cache", ""), 20
    )


def test_users_do_not_share(tier: Callable[..., str], ollama: OllamaStub) -> None:
    assert tier("Whose is it?") == "miss"
    assert tier("Whose is it?") == "exact"
    assert tier("Whose is it?", user="bob") == "miss"
    assert tier("Whose is it?", user="", headers={"x-user-id": "ann"}) == "exact"
    for _ in range(2):  # nobody's answers are nobody's to share
        assert tier("Whose is it?", user="") == "bypass"
    assert len(ollama.calls) == 4


def test_age_and_lifetime_are_the_clients_to_limit(tier: Callable[..., str]) -> None:
    assert tier("How old?") == "miss"
    assert tier("How long?", cache={"ttl": 5}) == "miss"
    assert tier("How long?") == "exact"
    time.sleep(5.5)
    assert tier("How long?") == "miss"
    assert tier("How old?", headers={"cache-control": "max-age=60"}) == "exact"
    assert tier("How old?", headers={"cache-control": "max-age=5"}) == "miss"
    assert tier("How old?", headers={"cache-control": "max-age=5"}) == "exact"  # the fresh one was kept


def test_one_stored_embedding_serves_both_encodings(
    http: httpx.Client, ollama: OllamaStub, redis_server: RedisProcess
) -> None:
    def embed(encoding: str | None) -> httpx.Response:
        body = {"model": "embed-local", "input": ["a sentence"], "user": "ann"}
        return http.post(
            "/v1/embeddings", json=body if encoding is None else {**body, "encoding_format": encoding}
        )

    before = writes(redis_server)
    first = embed("base64")
    wait_until(lambda: writes(redis_server) > before, 10, "the answer in Redis")
    floats, again, plain = embed("float"), embed("base64"), embed(None)
    assert [r.headers["x-aicc-cache"] for r in (first, floats, again, plain)] == [
        "miss",
        "exact",
        "exact",
        "exact",
    ]
    packed = base64.b64decode(again.json()["data"][0]["embedding"])
    assert struct.unpack(f"<{len(packed) // 4}f", packed) == pytest.approx(
        floats.json()["data"][0]["embedding"], abs=1e-6
    )
    assert plain.json() == floats.json()
    assert len(ollama.calls) == 1


def entries(redis: RedisProcess) -> list[bytes]:
    with redis.client() as client:
        return list(client.scan_iter("aicc:cache:v1:e:*"))


def test_a_damaged_entry_is_deleted_and_one_of_another_version_left_alone(
    tier: Callable[..., str], http: httpx.Client, redis_server: RedisProcess
) -> None:
    assert tier("Will it break?") == "miss"
    (name,) = entries(redis_server)
    with redis_server.client() as client:
        whole = client.get(name)
        client.set(name, whole[:4] + bytes([whole[4] + 1]) + whole[5:], keepttl=True)
        newer = client.get(name)
    assert tier("Will it break?", cache={"no-store": True}) == "miss"
    with redis_server.client() as client:
        assert client.get(name) == newer, "another gateway's entry is not ours to touch"
        client.set(name, whole[:-3] + b"xyz", keepttl=True)
    before = http.get("/aicc/cache").json()["corrupt"]
    assert tier("Will it break?", cache={"no-store": True}) == "miss"
    wait_until(lambda: entries(redis_server) == [], 30)
    assert http.get("/aicc/cache").json()["corrupt"] == before + 1


def test_a_policy_changed_under_a_running_stream_harms_nobody(
    gateway_by_user: GatewayProcess, http: httpx.Client, tier: Callable[..., str], ollama: OllamaStub
) -> None:
    ollama.models["llama3.2:latest"].token_delay = 0.1
    body = {
        "model": "llama-fast",
        "stream": True,
        "user": "ann",
        "messages": [{"role": "user", "content": "[[words: 40]]"}],
    }
    kept = (gateway_by_user.home / "policy.yaml").read_text()
    try:
        with http.stream("POST", "/v1/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            gateway_by_user.write_home(
                "policy.yaml", kept.replace("scope: user", "scope: user\n  enabled: false")
            )
            rest = list(lines)
        assert answer.status_code == 200
        assert "data: [DONE]" in rest
        assert not any('"error"' in line for line in rest)
        wait_until(lambda: http.get("/aicc/cache").json()["enabled"] is False, 30)
        assert tier("Off?") == "bypass"
    finally:
        gateway_by_user.write_home("policy.yaml", kept)
        wait_until(lambda: http.get("/aicc/cache").json()["enabled"] is True, 30)
