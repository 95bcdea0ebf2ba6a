"""The promise: no byte of a sensitive value is written or sent anywhere but to a model on this machine.

Planted values of every entity type, in every text position of every endpoint, through every way a request can end;
then every byte that anything received or wrote is searched for every value in every encoding. A control run with
redaction off shows that the search finds them.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from aicc_hooks.detect import entities
from aicc_hooks.record import SpoolReader
from tests.harness import GatewayProcess, RedisProcess, wait_until
from tests.harness.gateway import ROOT
from tests.ollama_stub import OllamaStub
from tests.privacy_sweep import ENDPOINTS, Needles, Planted, Planter
from tests.privacy_sweep.bodies import shot
from tests.privacy_sweep.run import Seen, Upstreams, own_pages, send_all, shots
from tests.standins.cloud import CloudStandIn
from tests.standins.langfuse import LangfuseStandIn

pytestmark = pytest.mark.live


@dataclass
class Swept:
    """What a sweep left behind: every place by name, with its bytes."""

    places: dict[str, bytes]
    planted: list[Planted]
    needles: Needles
    seen: Seen
    records: int
    traces: int
    coverage: float
    rejected: Counter[str]
    to_models: bytes


def collect(
    gateway: GatewayProcess, langfuse: LangfuseStandIn, cloud: CloudStandIn, redis: RedisProcess
) -> dict[str, bytes]:
    """Everything written or sent so far. Compressed files are opened."""
    places = {
        "stdout and stderr": gateway.output(),
        "langfuse": langfuse.received_bytes,
        "cloud": cloud.received_bytes,
        "redis": redis.dump(),
    }
    for name, content in gateway.written().items():
        places[name] = gzip.decompress(content) if name.endswith(".gz") else content
    # SQLite cuts long texts into pages: the raw file is searched for what was deleted, the rows for what a page's edge hides.
    places["rows of usage.db"] = rows_of(gateway)
    return places


def _open(gateway: GatewayProcess) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{gateway.home / 'usage.db'}?mode=ro", uri=True)


def rows_of(gateway: GatewayProcess) -> bytes:
    with closing(_open(gateway)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in database.execute(f'SELECT * FROM "{table}"')]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def records_of(gateway: GatewayProcess) -> int:
    with closing(_open(gateway)) as database:
        return int(database.execute("SELECT count(*) FROM records").fetchone()[0])


@pytest.fixture(scope="module")
def swept(
    ollama: OllamaStub, cloud: CloudStandIn, langfuse: LangfuseStandIn, redis_server: RedisProcess
) -> Iterator[Swept]:
    planter, seen = Planter(), Seen()
    with Upstreams(ollama, cloud) as upstreams:
        invented = _let_models_invent(upstreams, planter)
        gateway = GatewayProcess(
            upstreams.config(), policy=upstreams.policy(), env={**langfuse.env, **_redis_env(redis_server)}
        )
        with gateway:
            upstreams.take_down()
            asyncio.run(send_all(gateway, shots(planter), seen))
            pages = own_pages(gateway, planter)
            wait_until(lambda: records_of(gateway) >= seen.sent, 90, "one record a request")
            wait_until(lambda: len(langfuse.traces) >= seen.sent, 90, "one trace a request")
            places = collect(gateway, langfuse, cloud, redis_server)  # while it runs: the WAL is full
            gateway.stop()
            places |= {
                f"{name}, at the end": content
                for name, content in collect(gateway, langfuse, cloud, redis_server).items()
            }
            places |= {"what clients saw of failures": b"\n".join(seen.errors), "/aicc pages": pages}
            to_models = b"\n".join(s.received_bytes for s in (ollama, *upstreams.own))
            needles = Needles((p.label, p.value) for p in [*planter.planted, *invented])
            coverage = SpoolReader(gateway.home / "usage.db").coverage()
            yield Swept(
                places,
                planter.planted,
                needles,
                seen,
                records_of(gateway),
                len(langfuse.traces),
                coverage,
                planter.rejected,
                to_models,
            )


def _redis_env(server: RedisProcess) -> dict[str, str]:
    return {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(server.port)}


def _let_models_invent(upstreams: Upstreams, planter: Planter) -> list[Planted]:
    """A model may say what nobody asked it: values that stand in no request."""
    planter.begin("invented", "any")
    for model in upstreams.inventor.models.values():
        model.reply = planter.text("answer")
    return [p for p in planter.planted if p.scenario == "invented"]


def test_no_planted_value_is_found_anywhere(swept: Swept) -> None:
    leaks = {place: swept.needles.find_in(content) for place, content in swept.places.items()}
    assert {
        place: [(f.label, f.form, f.around) for f in found[:3]] for place, found in leaks.items() if found
    } == {}


# What each scenario must have led to, so that none of them passes by failing early.
ENDS = {
    "fine": {200}, "fine stream": {200}, "echo": {503}, "echo stream": {503, 200}, "frozen": {503, 0}, "down": {503}, "down stream": {503, 200},
    "falls": {200}, "falls stream": {200}, "mid stream": {200}, "inventor": {200}, "inventor stream": {200}, "disconnect": {0},
    "disconnect stream": {200, 0}, "blocked": {400}, "cloud": {200, 503}, "unknown model": {404}, "wrong key": {401}, "banned field": {200},
    "malformed": {400}, "invalid": {400}, "cache, private": {200}, "cache, redacted only": {200}, "cache, invented": {200}, "cache, clean": {200},
}  # fmt: skip


def test_every_scenario_ended_as_meant(swept: Swept) -> None:
    ended = {key: set(counts) for key, counts in swept.seen.statuses.items() if key[1] != "rerank"}
    assert {key: statuses for key, statuses in ended.items() if not statuses <= ENDS[key[0]]} == {}
    assert set(ENDS) == {scenario for scenario, _ in ended}


def test_only_answers_without_values_come_from_the_cache(swept: Swept) -> None:
    tiers = {
        key: tiers
        for key, tiers in swept.seen.cached.items()
        if key[0].startswith("cache") and key[1] != "rerank"
    }
    assert {key: tiers[1] for key, tiers in tiers.items()} == {
        key: {"cache, clean": "exact", "cache, invented": "miss"}.get(key[0], "bypass") for key in tiers
    }


def test_what_a_fallback_answered_is_no_error(swept: Swept) -> None:
    assert [
        code
        for key, codes in swept.seen.codes.items()
        if key[0].startswith("falls") and key[1] != "rerank"
        for code in codes
        if code
    ] == []


def test_models_on_this_machine_did_get_the_values(swept: Swept) -> None:
    """Redaction is for what we write: the work itself is done on the text as it is."""
    received = {find.label for find in swept.needles.find_in(swept.to_models)}
    sent = {"chat": ("system", "user", "tool result", "last user", "tool description"), "completions": ("last prompt",),
            "embeddings": ("input", "input list"), "responses": ("instructions", "input text"), "messages": ("system", "text block")}  # fmt: skip
    expected = {
        p.label for p in swept.planted if p.scenario == "fine" and p.position in sent.get(p.endpoint, ())
    }
    assert expected - received == set()


def test_each_request_left_one_record_and_one_trace(swept: Swept) -> None:
    assert swept.records == swept.seen.sent
    assert swept.traces == swept.seen.sent
    assert swept.coverage == 1.0


def test_the_planted_values_are_such_as_the_detector_knows(swept: Swept) -> None:
    """The sweep proves that no door is open, not that every value is found; but it must not pass by planting little."""
    assert {p.entity for p in swept.planted} == set(entities.ALL)
    made = Counter(p.entity for p in swept.planted)
    rejected = {entity: count / made[entity] for entity, count in swept.rejected.items()}
    assert {entity: share for entity, share in rejected.items() if share > 0.03} == {}


# --- the control: the same search, with redaction and the log scrubber off -----------------------------------------


def test_without_redaction_the_search_finds_the_values(
    ollama: OllamaStub, cloud: CloudStandIn, langfuse: LangfuseStandIn, redis_server: RedisProcess
) -> None:
    planter, seen = Planter(), Seen()
    scrubber_off = (
        "from aicc_hooks.record.scrub import Scrubber\nScrubber.filter = lambda self, record: True\n"
    )
    with Upstreams(ollama, cloud) as upstreams:
        made = [
            shot(planter, "fine", endpoint, model=f"fine-{ENDPOINTS[endpoint][2]}")
            for endpoint in ENDPOINTS
            if endpoint != "rerank"
        ]
        made += [
            shot(planter, "fine stream", "chat", model="fine-chat", stream=True),
            shot(planter, "echo", "chat", model="echo-chat"),
        ]
        policy = upstreams.policy(redaction={"mode": "none", "confirm_none": True, "max_chars": 100_000})
        gateway = GatewayProcess(
            upstreams.config(), policy=policy, files={"sitecustomize.py": scrubber_off},
            env={**langfuse.env, "PYTHONPATH": os.pathsep.join((".", str(ROOT)))},
        )  # fmt: skip
        with gateway:
            asyncio.run(send_all(gateway, iter(made), seen))
            wait_until(lambda: records_of(gateway) >= seen.sent, 90, "one record a request")
            wait_until(lambda: len(langfuse.traces) >= seen.sent, 90, "one trace a request")
            places = collect(gateway, langfuse, cloud, redis_server)
    assert seen.statuses["echo", "chat"] == Counter({503: 1})
    needles = Needles((p.label, p.value) for p in planter.planted)
    recorded = {"system", "user", "name", "assistant", "tool arguments", "tool result", "text part", "last user", "tool description",
                "tool schema", "prompt list", "last prompt", "suffix", "input", "input list", "instructions", "input item", "arguments",
                "tool output", "input text", "tool input", "text block"}  # fmt: skip
    expected = {p.label for p in planter.planted if p.position in recorded}
    for content in (places["rows of usage.db"], places["langfuse"]):
        assert expected - {find.label for find in needles.find_in(content)} == set()
    logged = {find.label.split("/")[0] for find in needles.find_in(places["stdout and stderr"])}
    assert "echo" in logged  # LiteLLM prints what the model server repeated
