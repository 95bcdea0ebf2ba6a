"""Which method and path may pass, and which tricks with a path may not."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from aicc_hooks.access import find_door, loopback_peer
from aicc_hooks.adapter.admission import check_peer
from aicc_hooks.errors import Refusal

OPEN = [
    ("POST", "/v1/chat/completions", "chat", "/v1/chat/completions"),
    ("POST", "/chat/completions", "chat", "/v1/chat/completions"),
    ("POST", "/v1/chat/completions/", "chat", "/v1/chat/completions"),
    ("POST", "/v1/completions", "completions", "/v1/completions"),
    ("POST", "/completions", "completions", "/v1/completions"),
    ("POST", "/v1/embeddings", "embeddings", "/v1/embeddings"),
    ("POST", "/embeddings", "embeddings", "/v1/embeddings"),
    ("POST", "/v1/responses", "responses", "/v1/responses"),
    ("POST", "/responses", "responses", "/v1/responses"),
    ("POST", "/v1/messages", "messages", "/v1/messages"),
    ("POST", "/messages", "messages", "/v1/messages"),
    ("POST", "/v1/rerank", "rerank", "/v1/rerank"),
    ("POST", "/rerank", "rerank", "/v1/rerank"),
    ("GET", "/v1/models", "models", "/v1/models"),
    ("GET", "/models", "models", "/v1/models"),
    ("HEAD", "/v1/models", "models", "/v1/models"),
    ("GET", "/v1/models/qwen-local", "models", "/v1/models/qwen-local"),
    ("GET", "/models/qwen2.5:14b", "models", "/v1/models/qwen2.5:14b"),
    ("GET", "/health/liveliness", "health", "/health/liveliness"),
    ("GET", "/health/liveness", "health", "/health/liveness"),
    ("GET", "/health/readiness", "health", "/health/readiness"),
    ("GET", "/aicc", "own", "/aicc"),
    ("GET", "/aicc/health", "own", "/aicc/health"),
    ("POST", "/aicc/explain", "own", "/aicc/explain"),
]


@pytest.mark.parametrize(("method", "path", "endpoint", "canonical"), OPEN)
def test_open_doors(method: str, path: str, endpoint: str, canonical: str) -> None:
    door = find_door(method, path)
    assert door is not None
    assert (door.endpoint, door.path, door.model) == (endpoint, canonical, "")
    assert door.body == (endpoint not in ("models", "health", "own"))
    # The page itself is open: it shows a form that asks for the key.
    assert door.key == (path not in ("/aicc/health", "/aicc") and endpoint != "health")


CLOSED = [
    # the rest of LiteLLM: each of these calls a model or shows configuration past our hooks
    ("POST", "/v1/moderations"), ("POST", "/v1/batches"), ("POST", "/v1/files"), ("POST", "/v1/assistants"), ("POST", "/v1/threads"),
    ("POST", "/queue/chat/completions"), ("POST", "/v1/rag/query"), ("POST", "/v1/audio/speech"), ("POST", "/v1/images/generations"),
    ("POST", "/v1/messages/count_tokens"), ("POST", "/utils/token_counter"), ("POST", "/utils/transform_request"), ("POST", "/cursor/chat/completions"),
    ("POST", "/openai/v1/chat/completions"), ("POST", "/anthropic/v1/messages"), ("POST", "/vllm/chat/completions"), ("POST", "/mcp"),
    ("POST", "/v1beta/models/qwen-local:generateContent"), ("POST", "/models/qwen-local:generateContent"), ("POST", "/interactions"),
    ("POST", "/engines/qwen-local/chat/completions"), ("POST", "/v1/fine_tuning/jobs"), ("POST", "/v2/rerank"), ("POST", "/v1/responses/compact"),
    ("GET", "/"), ("GET", "/ui"), ("GET", "/health"), ("GET", "/health/services"), ("GET", "/metrics"), ("GET", "/docs"), ("GET", "/openapi.json"),
    ("GET", "/redoc"), ("GET", "/routes"), ("GET", "/config/yaml"), ("POST", "/key/generate"), ("GET", "/model/info"), ("GET", "/v1/model/info"),
    ("GET", "/v1/responses/resp_1"), ("DELETE", "/v1/responses/resp_1"), ("POST", "/v1/responses/resp_1/cancel"),
    # right path, wrong method
    ("GET", "/v1/chat/completions"), ("PUT", "/v1/chat/completions"), ("OPTIONS", "/v1/chat/completions"), ("post", "/v1/chat/completions"),
    ("POST", "/v1/models"), ("DELETE", "/v1/models/qwen-local"), ("POST", "/health/liveliness"), ("TRACE", "/v1/models"),
    # tricks
    ("POST", "/V1/chat/completions"), ("POST", "/v1/Chat/Completions"), ("POST", "//v1/chat/completions"), ("POST", "/v1//chat/completions"),
    ("POST", "/v1/chat/completions//"), ("POST", "/v1/./chat/completions"), ("POST", "/v1/x/../chat/completions"), ("POST", "/v1/chat/completions/.."),
    ("POST", "/v1/chat/completions/../../key/generate"), ("GET", "/v1/models/../../config/yaml"), ("GET", "/v1/models/..\\..\\config"),
    ("GET", "/aicc/../config/yaml"), ("GET", "/aicc//health"), ("GET", "/aiccx"), ("GET", "/aicc-admin"), ("GET", "/v1/aicc"),
    ("POST", "/v1/chat%2Fcompletions"), ("POST", "/v1/chat/completions%00"), ("POST", "/v1/chat/completions\x00"), ("POST", "/v1/v1/chat/completions"),
    ("POST", "/v1/chat/completions;a=b"), ("POST", "/v1/chat/completions?x"), ("POST", "/v1/chat/completions "), ("POST", " /v1/chat/completions"),
    ("POST", "/v1/chat∕completions"), ("POST", "/v１/chat/completions"), ("POST", "v1/chat/completions"), ("POST", "http://x/v1/chat/completions"),
    ("POST", ""), ("POST", "/"), ("GET", "/v1/modelsx"), ("GET", "/v1"), ("GET", "/v1/health/readiness"),
    # azure paths
    ("GET", "/openai/deployments/qwen-local/chat/completions"), ("POST", "/openai/deployments/qwen-local/images/generations"),
    ("POST", "/openai/deployments/qwen-local/audio/speech"), ("POST", "/openai/deployments/qwen-local"), ("POST", "/openai/deployments//chat/completions"),
    ("POST", "/openai/deployments/a/../b/chat/completions"), ("POST", "/OpenAI/deployments/qwen-local/chat/completions"),
    ("POST", "/openai/deployments/chat/completionsx"), ("POST", "/v1/openai/deployments/qwen-local/chat/completions"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_closed_doors(method: str, path: str) -> None:
    assert find_door(method, path) is None


@pytest.mark.parametrize(
    ("rest", "endpoint", "model"),
    [
        ("qwen-local/chat/completions", "chat", "qwen-local"),
        ("qwen-local/completions", "completions", "qwen-local"),
        ("embed-local/embeddings", "embeddings", "embed-local"),
        ("qwen-local/chat/completions/", "chat", "qwen-local"),
        ("org/qwen/chat/completions", "chat", "org/qwen"),  # the server has decoded %2F
        # Decoded once, by the server: a second time would name another model than LiteLLM's own route does.
        ("qwen%2Dlocal/chat/completions", "chat", "qwen%2Dlocal"),
        ("a,b/chat/completions", "chat", "a,b"),  # the gate cuts lists, wherever they come from
    ],
)
def test_azure_paths_name_the_model(rest: str, endpoint: str, model: str) -> None:
    door = find_door("POST", "/openai/deployments/" + rest)
    assert door is not None
    assert (door.endpoint, door.model, door.body, door.key) == (endpoint, model, True, True)
    assert not door.path.startswith("/openai"), "LiteLLM is given the path whose body was judged"


def test_docs_open_only_with_debug() -> None:
    for path in ("/docs", "/openapi.json"):
        assert find_door("GET", path, debug=True) is not None
        assert find_door("POST", path, debug=True) is None


def test_extra_doors_are_exact_and_need_the_key() -> None:
    extra = ["POST /v1/moderations", "GET /v1/files"]
    door = find_door("POST", "/v1/moderations", extra=extra)
    assert door is not None
    assert (door.endpoint, door.body, door.key) == ("other", True, True)
    cohere = find_door("POST", "/v2/rerank", extra=("POST /v2/rerank",))
    assert cohere is not None
    assert (cohere.endpoint, cohere.path) == ("rerank", "/v1/rerank"), (
        "Cohere's second version is the same door"
    )
    listing = find_door("GET", "/v1/files", extra=extra)
    assert listing is not None
    assert not listing.body
    for method, path in (
        ("GET", "/v1/moderations"),
        ("POST", "/v1/moderations/x"),
        ("POST", "/moderations"),
        ("POST", "/v1/files"),
    ):
        assert find_door(method, path, extra=extra) is None


@pytest.mark.parametrize(
    ("client", "here"),
    [
        (("127.0.0.1", 5), True),
        (("127.8.9.1", 5), True),
        (("::1", 5), True),
        (("::ffff:127.0.0.1", 5), True),
        (["127.0.0.1", 5], True),
        (None, True),  # a unix socket
        (("192.168.1.7", 5), False),
        (("::ffff:192.168.1.7", 5), False),
        (("0.0.0.0", 5), False),
        (("fe80::1", 5), False),
        (("", 0), False),
        (("localhost.evil.example", 5), False),
    ],
)
def test_only_peers_of_this_machine(client: tuple[str, int] | None, here: bool) -> None:
    assert loopback_peer(client) is here


@pytest.mark.parametrize(
    ("lan", "key", "served"),
    [
        (False, "sk-" + "aB3dE6gH9jK2mN5pQ8sT1vW4", False),
        (True, "sk-" + "aB3dE6gH9jK2mN5pQ8sT1vW4", True),
        (True, "sk-short", False),
        (True, "sk-" + "a" * 40, False),
        (True, "", False),
    ],
)
def test_other_machines_need_lan_and_a_strong_key_however_it_was_started(
    lan: bool, key: str, served: bool
) -> None:
    """`litellm --host 0.0.0.0` asks nobody; only `aicc serve` looked at the key."""
    policy = SimpleNamespace(policy=SimpleNamespace(lan=lan))
    runtime: Any = SimpleNamespace(store=SimpleNamespace(current=policy), master_key=lambda: key)
    check_peer(runtime, {"client": ("127.0.0.1", 5)})
    with nullcontext() if served else pytest.raises(Refusal, match="only this machine"):
        check_peer(runtime, {"client": ("192.168.1.7", 5)})
