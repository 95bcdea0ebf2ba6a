"""Experiments at a running gateway: managed prompts, the record and the trace, feedback, bad files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import yaml

from aicc_hooks.experiments.report import build
from aicc_hooks.experiments.rows import load_rows
from aicc_hooks.experiments.schema import ExperimentConfig
from aicc_hooks.record.reader import SpoolReader
from tests.harness import GatewayProcess, wait_until
from tests.harness.gateway import SHIPPED_CONFIG
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn
from tests.standins.langfuse import LangfuseStandIn

pytestmark = pytest.mark.live
Start = Callable[..., GatewayProcess]


def managed(*, name: str = "support", **more: Any) -> dict[str, Any]:
    prompt = {"name": name, "label": "production", "fallback": "Fallback words."}
    return {
        "prompt_cache_ttl_s": 1,
        "experiments": [{"name": "e", "variants": [
            {"name": "a", "weight": 0}, {"name": "b", "weight": 100, "system": {"mode": "replace", "langfuse": prompt}},
        ]}],
        **more,
    }  # fmt: skip


@pytest.fixture
def http() -> Iterator[Callable[[GatewayProcess], httpx.Client]]:
    made: list[httpx.Client] = []

    def client(gateway: GatewayProcess) -> httpx.Client:
        headers = {"authorization": f"Bearer {gateway.key}"}
        made.append(httpx.Client(base_url=gateway.url, headers=headers, trust_env=False, timeout=60))
        return made[-1]

    yield client
    for one in made:
        one.close()


def chat(client: httpx.Client, text: str = "hi", **more: Any) -> httpx.Response:
    body = {"model": "llama-fast", "user": "jo", "messages": [{"role": "user", "content": text}], **more}
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def system_seen(ollama: OllamaStub) -> str:
    """The system prompt of the last chat that reached the model."""
    chats = [r for r in ollama.requests if r.path == "/api/chat" and r.json.get("messages")]
    return str(next((m["content"] for m in chats[-1].json["messages"] if m["role"] == "system"), ""))


def problems(client: httpx.Client) -> dict[str, str]:
    return dict(client.get("/aicc/health").json()["problems"])


def test_a_managed_prompt_from_never_seen_to_down_again(
    start_gateway: Start, http: Any, ollama: OllamaStub, langfuse: LangfuseStandIn
) -> None:
    gateway = start_gateway(experiments=managed(), env=langfuse.env)
    client = http(gateway)
    wait_until(lambda: "prompt.support@production" in problems(client), 20, "the missing prompt in health")
    assert "no such prompt" in problems(client)["prompt.support@production"]
    answers = {"fallback": chat(client)}
    assert answers["fallback"].headers["x-aicc-variant"] == "e:b"
    assert system_seen(ollama) == "Fallback words."

    def says(text: str) -> bool:
        answers[text] = chat(client)
        return system_seen(ollama) == text

    langfuse.add_prompt("support", "First words.", 1)
    wait_until(lambda: says("First words."), 20, "the prompt, once it is there")
    langfuse.add_prompt("support", "Second words.", 2)  # the label moves
    wait_until(lambda: says("Second words."), 20, "the version the label moved to")
    assert not [name for name in problems(client) if name.startswith("prompt.")]
    with langfuse.refusing():
        wait_until(lambda: "prompt.support@production" in problems(client), 20, "Langfuse down in health")
        assert "version 2 stays in force" in problems(client)["prompt.support@production"]
        answers["down"] = chat(client)
        assert system_seen(ollama) == "Second words."

    expected = {"fallback": 0, "First words.": 1, "Second words.": 2, "down": 2}
    ids = {name: answers[name].headers["x-aicc-request-id"] for name in expected}
    with SpoolReader(gateway.home / "usage.db") as reader:
        wait_until(lambda: all(reader.get(i) for i in ids.values()), 10, "the records")
        records = {name: reader.get(i) for name, i in ids.items()}
    assert {n: (r.prompt_name, r.prompt_version) for n, r in records.items() if r} == {
        name: ("support", version) for name, version in expected.items()
    }

    def linked() -> dict[str, tuple[Any, Any]]:
        """What each generation is linked to, by request id, from the decoded protobuf."""
        spans = [s for t in langfuse.traces.values() for s in t.values() if s.name == "aicc generation"]
        return {
            s.attributes["langfuse.trace.metadata.request_id"]: (
                s.attributes.get("langfuse.observation.prompt.name"),
                s.attributes.get("langfuse.observation.prompt.version"),
            )
            for s in spans
        }

    wait_until(lambda: set(ids.values()) <= set(linked()), 30, "the traces")
    assert {name: linked()[i] for name, i in ids.items()} == {
        "fallback": (None, None), "First words.": ("support", 1), "Second words.": ("support", 2), "down": ("support", 2),
    }  # fmt: skip
    roots = [s for t in langfuse.traces.values() for s in t.values() if s.name == "aicc request"]
    assert all(
        "variant:e:b" in s.attributes["langfuse.trace.tags"]
        for s in roots
        if "langfuse.trace.tags" in s.attributes
    )
    assert {s.attributes["langfuse.trace.metadata.prompt"] for s in roots} == {
        "support@fallback",
        "support@1",
        "support@2",
    }
    assert not any("langfuse.observation.prompt.name" in s.attributes for s in roots)
    assert b"sk-lf-stand-in" not in gateway.output()


TWO = {
    "name": "e",
    "variants": [{"name": "a", "weight": 50}, {"name": "b", "weight": 50, "system": {"text": "Be brief."}}],
}


def test_kill_switch_bad_file_and_feedback(start_gateway: Start, http: Any) -> None:
    gateway = start_gateway(experiments={"experiments": [TWO]})
    client = http(gateway)
    answer = chat(client)
    assert answer.headers["x-aicc-variant"] in ("e:a", "e:b")

    gateway.write_home(
        "experiments.yaml",
        {"experiments": [{**TWO, "variants": [{"name": "a", "weight": 50}, {"name": "b", "weight": 40}]}]},
    )
    wait_until(
        lambda: "weights sum to 90" in problems(client).get("experiments", ""), 30, "the bad file in health"
    )
    assert chat(client).headers["x-aicc-variant"] == answer.headers["x-aicc-variant"], (
        "the last good file stays"
    )

    wrong = {**TWO, "variants": [{"name": "a", "weight": 50}, {"name": "b", "weight": 41}]}
    gateway.write_home("experiments.yaml", {"enabled": False, "experiments": [wrong]})
    wait_until(
        lambda: "x-aicc-variant" not in chat(client).headers, 10, "the kill switch of a file that is wrong"
    )
    assert "weights sum to 91" in problems(client)["experiments"]
    gateway.write_home("experiments.yaml", {"experiments": [TWO]})
    wait_until(lambda: "x-aicc-variant" in chat(client).headers, 10, "the experiment on again")
    gateway.write_home("experiments.yaml", {"enabled": False, "experiments": [TWO]})
    wait_until(lambda: "x-aicc-variant" not in chat(client).headers, 30, "the kill switch")
    assert "experiments" not in problems(client)
    (gateway.home / "experiments.yaml").unlink()
    assert "x-aicc-variant" not in chat(client).headers

    request_id = answer.headers["x-aicc-request-id"]

    def rate(**body: Any) -> httpx.Response:
        return client.post("/aicc/feedback", json=body)

    assert rate(request_id=request_id, thumbs="sideways").status_code == 400
    assert rate(request_id=request_id, score=1e9).status_code == 400
    assert rate(request_id="0" * 32, thumbs="up").status_code == 404
    assert rate(request_id=request_id, thumbs="up", comment="mail jo@example.org").status_code == 200
    again = rate(request_id=request_id, thumbs="down")
    assert again.status_code == 409
    assert "first one counts" in again.json()["error"]["message"]
    with SpoolReader(gateway.home / "usage.db") as reader:
        kept = reader.feedback(request_id)
    assert kept is not None
    assert kept["score"] == 1.0
    assert kept["kind"] == "thumbs"
    assert "jo@example.org" not in kept["comment"]


def test_a_gateway_starts_with_a_file_that_is_wrong(start_gateway: Start, http: Any) -> None:
    gateway = start_gateway(experiments=yaml.safe_dump({"experiments": [TWO]}) + "  start: 2026-13-45\n")
    client = http(gateway)
    assert "x-aicc-variant" not in chat(client).headers
    assert "2026-13-45" in problems(client)["experiments"]
    gateway.write_home("experiments.yaml", {"experiments": [{**TWO, "target": {"routes": ["llama-fsat"]}}]})
    wait_until(
        lambda: "did you mean 'llama-fast'" in problems(client).get("experiments", ""),
        30,
        "the unknown route",
    )
    gateway.write_home("experiments.yaml", {"experiments": [TWO]})
    wait_until(lambda: "x-aicc-variant" in chat(client).headers, 30, "the mended file")
    assert "experiments" not in problems(client)
    gateway.restart()
    assert "x-aicc-variant" in chat(http(gateway)).headers, "from the first request on"


def test_a_variant_prompt_gets_its_room_or_gives_way(
    start_gateway: Start, http: Any, ollama: OllamaStub
) -> None:
    """Ollama cuts a prompt silently that is longer than `num_ctx`: the variant would be another one than written."""

    def only(name: str, words: int) -> dict[str, Any]:
        arms = [{"name": "a", "weight": 0}, {"name": "b", "weight": 100, "system": {"text": "word " * words}}]
        return {"name": name, "target": {"metadata": {"t": name}}, "variants": arms}

    client = http(
        start_gateway(experiments={"experiments": [only("long", 25_000), only("endless", 150_000)]})
    )

    def room(**more: Any) -> int:
        chat(client, model="auto", **more)
        return int([r for r in ollama.requests if r.path == "/api/chat"][-1].json["options"]["num_ctx"])

    assert room() < 25_000 < room(metadata={"t": "long"})
    endless = chat(client, model="auto", metadata={"t": "endless"})
    assert "x-aicc-variant" not in endless.headers
    assert "1 requests were answered without their variant" in problems(client)["experiment_failures"]


def test_explain_knows_the_variant_of_whoever_asks(start_gateway: Start, http: Any) -> None:
    arms = [{"name": "a", "weight": 50}, {"name": "b", "weight": 50, "model": "qwen-local"}]
    tried = {"experiments": [{"name": "e", "target": {"metadata": {"app": "notes"}}, "variants": arms}]}
    client = http(start_gateway(experiments=tried))
    seen = set()
    for person in ("jo", "ann", "max", "kim", "lou", "sam"):
        said = {"user": person, "metadata": {"app": "notes"}, "model": "auto"}
        body = {"messages": [{"role": "user", "content": "hi"}], **said}
        told = client.post("/aicc/explain", json=body).json()["decision"]
        answer = chat(client, **said)
        assert (told["variant"], told["route"]) == (
            answer.headers["x-aicc-variant"],
            answer.headers["x-aicc-route"],
        )
        seen.add(told["variant"])
    assert seen == {"e:a", "e:b"}


def test_a_private_request_never_meets_a_cloud_variant(
    start_gateway: Start, http: Any, cloud: CloudStandIn
) -> None:
    arms = [{"name": "here", "weight": 0}, {"name": "there", "weight": 100, "model": "gpt-cloud"}]
    config = yaml.safe_load(SHIPPED_CONFIG.read_text())
    config["model_list"].append(cloud.deployment("gpt-cloud"))
    tried = {"experiments": [{"name": "e", "variants": arms}]}
    client = http(start_gateway(config, policy=cloud.policy, experiments=tried))

    def taken() -> bool:  # the models of config.yaml are known a moment after the start
        return chat(client).headers.get("x-aicc-variant") == "e:there"

    wait_until(taken, 20, "a clean request in the cloud variant")
    asked = [r for r in cloud.requests if r.method == "POST"]
    assert asked, "the variant's model answered"
    private = chat(client, "My social security number is 219-09-9999, draft a letter.")
    assert "x-aicc-variant" not in private.headers
    assert private.headers["x-aicc-route"] != "gpt-cloud"
    assert [r for r in cloud.requests if r.method == "POST"] == asked
    assert b"219-09-9999" not in cloud.received_bytes


TALKS = {"experiments": [{**TWO, "unit": "conversation"}]}
ENDPOINTS = {
    "/v1/chat/completions": lambda turns: {"messages": turns},
    "/v1/messages": lambda turns: {"max_tokens": 50, "messages": turns},
    "/v1/responses": lambda turns: {"input": turns if len(turns) > 1 else turns[0]["content"]},
}


def test_a_conversation_keeps_its_variant_though_nobody_says_who_asks(
    start_gateway: Start, http: Any
) -> None:
    gateway = start_gateway(experiments=TALKS)
    client = http(gateway)
    ids: dict[str, list[str]] = {}

    def talk(question: str) -> str:
        """Two turns on every API; the variant all of them got."""
        one = {"role": "user", "content": question}
        two = [one, {"role": "assistant", "content": "Well."}, {"role": "user", "content": "Say it shorter."}]
        got = []
        for path, body in ENDPOINTS.items():
            for turns in ([one], two):
                answer = client.post(path, json={"model": "llama-fast", **body(turns)})
                assert answer.status_code == 200, answer.text
                got.append(answer.headers["x-aicc-variant"])
                ids.setdefault(question, []).append(answer.headers["x-aicc-request-id"])
        assert len(set(got)) == 1, got
        return str(got[0])

    questions = [f"Tell me about the number {i}." for i in range(12)]
    first = [talk(q) for q in questions]
    assert set(first) == {"e:a", "e:b"}
    told = client.post("/aicc/explain", json={"messages": [{"role": "user", "content": questions[1]}]})
    assert told.json()["decision"]["variant"] == first[1]
    gateway.restart()
    client = http(gateway)
    assert [talk(q) for q in questions[:4]] == first[:4], "the same after a restart"

    with SpoolReader(gateway.home / "usage.db") as reader:
        wait_until(lambda: all(reader.get(i) for known in ids.values() for i in known), 20, "the records")
        units = {q: {reader.get(i).unit for i in known} for q, known in ids.items()}  # type: ignore[union-attr]
        rows = load_rows(reader)["e"]
    assert all(len(found) == 1 for found in units.values())
    assert len({unit for found in units.values() for unit in found}) == len(questions)
    assert all(re.fullmatch("conversation [0-9a-f]{16}", unit) for found in units.values() for unit in found)
    report = build(ExperimentConfig.model_validate(TALKS["experiments"][0]), rows)
    assert sum(v.units for v in report.variants) == len(questions)
    assert report.warnings == ()


def test_a_model_that_is_honoured_is_not_counted_as_the_variants(start_gateway: Start, http: Any) -> None:
    models = [{"name": "a", "weight": 0}, {"name": "b", "weight": 100, "model": "qwen-local"}]
    prompts = [{"name": "a", "weight": 0}, {"name": "b", "weight": 100, "system": {"text": "Be brief."}}]
    tried = {
        "experiments": [
            {"name": "models", "target": {"metadata": {"t": "models"}}, "variants": models},
            {"name": "prompts", "target": {"metadata": {"t": "prompts"}}, "variants": prompts},
        ]
    }
    client = http(start_gateway(experiments=tried, policy={"routing": {"explicit_local": "honour"}}))
    private = "My social security number is 219-09-9999, draft a letter."

    def seen(text: str, name: str, model: str) -> tuple[str, str | None]:
        headers = chat(client, text, model=model, metadata={"t": name}).headers
        return headers["x-aicc-route"], headers.get("x-aicc-variant")

    assert seen("hi", "models", "llama-fast") == ("qwen-local", "models:b")
    assert seen(private, "models", "auto") == ("qwen-local", "models:b")
    assert seen(private, "models", "llama-fast") == ("llama-fast", None), "the model asked for answered"
    assert seen(private, "prompts", "llama-fast") == ("llama-fast", "prompts:b"), "it did get the prompt"


def test_legacy_completions_take_no_part(start_gateway: Start, http: Any) -> None:
    client = http(start_gateway(experiments={"experiments": [TWO]}))
    answer = client.post("/v1/completions", json={"model": "llama-fast", "prompt": "hi", "user": "jo"})
    assert answer.status_code == 200, answer.text
    assert "x-aicc-variant" not in answer.headers
    assert "x-aicc-variant" in chat(client).headers
