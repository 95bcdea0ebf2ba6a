"""Work of our own code per request, counted: JSON read and written, patterns searched, texts judged."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicc_hooks.adapter import calls, gate
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.catalog import address_of, build_catalog
from aicc_hooks.detect import tokens
from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.inspection import Inspector
from aicc_hooks.payload import extract
from aicc_hooks.policy import Policy
from aicc_hooks.record import Redactor

KEY = "sk-test-" + "k" * 40
ANSWER = {"id": "x", "object": "chat.completion", "created": 1, "model": "llama-fast", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris."}}]}  # fmt: skip


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setattr(Runtime, "master_key", lambda _: KEY)
    (tmp_path / "policy.yaml").write_text("{}\n")
    made = Runtime({"AICC_HOME": str(tmp_path), "AICC_POLICY": str(tmp_path / "policy.yaml"), "AICC_MASTER_KEY": KEY})  # fmt: skip
    params = {"model": "ollama_chat/m", "api_base": "http://127.0.0.1:11434"}
    models = [
        {"model_name": name, "litellm_params": params, "model_info": {"mode": "chat", "id": name, "max_input_tokens": 8192}}
        for name in ("llama-fast", "qwen-local", "deepseek-local")
    ]  # fmt: skip
    made.catalog = build_catalog(models, {address_of(params): True})
    yield made
    made.recorder.close()


async def upstream(scope: Any, receive: Any, send: Any) -> None:
    """LiteLLM's place: reads the body, answers at once."""
    while (await receive()).get("more_body"):
        pass
    body = orjson.dumps(ANSWER)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    )
    await send({"type": "http.response.body", "body": body})


async def ask(front: Any, text: str) -> tuple[int, dict[str, str]]:
    """One chat request through the gate; status and headers."""
    raw = orjson.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]})
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": raw, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "raw_path": b"/v1/chat/completions", "query_string": b"",
        "headers": [(b"authorization", b"Bearer " + KEY.encode()), (b"content-type", b"application/json")], "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 4000), "scheme": "http"}  # fmt: skip
    await front(scope, receive, send)
    start = next(m for m in sent if m["type"] == "http.response.start")
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """JSON calls made by this package, by `module.function`."""
    counted: Counter[str] = Counter()
    for module, name in ((orjson, "loads"), (orjson, "dumps"), (json, "loads"), (json, "dumps")):
        full = getattr(module, name)

        def counting(*args: Any, _full: Any = full, _name: str = name, **kwargs: Any) -> Any:
            caller = sys._getframe(1).f_globals.get("__name__", "")
            if caller.startswith("aicc_hooks"):
                counted[f"{_name} {caller}"] += 1
            return _full(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)
    return counted


def json_work(front: Any, runtime: Runtime, work: Counter[str], text: str) -> tuple[str, Counter[str]]:
    """Cache header and JSON calls of one request, its record included."""

    async def requests() -> str:
        written = runtime.recorder.spool.counters()["committed"]
        work.clear()
        status, headers = await ask(front, text)
        assert status == 200, headers
        for _ in range(200):
            await asyncio.sleep(0.02)
            if (
                runtime.recorder.spool.counters()["committed"] > written
                and work["dumps aicc_hooks.record.log"]
            ):
                break
        return headers["x-aicc-cache"]

    tier = asyncio.run(requests())
    calls._current.set(None)
    return tier, Counter(work)


def total(work: Counter[str], name: str) -> int:
    return sum(
        count
        for call, count in work.items()
        if call.startswith(name) and call != "loads aicc_hooks.record.log"
    )


def test_json_is_read_and_written_a_handful_of_times_a_request(runtime: Runtime, work: Counter[str]) -> None:
    front = gate.Gate(upstream, runtime)
    json_work(front, runtime, work, "warm up")
    tier, miss = json_work(front, runtime, work, "What is the capital of France?")
    assert tier == "miss"
    assert miss["loads aicc_hooks.payload.body"] == 1  # the body
    assert miss["dumps aicc_hooks.cache.key"] == 1
    assert miss["dumps aicc_hooks.record.rows"] == 1
    assert total(miss, "loads") <= 4, (
        miss
    )  # the body, and the answer for its facts, the record, the cache's rules
    assert total(miss, "dumps") <= 4, (
        miss
    )  # the key, the answer looked through for private values, the record, its log line
    tier, hit = json_work(front, runtime, work, "What is the capital of France?")
    assert tier == "exact"
    assert total(hit, "loads") <= 3, hit
    assert total(hit, "dumps") <= 4, hit


class Counting:
    """A compiled pattern that notes its searches."""

    def __init__(self, compiled: Any, searched: list[str]) -> None:
        self.compiled, self.searched = compiled, searched

    def finditer(self, text: str, **options: Any) -> Any:
        self.searched.append(text)
        return self.compiled.finditer(text, **options)


def test_of_two_thousand_patterns_only_those_that_may_match_are_searched() -> None:
    rows = [{"name": f"project_{n}", "pattern": rf"\bPRJ-{n:05d}-[A-Z]{{3}}\b"} for n in range(2000)]
    detector = PrivacyDetector(PrivacyConfig.model_validate({"custom": rows}))
    searched: list[str] = []
    detector._patterns = tuple(
        replace(p, compiled=Counting(p.compiled, searched)) for p in detector._patterns
    )
    assert detector.find("What is the capital of France? " * 100) == ()
    assert searched == []
    assert [f.type for f in detector.find("See PRJ-00042-ABC and PRJ-01999-xyz and PRJ- alone.")] == [
        "project_42"
    ]
    assert len(searched) == 2


def test_the_record_does_not_scan_again_what_the_verdict_has_read(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = Inspector.of(Policy())
    messages = [
        {"role": "user", "content": "My IBAN is DE89370400440532013000."},
        {"role": "assistant", "content": "I see."},
    ]
    shown: list[str] = []
    full = inspector.privacy._hits

    def noting(doc: Any) -> Any:
        shown.append(doc.original)
        return full(doc)

    monkeypatch.setattr(inspector.privacy, "_hits", noting)
    inspector.inspect(extract("chat", {"messages": messages}).segments)
    assert "[IBAN]" in str(Redactor(inspector.privacy, Policy().redaction, b"k" * 32).value(messages))
    assert len(shown) == len(set(shown)) == 2


@given(st.text(st.characters(max_codepoint=127), max_size=600))
def test_tokens_of_ascii_are_those_of_the_general_count(text: str) -> None:
    assert tokens.estimate_tokens(text) == (general(text) if text else 0)


def general(text: str) -> int:
    """The estimate by arrays, whatever the text."""
    kinds = tokens._TABLE[np.array([ord(c) for c in text])]
    lower, upper = kinds == tokens._LOWER, kinds == tokens._UPPER
    starts = lower[1:] & ~(lower | upper)[:-1] | upper[1:] & ~upper[:-1]
    words = int(starts.sum()) + int(lower[0] | upper[0])
    weighed = float(np.bincount(kinds, minlength=tokens._KINDS) @ tokens._VECTOR)
    return max(
        1, math.ceil(weighed + tokens._PER_WORD * words + tokens._PER_LETTER * int((lower | upper).sum()))
    )
