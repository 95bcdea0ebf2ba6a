"""Metrics parse, count each record once whoever scrapes, never fall, and stay bounded."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from aicc_hooks.cache.metrics import CacheMetrics
from aicc_hooks.record import retention, schema
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.metrics import MetricsUnavailable, exposition
from aicc_hooks.record.model import Record
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.spool import Spool
from aicc_hooks.record.totals import MAX_VALUES
from aicc_hooks.record.workers import Sources, publish
from aicc_hooks.record.writer import Writer

parser = pytest.importorskip("prometheus_client.parser", reason="the metrics extra is not installed")
COMPOSE = Path(__file__).parents[1] / "compose"
NOW = time.time()


def fill(path, count, *, start=0, **changes):
    spool = Spool(path, RecordConfig(queue_size=60_000)).start()
    for i in range(start, start + count):
        values = {
            "id": f"r{i}", "start": NOW - 2, "end": NOW - 1, "status": 200, "route": "llama-fast", "reason": "complexity:simple", "client": "curl",
            "cache": "miss", "total_ms": 800.0, "first_token_ms": 90.0, "gate_ms": 1.0, "hooks_ms": 2.0, "cache_ms": 1.0, "prompt_tokens": 7,
            "completion_tokens": 3,
        }  # fmt: skip
        spool.put(Record(**(values | changes)))
    assert spool.close(60)


class Scraper:
    """One worker's view."""

    def __init__(self, path):
        self.reader, self.writer = SpoolReader(path), Writer(path, busy_ms=100)

    def text(self):
        return exposition(self.reader, self.writer).decode()

    def values(self):
        return {
            (s.name, tuple(sorted(s.labels.items()))): s.value
            for family in parser.text_string_to_metric_families(self.text())
            for s in family.samples
        }

    def total(self, name, **labels):
        return sum(
            v
            for (n, found), v in self.values().items()
            if n == name and labels.items() <= dict(found).items()
        )

    def close(self):
        self.reader.close()
        self.writer.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "usage.db"


@pytest.fixture
def scrape(path):
    fill(path, 100)
    fill(path, 10, start=100, status=503, error="aicc_upstream_down", route="qwen-local", total_ms=70_000.0)
    fill(
        path,
        5,
        start=110,
        status=400,
        error="aicc_blocked_injection",
        injection_rules=("override",),
        reason="injection:override",
    )
    fill(
        path,
        5,
        start=115,
        cache="exact",
        privacy=("email", "us_ssn"),
        local_only=True,
        cold_start=True,
        variant="exp:a",
    )
    one = Scraper(path)
    yield one
    one.close()


def test_counts_are_true(scrape):
    assert scrape.total("aicc_requests_total") == 120
    assert scrape.total("aicc_requests_total", outcome="server_error", route="qwen-local") == 10
    assert scrape.total("aicc_requests_total", outcome="client_error", reason="injection") == 5
    assert scrape.total("aicc_errors_total", code="aicc_upstream_down") == 10
    assert scrape.total("aicc_cache_requests_total", result="exact") == 5
    assert scrape.total("aicc_tokens_total", kind="prompt") == 840
    assert scrape.total("aicc_privacy_findings_total", type="us_ssn") == 5
    assert scrape.total("aicc_injection_rules_total", rule="override") == 5
    assert scrape.total("aicc_kept_local_requests_total") == 5
    assert scrape.total("aicc_cold_starts_total") == 5
    assert scrape.total("aicc_experiment_requests_total", variant="exp:a") == 5
    assert scrape.total("aicc_records_total", state="committed") == 120
    assert scrape.total("aicc_metrics_fresh") == 1


def test_histograms_are_cumulative_and_in_seconds(scrape):
    values = {
        dict(k[1])["le"]: v
        for k, v in scrape.values().items()
        if k[0] == "aicc_request_duration_seconds_bucket" and ("route", "qwen-local") in k[1]
    }
    assert (values["60.0"], values["120.0"], values["+Inf"]) == (0, 10, 10)
    assert scrape.total("aicc_request_duration_seconds_sum", route="qwen-local") == pytest.approx(700)
    assert scrape.total("aicc_request_duration_seconds_count") == 120
    assert scrape.total("aicc_overhead_seconds_sum") == pytest.approx(120 * 0.004)


def test_names_and_units_follow_the_conventions(scrape):
    for line in scrape.text().splitlines():
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            assert re.fullmatch(r"aicc_[a-z_]+", name)
            assert (kind == "counter") == name.endswith("_total")
            assert not re.search(r"_(ms|milliseconds|percent)", name)


def test_workers_agree_and_count_each_record_once(scrape, path):
    others = [Scraper(path) for _ in range(4)]
    threads = [threading.Thread(target=lambda s=s: [s.text() for _ in range(5)]) for s in others]
    for thread in threads:
        thread.start()
    fill(path, 50, start=500)
    for thread in threads:
        thread.join()
    assert {s.total("aicc_requests_total") for s in [scrape, *others]} == {170}
    for s in others:
        s.close()


def test_counters_do_not_fall_when_old_records_go(scrape, path):
    before = scrape.values()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE records SET end = 1")
    connection = schema.open_writable(path)
    retention.expire(connection, days=1, max_bytes=1 << 30)
    connection.close()
    assert scrape.reader.size()["records"] == 0
    fill(path, 3, start=900)
    after = scrape.values()
    assert all(
        after[key] >= value
        for key, value in before.items()
        if key[0].endswith(("_total", "_count", "_bucket"))
    )
    assert scrape.total("aicc_requests_total") == 123


def test_absurd_counts_of_an_upstream_do_not_stop_the_sums(scrape, path):
    fill(path, 3, start=900, prompt_tokens=2**63 - 1)
    assert scrape.total("aicc_requests_total") == 123
    assert scrape.total("aicc_tokens_total", kind="prompt") > 2**63
    fill(path, 1, start=910)
    assert scrape.total("aicc_requests_total") == 124


def test_a_busy_database_answers_with_the_last_sums(scrape, path):
    assert scrape.total("aicc_requests_total") == 120
    fill(path, 5, start=300)
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    values = scrape.values()
    assert values["aicc_metrics_fresh", ()] == 0
    assert sum(v for (n, _), v in values.items() if n == "aicc_requests_total") == 120
    lock.execute("ROLLBACK")
    lock.close()
    assert scrape.total("aicc_requests_total") == 125


def test_labels_are_bounded_and_escaped(scrape, path):
    spool = Spool(path, RecordConfig()).start()
    for i in range(200):
        spool.put(
            Record(
                id=f"x{i}", start=NOW, end=NOW, status=200, route=f'evil"\n{i}' + "x" * 500, reason="explicit"
            )
        )
    assert spool.close()
    routes = {dict(labels)["route"] for (name, labels) in scrape.values() if name == "aicc_requests_total"}
    assert len(routes) <= MAX_VALUES + 1
    assert "other" in routes
    assert max(map(len, routes)) <= 80
    assert scrape.total("aicc_requests_total") == 320


def test_process_state_becomes_gauges(scrape, path):
    sources = Sources(
        health=lambda: {"redis": {"status": "down"}, "ollama": {"status": "up"}, "langfuse": {"status": "off"}},
        breakers=lambda: {"deployment": {"m": {"state": "half_open"}}}, counters=lambda: {"failures_privacy": 3},
        extra=lambda: {"queue": {"a:1": {"waiting": 1}, "b:2": {"running": 1, "waiting": 2}}},
    )  # fmt: skip
    publish(scrape.writer, sources.snapshot(), {}, now=time.time())
    values = scrape.values()
    assert values["aicc_dependency_up", (("dependency", "redis"),)] == 0
    assert ("aicc_dependency_up", (("dependency", "langfuse"),)) not in values
    assert values["aicc_circuit_open", (("circuit", "m"), ("scope", "deployment"))] == 0.5
    assert values["aicc_process_events_total", (("event", "failures_privacy"),)] == 3
    assert values["aicc_workers", ()] == 1
    assert values["aicc_queue_requests", (("state", "waiting"),)] == 3


def test_the_caches_numbers_are_true_over_two_workers(scrape, path):
    for hits, size in ((3, 1000), (4, 500)):
        cache = CacheMetrics()
        cache.hits["memory"] += hits
        cache.misses += 1
        for _ in range(hits):
            cache.timed("memory", 0.2)
        cache.timed("miss", 600.0)
        picture = {
            "memory": {"entries": 1, "bytes": size},
            "redis": {"entries": 9, "bytes": 4000, "evictions": 2},
        }
        sources = Sources(counters=cache.counters, extra=lambda picture=picture: {"cache": picture})
        writer = Writer(path)
        publish(writer, sources.snapshot(), {}, now=time.time())
        writer.close()
    values = scrape.values()
    assert values["aicc_cache_hits_total", (("tier", "memory"),)] == 7
    assert values["aicc_cache_misses_total", ()] == 2
    assert values["aicc_cache_bytes", (("tier", "memory"),)] == 1500
    assert values["aicc_cache_bytes", (("tier", "redis"),)] == 4000
    assert values["aicc_cache_evictions_total", (("tier", "redis"),)] == 2
    assert values["aicc_cache_lookup_seconds_count", (("tier", "memory"),)] == 7
    assert values["aicc_cache_lookup_seconds_sum", (("tier", "memory"),)] == pytest.approx(0.0014)
    assert values["aicc_cache_lookup_seconds_bucket", (("le", "0.0001"), ("tier", "memory"))] == 0
    assert values["aicc_cache_lookup_seconds_bucket", (("le", "0.00025"), ("tier", "memory"))] == 7
    assert values["aicc_cache_lookup_seconds_bucket", (("le", "0.5"), ("tier", "miss"))] == 0
    assert values["aicc_cache_lookup_seconds_bucket", (("le", "+Inf"), ("tier", "miss"))] == 2


def test_without_the_extra_the_message_says_what_to_install(scrape, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MetricsUnavailable, match=r"pip install 'aicc-hooks\[metrics\]'"):
        scrape.text()


def test_the_dashboard_asks_only_for_metrics_that_exist(scrape):
    exist = {
        s.name for family in parser.text_string_to_metric_families(scrape.text()) for s in family.samples
    }
    exist |= {"aicc_dependency_up", "aicc_circuit_open", "aicc_alerts_firing"}  # no samples without a gateway
    dashboard = json.loads((COMPOSE / "grafana/dashboards/aicc.json").read_text())
    asked = {
        name
        for p in dashboard["panels"]
        for t in p["targets"]
        for name in re.findall(r"aicc_[a-z_]+", t["expr"])
    }
    assert asked
    assert asked <= exist
    source = yaml.safe_load((COMPOSE / "grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ][0]
    assert {p["datasource"]["uid"] for p in dashboard["panels"]} == {source["uid"]}
    scrape_config = yaml.safe_load((COMPOSE / "prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    assert scrape_config["metrics_path"] == "/aicc/metrics"
    services = yaml.safe_load((COMPOSE / "docker-compose.yml").read_text())["services"]
    assert services["prometheus"]["profiles"] == services["grafana"]["profiles"] == ["monitoring"]
