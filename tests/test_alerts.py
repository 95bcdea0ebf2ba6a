"""Alerts fire once, stay quiet in between, say when it is over, and never hold a word of a request."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time

import pytest
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.errors import PolicyError, SpoolError
from aicc_hooks.policy import parse_policy
from aicc_hooks.record.alerts import sinks, store
from aicc_hooks.record.alerts.config import DEFAULTS, AlertsConfig
from aicc_hooks.record.alerts.rules import Scene, readings
from aicc_hooks.record.alerts.state import Reading, step
from aicc_hooks.record.alerts.store import Event
from aicc_hooks.record.alerts.watch import Watch
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.model import Record
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.spool import Spool
from aicc_hooks.record.workers import Sources, merge, read_workers
from aicc_hooks.record.writer import Writer
from tests.harness.webhook import hook_server

NOW = 1_750_000_000.0
CANARY = "zqx-canary-4711"


def fill(path, count, *, start=0, at=NOW, **changes):
    """`count` records that ended in the last minute before `at`."""
    spool = Spool(path, RecordConfig()).start()
    for i in range(start, start + count):
        values = {
            "id": f"r{i}", "start": at - 2, "end": at - 1 - (i % 50), "status": 200, "total_ms": 900.0, "cache": "exact",
            "input": [{"role": "user", "content": CANARY}], "output": CANARY, "error_text": CANARY, "sentence": CANARY,
        }  # fmt: skip
        spool.put(Record(**(values | changes)))
    assert spool.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "usage.db"


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Told:
    """A sink that remembers."""

    def __init__(self, problem=""):
        self.events = []
        self.problem = problem

    def __call__(self, event):
        self.events.append(event)
        return self.problem

    @property
    def kinds(self):
        return [(e.kind, e.rule) for e in self.events]


def watch(path, told, *, config=None, clock=None, disk=lambda: 50_000.0, **sources):
    config = config or AlertsConfig()
    return Watch(
        path,
        lambda: config,
        Sources(**sources),
        sinks=lambda _: {"told": told},
        disk=disk,
        clock=clock or Clock(),
    )


# --- one alert over time ---------------------------------------------------------------------


def play(rule, values, *, silenced=(), remind_s=0.0, tick=10.0):
    state, kinds = None, []
    for i, value in enumerate(values):
        sample = 0 if value is None else 1_000
        reading = Reading("error_rate", "", value, sample)
        state, kind = step(state, reading, rule, NOW + i * tick, silenced=i in silenced, remind_s=remind_s)
        kinds.append(kind)
    return [(i, kind) for i, kind in enumerate(kinds) if kind]


RULE = DEFAULTS["error_rate"].model_copy(
    update={"for_s": 20, "clear_for_s": 30, "window_s": 100}
)  # fires > 5 %, clears <= 3 %


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param([0.01] * 20, [], id="calm"),
        pytest.param([0.2, 0.2, 0.01] * 6, [], id="short spikes"),
        pytest.param([0.2] * 20, [(2, "fired")], id="fires once"),
        pytest.param([0.05] * 20, [], id="exactly at the threshold is fine"),
        pytest.param([0.2] * 4 + [0.04] * 20, [(2, "fired")], id="between clear and threshold it stays"),
        pytest.param(
            [0.2] * 4 + [0.06, 0.04] * 10, [(2, "fired")], id="around the threshold it does not flap"
        ),
        pytest.param([0.2] * 4 + [0.01] * 6, [(2, "fired"), (7, "recovered")], id="recovers after clear_for"),
        pytest.param(
            [0.2] * 4 + [0.01, 0.01, 0.2] * 4, [(2, "fired")], id="a short good spell is no recovery"
        ),
        pytest.param(
            [0.2] * 4 + [None] * 12, [(2, "fired"), (14, "recovered")], id="no requests: a whole window"
        ),
        pytest.param([None] * 10, [], id="nothing to measure"),
    ],
)
def test_one_alert_over_time(values, told):
    assert play(RULE, values) == told


def test_reminders_and_silences():
    assert play(RULE, [0.2] * 12, remind_s=50) == [(2, "fired"), (7, "reminder")]
    assert play(RULE, [0.2] * 12, silenced=range(12)) == []
    assert play(RULE, [0.2] * 12, silenced=range(6)) == [(6, "fired")], "it still lasts when the silence ends"
    assert play(RULE, [0.2] * 4 + [0.0] * 8, silenced=range(12)) == [], "no recovery of what nobody heard of"


def test_a_small_sample_judges_nothing():
    reading = Reading("error_rate", "", 1.0, RULE.min_sample - 1)
    state, kind = step(None, reading, RULE.model_copy(update={"for_s": 0}), NOW, silenced=False, remind_s=0)
    assert (state.status, kind) == ("ok", "")


# --- rules over records and health -----------------------------------------------------------


def value_of(path, name, *, now=NOW, picture=None, config=None, disk=50_000.0):
    with SpoolReader(path) as reader:
        found = readings(config or AlertsConfig(), Scene(reader, now, picture, lambda: disk))
    return {r.subject: r.value for r in found if r.rule == name}


def test_error_rate_counts_faults_not_refusals(path):
    fill(path, 90)
    fill(path, 6, start=100, status=503, error="aicc_upstream_down")
    fill(path, 4, start=200, status=400, error="aicc_blocked_injection")
    assert value_of(path, "error_rate") == {"": 0.06}
    assert value_of(path, "error_rate", now=NOW + 3_600) == {"": None}, "old requests are out of the window"


def test_latency_and_cache_rules_read_the_window(path):
    fill(path, 90, cache="miss")
    fill(path, 10, start=100, total_ms=12_000.0)
    fill(path, 50, start=200, cache="bypass")
    assert value_of(path, "slow_p95") == {"": 12_000.0}
    assert value_of(path, "cache_hit_rate") == {"": 0.1}


def test_health_breakers_and_problems_become_readings(path):
    fill(path, 1)
    picture = {
        "health": {"ollama": {"status": "up"}, "redis": {"status": "down", "detail": "refused\n\x1b[31m"}, "langfuse": {"status": "off"},
                   "litellm": {"status": "unknown"}},
        "breakers": {"address": {"http://127.0.0.1:11434": {"state": "open", "reason": "refused"}}, "deployment": {"m": {"state": "closed"}}},
        "problems": {"router": "x"},
        "spool": {"backlog": 7},
    }  # fmt: skip
    assert value_of(path, "dependency_down", picture=picture) == {
        "ollama": 0.0,
        "redis": 1.0,
        "langfuse": 0.0,
        "litellm": None,
    }
    assert value_of(path, "breaker_open", picture=picture) == {"http://127.0.0.1:11434": 1.0, "m": 0.0}
    picture["breakers"]["deployment"] = {
        "tried now and then": {"state": "half_open", "due_for_s": 30.0},
        "nobody asks for it any more": {"state": "half_open", "due_for_s": 3600.0},
    }
    assert value_of(path, "breaker_open", picture=picture) == {
        "http://127.0.0.1:11434": 1.0, "tried now and then": 1.0, "nobody asks for it any more": 0.0,
    }  # fmt: skip
    assert value_of(path, "selftest_failing", picture=picture) == {"": 1.0}
    assert value_of(path, "spool_backlog", picture=picture) == {"": 7.0}
    assert value_of(path, "disk_low", disk=120.0) == {"": 120.0}
    ignoring = parse_policy("alerts: {rules: {dependency_down: {ignore: [redis]}}}").alerts
    assert "redis" not in value_of(path, "dependency_down", picture=picture, config=ignoring)


def test_drops_privacy_failures_and_coverage_count_within_the_window(path):
    fill(path, 100)
    clock, told, count = Clock(), Told(), {"failures_privacy": 0}
    one = watch(path, told, clock=clock, counters=lambda: count)
    one.round()
    with Writer(path) as writer, writer.transaction() as db:
        db.execute(
            "INSERT INTO counters VALUES ('dropped', 10) ON CONFLICT (name) DO UPDATE SET value = value + 10"
        )
        db.execute("UPDATE counters SET value = value + 90 WHERE name = 'accepted'")
    count["failures_privacy"] = 2
    clock.now += 60
    one.round()
    assert {rule for kind, rule in told.kinds if kind == "fired"} == {
        "spool_drops",
        "privacy_failing",
        "trace_coverage",
    }
    clock.now += 700
    one.round()
    clock.now += 120
    one.round()
    assert {rule for kind, rule in told.kinds if kind == "recovered"} == {"spool_drops", "privacy_failing"}
    one.close()


def test_no_request_text_in_any_alert(path):
    fill(path, 50, status=500, error="aicc_upstream_down")
    told = Told()
    one = watch(path, told, config=parse_policy("alerts: {rules: {slow_p95: {threshold: 1}}}").alerts)
    one.round()
    assert ("fired", "error_rate") in told.kinds
    assert ("fired", "slow_p95") in told.kinds
    for event in told.events:
        assert CANARY not in sinks.words(event) + json.dumps(sinks.payload(event, AlertsConfig()))
    one.close()


# --- several workers, restarts ---------------------------------------------------------------


def test_two_workers_tell_once_and_share_what_they_know(path):
    fill(path, 100, status=500)
    clock, first, second = Clock(), Told(), Told()
    a = watch(path, first, clock=clock, health=lambda: {"redis": {"status": "up"}}, counters=lambda: {"x": 2})
    b = watch(
        path, second, clock=clock, health=lambda: {"redis": {"status": "down"}}, counters=lambda: {"x": 3}
    )
    for _ in range(5):
        a.round()
        b.round()
        clock.now += 15
    assert first.kinds.count(("fired", "error_rate")) + second.kinds.count(("fired", "error_rate")) == 1
    assert ("fired", "dependency_down") in first.kinds, "the one that evaluates sees the other's outage"
    with SpoolReader(path) as reader:
        picture = merge(read_workers(reader, now=clock.now))
        assert picture["counters"] == {"x": 5}
        assert picture["health"]["redis"]["status"] == "down"
        assert reader.counters()["worker_x"] == 5, "each count is added once, however often it is published"
    a.close()
    before = len(second.events)
    b.round()
    assert second.events[before:] == [], "the successor knows what was told already"
    b.close()


def test_a_restart_does_not_tell_again(path):
    fill(path, 100, status=500)
    told = Told()
    for _ in range(3):
        one = watch(path, told)
        one.round()
        one.close()
    assert told.kinds == [("fired", "error_rate")]


def test_a_sink_that_fails_is_tried_again_and_does_not_block_the_others(path):
    fill(path, 100, status=500)
    clock, good, bad = Clock(), Told(), Told("webhook answered 500")
    one = Watch(
        path,
        AlertsConfig,
        Sources(),
        sinks=lambda _: {"bad": bad, "good": good},
        disk=lambda: 1e5,
        clock=clock,
    )
    one.round()
    one.round()
    bad.problem = ""
    one.round()
    one.round()
    assert (len(bad.events), len(good.events)) == (3, 1)
    one.close()


def test_a_locked_database_is_said_and_survived(path, caplog):
    fill(path, 100, status=500)
    told = Told()
    one = watch(path, told)
    one._writer._busy_ms = 50
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SpoolError, match=r"usage\.db"):
        one.round()
    lock.execute("ROLLBACK")
    lock.close()
    one.round()
    assert told.kinds == [("fired", "error_rate")]
    one.close()


async def _run_for(one, seconds):
    one.start()
    await asyncio.sleep(seconds)
    await one.stop()


def test_the_background_task_goes_on_after_a_bug_and_ends_when_told(path):
    fill(path, 100, status=500, at=time.time())
    told, calls = Told(), []

    def health():
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("bug")
        return {}

    config = AlertsConfig().model_copy(update={"every_s": 0.05})
    one = watch(path, told, config=config, clock=time.time, health=health)
    asyncio.run(_run_for(one, 0.8))
    assert told.kinds == [("fired", "error_rate")]
    with SpoolReader(path) as reader:
        assert read_workers(reader) == [], "a process that ended is not shown"


# --- sinks -----------------------------------------------------------------------------------


EVENT = Event(7, NOW, "fired", "dependency_down", "redis", 1.0, "connection refused")


def test_the_webhook_gets_json_that_explains_itself():
    with hook_server() as (url, got):
        assert sinks.webhook(AlertsConfig(), url)(EVENT) == ""
    assert got[0] == {
        "source": "aicc", "id": 7, "time": "2025-06-15T15:06:40Z", "status": "fired", "severity": "critical", "rule": "dependency_down",
        "subject": "redis", "value": 1.0, "threshold": 0.5, "unit": "", "detail": "connection refused",
        "help": DEFAULTS["dependency_down"].help,
        "text": "ALERT dependency_down (redis): A service the gateway uses does not answer; connection refused",
    }  # fmt: skip


def test_a_slow_failing_or_redirecting_webhook_is_bounded_and_its_url_stays_unsaid():
    config = parse_policy("alerts: {webhook: {timeout_s: 0.3}}").alerts
    with hook_server(delay=3) as (url, _):
        assert sinks.webhook(config, url)(EVENT) == "webhook: ReadTimeout"  # the answer would have come later
    with hook_server() as (inner, got), hook_server(status=302, headers=[("location", inner)]) as (url, _):
        assert sinks.webhook(config, url)(EVENT) == "webhook answered 302"
        assert got == []
    assert sinks.webhook(config, "http://127.0.0.1:9/s3cret")(EVENT) == "webhook: ConnectError"


def test_macos_gets_arguments_not_a_script():
    ran = []

    class Done:
        returncode = 0

    def run(command, **options):
        ran.append((command, options))
        return Done()

    evil = Event(1, NOW, "fired", "breaker_open", '" & (do shell script "x") & "', 1.0, "d")
    assert sinks.macos(run)(evil) == ""
    command, options = ran[0]
    scripts = [command[i + 1] for i, part in enumerate(command) if part == "-e"]
    assert not any("shell" in s for s in scripts)
    assert "do shell script" in command[-1]
    assert options["timeout"] <= 5
    assert set(sinks.build(AlertsConfig(), {}, "linux")) == {"log"}
    assert set(sinks.build(AlertsConfig(), {"AICC_ALERT_WEBHOOK": "http://127.0.0.1:9/"}, "darwin")) == {
        "log",
        "macos",
        "webhook",
    }


# --- policy ----------------------------------------------------------------------------------


def test_policy_changes_one_field_of_a_rule_and_keeps_the_rest():
    config = parse_policy("alerts: {rules: {error_rate: {threshold: 0.1, help: call me}}}").alerts
    rule = config.rule("error_rate")
    assert (rule.threshold, round(rule.clear, 3), rule.min_sample, rule.help) == (0.1, 0.06, 20, "call me")
    assert config.rule("slow_p95") == DEFAULTS["slow_p95"]
    assert all(rule.help and rule.what for rule in DEFAULTS.values())


@pytest.mark.parametrize(
    "text",
    [
        "alerts: {rules: {eror_rate: {threshold: 0.1}}}",
        "alerts: {rules: {error_rate: {treshold: 1}}}",
        "alerts: {webhook: {url: ftp://x}}",
    ],
)
def test_a_wrong_alert_section_is_refused(text):
    with pytest.raises(PolicyError, match="alerts"):
        parse_policy(text)


def test_a_disabled_rule_says_nothing_and_leaves_no_state(path):
    fill(path, 100, status=500)
    told, clock = Told(), Clock()
    one = watch(path, told, clock=clock)
    one.round()
    config = parse_policy("alerts: {rules: {error_rate: {enabled: false}}}").alerts
    one._config = lambda: config
    one.round()
    with SpoolReader(path) as reader:
        assert "error_rate" not in {a["rule"] for a in store.read_alerts(reader, now=NOW)["alerts"]}
    one.close()


# --- command line ----------------------------------------------------------------------------


@pytest.fixture
def aicc(path, monkeypatch):
    monkeypatch.setenv("AICC_HOME", str(path.parent))
    monkeypatch.delenv("AICC_POLICY", raising=False)
    monkeypatch.delenv("AICC_ALERT_WEBHOOK", raising=False)
    return lambda *args: CliRunner().invoke(group, ["alerts", *args])


def test_check_says_what_is_breached_and_what_to_do(path, aicc):
    fill(path, 100, status=500, at=time.time())
    result = aicc("check")
    assert result.exit_code == 1
    assert DEFAULTS["error_rate"].help in result.output
    found = {r["rule"]: r for r in json.loads(aicc("check", "--json").output)["rules"]}
    assert (found["error_rate"]["state"], found["error_rate"]["value"]) == ("breach", 1.0)
    assert found["slow_p95"]["state"] == "ok"


def test_list_and_silence(path, aicc):
    fill(path, 100, status=500, at=time.time())
    told = Told()
    assert aicc("silence", "error_rate", "--for", "30m", "--reason", "planned").exit_code == 0
    one = watch(path, told, clock=time.time)
    one.round()
    assert told.events == []
    listed = aicc("list").output
    assert "error_rate (silenced)" in listed
    assert "planned" in listed
    assert aicc("silence", "error_rate", "--clear").output == "ended\n"
    one.round()
    assert told.kinds == [("fired", "error_rate")]
    assert [e["kind"] for e in json.loads(aicc("list", "--json").output)["events"]] == ["fired", "fired"]
    one.close()


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("error_rate", "--for", "soon"), ("error_rate", "--for", "900w"), ("all", "--for", "0m")],
)
def test_a_wrong_silence_is_refused_in_words(aicc, arguments):
    result = aicc("silence", *arguments)
    assert result.exit_code == 2
    assert "allowed" in result.output


def test_test_sends_through_every_sink(path, aicc, monkeypatch):
    with hook_server() as (url, got):
        monkeypatch.setenv("AICC_ALERT_WEBHOOK", url)
        result = aicc("test")
        assert result.exit_code == 0
        assert "webhook: sent" in result.output
        assert got[0]["status"] == "test"
    assert aicc("test").exit_code == 1
    assert "s3cret" not in aicc("test").output


# --- while usage.db itself cannot be written -------------------------------------------------


def test_a_file_that_cannot_be_written_is_told_from_memory_and_noted_afterwards(path, monkeypatch):
    told, clock = Told(), Clock()
    trouble = {
        "spool": "usage.db cannot be written for 3 s (SQLITE_FULL): 4 records wait in memory, 0 are lost"
    }
    fill(path, 1)
    guard = watch(path, told, clock=clock, problems=lambda: trouble)
    other = watch(path, told, clock=clock, problems=lambda: trouble)
    guard._writer._busy_ms = other._writer._busy_ms = 20
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        for each in (guard, other):
            with pytest.raises(SpoolError):
                each.round()
        clock.now += 15
    assert told.kinds == [("fired", "spool_failing")]  # once, although two processes see it
    assert "SQLITE_FULL" in told.events[0].detail
    blocker.execute("ROLLBACK")
    blocker.close()
    trouble.clear()
    guard.round()
    other.round()
    assert told.kinds == [("fired", "spool_failing"), ("recovered", "spool_failing")]
    with SpoolReader(path) as reader:
        noted = [e["kind"] for e in store.read_alerts(reader, now=clock.now)["events"]]
    assert noted == ["recovered", "fired"]
    guard.close()
    other.close()


def test_a_file_that_can_be_written_now_and_then_is_told_of_once(path):
    told, clock, trouble = Told(), Clock(), {"spool": "usage.db cannot be written for 3 s (SQLITE_FULL)"}
    fill(path, 1)
    guard = watch(path, told, clock=clock, problems=lambda: trouble)
    guard._writer._busy_ms = 20
    for _ in range(3):  # fired from the file
        guard.round()
        clock.now += 15
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        with pytest.raises(SpoolError):
            guard.round()
        clock.now += 15
    blocker.close()
    assert told.kinds == [("fired", "spool_failing")]
    trouble.clear()
    for _ in range(3):
        guard.round()
        clock.now += 15
    assert told.kinds == [("fired", "spool_failing"), ("recovered", "spool_failing")]
    guard.close()


def test_a_moment_of_a_busy_file_is_no_alert_and_leaves_nothing_behind(path):
    told, clock = Told(), Clock()
    fill(path, 1)
    guard = watch(path, told, clock=clock)
    guard._writer._busy_ms = 20
    for _ in range(2):  # two moments, hours apart
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(SpoolError):
            guard.round()
        blocker.close()
        guard.round()
        clock.now += 7_200
    assert told.kinds == []
    guard.close()


@pytest.mark.parametrize("detector", ["privacy", "injection", "complexity"])
def test_each_detector_that_fails_has_an_alert_of_its_own(path, detector):
    told, clock, failures = Told(), Clock(), {"n": 0}
    guard = watch(path, told, clock=clock, counters=lambda: {f"failures_{detector}": failures["n"]})
    guard.round()
    clock.now += 40
    failures["n"] = 2
    guard.round()
    assert told.kinds == [("fired", f"{detector}_failing")]
    guard.close()
