"""Requests of every endpoint with a set of planted values, one of every entity type, in every text position."""

from __future__ import annotations

import base64
import itertools
import json
import random
import urllib.parse
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from aicc_hooks.detect import entities
from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.verdict import Role
from tests.harness.canaries import MAKERS, Canary

# An entity of the user's own, beside the built-in ones.
PRIVACY: dict[str, Any] = {"custom": [{"name": "project_number", "pattern": "PROJ-[0-9]{8}"}]}


@dataclass(frozen=True)
class Planted:
    """One value in one place of one request."""

    scenario: str
    endpoint: str
    position: str
    entity: str
    value: str

    @property
    def label(self) -> str:
        return f"{self.scenario}/{self.endpoint}/{self.position}/{self.entity}"


@dataclass
class Shot:
    """One request to send. `raw` replaces the JSON of `body`."""

    scenario: str
    endpoint: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def content(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.body).encode()


class Planter:
    """Makes values that are unique over the sweep (names: within a request) and remembers where each was planted.

    A random value may happen to look like a word (a key without any digit) and not be found at all. How often that is, is measured in
    docs/detect-privacy.md; here it is counted in `rejected` and another value taken, or chance would decide the sweep.
    """

    def __init__(self) -> None:
        self.planted: list[Planted] = []
        self.rejected: Counter[str] = Counter()
        self._detector = PrivacyDetector(PrivacyConfig.model_validate(PRIVACY))
        self._seeds, self._turns = itertools.count(), itertools.count()
        self._used: set[str] = set()
        self._scenario = self._endpoint = ""
        self._names = list(entities.ALL)

    def begin(self, scenario: str, endpoint: str, only: Collection[str] = ()) -> None:
        """The next texts belong to this request. `only`: the entity types to plant, all by default."""
        self._scenario, self._endpoint = scenario, endpoint
        self._names = [name for name in entities.ALL if not only or name in only]
        # Only six by six names and a few thousand birthdays can be told from each other.
        self._used -= {p.value for p in self.planted if p.entity in ("person_name", "date_of_birth")}

    def text(self, position: str) -> str:
        """One planted value of every entity type, a line each."""
        return "\n".join(canary.text for canary in self._set(position))

    def line(self, position: str) -> str:
        """The same without line breaks, for a header."""
        return " ; ".join(canary.text.replace("\n", " ") for canary in self._set(position))

    def some(self, position: str) -> str:
        """One planted value; the entity types take turns."""
        return self.one(position, self._names[next(self._turns) % len(self._names)]).text.replace("\n", " ")

    def one(self, position: str, entity: str) -> Canary:
        """A single planted value."""
        return self._keep([self._new(entity)], position)[0]

    def _set(self, position: str) -> list[Canary]:
        return self._keep([self._new(name) for name in self._names], position)

    def _keep(self, made: list[Canary], position: str) -> list[Canary]:
        while missed := self._missed(made):
            for index in missed:
                self.rejected[made[index].entity] += 1
                made[index] = self._new(made[index].entity)
        self.planted += [Planted(self._scenario, self._endpoint, position, c.entity, c.value) for c in made]
        return made

    def _missed(self, made: list[Canary]) -> list[int]:
        text = "\n".join(canary.text for canary in made)
        spans = [(f.start, f.end) for f in self._detector.find(text, Role.USER)]
        ends = itertools.accumulate(len(canary.text) + 1 for canary in made)
        return [
            index
            for index, (canary, end) in enumerate(zip(made, ends, strict=True))
            if not any(start < end and end - len(canary.text) - 1 < stop for start, stop in spans)
        ]

    def _new(self, entity: str) -> Canary:
        while True:
            made = MAKERS[entity](random.Random(f"sweep-{next(self._seeds)}"))
            if made.value not in self._used:
                self._used.add(made.value)
                return made


Fields = dict[str, Any]


def data_url(text: str) -> str:
    return "data:text/plain;base64," + base64.b64encode(text.encode()).decode()


def _tool(p: Planter) -> Fields:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": p.text("tool schema"), "enum": [p.text("tool enum")]}
        },
    }
    return {"name": "look_up", "description": p.text("tool description"), "parameters": schema}


def _chat(p: Planter) -> Fields:
    call = {"id": "call_1", "type": "function",
            "function": {"name": "look_up", "arguments": json.dumps({"note": p.text("tool arguments")})}}  # fmt: skip
    return {
        "messages": [
            {"role": "system", "content": p.text("system")},
            {"role": "user", "content": p.text("user"), "name": p.text("name")},
            {"role": "assistant", "content": p.text("assistant"), "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": p.text("tool result")},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": p.text("text part")},
                    {"type": "image_url", "image_url": {"url": data_url(p.text("data URL"))}},
                    {
                        "type": "file",
                        "file": {"filename": "a.txt", "file_data": data_url(p.text("file part"))},
                    },
                ],
            },
            {"role": "user", "content": "[[echo]] " + p.text("last user")},
        ],
        "tools": [{"type": "function", "function": _tool(p)}],
        "tool_choice": "auto",
        "user": p.text("user field"),
        "metadata": {"note": p.text("metadata")},
        "stop": [p.text("stop")],
        "x_unknown": {"deep": [p.text("unknown field")]},
    }


def _completions(p: Planter) -> Fields:
    return {
        "prompt": [p.text("prompt list"), "[[echo]] " + p.text("last prompt")],
        "suffix": p.text("suffix"),
        "user": p.text("user field"),
    }


def _embeddings(p: Planter) -> Fields:
    return {"input": [p.text("input"), p.text("input list")], "user": p.text("user field")}


def _responses(p: Planter) -> Fields:
    return {
        "instructions": p.text("instructions"),
        "input": [
            {"role": "user", "content": p.text("input item")},
            {
                "type": "function_call",
                "call_id": "c1",
                "name": "look_up",
                "arguments": json.dumps({"a": p.text("arguments")}),
            },
            {"type": "function_call_output", "call_id": "c1", "output": p.text("tool output")},
            {"role": "user", "content": [{"type": "input_text", "text": "[[echo]] " + p.text("input text")}]},
        ],
        "tools": [{"type": "function", **_tool(p)}],
        "tool_choice": "auto",
        "user": p.text("user field"),
        "metadata": {"note": p.text("metadata")},
    }


def _messages(p: Planter) -> Fields:
    tool = _tool(p)
    return {
        "max_tokens": 4000,
        "system": [{"type": "text", "text": p.text("system")}],
        "messages": [
            {"role": "user", "content": p.text("user")},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "t1", "name": "look_up", "input": {"q": p.text("tool input")}}
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "text", "text": p.text("tool result")}],
                    },
                    {"type": "text", "text": "[[echo]] " + p.text("text block")},
                ],
            },
        ],
        "tools": [
            {"name": tool["name"], "description": tool["description"], "input_schema": tool["parameters"]}
        ],
        "tool_choice": {"type": "auto"},
        "metadata": {"user_id": p.text("metadata.user_id")},
    }


def _rerank(p: Planter) -> Fields:
    return {"query": p.text("query"), "documents": [p.text("document"), {"text": p.text("document text")}]}


# endpoint → path, builder, mode of the model it needs
ENDPOINTS: dict[str, tuple[str, Callable[[Planter], Fields], str]] = {
    "chat": ("/v1/chat/completions", _chat, "chat"),
    "completions": ("/v1/completions", _completions, "chat"),
    "embeddings": ("/v1/embeddings", _embeddings, "embed"),
    "responses": ("/v1/responses", _responses, "chat"),
    "messages": ("/v1/messages", _messages, "chat"),
    "rerank": ("/v1/rerank", _rerank, "rerank"),
}


def shot(
    p: Planter, scenario: str, endpoint: str, *, model: str, stream: bool = False, only: Collection[str] = ()
) -> Shot:
    """A request with values in all positions of the body, in headers and in the query string."""
    path, build, _ = ENDPOINTS[endpoint]
    p.begin(scenario, endpoint, only)
    body = {"model": model, **build(p)}
    if stream:
        body["stream"] = True
    line = p.line if endpoint == "chat" else p.some
    names = (
        "x-session-id",
        "x-user-id",
        "user-agent",
        "cookie",
        "referer",
        "x-custom",
        "langfuse_trace_name",
        "x-litellm-tags",
    )
    headers = {name: line(name) for name in names}
    query = urllib.parse.urlencode({"note": line("query string")})
    return Shot(scenario, endpoint, f"{path}?{query}", body, headers)
