"""Prometheus text from usage.db, so that every worker answers a scrape alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aicc_hooks import __version__
from aicc_hooks.errors import AiccError, SpoolError
from aicc_hooks.record import cache_metrics
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.totals import BUCKETS, fold, totals
from aicc_hooks.record.workers import COUNTER_PREFIX, has_table, merge, read_workers
from aicc_hooks.record.writer import Writer

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_Sums = Mapping[tuple[str, ...], float]

# our name → (metric, help, labels)
_COUNTERS: Final = {
    "requests": ("aicc_requests", "Requests answered.", ("route", "reason", "outcome")),
    "errors": ("aicc_errors", "Requests that ended with an error, by stable code.", ("code",)),
    "clients": ("aicc_client_requests", "Requests by client program.", ("client",)),
    "cache": ("aicc_cache_requests", "Requests by what the cache did.", ("result",)),
    "variants": ("aicc_experiment_requests", "Requests by experiment variant.", ("variant",)),
    "cold_starts": ("aicc_cold_starts", "Requests that waited for a model to load.", ("route",)),
    "kept_local": ("aicc_kept_local_requests", "Requests held on this machine for privacy.", ()),
    "tokens": ("aicc_tokens", "Tokens in and out.", ("route", "kind")),
    "privacy": ("aicc_privacy_findings", "Requests with at least one finding of a type.", ("type",)),
    "injection": ("aicc_injection_rules", "Requests on which an injection rule fired.", ("rule",)),
}
_HISTOGRAMS: Final = {
    "duration": ("aicc_request_duration_seconds", "Time to the end of the answer.", ("route",)),
    "first_token": ("aicc_first_token_seconds", "Time to the first byte of the answer.", ("route",)),
    "overhead": ("aicc_overhead_seconds", "Time in the gate, the hooks and the cache.", ()),
}
_STATE: Final = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


class MetricsUnavailable(AiccError):
    """prometheus-client is not installed."""


def exposition(reader: SpoolReader, writer: Writer, *, now: float | None = None) -> bytes:
    """The body of GET /aicc/metrics. Raises MetricsUnavailable, or SpoolError when usage.db cannot be read."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ImportError:
        raise MetricsUnavailable(
            "metrics need prometheus-client: pip install 'aicc-hooks[metrics]', then restart the gateway"
        ) from None
    fresh = 1.0
    try:
        fold(writer)
    except SpoolError:
        fresh = 0.0  # busy or read-only: the sums as of the last fold are still true
    families = list(_families(reader, time.time() if now is None else now, fresh))

    class Collector:
        def collect(self) -> Iterator[Any]:
            yield from families

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    text: bytes = generate_latest(registry)
    return text


def _families(reader: SpoolReader, now: float, fresh: float) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    def gauge(name: str, text: str, value: float) -> Any:
        return GaugeMetricFamily(name, text, value=value)

    rows = (
        reader.query("SELECT metric, labels, value FROM metric_totals")
        if has_table(reader, "metric_totals")
        else []
    )
    sums = totals(rows)
    for ours, (name, text, labels) in _COUNTERS.items():
        family = CounterMetricFamily(name, text, labels=labels)
        nothing: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}
        for values, total in sorted(sums.get(ours, nothing).items()):
            family.add_metric(values, total)
        yield family
    for ours, (name, text, labels) in _HISTOGRAMS.items():
        family = HistogramMetricFamily(name, text, labels=labels)
        for values, total in sorted(sums.get(f"{ours}_sum", {}).items()):
            family.add_metric(values, _buckets(sums[f"{ours}_bucket"], values), total)
        yield family

    counters = reader.counters()
    cache: dict[str, int] = {}
    records = CounterMetricFamily(
        "aicc_records", "Records of requests by what became of them.", labels=["state"]
    )
    events = CounterMetricFamily(
        "aicc_process_events", "What gateway processes counted, such as failures.", labels=["event"]
    )
    for name, value in sorted(counters.items()):
        if name.startswith(COUNTER_PREFIX + cache_metrics.PREFIX):
            cache[name.removeprefix(COUNTER_PREFIX)] = value
        elif name.startswith(COUNTER_PREFIX):
            events.add_metric([name.removeprefix(COUNTER_PREFIX)], value)
        else:
            records.add_metric([name], value)
    yield records
    yield events
    waiting, dead = reader.query("SELECT coalesce(sum(1 - dead), 0), coalesce(sum(dead), 0) FROM outbox")[0]
    yield gauge("aicc_spool_backlog_records", "Records that wait for Langfuse.", waiting)
    yield gauge("aicc_spool_refused_records", "Records that Langfuse refused for good.", dead)
    size = reader.size()
    yield gauge("aicc_database_bytes", "Size of usage.db on disk.", size["file_bytes"])
    yield gauge(
        "aicc_metrics_fresh",
        "1: all records are counted; 0: usage.db was busy, a later scrape adds the rest.",
        fresh,
    )
    workers = read_workers(reader, now=now)
    yield from cache_metrics.families(cache, workers)
    yield from _state(reader, workers)


def _buckets(counts: _Sums, labels: tuple[str, ...]) -> list[tuple[str, float]]:
    running, out = 0.0, []
    for place, bound in enumerate([*(str(b) for b in BUCKETS), "+Inf"]):
        running += counts.get((*labels, str(place)), 0.0)
        out.append((bound, running))
    return out


def _state(reader: SpoolReader, workers: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    picture = merge(workers)
    yield GaugeMetricFamily("aicc_workers", "Gateway processes that run.", value=len(workers))
    yield GaugeMetricFamily(
        "aicc_loop_tasks",
        "Tasks of all processes' event loops.",
        value=sum(int(worker.get("loop_tasks") or 0) for worker in workers),
    )
    queue = GaugeMetricFamily("aicc_queue_requests", "Requests at the models' queues.", labels=["state"])
    lanes = [lane for worker in workers for lane in (worker.get("queue") or {}).values()]
    for state in ("running", "waiting"):
        queue.add_metric([state], sum(int(lane.get(state) or 0) for lane in lanes))
    yield queue
    info = GaugeMetricFamily("aicc_build_info", "Always 1.", labels=["version", "policy_version"])
    info.add_metric([__version__, str(picture.get("policy_version") or "")], 1)
    yield info
    up = GaugeMetricFamily(
        "aicc_dependency_up", "1: answers; 0: does not. Absent: off or not known.", labels=["dependency"]
    )
    for name, seen in sorted(picture["health"].items()):
        if seen.get("status") in ("up", "down"):
            up.add_metric([name], float(seen["status"] == "up"))
    yield up
    circuits = GaugeMetricFamily(
        "aicc_circuit_open", "0: closed, 0.5: half-open, 1: open.", labels=["scope", "circuit"]
    )
    for scope, found in sorted(picture["breakers"].items()):
        for key, circuit in sorted(found.items())[:100]:
            circuits.add_metric([scope, key[:120]], _STATE.get(str(circuit.get("state")), 1.0))
    yield circuits
    alerts = GaugeMetricFamily("aicc_alerts_firing", "Alerts that fire, by rule.", labels=["rule"])
    if has_table(reader, "alerts"):
        for rule, count in reader.query(
            "SELECT rule, sum(status = 'firing') FROM alerts GROUP BY rule ORDER BY rule"
        ):
            alerts.add_metric([rule], count)
    yield alerts
