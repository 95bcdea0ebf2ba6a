"""The decision: a table of cases in the order of its rules, and what must hold for every input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicc_hooks.catalog import Catalog, Deployment, ModelGroup, address_of, build_catalog
from aicc_hooks.decide import Experiment, decide
from aicc_hooks.policy import Policy
from aicc_hooks.verdict import (
    ComplexityResult,
    Decision,
    Finding,
    InjectionResult,
    Needs,
    PrivacyResult,
    Verdict,
)


def group(name: str, *places: bool, mode: str = "chat", context: int = 32_000, tools: bool = True, vision: bool = False,
          schema: bool = True) -> ModelGroup:  # fmt: skip
    """A group with one deployment per place (True: on this machine)."""
    deployments = tuple(
        Deployment(f"{name}-id-{n}", f"openai/{name}", "http://x", local=local)
        for n, local in enumerate(places or (True,))
    )
    return ModelGroup(name, deployments, mode, context, tools, vision, schema)


def catalog(*groups: ModelGroup) -> Catalog:
    return Catalog({g.name: g for g in groups})


LOCAL = (
    group("qwen-local", context=32_768),
    group("deepseek-local", context=65_536, tools=False),
    group("llama-fast", context=65_536),
    group("embed-local", mode="embedding", context=0),
    group("rerank-local", mode="rerank", context=0),
    group("auto"),
    group("gpt-4o"),
)
CLOUD = (
    group("gpt-cloud", False, context=128_000, vision=True),
    group("mixed", True, False),
    group("embed-cloud", False, mode="embedding"),
)
SEES = replace(group("llava-local", vision=True), links=False)
HOME, BOTH = catalog(*LOCAL), catalog(*LOCAL, *CLOUD)

SSN = PrivacyResult((Finding("us_ssn", 0, 11),))
EMAIL = PrivacyResult((Finding("email", 0, 11, "redact"),))
FLAG = InjectionResult(0.7, flagged=True, rules=("override",))
BLOCK = InjectionResult(0.95, flagged=True, block=True, rules=("override",))


def verdict(tier: str = "simple", **parts: Any) -> Verdict:
    return Verdict(complexity=ComplexityResult(tier=tier), **parts)  # type: ignore[arg-type]


BLOCKING = {"block_on_injection": True}
HONOUR = {"explicit_local": "honour"}
VARIANT = Experiment("speed:b", "qwen-local")

# id, verdict, what else differs from a plain `auto` chat, expected route ("" = refused), expected reason
CASES: list[tuple[str, Verdict, dict[str, Any], str, str]] = [
    ("tier simple", verdict(), {}, "llama-fast", "complexity:simple"),
    ("tier medium", verdict("medium"), {}, "qwen-local", "complexity:medium"),
    ("tier complex", verdict("complex"), {}, "deepseek-local", "complexity:complex"),
    ("no model named", verdict("medium"), {"requested": ""}, "qwen-local", "complexity:medium"),
    ("alias of the owner's list", verdict("medium"), {"requested": "gpt-4o"}, "qwen-local", "complexity:medium"),
    ("alias missing in config.yaml", verdict("medium"), {"requested": "gpt-4o-mini"}, "qwen-local", "complexity:medium"),
    ("explicit beats tier", verdict("complex"), {"requested": "llama-fast"}, "llama-fast", "explicit"),
    ("explicit cloud when clean", verdict(), {"requested": "gpt-cloud"}, "gpt-cloud", "explicit"),
    ("experiment beats explicit", verdict(), {"requested": "llama-fast", "experiment": VARIANT}, "qwen-local", "experiment:speed"),
    ("experiment without a route", verdict(), {"experiment": Experiment("tone:a")}, "llama-fast", "complexity:simple"),
    ("private beats experiment", verdict(privacy=SSN), {"experiment": VARIANT}, "llama-fast", "privacy:us_ssn"),
    ("private beats explicit local", verdict(privacy=SSN), {"requested": "qwen-local"}, "llama-fast", "privacy:us_ssn"),
    ("private beats tier", verdict("complex", privacy=SSN), {}, "llama-fast", "privacy:us_ssn"),
    ("private reroutes a cloud chat", verdict(privacy=SSN), {"requested": "gpt-cloud"}, "llama-fast", "privacy:us_ssn"),
    ("or refuses it", verdict(privacy=SSN), {"requested": "gpt-cloud", "privacy": {"cloud": "block"}}, "", "privacy:us_ssn"),
    ("block spares a mixed group", verdict(privacy=SSN), {"requested": "mixed", "privacy": {"cloud": "block"}}, "llama-fast", "privacy:us_ssn"),
    ("redacted entities do not route", verdict("medium", privacy=EMAIL), {}, "qwen-local", "complexity:medium"),
    ("failed detection is private", verdict("medium", privacy=PrivacyResult(failed=True)), {}, "llama-fast", "privacy:detector_failed"),
    ("a private conversation stays", verdict("medium", sticky=True), {}, "llama-fast", "privacy:conversation"),
    ("flagged beats private", verdict(injection=FLAG, privacy=SSN), {"routing": {"injection_route": "qwen-local"}}, "qwen-local", "injection:override"),
    ("flagged beats explicit", verdict(injection=FLAG), {"requested": "gpt-cloud"}, "llama-fast", "injection:override"),
    ("flagged beats experiment", verdict(injection=FLAG), {"experiment": VARIANT}, "llama-fast", "injection:override"),
    ("flagged by the model alone", verdict(injection=InjectionResult(0.6, flagged=True)), {}, "llama-fast", "injection:model"),
    ("a high score without the policy's wish", verdict(injection=BLOCK), {}, "llama-fast", "injection:override"),
    ("blocked", verdict(injection=BLOCK), {"routing": BLOCKING}, "", "injection:override"),
    ("blocked before anything else", verdict(injection=BLOCK, privacy=SSN), {"routing": BLOCKING, "requested": "nope"}, "", "injection:override"),
    ("blocked on embeddings too", verdict(injection=BLOCK), {"routing": BLOCKING, "requested": "embed-local", "needs": Needs(mode="embedding")}, "", "injection:override"),
    ("flagged below the block line", verdict(injection=FLAG), {"routing": BLOCKING}, "llama-fast", "injection:override"),
    ("honour leaves a private local model", verdict(privacy=SSN), {"routing": HONOUR, "requested": "qwen-local"}, "qwen-local", "explicit"),
    ("honour leaves a flagged local model", verdict(injection=FLAG), {"routing": HONOUR, "requested": "qwen-local"}, "qwen-local", "explicit"),
    ("honour holds against an experiment", verdict(privacy=SSN), {"routing": HONOUR, "requested": "llama-fast", "experiment": VARIANT}, "llama-fast", "explicit"),
    ("honour is for local models only", verdict(privacy=SSN), {"routing": HONOUR, "requested": "gpt-cloud"}, "llama-fast", "privacy:us_ssn"),
    ("nor for half-local ones", verdict(privacy=SSN), {"routing": HONOUR, "requested": "mixed"}, "llama-fast", "privacy:us_ssn"),
    ("complex with tools goes to qwen", verdict("complex"), {"needs": Needs(tools=True)}, "qwen-local", "capability:tools"),
    ("explicit without tools moves too", verdict(), {"requested": "deepseek-local", "needs": Needs(tools=True)}, "llama-fast", "capability:tools"),
    ("nobody hears", verdict("medium"), {"needs": Needs(audio=True)}, "", "capability:audio"),
    ("nobody reads files", verdict("medium"), {"needs": Needs(files=True)}, "", "capability:files"),
    ("too long for the tier's model", verdict("medium"), {"needs": Needs(tokens=40_000)}, "deepseek-local", "capability:context"),
    ("too long, with tools", verdict("medium"), {"needs": Needs(tokens=40_000, tools=True)}, "llama-fast", "capability:context"),
    ("private keeps its reason when it moves", verdict(privacy=SSN), {"routing": {"privacy_route": "deepseek-local"}, "needs": Needs(tools=True)}, "llama-fast", "privacy:us_ssn"),
    ("a group that is down", verdict("medium"), {"down": ["qwen-local"]}, "deepseek-local", "fallback:upstream_down"),
    ("down, and the next cannot", verdict("medium"), {"down": ["qwen-local"], "needs": Needs(tools=True)}, "llama-fast", "fallback:upstream_down"),
    ("everything down stays put", verdict("medium"), {"down": list(BOTH.groups)}, "qwen-local", "complexity:medium"),
    ("private and down", verdict(privacy=SSN), {"down": ["llama-fast"]}, "qwen-local", "privacy:us_ssn"),
    ("private never leaves for a live cloud", verdict(privacy=SSN), {"down": [g.name for g in LOCAL], "requested": "gpt-cloud"}, "llama-fast", "privacy:us_ssn"),
    ("embeddings keep their model", verdict("complex"), {"requested": "embed-cloud", "needs": Needs(mode="embedding")}, "embed-cloud", "explicit"),
    ("embeddings without a name", verdict(), {"needs": Needs(mode="embedding")}, "embed-local", "explicit"),
    ("private embeddings stay", verdict(privacy=SSN), {"requested": "embed-local", "needs": Needs(mode="embedding")}, "embed-local", "privacy:us_ssn"),
    ("private embeddings refuse the cloud", verdict(privacy=SSN), {"requested": "embed-cloud", "needs": Needs(mode="embedding")}, "", "privacy:us_ssn"),
    ("flagged embeddings keep their model", verdict(injection=FLAG), {"requested": "embed-local", "needs": Needs(mode="embedding")}, "embed-local", "injection:override"),
    ("rerank keeps its model", verdict(), {"requested": "rerank-local", "needs": Needs(mode="rerank")}, "rerank-local", "explicit"),
]  # fmt: skip


def policy_of(routing: dict[str, Any] | None = None, privacy: dict[str, Any] | None = None) -> Policy:
    return Policy.model_validate({"routing": routing or {}, "privacy": privacy or {}})


def run(judged: Verdict, given_catalog: Catalog = BOTH, **options: Any) -> Decision:
    policy = policy_of(options.pop("routing", None), options.pop("privacy", None))
    options.setdefault("requested", "auto")
    options.setdefault("needs", Needs())
    return decide(judged, policy, given_catalog, **options)


@pytest.mark.parametrize(
    ("judged", "options", "route", "reason"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_decision_order(judged: Verdict, options: dict[str, Any], route: str, reason: str) -> None:
    decision = run(judged, **options)
    assert (decision.route, decision.reason) == (route, reason), decision.steps
    assert bool(decision.blocked) == (route == "")
    assert decision.sentence.endswith(".")
    assert "\n" not in decision.sentence
    private = judged.privacy.sensitive or judged.sticky
    assert decision.local_only == private
    assert not (private and decision.cache)


# id, verdict, options, catalog, code, words of the sentence
REFUSALS: list[tuple[str, Verdict, dict[str, Any], Catalog, str, list[str]]] = [
    ("unknown model", verdict(), {"requested": "qwen-locl"}, HOME, "model_not_found", ["'qwen-locl'", "Did you mean 'qwen-local'?", "embed-local", "auto"]),
    ("a name near an alias", verdict(), {"requested": "GPT-4.1"}, HOME, "model_not_found", ["Did you mean 'gpt-4o'?", "routing.aliases"]),
    ("unknown model, private", verdict(privacy=SSN), {"requested": "nope"}, HOME, "model_not_found", ["'nope'"]),
    ("deployment id", verdict(), {"requested": "qwen-local-id-0"}, HOME, "model_not_found", ["qwen-local"]),
    ("provider name", verdict(), {"requested": "openai/gpt-cloud"}, BOTH, "model_not_found", []),
    ("a name that is text", verdict(), {"requested": "my key is\nhunter2"}, HOME, "model_not_found", ["my?key?is?hunter2"]),
    ("unknown embedder", verdict(), {"requested": "ada-002", "needs": Needs(mode="embedding")}, HOME, "model_not_found", ["embed-local"]),
    ("an embedder's name with a slip", verdict(), {"requested": "embed-locl", "needs": Needs(mode="embedding")}, HOME, "model_not_found", ["Did you mean 'embed-local'?"]),
    ("chat model for embeddings", verdict(), {"requested": "qwen-local", "needs": Needs(mode="embedding")}, HOME, "aicc_invalid_request", ["chat model", "embed-local"]),
    ("embedder for chat", verdict(), {"requested": "embed-local"}, HOME, "aicc_invalid_request", ["embed-local", "auto"]),
    ("no rerank model", verdict(), {"needs": Needs(mode="rerank")}, catalog(group("qwen-local")), "model_not_found", ["none"]),
    ("private without a local model", verdict(privacy=SSN), {}, catalog(group("llama-fast", False), group("qwen-local", False)), "aicc_private_no_local_model", ["local_hosts"]),
    ("nothing sees images", verdict(), {"needs": Needs(vision=True)}, HOME, "aicc_invalid_request", ["can take images;"]),
    ("only an unlisted cloud model sees images", verdict(), {"needs": Needs(vision=True)}, BOTH, "aicc_invalid_request", ["name gpt-cloud"]),
    ("which a private request is not told to use", verdict(privacy=SSN), {"needs": Needs(vision=True)}, BOTH, "aicc_invalid_request", ["on this machine can take images"]),
    ("no model takes both", verdict(), {"needs": Needs(vision=True, tools=True)}, catalog(group("llama-fast"), group("qwen-local", tools=False, vision=True)), "aicc_invalid_request", ["tools and images together"]),
    ("nothing reads files", verdict(), {"needs": Needs(files=True)}, HOME, "aicc_invalid_request", ["can take files;"]),
    ("what sees does not fetch", verdict(), {"needs": Needs(vision=True, links=True)}, catalog(SEES, *LOCAL), "aicc_invalid_request", ["send a data URL"]),
    ("nothing sees, nor fetches", verdict(), {"needs": Needs(vision=True, links=True)}, HOME, "aicc_invalid_request", ["can take images;"]),
    ("too long for all", verdict(), {"needs": Needs(tokens=70_000)}, HOME, "aicc_context_too_long", ["70000", "65536"]),
    ("too long for those with tools", verdict(), {"needs": Needs(tokens=60_000, tools=True)}, catalog(group("llama-fast", context=8_000), group("deepseek-local", context=65_536, tools=False)), "aicc_context_too_long", ["llama-fast", "8000"]),
    ("no chat model at all", verdict(), {}, catalog(group("embed-local", mode="embedding")), "model_not_found", ["no chat model"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("judged", "options", "where", "code", "words"), [c[1:] for c in REFUSALS], ids=[c[0] for c in REFUSALS]
)
def test_refusals_say_what_to_do(
    judged: Verdict, options: dict[str, Any], where: Catalog, code: str, words: list[str]
) -> None:
    decision = run(judged, where, **options)
    assert decision.blocked == code
    assert decision.route == ""
    for word in words:
        assert word in decision.sentence
    assert decision.sentence.isprintable()


def test_a_private_or_flagged_request_is_no_part_of_an_experiment() -> None:
    assert run(verdict(), experiment=VARIANT).variant == "speed:b"
    assert run(verdict(privacy=SSN), experiment=VARIANT).variant == ""
    assert run(verdict(injection=FLAG), experiment=VARIANT).variant == ""


def test_a_variant_whose_model_is_not_used_is_not_the_one_that_answers() -> None:
    local, prompt = (
        Experiment("speed:b", "qwen-local", private_too=True),
        Experiment("tone:b", private_too=True),
    )
    asked = {"routing": HONOUR, "requested": "llama-fast"}
    assert run(verdict(privacy=SSN), experiment=local, **asked).variant == ""
    assert run(verdict(privacy=SSN), experiment=prompt, **asked).variant == "tone:b"
    assert run(verdict(), experiment=local, **asked).variant == "speed:b"
    assert run(verdict(privacy=SSN), experiment=local, routing=HONOUR).variant == "speed:b"


def test_the_steps_tell_how_it_came_about() -> None:
    steps = run(verdict("complex", privacy=EMAIL), needs=Needs(tools=True)).steps
    assert steps[0] == "privacy: email (redacted only)"
    assert steps[-1] == "deepseek-local cannot take tools → qwen-local"


# --- for every input ------------------------------------------------------------------------

NAMES = [
    "qwen-local", "deepseek-local", "llama-fast", "embed-local", "rerank-local", "auto", "gpt-4o", "cloud", "mixed", "extra",
]  # fmt: skip
groups = st.builds(
    group, st.sampled_from(NAMES), st.booleans(), st.booleans(), mode=st.sampled_from(["chat", "chat", "chat", "embedding", "rerank"]),
    context=st.sampled_from([0, 4_000, 32_000, 128_000]), tools=st.booleans(), vision=st.booleans(), schema=st.booleans(),
)  # fmt: skip
catalogs = st.lists(groups, max_size=8).map(lambda found: catalog(*found))
findings = st.builds(
    Finding, st.text(min_size=1, max_size=12), st.just(0), st.just(1), st.sampled_from(["route", "redact"])
)
verdicts = st.builds(
    Verdict,
    privacy=st.builds(PrivacyResult, st.lists(findings, max_size=2).map(tuple), st.booleans()),
    injection=st.builds(InjectionResult, st.floats(0, 1), st.booleans(), st.booleans(), st.lists(st.text(max_size=12), max_size=2).map(tuple)),
    complexity=st.builds(ComplexityResult, st.sampled_from(["simple", "medium", "complex"])),
    sticky=st.booleans(),
)  # fmt: skip
needs = st.builds(
    Needs, st.booleans(), st.booleans(), st.booleans(), st.sampled_from([0, 10, 5_000, 200_000]),
    st.sampled_from(["chat", "chat", "embedding", "rerank"]),
)  # fmt: skip
route = st.sampled_from(["qwen-local", "llama-fast", "cloud", "mixed", "deepseek-local"])
policies = st.builds(
    policy_of,
    st.fixed_dictionaries({
        "privacy_route": route, "injection_route": route, "simple_route": route, "complex_route": route,
        "block_on_injection": st.booleans(), "explicit_local": st.sampled_from(["override", "honour"]),
    }),
    st.fixed_dictionaries({"cloud": st.sampled_from(["reroute", "block"])}),
)  # fmt: skip
experiments = st.none() | st.builds(Experiment, st.text(max_size=8), st.just("") | route)
requests = st.one_of(*[st.sampled_from([*NAMES, "", "extra-id-0"])] * 4, st.text(max_size=8))


@settings(max_examples=200, deadline=None)
@given(verdicts, policies, catalogs, requests, needs, st.sets(st.sampled_from(NAMES)), experiments)
def test_no_input_breaks_a_promise(
    judged: Verdict, policy: Policy, where: Catalog, requested: str, needed: Needs, down: set[str], experiment: Experiment | None
) -> None:  # fmt: skip
    decision = decide(
        judged, policy, where, requested=requested, needs=needed, down=down, experiment=experiment
    )
    assert decision == decide(
        judged, policy, where, requested=requested, needs=needed, down=down, experiment=experiment
    )
    assert decision.reason
    assert decision.reason.isascii()
    assert decision.reason.isprintable()
    assert bool(decision.route) != bool(decision.blocked)
    private = judged.privacy.sensitive or judged.sticky
    assert decision.local_only == private
    if decision.blocked:
        return
    chosen = where.groups[decision.route]  # never a deployment id, an alias or an invented name
    assert chosen.mode == needed.mode
    if needed.mode == "chat":
        assert decision.route not in policy.routing.aliases
        assert chosen.lacks(needed) == ""
    if private:
        assert chosen.local
        assert not decision.cache
        assert decision.variant == ""
    if judged.injection.block and policy.routing.block_on_injection:
        pytest.fail("a blocked injection was served")


# --- catalog --------------------------------------------------------------------------------


def test_a_group_is_as_capable_as_its_weakest_deployment() -> None:
    strong = {"max_input_tokens": 128_000, "supports_vision": True, "supports_function_calling": True}
    weak = {"max_input_tokens": 8_000, "supports_function_calling": False}
    rows = [
        {"model_name": "m", "litellm_params": {"model": "openai/a", "api_base": "http://a"}, "model_info": strong},
        {"model_name": "m", "litellm_params": {"model": "openai/b", "api_base": "http://b"}, "model_info": weak},
    ]  # fmt: skip
    made = build_catalog(rows, {"http://a": True, "http://b": False}).groups["m"]
    assert (made.context, made.tools, made.vision, made.local, made.only_local) == (
        8_000,
        False,
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("params", "address"),
    [
        ({"model": "openai/gpt-4.1"}, ""),
        ({"model": "anthropic/claude", "api_base": None}, ""),
        ({"model": "ollama_chat/qwen"}, "http://localhost:11434"),
        ({"model": "ollama/qwen", "api_base": "http://mac.lan:1"}, "http://mac.lan:1"),
        ({"model": "ollama/qwen", "api_base": "http://mac.lan:1/"}, "http://mac.lan:1"),
        ({"model": "openai/x", "base_url": "http://127.0.0.1:8080/v1"}, "http://127.0.0.1:8080/v1"),
        # completion() prefers base_url, embedding() api_base: neither may make the other look local.
        ({"model": "openai/x", "api_base": "http://127.0.0.1", "base_url": "https://cloud.example"}, ""),
        ({"model": "ollama_chat/qwen", "custom_llm_provider": "openai"}, ""),
        ({"model": "aicc_demo/x"}, "in-process"),
    ],
)
def test_where_a_deployment_sends_its_requests(params: dict[str, Any], address: str) -> None:
    assert address_of(params) == address


def test_mode_is_told_or_guessed_from_the_name() -> None:
    def mode(model: str, **info: str) -> str:
        return (
            build_catalog([{"model_name": "m", "litellm_params": {"model": model}, "model_info": info}], {})
            .groups["m"]
            .mode
        )

    assert mode("ollama/nomic-embed-text") == "embedding"
    assert mode("ollama/bge-reranker") == "rerank"
    assert mode("openai/x", mode="responses") == "chat"
    assert mode("ollama_chat/qwen") == "chat"
