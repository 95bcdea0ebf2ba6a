"""Reranking: the order by cosine as a pure function, and /v1/rerank through the real proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from aicc_hooks.errors import Refusal
from aicc_hooks.rerank import MAX_DOCUMENTS, cosines, parse, prefixes, rank, scores
from tests.harness import GatewayProcess
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn

PRIVATE = "Please check my card 4539 7281 6405 9378, it was refused."
DOCUMENTS = [
    "A recipe for rye bread.",
    "Carson City is the capital of Nevada.",
    "Cats sleep most of the day.",
]
QUERY = "capital city of Nevada"


def body(**more: Any) -> dict[str, Any]:
    return {"model": "rerank-local", "query": QUERY, "documents": DOCUMENTS, **more}


# --- pure -------------------------------------------------------------------------------------


def test_best_window_counts_and_ties_keep_their_order() -> None:
    vectors = [[1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [-1.0, 0.0], [1.0, 1.0]]
    ranked = rank(cosines([0.0, 3.0], vectors), [0, 1, 2, 3, 0], parse(body(documents=["x"] * 4)))
    assert [r.index for r in ranked] == [1, 2, 0, 3]
    assert [r.score for r in ranked] == [1.0, 1.0, pytest.approx(0.707107), 0.0]


def test_an_empty_document_comes_last_whatever_the_scores() -> None:
    request = parse(body(documents=["", "x", "y"]))
    for scored, last in (([-7.5, 2.0], -7.5), ([0.1, 0.2], 0.0)):
        assert [(r.index, r.score) for r in rank(scored, [1, 2], request)][1:] == [(1, scored[0]), (0, last)]


def test_vectors_without_direction_rank_last_and_raise_nothing() -> None:
    assert cosines([1.0, 0.0], [[0.0, 0.0], [1.0, 1.0]]) == [0.0, pytest.approx(0.707107)]
    assert cosines([0.0, 0.0], [[1.0, 0.0]]) == [0.0]
    with pytest.raises(ValueError, match="length"):
        cosines([1.0, 0.0], [[1.0, 0.0, 0.0]])


def test_models_get_the_prefixes_they_were_trained_with() -> None:
    assert prefixes("ollama/nomic-embed-text") == ("search_query: ", "search_document: ")
    assert prefixes("ollama/bge-m3") == ("", "")


def test_a_rerankers_results_are_sorted_cut_and_checked() -> None:
    rows = [
        {"index": 2, "relevance_score": 2},
        {"index": 0, "relevance_score": -7.5},
        {"index": 1, "relevance_score": 2},
    ]
    assert scores(rows, 3) == [-7.5, 2.0, 2.0]
    ranked = rank(scores(rows, 3), [0, 1, 2], parse(body(top_n=2)))
    assert [(r.index, r.score) for r in ranked] == [(1, 2.0), (2, 2.0)]
    for wrong in (
        rows[:2],
        [*rows[:2], {"index": 3, "relevance_score": 1}],
        [*rows[:2], {"index": 1, "relevance_score": None}],
        [*rows[:2], {"index": 1, "relevance_score": float("nan")}],
        [*rows[:2], {"index": True, "relevance_score": 1}],
        [],
    ):
        with pytest.raises(ValueError, match="result"):
            scores(wrong, 3)


def test_whole_numbers_of_either_kind_and_more_than_there_is() -> None:
    assert parse(body(top_n=2.0)).top_n == 2
    assert parse(body(top_n=50)).top_n == 3
    assert parse(body(top_n=None)).top_n == 3


BAD = {
    "query: ": body(query=" "),
    "documents: ": body(documents=[]),
    "documents: found 1001": body(documents=["x"] * (MAX_DOCUMENTS + 1)),
    "documents[1]": body(documents=["x", 7]),
    "top_n": body(top_n=0),
    "top_n: found true": body(top_n=True),
    "top_n: found 2.5": body(top_n=2.5),
    "top_n: found a text; allowed": body(top_n="2"),
    "max_tokens_per_doc: found 0": body(max_tokens_per_doc=0),
    "return_documents": body(return_documents="yes"),
    "max_chunks_per_doc": body(max_chunks_per_doc="all"),
    "rank_fields": body(rank_fields="title"),
}


@pytest.mark.parametrize("named", BAD)
def test_bad_input_is_named(named: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(BAD[named])
    assert caught.value.status == 400
    assert caught.value.message.startswith(named)


def test_objects_are_read_by_text_or_by_their_fields() -> None:
    documents = [{"text": "a"}, {"title": "t", "body": "b", "n": 3}]
    assert parse(body(documents=documents)).texts[0] == "a"
    assert "b" in parse(body(documents=documents)).texts[1]
    assert parse(body(documents=documents, rank_fields=["title", "n"])).texts == ("", "t\n3")


@pytest.fixture(scope="module")
def llama_reranker() -> Iterator[CloudStandIn]:
    server = CloudStandIn("127.0.0.1")
    server.start()
    yield server
    server.stop()


# --- through the proxy ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    return gateway.httpx()


@pytest.mark.live
@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank"])
def test_the_answer_reads_as_coheres_and_jinas(http: httpx.Client, ollama: OllamaStub, path: str) -> None:
    query = f"{QUERY} {path}"  # of its own: an equal request is answered from the cache
    response = http.post(path, json=body(top_n=2, query=query))
    assert response.status_code == 200, response.text
    answer = response.json()
    assert next(r["index"] for r in answer["results"]) == 1
    assert len(answer["results"]) == 2
    assert answer["results"][0]["relevance_score"] > answer["results"][1]["relevance_score"] >= 0
    assert answer["results"][0]["document"] == {"text": DOCUMENTS[1]}
    assert answer["meta"]["aicc"] == {"method": "embedding_cosine", "embedding_model": "embed-local"}
    assert answer["model"] == "rerank-local"
    assert answer["usage"]["total_tokens"] > 0
    assert response.headers["x-aicc-route"] == "rerank-local"
    asked = [r.json["input"] for r in ollama.calls]
    assert asked == [["search_query: " + query, *("search_document: " + d for d in DOCUMENTS)]]


@pytest.mark.live
def test_an_equal_request_is_answered_from_the_cache(shared_gateway: Any, ollama: OllamaStub) -> None:
    http = shared_gateway(policy={"cache": {"enabled": True}}).httpx()
    documents = [DOCUMENTS[0], DOCUMENTS[2]]  # no name of a person or place: findings are never cached
    first, second = (
        http.post("/v1/rerank", json=body(query="which animal sleeps", documents=documents)) for _ in range(2)
    )
    assert second.headers["x-aicc-cache"] == "exact"
    assert second.json()["results"] == first.json()["results"]
    assert len(ollama.calls) == 1


@pytest.mark.live
def test_documents_are_left_out_on_request(http: httpx.Client) -> None:
    results = http.post("/v1/rerank", json=body(return_documents=False, query="x")).json()["results"]
    assert all("document" not in r for r in results)
    assert len(results) == 3


@pytest.mark.live
def test_many_documents_go_in_batches(http: httpx.Client, ollama: OllamaStub) -> None:
    documents = [f"Document number {i}" for i in range(150)] + ["The capital city of Nevada is Carson City."]
    answer = http.post("/v1/rerank", json=body(documents=documents, top_n=1)).json()
    assert [r["index"] for r in answer["results"]] == [150]
    sizes = [len(r.json["input"]) for r in ollama.calls]
    assert sum(sizes) == 152
    assert max(sizes) <= 64


@pytest.mark.live
def test_private_documents_stay_here_and_uncached(http: httpx.Client, ollama: OllamaStub) -> None:
    response = http.post("/v1/rerank", json=body(documents=[*DOCUMENTS, PRIVATE]))
    assert response.status_code == 200, response.text
    assert response.headers["x-aicc-privacy"] == "credit_card"
    assert response.headers["x-aicc-cache"] == "bypass"
    assert len(ollama.calls) == 1


@pytest.mark.live
def test_errors_are_clear_and_the_inner_path_does_not_exist(http: httpx.Client) -> None:
    response = http.post("/v1/rerank", json=body(top_n=-1))
    assert response.status_code == 400
    assert response.headers["x-aicc-error"] == "aicc_invalid_request"
    assert http.post("/aicc/internal/rerank", json=body()).status_code == 404
    assert http.post("/v1/rerank", json=body(model="no-such")).json()["error"]["type"] == "model_not_found"


@pytest.mark.live
def test_vectors_that_cannot_be_ranked_are_the_embedders_fault(
    http: httpx.Client, ollama: OllamaStub
) -> None:
    few = '{"model":"nomic-embed-text","embeddings":[[0.1,0.2]],"prompt_eval_count":3}'
    with ollama.failing("status", path="/api/embed", status=200, text=few):
        response = http.post("/v1/rerank", json=body(query="not asked before either"))
    assert response.status_code == 503
    assert response.json()["error"]["type"] == "aicc_upstream_down"


@pytest.mark.live
def test_a_missing_embedding_model_says_what_to_pull(http: httpx.Client, ollama: OllamaStub) -> None:
    del ollama.models["nomic-embed-text:latest"]
    response = http.post("/v1/rerank", json=body(query="not asked before"))
    assert response.status_code == 503
    assert "ollama pull" in response.json()["error"]["message"]


@pytest.mark.live
def test_a_configured_reranker_and_a_cloud_embedder(
    start_gateway: Any, ollama: OllamaStub, cloud: CloudStandIn
) -> None:
    """A real reranker is asked itself; documents that are private never reach embeddings elsewhere."""
    base = "os.environ/OLLAMA_BASE_URL"
    config = {
        "model_list": [
            {"model_name": "llama-fast", "litellm_params": {"model": "ollama_chat/llama3.2:latest", "api_base": base}},
            {"model_name": "cloud-embed", "litellm_params": {"model": "openai/embed", "api_base": cloud.base_url, "api_key": "x"}, "model_info": {"mode": "embedding"}},
            {"model_name": "rerank-real", "litellm_params": {"model": "hosted_vllm/bge", "api_base": cloud.base_url, "api_key": "x"}, "model_info": {"mode": "rerank"}},
            {"model_name": "rerank-cloud-embed", "litellm_params": {"model": "ollama/none", "api_base": base}, "model_info": {"mode": "rerank", "embed_with": "cloud-embed"}},
        ],
        "litellm_settings": {"callbacks": ["aicc_hooks.gateway", "aicc_hooks.privacy_hook"], "drop_params": True, "telemetry": False},
        "router_settings": {"plugins": ["aicc_hooks.routing_strategy"], "num_retries": 0},
        "general_settings": {"master_key": "os.environ/AICC_MASTER_KEY"},
    }  # fmt: skip
    routes = dict.fromkeys(
        ("privacy_route", "simple_route", "medium_route", "complex_route", "injection_route"), "llama-fast"
    )
    http = start_gateway(config, policy={**cloud.policy, "routing": routes}).httpx()

    def asked() -> list[str]:
        return [r.path for r in cloud.requests if r.path != "/v1/models"]  # LiteLLM lists vLLM's models

    real = http.post("/v1/rerank", json=body(model="rerank-real"))
    assert real.status_code == 200, real.text
    assert real.json()["results"][0]["index"] == 1
    assert asked() == ["/v1/rerank"]
    cloud.reset()
    clean = http.post("/v1/rerank", json=body(model="rerank-cloud-embed"))
    assert clean.status_code == 200, clean.text
    assert asked() == ["/v1/embeddings"]
    cloud.reset()
    for model in ("rerank-real", "rerank-cloud-embed"):
        private = http.post("/v1/rerank", json=body(model=model, documents=[PRIVATE]))
        assert private.status_code == 503, private.text
        assert private.json()["error"]["type"] == "aicc_private_no_local_model"
    assert asked() == []


@pytest.mark.live
def test_rerankers_on_this_machine(start_gateway: Any, llama_reranker: CloudStandIn) -> None:
    """A server that sorts nothing, cuts nothing and repeats no text: every client gets the same shape from it."""
    place = {"api_base": llama_reranker.base_url, "api_key": "none"}
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"] += [
        {"model_name": "rerank-llama", "litellm_params": {"model": "hosted_vllm/bge", **place}, "model_info": {"mode": "rerank"}},
        {"model_name": "rerank-openai", "litellm_params": {"model": "openai/bge", **place}, "model_info": {"mode": "rerank"}},
        {"model_name": "rerank-away", "litellm_params": {"model": "openai/bge", "api_base": "http://127.0.0.1:9/v1", "api_key": "none"}, "model_info": {"mode": "rerank"}},
    ]  # fmt: skip
    config["router_settings"]["fallbacks"].append({"rerank-away": ["llama-fast", "rerank-local"]})
    policy = {"cache": {"enabled": True}, "gate": {"extra_routes": ["POST /v2/rerank"]}}
    http = start_gateway(config, policy=policy).httpx()
    documents = [*DOCUMENTS, {"text": "The capital city of Nevada."}]
    for model in ("rerank-llama", "rerank-openai"):
        answer = http.post("/v2/rerank", json=body(model=model, top_n=2, documents=documents))
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert [r["index"] for r in found["results"]] == [3, 1]
        assert found["results"][0]["document"] == documents[3]
        assert found["results"][1]["document"] == {"text": DOCUMENTS[1]}
        assert found["meta"]["aicc"] == {"method": "reranker", "model": "bge"}
        assert found["usage"]["total_tokens"] == 7
    asked = [r.json for r in llama_reranker.requests if r.path.endswith("/rerank")]
    assert [(a["model"], a["documents"][3]) for a in asked] == [("bge", "The capital city of Nevada.")] * 2
    again = http.post("/v1/rerank", json=body(model="rerank-llama", top_n=2, documents=documents))
    assert again.headers["x-aicc-cache"] == "exact"
    private = http.post("/v1/rerank", json=body(model="rerank-llama", documents=[PRIVATE]))
    assert private.json()["meta"]["aicc"]["method"] == "reranker", "it is on this machine"
    for wrong in ({"top_n": 0}, {"documents": ["x"] * (MAX_DOCUMENTS + 1)}, {"documents": ["x", 7]}):
        refused = http.post("/v1/rerank", json=body(model="rerank-llama", **wrong))
        assert (refused.status_code, refused.headers["x-aicc-error"]) == (400, "aicc_invalid_request")
    fallen = http.post("/v1/rerank", json=body(model="rerank-away"))
    assert fallen.status_code == 200, fallen.text
    assert fallen.json()["meta"]["aicc"]["method"] == "embedding_cosine"
    assert (fallen.headers["x-aicc-route"], fallen.headers["x-aicc-reason"]) == (
        "rerank-local",
        "fallback:upstream_down",
    )
    with llama_reranker.failing(
        "status",
        path="/v1/rerank",
        status=501,
        text='{"error":{"message":"This server does not support reranking. Start it with `--reranking`"}}',
    ):
        off = http.post("/v1/rerank", json=body(model="rerank-llama", query="another one"))
    assert off.status_code == 503
    assert "start llama-server with --reranking" in off.json()["error"]["message"]
