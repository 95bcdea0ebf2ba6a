"""Assignment, the change of bodies, the file, managed prompts: pure, without a gateway."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.experiments.apply import Assignment
from aicc_hooks.experiments.assignment import Facts, choose, draw, pick
from aicc_hooks.experiments.load import Offered, parse_experiments
from aicc_hooks.experiments.prompts import ManagedPrompt, PromptCache, PromptError, langfuse_fetch
from aicc_hooks.experiments.schema import Experiments, LangfusePrompt, Variant
from aicc_hooks.experiments.stats import chi_square_tail, uneven
from aicc_hooks.experiments.store import ExperimentStore
from aicc_hooks.experiments.units import UNNAMED, Unit, opening, unit_of
from aicc_hooks.payload import extract
from tests.harness.gateway import ROOT
from tests.standins.langfuse import LangfuseStandIn

GROUPS = ("llama-fast", "qwen-local", "cloud")
OFFERED = Offered(GROUPS, ("auto", "gpt-4o"))
UNITS = [f"user\0person-{i}" for i in range(20_000)]


def variants(**weights: float) -> list[Variant]:
    return [Variant(name=name, weight=weight) for name, weight in weights.items()]


def dealt(*, salt: str = "s", name: str = "e", units: list[str] = UNITS, **weights: float) -> dict[str, str]:
    arms = variants(**weights)
    return {unit: pick(salt, name, arms, unit).name for unit in units}


def experiments(*items: dict[str, Any], **more: Any) -> Experiments:
    two = [{"name": "a", "weight": 50}, {"name": "b", "weight": 50}]
    return Experiments.model_validate({"experiments": [{"variants": two, **item} for item in items], **more})


def facts(**more: Any) -> Facts:
    return Facts("chat", "auto", **{"user": "somebody", "now": time.time(), "local": GROUPS[:2], **more})


# --- assignment -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weights", [{"a": 50, "b": 50}, {"a": 10, "b": 90}, {"a": 20, "b": 30, "c": 50}, {"a": 1, "b": 99}]
)
def test_variants_are_dealt_by_weight(weights: dict[str, float]) -> None:
    counts = Counter(dealt(**weights).values())
    assert uneven([counts[n] for n in weights], list(weights.values())) > 1e-4


def test_few_units_are_never_called_uneven() -> None:
    assert uneven([48, 2], [99.5, 0.5]) == 1.0, "a quarter of a unit is expected: two are no proof"
    assert uneven([900, 100], [99, 1]) < 0.001


def test_draws_are_uniform() -> None:
    bins = Counter(int(draw("s", "e", "v", unit) * 100) for unit in UNITS)
    assert uneven([bins[i] for i in range(100)], [1.0] * 100) > 1e-4


def test_experiments_are_dealt_independently() -> None:
    one, two = dealt(name="one", a=50, b=50), dealt(name="two", a=50, b=50)
    counts = Counter((one[u], two[u]) for u in UNITS)
    assert uneven(list(counts.values()), [1.0] * 4) > 1e-4
    assert len(counts) == 4


def test_a_changed_weight_moves_only_whom_it_must() -> None:
    before, after = dealt(a=50, b=50), dealt(a=40, b=60)
    moved = [u for u in UNITS if before[u] != after[u]]
    assert all(after[u] == "b" for u in moved)
    assert len(moved) / len(UNITS) == pytest.approx(0.1, abs=0.01)


def test_a_new_variant_takes_its_share_and_nothing_else_moves() -> None:
    before, after = dealt(a=50, b=50), dealt(a=40, b=40, c=20)
    assert all(after[u] in (before[u], "c") for u in UNITS)


def test_more_percentage_only_adds_people() -> None:
    inside = [
        {
            u
            for u in UNITS[:3000]
            if choose(experiments({"name": "e", "percentage": p}), facts(user=u), GROUPS)
        }
        for p in (10, 40)
    ]
    assert inside[0] < inside[1]
    assert len(inside[1]) / 3000 == pytest.approx(0.4, abs=0.04)


def test_the_same_on_every_start_and_python() -> None:
    program = "from aicc_hooks.experiments.assignment import draw; print([draw('aicc', 'brief', v, 'user\\0jo') for v in ('a', 'b', '\\0in')])"
    others = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7"},
    )
    assert others.stdout.strip() == str([draw("aicc", "brief", v, "user\0jo") for v in ("a", "b", "\0in")])
    # Written down once: a release that deals people anew would spoil running experiments.
    assert draw("aicc", "brief", "a", "user\0jo") == pytest.approx(KNOWN_DRAW, abs=1e-15)


KNOWN_DRAW = 0.6650568402164218


def test_sticks_to_user_then_session() -> None:
    e = experiments({"name": "e"})

    def variant(**more: Any) -> str:
        found = choose(e, facts(**more), GROUPS)
        assert found is not None
        return found.variant.name

    people = [f"p{i}" for i in range(40)]
    assert [variant(user=p, session="x") for p in people] == [variant(user=p, session="y") for p in people]
    assert len({variant(user="", session=p) for p in people}) == 2
    assert len({variant(user="", session="", request=p) for p in people}) == 1, "nobody is one unit"


UNITS_OF = {
    "user": (Unit("user", "jo"), Unit("session", "s"), Unit(UNNAMED)),
    "session": (Unit("session", "s"), Unit("session", "s"), Unit(UNNAMED)),
    "request": (Unit("request", "r"),) * 3,
}


@pytest.mark.parametrize("kind", UNITS_OF)
def test_what_a_request_is_dealt_by(kind: Any) -> None:
    everything = {"user": "jo", "session": "s", "opening": "Hello", "request": "r"}
    for missing, expected in zip(
        ((), ("user",), ("user", "session", "opening")), UNITS_OF[kind], strict=True
    ):
        assert unit_of(kind, "salt", **{k: v for k, v in everything.items() if k not in missing}) == expected


def test_a_conversation_is_its_first_user_message() -> None:
    one, two = (
        unit_of("conversation", "salt", user="jo", opening=text, request="r") for text in ("Hello", "Bye")
    )
    assert (one.kind, one != two) == ("conversation", True)
    assert "Hello" not in str(one)
    assert one == unit_of("conversation", "salt", opening="Hello", request="another"), "whoever sends it"
    assert one != unit_of("conversation", "pepper", opening="Hello")
    long = ["x" * 200_000 + end for end in ("a", "b")]
    assert len({unit_of("conversation", "salt", opening=text) for text in (*long, long[0][1:])}) == 3
    assert unit_of("conversation", "salt", request="r", user="jo") == Unit("request", "r"), (
        "an embedding has none"
    )


ASKED = [
    {"role": "user", "content": "What is a monad?"},
    {"role": "assistant", "content": "A burrito."},
    {"role": "user", "content": "No."},
]
CACHED = {"type": "text", "text": "What is a monad?", "cache_control": {"type": "ephemeral"}}
OPENINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "first turn": ("chat", {"messages": ASKED[:1]}),
    "later turn": ("chat", {"messages": ASKED}),
    "another system prompt": ("chat", {"messages": [{"role": "system", "content": "It is 12:03."}, *ASKED]}),
    "as a part": ("chat", {"messages": [{"role": "user", "content": [CACHED]}, *ASKED[1:]]}),
    "a tool's result before it": ("messages", {"system": "S", "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "42"}]}, *ASKED]}),
    "messages": ("messages", {"system": "S", "messages": [{"role": "user", "content": [CACHED]}]}),
    "responses, a text": ("responses", {"input": "What is a monad?", "instructions": "S"}),
    "responses, items": ("responses", {"input": [{"type": "reasoning", "summary": []}, *ASKED]}),
}  # fmt: skip


@pytest.mark.parametrize("case", OPENINGS)
def test_every_turn_on_every_api_has_the_same_beginning(case: str) -> None:
    endpoint, body = OPENINGS[case]
    assert opening(extract(endpoint, body).segments) == "What is a monad?"


def test_what_has_no_beginning() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    for endpoint, body in (
        ("embeddings", {"input": "text"}),
        ("chat", {"messages": [{"role": "system", "content": "S"}]}),
        ("chat", {"messages": [{"role": "user", "content": [picture]}]}),
    ):
        assert opening(extract(endpoint, body).segments) == ""


def test_units_of_a_conversation_are_dealt_by_weight_and_stick() -> None:
    e = experiments({"name": "e", "unit": "conversation"})
    dealt = [choose(e, facts(user="", opening=f"Question {i}", request=str(i)), GROUPS) for i in range(2000)]
    again = [
        choose(e, facts(user="x", opening=f"Question {i}", request="other"), GROUPS) for i in range(2000)
    ]
    assert dealt == again
    counts = Counter(d.variant.name for d in dealt if d)
    assert uneven([counts["a"], counts["b"]], [1, 1]) > 1e-4


def test_the_content_of_a_variant_tells_all_it_does_and_no_text() -> None:
    def content(unit: str = "user", weight: float = 50, **more: Any) -> str:
        arms = [{"name": "a", "weight": 100 - weight}, {"name": "b", "weight": weight, **more}]
        found = experiments({"name": "e", "unit": unit, "variants": arms}).experiments[0]
        return found.content(found.variants[1])

    secret = {"system": {"text": "A secret prompt."}}
    others = [
        {}, secret, {"system": {"text": "Another."}}, {"system": {"text": "A secret prompt.", "mode": "append"}}, {"model": "qwen-local"},
        {"parameters": {"temperature": 0.1}}, {"parameters": {"temperature": 0.2}}, {"unit": "session", **secret},
    ]  # fmt: skip
    assert len({content(**o) for o in others}) == len(others)
    assert content(weight=10, **secret) == content(weight=90, **secret)
    assert "secret" not in content(**secret)
    # Written down once: another form would make every running experiment look changed.
    assert content(**secret) == KNOWN_CONTENT


KNOWN_CONTENT = "00a76f2bf8cf:user"


def test_a_later_experiment_changes_nothing_for_those_in_an_earlier_one() -> None:
    one = experiments({"name": "first", "percentage": 50})
    two = experiments({"name": "first", "percentage": 50}, {"name": "second"})
    for unit in UNITS[:500]:
        before, after = (choose(e, facts(user=unit), GROUPS) for e in (one, two))
        assert after is not None
        assert before is None or after == before


WITH_MODELS = {
    "name": "e",
    "variants": [{"name": "a", "weight": 50}, {"name": "b", "weight": 50, "model": "qwen-local"}],
}
WITH_CLOUD = {
    "name": "e",
    "variants": [{"name": "a", "weight": 50}, {"name": "b", "weight": 50, "model": "cloud"}],
}
JOINS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "plain": ({}, {}, True),
    "private, prompts only": ({}, {"private": True}, True),
    "private, all local": (WITH_MODELS, {"private": True}, True),
    "private, one in the cloud": (WITH_CLOUD, {"private": True}, False),
    "clean, one in the cloud": (WITH_CLOUD, {}, True),
    "its model kept, prompts only": ({}, {"private": True, "fixed": True}, True),
    "its model kept against a variant's": (WITH_MODELS, {"private": True, "fixed": True}, False),
    "flagged as injection": ({}, {"flagged": True}, False),
    "switched off": ({"enabled": False}, {}, False),
    "not begun": ({"start": "2999-01-01T00:00:00Z"}, {}, False),
    "over": ({"stop": "2001-01-01"}, {}, False),
    "running": ({"start": "2001-01-01", "stop": "2999-01-01T00:00:00+02:00"}, {}, True),
    "nobody": ({"percentage": 0}, {}, False),
    "its model": ({"target": {"models": ["auto"]}}, {}, True),
    "another model": ({"target": {"models": ["gpt-4o"]}}, {}, False),
    "its route": ({"target": {"routes": ["llama-fast"]}}, {"route": "llama-fast"}, True),
    "another route": ({"target": {"routes": ["llama-fast"]}}, {"route": "qwen-local"}, False),
    "its client": ({"target": {"clients": ["OpenAI"]}}, {"client": "OpenAI"}, True),
    "its client in small letters": ({"target": {"clients": ["openai"]}}, {"client": "OpenAI"}, True),
    "its client's family": ({"target": {"clients": ["openai-python"]}}, {"client": "OpenAI/Python 2.1"}, True),
    "another client": ({"target": {"clients": ["OpenAI"]}}, {"client": "curl"}, False),
    "its metadata": ({"target": {"metadata": {"app": "notes", "n": "3"}}}, {"metadata": {"app": "notes", "n": 3}}, True),
    "numbers and flags of metadata": ({"target": {"metadata": {"n": 3, "beta": True}}}, {"metadata": {"n": 3, "beta": True}}, True),
    "metadata nobody sent": ({"target": {"metadata": {"n": "3"}}}, {"metadata": {}}, False),
    "half of its metadata": ({"target": {"metadata": {"app": "notes", "n": "3"}}}, {"metadata": {"app": "notes"}}, False),
    "another endpoint": ({"target": {"endpoints": ["responses"]}}, {}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", JOINS)
def test_who_joins(case: str) -> None:
    item, more, joins = JOINS[case]
    assert (choose(experiments({"name": "e", **item}), facts(**more), GROUPS) is not None) is joins


def test_embeddings_never_join_and_the_kill_switch_stops_all() -> None:
    e = experiments({"name": "e"})
    assert choose(e, Facts("embeddings", "embed-local", user="u", now=1.0), GROUPS) is None
    assert choose(e.model_copy(update={"enabled": False}), facts(), GROUPS) is None


# --- what a variant changes -------------------------------------------------------------------

OWN = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("prepend", "Be brief.\n\nBe kind."),
        ("append", "Be kind.\n\nBe brief."),
        ("replace", "Be brief."),
        ("template", "Be brief."),
    ],
)
def test_system_prompts_on_every_api(mode: Any, expected: str) -> None:
    variant = Assignment("e", "v", mode=mode, system="Be brief.")
    assert variant.apply({"messages": OWN})["messages"] == [{"role": "system", "content": expected}, OWN[1]]
    assert variant.apply({"instructions": "Be kind.", "input": "hi"}, "responses")["instructions"] == expected
    blocks = [{"type": "text", "text": "Be kind."}]
    assert variant.apply({"system": blocks, "messages": OWN[1:]}, "messages")["system"] == expected
    assert OWN[0]["content"] == "Be kind.", "the body that was given stays as it is"


def test_a_request_without_a_system_prompt_gets_one() -> None:
    assert Assignment("e", "v", system="S").apply({"messages": OWN[1:]})["messages"][0] == {
        "role": "system",
        "content": "S",
    }
    template = Assignment("e", "v", mode="template", system="<{{system}}> Be brief.")
    assert template.apply({"messages": OWN})["messages"][0]["content"] == "<Be kind.> Be brief."


def test_a_template_takes_the_clients_words_as_they_are() -> None:
    own = r"Keep {{system}} and \\1 as they are."
    template = Assignment("e", "v", mode="template", system="<{{ system }}> {{user}}")
    changed = template.apply({"messages": [{"role": "system", "content": own}, OWN[1]]})
    assert changed["messages"][0]["content"] == f"<{own}> {{{{user}}}}"


def test_the_system_prompt_of_responses_may_stand_in_its_input() -> None:
    """The Vercel AI SDK sends it there."""
    body = {"input": [{"role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]}, OWN[1]]}
    replaced = Assignment("e", "v", mode="replace", system="Be brief.").apply(body, "responses")
    assert (replaced["instructions"], replaced["input"]) == ("Be brief.", [OWN[1]])
    kept = Assignment("e", "v", system="Be brief.").apply({**body, "instructions": "Answer."}, "responses")
    assert (kept["instructions"], kept["input"]) == ("Be brief.\n\nAnswer.\n\nBe kind.", [OWN[1]])
    assert len(body["input"]) == 2, "the body that was given stays as it is"
    text = Assignment("e", "v", system="Be brief.").apply({"input": "hi"}, "responses")
    assert text == {"input": "hi", "instructions": "Be brief."}


def test_an_empty_prompt_is_none() -> None:
    nothing = Assignment("e", "v", mode="replace", system="")
    assert nothing.apply({"messages": OWN})["messages"] == OWN[1:]
    assert nothing.apply({"messages": OWN[:1]})["messages"] == OWN[:1], "else nothing would be asked"
    assert nothing.apply({"system": "Be kind.", "messages": OWN[1:]}, "messages") == {"messages": OWN[1:]}
    assert nothing.apply({"instructions": "Be kind.", "input": "hi"}, "responses") == {"input": "hi"}


def test_only_leading_system_messages_are_the_prompt() -> None:
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "A"}]},
        {"role": "system", "content": "B"},
        OWN[1],
        OWN[0],
    ]
    changed = Assignment("e", "v", system="S").apply({"messages": messages})["messages"]
    assert changed == [{"role": "developer", "content": "S\n\nA\n\nB"}, OWN[1], OWN[0]]


def test_parameters_get_the_name_each_api_has() -> None:
    variant = Assignment(
        "e", "v", parameters=(("max_tokens", 9), ("reasoning_effort", "low"), ("temperature", 0.1))
    )
    assert variant.apply({"temperature": 1})["temperature"] == 0.1
    assert variant.apply({"max_completion_tokens": 5})["max_completion_tokens"] == 9
    assert variant.apply({"reasoning": {"summary": "auto"}}, "responses")["reasoning"] == {
        "summary": "auto",
        "effort": "low",
    }
    assert variant.apply({}, "responses")["max_output_tokens"] == 9
    assert Assignment("e", "v", parameters=(("stop", "x"),)).apply({}, "messages") == {
        "stop_sequences": ["x"]
    }


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["system", "user", "assistant", "developer", "tool"]),
                "content": st.none() | st.text(),
            }
        ),
        max_size=5,
    )
)
def test_no_message_of_the_conversation_is_lost(messages: list[dict[str, Any]]) -> None:
    changed = Assignment("e", "v", system="S").apply({"messages": messages})["messages"]
    said = [m for m in messages if m["role"] not in ("system", "developer")]
    assert [m for m in changed[1:] if m["role"] not in ("system", "developer")] == said


# --- the file ---------------------------------------------------------------------------------

BAD: dict[str, tuple[str, str]] = {
    "weights that do not sum": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 40}]}]", "weights sum to 90"),
    "unknown model": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, model: qwen-locl}]}]", "did you mean 'qwen-local'"),
    "unknown key": ("experiments: [{name: e, variant: []}]", "experiments.e.variant: unknown key"),
    "one variant": ("experiments: [{name: e, variants: [{name: a, weight: 100}]}]", "variants"),
    "a name twice": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: a, weight: 50}]}]", "each name once"),
    "a name that would break the header": ("experiments: [{name: 'e:x', variants: []}]", "experiments.e:x.name"),
    "a parameter that steers": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, parameters: {api_base: x}}]}]", "api_base"),
    "two prompt sources": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, system: {}}]}]", "text or langfuse"),
    "stop before start": ("experiments: [{name: e, start: 2026-02-01, stop: 2026-01-01, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "stop: must be after"),
    "a parameter of a wrong type": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, parameters: {temperature: hot}}]}]", "experiments.e.variants.b: parameters: temperature: found 'hot'; allowed: a number from 0 to 2"),
    "a template without its place": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, system: {mode: template, text: Hi}}]}]", "needs {{system}}"),
    "one target as a text": ("experiments: [{name: e, target: {models: auto}, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.target.models: found 'auto'; allowed: a list"),
    "a day that is none": ("experiments: [{name: e, start: 2026-13-45, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "at line 1, column 32: '2026-13-45' is no value"),
    "a key given twice": ("experiments: [{name: e, name: f, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "the key 'name' is given twice"),
    "a key nearly right": ("experiments: [{name: e, minimum_efect: 1, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "did you mean 'minimum_effect'"),
    "a target's model that is not there": ("experiments: [{name: e, target: {models: [atuo]}, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.target.models: found 'atuo', but config.yaml has no such chat model (did you mean 'auto'?)"),
    "a target's route that is not there": ("experiments: [{name: e, target: {routes: [llama-fsat]}, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.target.routes: found 'llama-fsat'"),
    "a target's route that is an alias": ("experiments: [{name: e, target: {routes: [auto]}, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.target.routes: found 'auto'"),
    "a variant's model that means you choose": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, model: auto}]}]", "leave model out"),
    "a number no message can hold": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, parameters: {seed: 99999999999999999999}}]}]", "seed: found 99999999999999999999; allowed: a whole number"),
    "a number that is none": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, parameters: {temperature: .nan}}]}]", "temperature: found nan"),
    "no token at all": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, parameters: {max_tokens: 0}}]}]", "max_tokens: found 0; allowed: a whole number from 1"),
    "bytes": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, parameters: {think: !!binary aGk=}}]}]", "think: found a bytes"),
    "an effort there is not": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, parameters: {reasoning_effort: hgih}}]}]", "reasoning_effort: found 'hgih'; allowed: 'none', 'minimal'"),
    "an effect too small to find": ("experiments: [{name: e, minimum_effect: 1.0e-200, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.minimum_effect"),
    "a template of Langfuse whose fallback has no place": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, system: {mode: template, langfuse: {name: p, fallback: Hi}}}]}]", "langfuse.fallback: a template needs {{system}}"),
    "a day as a number": ("experiments: [{name: e, start: 20260101, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "start: found the number 20260101; write 2026-01-31"),
    "half a character": ("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, system: {text: \"\\ud800\"}}]}]", "unicode"),
    "a share as a text": ("experiments: [{name: e, percentage: half, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "percentage: found 'half'; allowed: a number"),
    "nested without end": ("[" * 3000, "nested too deeply"),
    "a unit nearly right": ("experiments: [{name: e, unit: conversations, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.unit: found 'conversations' (did you mean 'conversation'?); allowed: user, session, conversation, request"),
    "a metric nearly right": ("experiments: [{name: e, metric: latency, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.metric: found 'latency' (did you mean 'latency_ms'?)"),
    "a unit as a list": ("experiments: [{name: e, unit: [user], variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]", "experiments.e.unit: found a list; allowed: 'user'"),
    "not YAML": ("experiments: [", "not valid YAML"),
    "not a mapping": ("[]", "mapping"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_file_says_what_is_wrong(case: str) -> None:
    text, expected = BAD[case]
    with pytest.raises(GatewayConfigError, match=r"experiments\.yaml") as caught:
        parse_experiments(text, offered=OFFERED)
    assert expected in str(caught.value)


_KEYS = st.sampled_from([
    "enabled", "salt", "experiments", "name", "start", "stop", "percentage", "target", "models", "routes", "metadata", "variants",
    "weight", "system", "mode", "text", "langfuse", "label", "version", "fallback", "parameters", "temperature", "stop", "seed",
    "metric", "minimum_effect",
])  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.binary(max_size=4)
    | st.sampled_from(["auto", "qwen-local", "score", "template", "{{system}}", "2026-01-01", 50, 100]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@given(tree=_VALUES, at=st.integers(0, 400), end=st.text(max_size=3))
def test_whatever_the_file_holds_is_an_error_that_names_it_or_can_be_used(
    tree: Any, at: int, end: str
) -> None:
    whole = yaml.safe_dump({"experiments": [{"name": "e", "variants": tree}]}, allow_unicode=True)
    for text in (yaml.safe_dump(tree), whole, whole[:at] + end + whole[at:]):
        told, found = "", None
        try:
            found = parse_experiments(text, offered=OFFERED)
        except GatewayConfigError as error:
            told = str(error)
        assert found is not None or told.startswith("experiments.yaml: ")
        for variant in (v for e in (found.experiments if found else ()) for v in e.variants):
            orjson.dumps({"messages": OWN, **variant.parameters})


def test_a_fault_of_one_variant_is_not_told_as_two() -> None:
    text = "experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: -1}]}]"
    with pytest.raises(GatewayConfigError) as caught:
        parse_experiments(text)
    assert str(caught.value).startswith("experiments.yaml: experiments.e.variants.b.weight: ")
    assert str(caught.value).count("experiments.e") == 1


def test_the_shipped_file_loads_and_so_does_what_it_shows() -> None:
    text = (ROOT / "litellm_config" / "experiments.yaml").read_text()
    assert parse_experiments(text, offered=OFFERED).experiments == ()
    shown = (
        text[text.index("# - name: brief") :].replace("\n# ", "\n").replace("\n#", "\n").removeprefix("# ")
    )
    examples = parse_experiments("experiments:\n" + shown, offered=OFFERED).experiments
    assert [e.name for e in examples] == ["brief-answers", "prompt-from-langfuse", "bigger-model"]


def test_reload_keeps_the_last_good_file(tmp_path: Path) -> None:
    path = tmp_path / "experiments.yaml"
    store = ExperimentStore(path, offered=lambda: OFFERED)
    assert store.assign(facts()) is None
    good = "experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, system: {text: S}}]}]"
    path.write_text(good)
    assert store.poll() is True
    first = store.assign(facts())
    assert first is not None
    path.write_text(good + "\nnonsense: 1")
    assert store.poll() is False
    assert "nonsense" in store.error
    assert store.assign(facts()) == first
    path.write_text("enabled: false\n" + good)
    assert store.poll() is True
    assert store.error == ""
    assert store.assign(facts()) is None


GOOD = "experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50, system: {text: S}}]}]"
SWITCHED: dict[str, tuple[str, bool]] = {
    "weights": ("enabled: false\n" + GOOD.replace("50, system", "40, system"), True),
    "an unknown model": ("enabled: no\n" + GOOD.replace("system: {text: S}", "model: nobody"), True),
    "an unknown key": (GOOD + "\nnonsense: 1\nenabled: 'off'", True),
    "not even YAML": ("enabled: false # at once\n" + GOOD + "]", True),
    "no text": ("enabled: false\n" + GOOD + "# \udcff", True),
    "the one experiment": (GOOD.replace("50, system", "40, system").replace("name: e,", "name: e, enabled: false,"), True),
    "another experiment": ("experiments: [{name: f, enabled: false}]", False),
    "a variant's text": (GOOD.replace("text: S", 'text: "enabled: false"') + "\nnonsense: 1", False),
    "left on": ("enabled: true\n" + GOOD + "\nnonsense: 1", False),
    "no mapping": ("[enabled]", False),
}  # fmt: skip


@pytest.mark.parametrize("case", SWITCHED)
def test_the_kill_switch_of_a_refused_file_is_obeyed(tmp_path: Path, case: str) -> None:
    text, stops = SWITCHED[case]
    path = tmp_path / "experiments.yaml"
    path.write_text(GOOD)
    store = ExperimentStore(path, offered=lambda: OFFERED)
    assert store.assign(facts()) is not None
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert store.poll() is stops
    assert (store.assign(facts()) is None) is stops
    assert "experiments.yaml" in store.problems()["experiments"]
    assert ("enabled: false" in store.problems()["experiments"]) is stops
    path.write_text(GOOD + "\nnonsense: 2")
    store.poll()
    assert (store.assign(facts()) is None) is stops, "a file that is wrong switches nothing on"
    path.write_text(GOOD)
    store.poll()
    assert store.assign(facts()) is not None
    assert store.problems() == {}


def test_no_request_fails_because_an_experiment_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "experiments.yaml"
    path.write_text("experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]")

    def broken() -> Offered:
        if armed:
            raise RuntimeError
        return OFFERED

    armed = False
    store = ExperimentStore(path, offered=broken)
    armed = True
    assert store.assign(facts()) is None
    assert store.failures == 1
    assert "1 requests" in store.problems()["experiment_failures"]


def test_nothing_is_in_force_before_the_models_it_names_are_known(tmp_path: Path) -> None:
    path = tmp_path / "experiments.yaml"
    good = "experiments: [{name: e, variants: [{name: a, weight: 50}, {name: b, weight: 50}]}]"
    path.write_text(good.replace("name: e,", "name: e, target: {models: [atuo]},"))
    known: list[Offered] = []
    store = ExperimentStore(path, offered=lambda: known[0] if known else None)
    assert store.assign(facts()) is None
    known.append(OFFERED)
    assert store.poll() is False
    assert "did you mean 'auto'" in store.problems()["experiments"]
    assert store.assign(facts()) is None, "a wrong file has no last good one at the start"
    path.write_text(good)
    assert store.poll() is True
    assert store.problems() == {}
    assert store.poll() is False


def test_a_model_that_left_config_yaml_ends_the_experiment_not_the_request(tmp_path: Path) -> None:
    path = tmp_path / "experiments.yaml"
    path.write_text(
        "experiments: [{name: e, variants: [{name: a, weight: 0}, {name: b, weight: 100, model: qwen-local}]}]"
    )
    groups = list(GROUPS)
    store = ExperimentStore(path, offered=lambda: Offered(tuple(groups)))
    found = store.assign(facts())
    assert found is not None
    assert found.model == "qwen-local"
    groups.remove("qwen-local")
    assert store.assign(facts()) is None


# --- prompts of Langfuse ----------------------------------------------------------------------

PROMPT = LangfusePrompt(name="support", label="production", fallback="F")


def test_the_fallback_until_it_was_fetched_and_the_last_good_text_after() -> None:
    answers: list[ManagedPrompt | PromptError] = [
        PromptError("down"),
        ManagedPrompt("text", 3),
        PromptError("down"),
    ]

    def fetch(_: LangfusePrompt) -> ManagedPrompt:
        answer = answers.pop(0)
        if isinstance(answer, PromptError):
            raise answer
        return answer

    cache = PromptCache(fetch, every_s=0.0)
    cache.want({PROMPT})
    assert cache.get(PROMPT) == ManagedPrompt("F", 0)
    seen = []
    for _ in range(3):
        cache.refresh()
        seen.append((cache.get(PROMPT), bool(cache.errors)))
    assert seen == [
        (ManagedPrompt("F", 0), True),
        (ManagedPrompt("text", 3), False),
        (ManagedPrompt("text", 3), True),
    ]


def test_a_dead_langfuse_is_an_error_that_names_no_prompt_text() -> None:
    with pytest.raises(PromptError, match="cannot be reached"):
        langfuse_fetch("http://127.0.0.1:9", "pk", "sk")(PROMPT)
    with pytest.raises(PromptError, match="http"):
        langfuse_fetch("file:///etc", "pk", "sk")(PROMPT)


def test_prompts_come_by_label_version_and_folder(langfuse: LangfuseStandIn) -> None:
    langfuse.add_prompt("team/support", "one", 1)
    langfuse.add_prompt("team/support", "two", 2, labels=("staging",))
    fetch = langfuse_fetch(langfuse.url, langfuse.public_key, langfuse.secret_key)

    def asked(**more: Any) -> ManagedPrompt:
        return fetch(LangfusePrompt(name="team/support", fallback="F", **more))

    assert asked() == ManagedPrompt("one", 1)
    assert asked(label="staging") == asked(version=2) == ManagedPrompt("two", 2)
    with pytest.raises(PromptError, match="no such prompt"):
        asked(label="nowhere")
    langfuse.prompts["team/support"][1] |= {
        "type": "chat",
        "prompt": [
            {"type": "chatmessage", "role": "system", "content": "S1"},
            {"type": "chatmessage", "role": "user", "content": "not the system prompt"},
            {"type": "placeholder", "name": "history"},
            {"type": "chatmessage", "role": "system", "content": "S2"},
        ],
    }
    assert asked() == ManagedPrompt("S1\n\nS2", 1)
    langfuse.prompts["team/support"][1]["prompt"] = [{"role": "user", "content": "x"}]
    with pytest.raises(PromptError, match="no system text"):
        asked()
    with pytest.raises(PromptError, match="refuses the keys"):
        langfuse_fetch(langfuse.url, langfuse.public_key, "sk-wrong")(PROMPT)


@pytest.mark.parametrize("kind", ["garbage", "echo"])
def test_an_answer_that_is_no_prompt_is_not_repeated(langfuse: LangfuseStandIn, kind: str) -> None:
    langfuse.add_prompt("support", "a secret text")
    fetch = langfuse_fetch(langfuse.url, langfuse.public_key, langfuse.secret_key)
    with langfuse.failing(kind), pytest.raises(PromptError) as caught:
        fetch(PROMPT)
    assert str(caught.value) in ("the answer cannot be read as a prompt of Langfuse", "Langfuse answered 500")


def test_the_sdk_starts_nothing_in_the_background(langfuse: LangfuseStandIn) -> None:
    langfuse.add_prompt("support", "text", 3)
    program = (
        "import sys, threading; from aicc_hooks.experiments.prompts import langfuse_fetch; "
        "from aicc_hooks.experiments.schema import LangfusePrompt; "
        "early = 'langfuse' in sys.modules; "
        f"found = langfuse_fetch({langfuse.url!r}, {langfuse.public_key!r}, {langfuse.secret_key!r})(LangfusePrompt(name='support', fallback='F')); "
        "from opentelemetry import trace; "
        "print(early, found.version, threading.active_count(), trace._TRACER_PROVIDER)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "3", "1", "None"], done.stderr


def test_two_labels_of_a_prompt_have_errors_of_their_own() -> None:
    other = LangfusePrompt(name="support", label="staging", fallback="F")

    def fetch(prompt: LangfusePrompt) -> ManagedPrompt:
        if prompt is other:
            raise KeyError("whatever the SDK does")
        return ManagedPrompt("text", 3)

    cache = PromptCache(fetch)
    cache.want({PROMPT, other})
    cache.refresh()
    assert list(cache.errors) == ["support@staging"]
    assert "the fallback is in use" in cache.errors["support@staging"]
    cache.want({PROMPT})
    assert cache.errors == {}


def test_the_cached_text_is_in_the_assignment_with_its_version(tmp_path: Path) -> None:
    path = tmp_path / "experiments.yaml"
    path.write_text(
        "experiments: [{name: e, variants: [{name: a, weight: 0}, {name: b, weight: 100, "
        "system: {mode: replace, langfuse: {name: support, label: production, fallback: F}}}]}]"
    )
    prompts = PromptCache(lambda _: ManagedPrompt("managed", 7))
    store = ExperimentStore(path, prompts=prompts)
    before = store.assign(facts())
    prompts.refresh()
    after = store.assign(facts())
    assert before is not None
    assert after is not None
    assert (before.system, before.prompt_name, before.prompt_version) == ("F", "support", 0)
    assert (after.system, after.prompt_name, after.prompt_version) == ("managed", "support", 7)


def test_a_template_of_langfuse_that_lost_its_place_is_told(tmp_path: Path) -> None:
    path = tmp_path / "experiments.yaml"
    path.write_text(
        "experiments: [{name: e, variants: [{name: a, weight: 0}, {name: b, weight: 100, "
        "system: {mode: template, langfuse: {name: support, fallback: '<{{system}}>'}}}]}]"
    )
    texts = ["No place.", "Here: {{ system }}"]
    prompts = PromptCache(lambda _: ManagedPrompt(texts[0], 4), every_s=0.0)
    store = ExperimentStore(path, prompts=prompts)
    prompts.want(set(store.current.experiments[0].prompts), every_s=0.0)
    assert store.problems() == {}
    prompts.refresh()
    assert "version 4 has no {{system}}" in store.problems()["prompt.support@production"]
    texts.pop(0)
    prompts.refresh()
    assert store.problems() == {}


@pytest.mark.parametrize(
    ("x", "freedom", "tail"),
    [  # scipy.stats.chi2.sf
        (0.1, 1, 0.7518296340458492), (5.0, 1, 0.025347318677468325), (60.0, 1, 9.485737571073857e-15),
        (1.0, 2, 0.6065306597126334), (20.0, 2, 4.539992976248486e-05), (60.0, 2, 9.357622968840163e-14),
        (0.1, 3, 0.9918374237318764), (5.0, 3, 0.1717971442967335), (60.0, 3, 5.878230727906921e-13),
        (1.0, 7, 0.9948285365165155), (20.0, 7, 0.005569683072945574), (60.0, 7, 1.5095553022989154e-10),
        (5.0, 11, 0.9311666104706992), (20.0, 11, 0.04534067443406042), (60.0, 11, 9.272161502836452e-09),
    ],
)  # fmt: skip
def test_chi_square_is_right(x: float, freedom: int, tail: float) -> None:
    assert chi_square_tail(x, freedom) == pytest.approx(tail, rel=1e-9)
