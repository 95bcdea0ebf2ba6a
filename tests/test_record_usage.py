"""Reports add up, and a month of records is summed in a second."""

from __future__ import annotations

import json
import sqlite3

import pytest

from aicc_hooks.record import rows, schema
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.export import export_lines
from aicc_hooks.record.model import Record
from aicc_hooks.record.outbox import give_feedback
from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.record.spool import Spool
from aicc_hooks.record.usage import parse_since, percentile, rows_to_csv, usage
from tests.harness.queries import cost_of

NOW = 1_750_000_000.0


def record(i: int, **changes) -> Record:
    values = {
        "id": f"r{i}", "start": NOW + i - 1, "end": NOW + i, "status": 200, "route": "qwen" if i % 2 else "llama",
        "deployment": f"ollama_chat/m{i % 2}", "client": "curl", "cache": "miss", "prompt_tokens": 10, "completion_tokens": 5,
        "total_ms": float(i + 1), "hooks_ms": 2.0, "gate_ms": 1.0,
    }  # fmt: skip
    return Record(**(values | changes))


@pytest.fixture
def reader(tmp_path):
    spool = Spool(tmp_path / "usage.db", RecordConfig(retention_days=3650)).start()  # NOW is long ago
    for i in range(100):
        spool.put(
            record(
                i,
                status=500 if i == 7 else 400 if i == 8 else 200,
                cache="exact" if i % 10 == 0 else "bypass" if i % 10 == 1 else "miss",
                privacy=("email", "us_ssn") if i < 3 else (),
                variant="exp:a" if i < 20 else "",
                input=[{"role": "user", "content": f"q{i}"}],
                output={"role": "assistant", "content": f"a{i}"},
            )
        )
    assert spool.close()
    with SpoolReader(tmp_path / "usage.db") as one:
        yield one


def test_usage_adds_up_by_every_key(reader):
    by_route = {row["key"]: row for row in usage(reader, by="route")}
    assert by_route["qwen"]["requests"] == by_route["llama"]["requests"] == 50
    assert (by_route["qwen"]["errors"], by_route["qwen"]["failures"]) == (1, 1)
    assert (by_route["llama"]["errors"], by_route["llama"]["failures"]) == (1, 0)
    assert by_route["llama"]["cache_hits"] == 10
    assert by_route["qwen"]["cache_lookups"] == 40  # a bypass is no lookup
    assert by_route["qwen"]["error_rate"] == 0.02
    assert by_route["qwen"]["tokens"] == 50 * 15
    assert by_route["llama"]["p50_ms"] == 49.0
    assert by_route["llama"]["p95_ms"] == 95.0
    assert by_route["llama"]["overhead_p95_ms"] == 3.0
    for key, names in (
        ("client", ["curl"]),
        ("variant", ["-", "exp:a"]),
        ("model", ["ollama_chat/m0", "ollama_chat/m1"]),
    ):
        table = usage(reader, by=key)
        assert [row["key"] for row in table] == names
        assert sum(row["requests"] for row in table) == 100
    assert sum(row["requests"] for row in usage(reader, by="day", since=NOW + 90)) == 10


def test_export_is_one_json_object_a_line_for_data_sets(reader):
    give_feedback(reader.path, "r5", 1.0, "right")
    items = [json.loads(line) for line in export_lines(reader)]
    assert [item["id"] for item in items] == [f"r{i}" for i in range(100)]
    item = items[5]
    assert item["input"] == [{"role": "user", "content": "q5"}]
    assert item["expected_output"] == {"role": "assistant", "content": "a5"}
    assert item["metadata"]["route"] == "qwen"
    assert item["feedback"] == {"score": 1.0, "comment": "right"}
    assert [json.loads(x)["id"] for x in export_lines(reader, filters=Filters(errors=True), limit=1)] == [
        "r7"
    ]


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([], 0.5, None), ([5.0], 0.95, 5.0), ([1, 2, 3, 4], 0.5, 2)]
)
def test_percentiles_are_nearest_rank(values, share, expected):
    assert percentile(values, share) == expected


def test_since_takes_units_and_dates():
    assert parse_since("7d", now=NOW) == NOW - 7 * 86_400
    assert parse_since("90m", now=NOW) == NOW - 5400
    assert parse_since("2026-01-31T00:00:00+00:00") == 1_769_817_600
    for bad in ("", "d", "7y", "-1d", "99999999999d", "yesterday"):
        with pytest.raises(ValueError, match="7d"):
            parse_since(bad)


def test_csv_cells_are_no_formulas():
    assert rows_to_csv([{"key": "=1+1", "n": 2}, {"key": "-", "n": -1}]) == "key,n\n'=1+1,2\n-,-1\n"
    assert rows_to_csv([]) == ""


def test_sums_over_a_month_read_each_record_a_few_times_and_no_text(tmp_path):
    connection: sqlite3.Connection = schema.open_writable(tmp_path / "usage.db")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    text = "x" * 1500
    count, month = 5_000, 30 * 86_400
    rows.insert(
        connection,
        (
            (one, rows.encode_body(one))
            for i in range(count)
            for one in [record(i, start=NOW + i * month / count, end=NOW + i * month / count + 1, input=text)]
        ),
        (),
    )
    connection.execute("COMMIT")
    connection.close()
    with SpoolReader(tmp_path / "usage.db") as reader:
        for work in (
            lambda: usage(reader, by="day", since=NOW),
            lambda: usage(reader, by="model"),
            lambda: reader.recent(10_000),
        ):
            steps, tables = cost_of(reader, work)
            assert count < steps < 120 * count  # 21 to 56 a record when written
            assert "bodies" not in tables
