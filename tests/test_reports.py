"""usage, status, report and traces say the same true numbers, quickly, with and without a gateway."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import time
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.policy import Policy
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.frame import Frame
from aicc_hooks.record.model import Record
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.scorecard import detector, scorecard
from aicc_hooks.record.spool import Spool
from aicc_hooks.record.usage import usage
from aicc_hooks.record.workers import Sources, publish
from aicc_hooks.record.writer import Writer
from aicc_hooks.web import data
from aicc_hooks.web.report import render
from tests.harness.queries import cost_of

ROUTES = ("llama-fast", "qwen-local", "deepseek-local")


def record(i, now, **changes):
    route = ROUTES[i % 3]
    values = {
        "id": f"r{i}", "start": now - 61, "end": now - 60 - i % 600, "status": 503 if i % 25 == 0 else 400 if i % 25 == 1 else 200,
        "error": "aicc_upstream_down" if i % 25 == 0 else "aicc_blocked_injection" if i % 25 == 1 else "", "route": route,
        "reason": ("complexity:simple", "privacy:us_ssn", "explicit", "injection:override")[i % 4], "deployment": f"ollama_chat/{route}",
        "client": ("n8n", "dify", "curl", "none")[i % 4], "variant": "exp:a" if i % 10 == 0 else "", "tier": "simple",
        "cache": ("miss", "exact", "bypass", "semantic", "miss")[i % 5], "prompt_tokens": 10, "completion_tokens": 5,
        "total_ms": 10.0 if i % 5 in (1, 3) else 100.0 + i, "first_token_ms": 5.0 + i, "gate_ms": 1.0, "hooks_ms": 2.0, "cache_ms": 3.0,
        "upstream_ms": None if i % 5 in (1, 3) else 80.0 + i, "privacy": ("us_ssn",) if i % 4 == 1 else (), "local_only": i % 4 == 1,
        "injection_rules": ("override",) if i % 4 == 3 else (), "injection": 0.9 if i % 4 == 3 else 0.0, "cold_start": i % 50 == 0,
    }  # fmt: skip
    return Record(**(values | changes))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AICC_HOME", str(tmp_path))
    for name in ("AICC_POLICY", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    now = time.time()
    spool = Spool(tmp_path / "usage.db", RecordConfig(), sinks=("langfuse",)).start()
    for i in range(300):
        spool.put(record(i, now))
    assert spool.close()
    return tmp_path


@pytest.fixture
def reader(home):
    with SpoolReader(home / "usage.db") as one:
        yield one


def aicc(*args):
    return CliRunner().invoke(group, list(args))


# --- the numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("route", "route"),
        ("model", "deployment"),
        ("client", "client"),
        ("variant", "variant"),
        ("day", "day"),
    ],
)
def test_frame_and_usage_agree_on_every_number(reader, by, column):
    slow = usage(reader, by=by)
    fast = Frame(reader, since=0).by(column)
    assert [r["key"] for r in fast] == [r["key"] for r in slow]
    for one, other in zip(fast, slow, strict=True):
        assert one == pytest.approx(other, nan_ok=False)


def test_overview_adds_up(reader):
    found = data.overview(reader, "1h")
    assert (
        found["totals"]["requests"]
        == sum(b[1] for b in found["buckets"])
        == sum(r["requests"] for r in found["routes"])
        == 300
    )
    assert found["cache"]["tiers"] == {"miss": 120, "exact": 60, "bypass": 60, "semantic": 60}
    assert found["totals"]["cache_hit_rate"] == 0.5
    assert (found["privacy"]["kept_local"], found["privacy"]["types"]) == (75, {"us_ssn": 75})
    assert (found["injection"]["flagged"], found["injection"]["blocked"]) == (75, 12)
    assert found["cache"]["hits"] == 120
    assert 120 * 200 < found["cache"]["saved_ms"] < 120 * 300, "uncached answers take 100 to 400 ms, hits 10"
    assert found["variants"][0]["key"] == "exp:a"
    assert sum(sum(r["why"].values()) for r in found["routes"]) == 300


def test_an_empty_database_and_an_unknown_range(tmp_path):
    with Writer(tmp_path / "usage.db") as writer, writer.transaction():
        pass
    with SpoolReader(tmp_path / "usage.db") as reader:
        found = data.overview(reader, "24h")
        assert found["totals"]["requests"] == 0
        assert found["totals"]["p95_ms"] is None
        with pytest.raises(ValueError, match="allowed: 15m"):
            data.overview(reader, "999999d")
        assert "<svg" in render(reader, since=time.time() - 3600)


def test_scorecard_measures_what_the_plan_asks(reader):
    rows = {s.name: s for s in scorecard(reader, since=0, flagged=detector(Policy()))}
    assert rows["Availability"].actual == pytest.approx(1 - 12 / 300)
    assert rows["Availability"].met == "no"
    assert rows["Router overhead p95"].actual == pytest.approx(3.0)
    assert rows["LiteLLM overhead p95"].actual == pytest.approx(14.0), (
        "total less upstream (20) less gate, hooks and cache (6)"
    )
    assert rows["Cache hit rate"].actual == 0.5
    assert rows["Trace coverage"].actual == 1.0
    assert rows["Consumers seen"].actual == 3
    recall = rows["Injection recall"]
    assert recall.actual is not None
    assert 0.5 < recall.actual <= 1
    nobody = {s.name: s for s in scorecard(reader, since=time.time() + 10)}
    assert (nobody["Availability"].met, nobody["Cache hit rate"].shown) == ("unknown", "-")


def test_a_report_reads_each_record_a_few_times_and_no_text(tmp_path):
    count, now = 5_000, time.time()
    spool = Spool(tmp_path / "usage.db", RecordConfig(queue_size=6_000)).start()
    for i in range(count):
        spool.put(record(i, now, end=now - (i * 530) % 2_592_000))
    assert spool.close(60)
    with SpoolReader(tmp_path / "usage.db") as reader:
        for name, work in {
            "report": lambda: render(reader, since=now - 31 * 86_400),
            "overview": lambda: data.overview(reader, "30d"),
            "scorecard": lambda: scorecard(reader, since=0),
        }.items():
            steps, tables = cost_of(reader, work)
            assert count < steps < 120 * count, name  # 18 to 57 a record when written
            assert "bodies" not in tables, name


# --- the commands ----------------------------------------------------------------------------


def test_usage_as_table_json_and_csv(home):
    text = aicc("usage", "--by", "model", "--since", "1h").output
    assert "ollama_chat/qwen-local" in text
    rows = json.loads(aicc("usage", "--by", "client", "--json").output)
    assert {r["key"]: r["requests"] for r in rows} == {"n8n": 75, "dify": 75, "curl": 75, "none": 75}
    table = list(csv.DictReader(io.StringIO(aicc("usage", "--csv").output)))
    assert sum(int(r["requests"]) for r in table) == 300
    assert aicc("usage", "--since", "yesterday").exit_code == 2
    assert aicc("usage", "--json", "--csv").exit_code == 2
    assert "No requests" in aicc("usage", "--since", "2090-01-01").output


def test_status_with_and_without_a_gateway(home):
    text = aicc("status").output
    assert "not running" in text
    assert "300" in text
    health = {"redis": {"status": "down", "detail": "connection refused", "latency_ms": None}}
    with Writer(home / "usage.db") as writer:
        sources = Sources(
            health=lambda: health,
            breakers=lambda: {"deployment": {"m1": {"state": "open"}}},
            extra=lambda: {"policy_version": "abc123"},
        )
        publish(writer, sources.snapshot(), {}, now=time.time())
    text = aicc("status").output
    for words in ("1 process", "policy abc123", "redis", "connection refused", "m1 open", "llama-fast"):
        assert words in text
    assert json.loads(aicc("status", "--json").output)["gateway"]["health"] == health


def test_missing_and_damaged_databases_are_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("AICC_HOME", str(tmp_path / "none"))
    for command in (["usage"], ["status"], ["report"], ["traces", "status"], ["alerts", "list"]):
        result = aicc(*command)
        assert "no records yet" in str(result.exception), command
    monkeypatch.setenv("AICC_HOME", str(tmp_path))
    (tmp_path / "usage.db").write_bytes(b"not a database" * 500)
    assert "damaged" in str(aicc("usage").exception)


class _Page(HTMLParser):
    """Collects what a browser would load or run."""

    def __init__(self):
        super().__init__()
        self.loads, self.scripts, self.charts = [], 0, 0

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.loads += [v for k, v in attrs if k in ("src", "href", "action", "data")]
        self.scripts += tag == "script" or any(k.startswith("on") for k in named)
        self.charts += tag == "svg"


def test_the_report_is_one_private_file_that_loads_nothing(home, tmp_path):
    with SpoolReader(home / "usage.db") as reader:
        evil = '<script>alert(1)</script>"><img src=x>'
        spool = Spool(home / "usage.db", RecordConfig()).start()
        spool.put(record(999, time.time(), route=evil, variant=evil, deployment=evil, client=evil))
        assert spool.close()
        assert reader.latest() == 301
    out = tmp_path / "out.html"
    result = aicc("report", "--since", "1h", "--html", str(out))
    assert result.exit_code == 0, result.output
    assert "Router overhead p95" in result.output
    text = out.read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert (page.loads, page.scripts, page.charts) == ([], 0, 2)
    assert not re.search(r"url\(|@import|https?://", text)
    assert "&lt;script&gt;" in text
    assert stat.S_IMODE(os.stat(out).st_mode) == 0o600
    assert aicc("report", "--html", str(tmp_path / "no" / "such" / "x.html")).exit_code == 2


def test_traces_status_tail_export_and_flush(home):
    text = aicc("traces", "status").output
    assert "300" in text
    assert "off (no keys are set)" in text
    lines = aicc("traces", "tail", "--no-follow", "-n", "5").output.splitlines()
    assert [line.rsplit(maxsplit=1)[-1] for line in lines] == ["r295", "r296", "r297", "r298", "r299"]
    failed = [
        json.loads(line)
        for line in aicc(
            "traces", "tail", "--no-follow", "-n", "50", "--errors", "--json"
        ).output.splitlines()
    ]
    assert len(failed) == 24
    assert all(entry["status"] >= 400 for entry in failed)
    exported = [
        json.loads(line)
        for line in aicc("traces", "export", "--route", "qwen-local", "--limit", "3").output.splitlines()
    ]
    assert [e["metadata"]["route"] for e in exported] == ["qwen-local"] * 3
    assert "Langfuse is off" in str(aicc("traces", "flush").exception)


def test_flush_delivers_what_waits(home, langfuse, monkeypatch):
    monkeypatch.setenv("LANGFUSE_HOST", langfuse.url)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", langfuse.public_key)
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", langfuse.secret_key)
    assert (
        "work" in aicc("traces", "status", "--check").output
        or "keys" in aicc("traces", "status", "--check").output
    )
    result = aicc("traces", "flush")
    assert (result.exit_code, result.output) == (0, "everything is delivered\n")
    found = json.loads(aicc("traces", "status", "--json").output)
    assert (found["waiting"], found["delivered"]) == (0, 300)
