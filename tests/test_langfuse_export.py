"""Every record reaches Langfuse once, however often Langfuse, the network or the gateway fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.record import otlp
from aicc_hooks.record.config import DEFAULT_HOST, LangfuseAccess, LangfuseConfig, RecordConfig
from aicc_hooks.record.langfuse import LangfuseExporter
from aicc_hooks.record.langfuse_api import Answer, LangfuseApi, Outcome
from aicc_hooks.record.model import Attempt, Record
from aicc_hooks.record.outbox import Outbox
from aicc_hooks.record.spool import Spool
from tests.standins.langfuse import LangfuseStandIn
from tests.standins.otlp import plain_body
from tests.standins.wire import Request, json_response

START = 1_700_000_000.25  # long past: what waited for days keeps its time
FAST = LangfuseConfig(interval_s=0.02, backoff_max_s=0.05, max_tries=3, lease_s=1)


def record(name: str, **changes) -> Record:
    values = {
        "start": START, "end": START + 2, "status": 200, "endpoint": "/v1/chat/completions", "route": "qwen-local",
        "reason": "complexity:medium", "deployment": "ollama_chat/qwen3:8b", "privacy": ("email",),
    }  # fmt: skip
    return Record(id=name, **(values | changes))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "usage.db"


def fill(path: Path, *records: Record) -> None:
    spool = Spool(path, RecordConfig(retention_days=3650), sinks=("langfuse",)).start()
    for one in records:
        spool.put(one)
    assert spool.close()


def access(stand_in: LangfuseStandIn, **changes: str) -> LangfuseAccess:
    given = LangfuseAccess.from_env(LangfuseConfig(), stand_in.env | changes)
    assert given is not None
    return given


def exporter(
    path: Path, stand_in: LangfuseStandIn, config: LangfuseConfig = FAST, **changes: str
) -> LangfuseExporter:
    return LangfuseExporter(Outbox(path, "langfuse"), access(stand_in, **changes), config, version="1.2.3")


def flush(
    path: Path, stand_in: LangfuseStandIn, config: LangfuseConfig = FAST, limit: float = 10
) -> tuple[bool, dict]:
    async def run() -> tuple[bool, dict]:
        one = exporter(path, stand_in, config)
        try:
            return await one.flush(limit), await one.status()
        finally:
            await one.stop()

    return asyncio.run(run())


async def until(condition, limit: float = 30.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)


def test_a_record_is_a_trace_with_a_generation(path, langfuse):
    fill(
        path,
        record(
            "r1",
            input=[{"role": "user", "content": "why?"}],
            output={"role": "assistant", "content": "because [EMAIL]"},
            prompt_tokens=7, completion_tokens=5, first_token_ms=500.0, gate_ms=10.0, hooks_ms=20.0, injection=0.125,
            user="u1", session="s1", variant="exp:b", cache="miss", tier="medium",
            attempts=(Attempt("mlx/qwen", "timeout"),),
        ),
    )  # fmt: skip
    assert flush(path, langfuse)[0]
    request = next(r for r in langfuse.requests if r.method == "POST")
    assert request.headers["x-langfuse-ingestion-version"] == "4"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["content-type"] == "application/x-protobuf"
    spans = langfuse.traces[otlp.trace_id("r1")]
    root = next(s for s in spans.values() if not s.parent_id)
    generation = next(s for s in spans.values() if s.parent_id)
    assert generation.parent_id == root.span_id
    assert (root.start, root.end) == (1_700_000_000_250_000_000, 1_700_000_002_250_000_000)
    assert generation.start == pytest.approx((START + 0.03) * 1e9, abs=2_000)
    for span in spans.values():  # server 4 reads the context of each span by itself
        given = span.attributes
        assert given["user.id"] == "u1"
        assert given["session.id"] == "s1"
        assert given["langfuse.trace.name"] == "aicc /v1/chat/completions"
        assert {"route:qwen-local", "privacy:email", "variant:exp:b", "cache:miss"} <= set(
            given["langfuse.trace.tags"]
        )
        assert given["langfuse.trace.metadata.reason"] == "complexity:medium"
        assert given["langfuse.trace.metadata.injection_score"] == "0.1250"
        assert (
            given["langfuse.trace.metadata.fallback_chain"] == '[{"deployment":"mlx/qwen","error":"timeout"}]'
        )
    read = next(o for o in langfuse_observations(langfuse, "r1") if o["type"] == "GENERATION")
    assert read["model"] == "ollama_chat/qwen3:8b"
    assert read["usageDetails"] == {"input": 7, "output": 5, "total": 12}
    assert read["input"] == [{"role": "user", "content": "why?"}]
    assert read["output"]["content"] == "because [EMAIL]"
    assert read["completionStartTime"] == "2023-11-14T22:13:20.750Z"
    assert read["level"] == "DEFAULT"


def langfuse_observations(stand_in: LangfuseStandIn, name: str) -> list[dict]:
    with httpx.Client(auth=(stand_in.public_key, stand_in.secret_key)) as client:
        return client.get(f"{stand_in.url}/api/public/traces/{otlp.trace_id(name)}").json()["observations"]


@pytest.mark.parametrize(
    ("status", "error", "level"), [(500, "aicc_upstream_down", "ERROR"), (400, "", "ERROR"), (499, "", "WARNING")]
)  # fmt: skip
def test_errors_show_as_errors(path, langfuse, status, error, level):
    fill(path, record("e", status=status, error=error, error_text="upstream said [PASSWORD]"))
    assert flush(path, langfuse)[0]
    for seen in langfuse_observations(langfuse, "e"):
        assert seen["level"] == level
        assert seen["statusMessage"] == "upstream said [PASSWORD]"


def test_text_that_protobuf_refuses_still_arrives(path, langfuse):
    fill(path, record("r", input="broken \ud83d half", requested="\udfff"))
    assert flush(path, langfuse)[0]


def test_a_second_delivery_changes_nothing(path, langfuse):
    fill(path, record("r1"), record("r2"))
    assert flush(path, langfuse)[0]
    box = Outbox(path, "langfuse")
    assert box.backfill() == 2
    box.close()
    assert flush(path, langfuse)[0]
    assert len(langfuse.spans) == 8
    assert set(langfuse.traces) == {otlp.trace_id("r1"), otlp.trace_id("r2")}
    assert all(len(spans) == 2 for spans in langfuse.traces.values())


def test_an_outage_over_a_restart_loses_nothing(path, langfuse):
    langfuse.fail("status", status=503)
    fill(path, *(record(f"a{i}") for i in range(120)))
    done, status = flush(path, langfuse, limit=5)
    assert not done
    assert (status["pending"], status["state"], status["delivered"]) == (120, "retrying", 0)
    fill(path, *(record(f"b{i}") for i in range(30)))  # the gateway was restarted meanwhile
    langfuse.heal()
    done, status = flush(path, langfuse)
    assert done
    assert (status["pending"], status["rejected"], status["delivered"]) == (0, 0, 150)
    wanted = {otlp.trace_id(f"a{i}") for i in range(120)} | {otlp.trace_id(f"b{i}") for i in range(30)}
    assert set(langfuse.traces) == wanted
    assert langfuse.duplicates == 0


def test_the_background_task_delivers_recovers_and_stops_quickly(path, langfuse):
    async def run() -> None:
        one = exporter(path, langfuse)
        spool = Spool(path, RecordConfig(retention_days=3650), sinks=("langfuse",)).start()
        one.start()
        for i, fault in enumerate(
            ({"kind": "reset"}, {"kind": "status", "status": 500}, {"kind": "garbage"})
        ):
            langfuse.fail(**fault, times=2)
            spool.put(record(f"r{i}"))
            await until(lambda i=i: otlp.trace_id(f"r{i}") in langfuse.traces)
        langfuse.fail("freeze")
        spool.put(record("late"))
        await asyncio.sleep(0.3)
        await one.stop(grace_s=0.2)  # while Langfuse is frozen: it must not wait for the answer
        assert otlp.trace_id("late") not in langfuse.traces
        langfuse.heal()
        spool.close()

    asyncio.run(run())
    assert flush(path, langfuse)[0]
    assert otlp.trace_id("late") in langfuse.traces


def test_wrong_keys_show_and_set_nothing_aside(path, langfuse):
    fill(path, record("r"))

    async def run() -> dict:
        one = exporter(path, langfuse, LANGFUSE_SECRET_KEY="sk-wrong")
        for _ in range(5):
            await one.flush(5)
        status = await one.status(check=True)
        await one.stop()
        return status

    status = asyncio.run(run())
    assert status["state"] == "unauthorized"
    assert (status["pending"], status["rejected"], status["reachable"]) == (1, 0, False)
    assert "LANGFUSE_SECRET_KEY" in status["detail"]
    assert "sk-wrong" not in str(status)


class Picky(LangfuseStandIn):
    """Refuses any batch that holds one of the bad records, as a parser that chokes does."""

    bad: tuple[str, ...] = ()
    refuse_status = 400

    def _take(self, request: Request) -> bytes:
        if any(otlp_id(name) in plain_body(request) for name in self.bad):
            return json_response({"error": "invalid"}, self.refuse_status)
        return super()._take(request)


def otlp_id(name: str) -> bytes:
    return bytes.fromhex(otlp.trace_id(name))


@pytest.fixture
def picky() -> Iterator[Picky]:
    stand_in = Picky()
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.mark.parametrize("refuse_status", [400, 413, 500])
def test_a_record_the_server_chokes_on_is_set_aside_and_blocks_nobody(path, picky, refuse_status):
    picky.bad, picky.refuse_status = ("bad",), refuse_status
    fill(path, *(record(f"a{i}") for i in range(3)), record("bad"), *(record(f"b{i}") for i in range(3)))

    async def run() -> dict:
        one = exporter(path, picky)
        one.start()
        await until(lambda: len(picky.traces) == 6)  # nobody waited for the bad one
        spool = Spool(path, RecordConfig(retention_days=3650), sinks=("langfuse",)).start()
        for i in range(60):
            if (await one.status())["rejected"]:
                break
            # A record beside it, so that the server shows that it takes others.
            spool.put(record(f"c{i}"))
            await asyncio.sleep(0.1)
        spool.put(record("last"))
        await until(lambda: otlp.trace_id("last") in picky.traces)
        while (status := await one.status())["pending"]:
            await asyncio.sleep(0.02)
        await one.stop()
        spool.close()
        return status

    status = asyncio.run(run())
    assert (status["pending"], status["rejected"]) == (0, 1)
    picky.bad = ()
    box = Outbox(path, "langfuse")
    assert box.revive() == 1
    box.close()
    assert flush(path, picky)[0]
    assert otlp.trace_id("bad") in picky.traces


def test_a_server_that_refuses_everything_costs_no_record(path, picky):
    names = [f"r{i}" for i in range(12)]
    picky.bad = tuple(names)
    fill(path, *map(record, names))
    for _ in range(6):
        done, status = flush(path, picky, limit=5)
        assert not done
    assert (status["state"], status["pending"], status["rejected"]) == ("rejected", 12, 0)
    picky.bad = ()
    assert flush(path, picky)[0]
    assert len(picky.traces) == 12


def test_one_worker_delivers_and_another_takes_over(path, langfuse):
    async def run() -> None:
        # Long enough that the one that delivers does not lose it to a pause of the machine.
        config = FAST.model_copy(update={"lease_s": 3})
        first, second = (exporter(path, langfuse, config) for _ in range(2))
        spool = Spool(path, RecordConfig(retention_days=3650), sinks=("langfuse",)).start()
        first.start()
        second.start()
        for i in range(40):
            spool.put(record(f"r{i}"))
            await asyncio.sleep(0.005)
        await until(lambda: len(langfuse.traces) == 40)
        assert langfuse.duplicates == 0
        # A killed worker frees nothing: its lease has to lapse.
        for one in (first, second):
            if one._task and one._leased_until:
                one._task.cancel()
                killed = one
                survivor = second if one is first else first
                break
        spool.put(record("after"))
        await until(lambda: otlp.trace_id("after") in langfuse.traces)
        await survivor.stop()
        await killed.stop()
        spool.close()

    asyncio.run(run())


def test_large_records_go_in_small_batches(path, langfuse):
    fill(path, *(record(f"r{i}", input="x" * 20_000) for i in range(10)))
    config = LangfuseConfig(interval_s=0.02, batch_bytes=100_000)
    assert flush(path, langfuse, config)[0]
    sizes = [len(plain_body(r)) for r in langfuse.requests if r.method == "POST"]
    assert len(sizes) == 5
    assert max(sizes) <= 100_000


def test_a_trace_can_be_read_back(path, langfuse):
    fill(path, record("r"))

    async def run() -> None:
        one = exporter(path, langfuse)
        assert await one.auth_check() == (True, "connected to Stand-in")
        assert await one.read_back("r") is None
        assert await one.flush()
        trace = await one.read_back("r")
        assert trace is not None
        assert len(trace["observations"]) == 2
        await one.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (200, {"content-type": "application/json"}, b"{}", Outcome.ACCEPTED),
        (202, {}, b"", Outcome.ACCEPTED),
        (200, {"content-type": "application/json"}, b'{"partialSuccess":{"rejectedSpans":"2"}}', Outcome.INVALID),
        (200, {"content-type": "application/x-protobuf"}, b"\n\x02\x08\x02", Outcome.INVALID),
        (200, {"content-type": "text/html"}, b"<html>some other server", Outcome.MISCONFIGURED),
        (302, {"location": "/login"}, b"", Outcome.MISCONFIGURED),
        (404, {}, b"", Outcome.MISCONFIGURED),
        (401, {}, b"", Outcome.UNAUTHORIZED),
        (422, {}, b"", Outcome.INVALID),
        (429, {"retry-after": "7"}, b"", Outcome.RETRY),
        (503, {}, b"", Outcome.RETRY),
    ],
)  # fmt: skip
def test_answers_are_told_apart(status, headers, body, outcome):
    transport = httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, content=body))

    async def run() -> Answer:
        api = LangfuseApi(LangfuseAccess("http://localhost:1", "pk", "sk"), 5, transport=transport)
        try:
            return await api.send(b"")
        finally:
            await api.aclose()

    answer = asyncio.run(run())
    assert answer.outcome is outcome
    if status == 429:
        assert answer.retry_after_s == 7


def test_access_comes_from_the_environment_and_never_from_a_hosted_default():
    keys = {"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}
    auto = LangfuseConfig()
    assert LangfuseAccess.from_env(auto, {}) is None
    given = LangfuseAccess.from_env(auto, keys)
    assert given is not None
    assert given.host == DEFAULT_HOST
    assert "sk" not in repr(given).replace("pk", "")
    assert LangfuseAccess.from_env(LangfuseConfig(enabled="off"), keys) is None
    with pytest.raises(GatewayConfigError, match="LANGFUSE_SECRET_KEY"):
        LangfuseAccess.from_env(LangfuseConfig(enabled="on"), {})
    with pytest.raises(GatewayConfigError, match="http://"):
        LangfuseAccess.from_env(auto, keys | {"LANGFUSE_HOST": "langfuse.local"})


def test_flush_does_not_sit_out_a_long_retry_after(path, langfuse):
    langfuse.fail("status", status=429, headers={"Retry-After": "600"})
    fill(path, record("r"))

    async def run() -> tuple[bool, dict]:
        one = exporter(path, langfuse, FAST)
        async with asyncio.timeout(60):  # it would wait an hour
            result = await one.flush(3600), await one.status()
        await one.stop()
        return result

    done, status = asyncio.run(run())
    assert (done, status["pending"]) == (False, 1)
