"""What `benchmarks/gateway.py` measured as tables against the targets, and as a chart."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.figures import chart, percentile, spread
from benchmarks.gateway_bench import Measured
from benchmarks.servers import KINDS


def _ratio(a: float, b: float) -> float:
    return a / b


def _minus(a: float, b: float) -> float:
    return a - b


# What is measured, the gateways compared, how, target as sign and number, unit.
TARGETS: tuple[tuple[str, str, str, str, Callable[[float, float], float], str, float, str], ...] = (
    ("throughput, 16 connections", "throughput", "ours", "stock", _ratio, "≥", 1.5, "×"),
    ("… against stock over openai/", "throughput", "ours", "openai", _ratio, "≥", 1.0, "×"),
    ("CPU a request", "cpu ms", "ours", "stock", _ratio, "≤", 1 / 1.5, "×"),
    ("p50, 1 connection", "latency 1 p50", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("p99, 1 connection", "latency 1 p99", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("p50, 16 connections", "latency 16 p50", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("p99, 16 connections", "latency 16 p99", "ours", "stock", _ratio, "≤", 0.8, "×"),
    ("exact hit, p50", "hit p50", "ours", "stock", _ratio, "≤", 0.25, "×"),
    ("time to first token, p50", "first token p50", "ours", "stock", _minus, "≤", 1.0, " ms"),
    ("gap between chunks, p50", "gap p50", "ours", "stock", _minus, "≤", 1.0, " ms"),
    ("gap between chunks, p99", "gap p99", "ours", "stock", _minus, "≤", 1.0, " ms"),
    ("small requests' p99 beside 1 MB prompts / calm", "loud p99", "ours", "calm p99", _ratio, "≤", 1.5, "×"),
    ("… the same of stock", "loud p99", "stock", "calm p99", _ratio, "", 0, "×"),
    ("memory of a worker", "memory MB", "ours", "stock", _minus, "≤", 60, " MB"),
    ("start to first answer", "start s", "ours", "stock", _ratio, "≤", 1.2, "×"),
)  # fmt: skip


def rows_of(measured: Measured) -> list[dict[str, Any]]:
    """The table against the targets."""
    rows = []
    for title, measure, one, other, how, sign, target, unit in TARGETS:
        if other == "calm p99":
            pairs = [
                a / b for a, b in zip(measured.rounds[measure, one], measured.rounds[other, one], strict=True)
            ]
        else:
            pairs = measured.pairs(measure, one, other, how)
        if pairs:
            rows.append(_row(title, pairs, sign, target, unit))
    stock = [
        b / a
        for a, b in zip(
            measured.rounds["workers", "stock"], measured.rounds["workers", "stock ×2"], strict=True
        )
    ]
    ours = [
        b / a
        for a, b in zip(
            measured.rounds["workers", "ours"], measured.rounds["workers", "ours ×2"], strict=True
        )
    ]
    if stock:
        rows.append(_row("2 workers / 1 worker", ours, "≥", statistics.median(stock), "×"))
    return rows


def _row(title: str, values: Sequence[float], sign: str, target: float, unit: str) -> dict[str, Any]:
    middle, low, high = spread(values)
    met = None if not sign else (middle >= target if sign == "≥" else middle <= target)
    return {"what": title, "target": f"{sign} {target:.2f}{unit}" if sign else "", "median": middle, "low": low, "high": high,
            "unit": unit, "rounds": len(values), "met": met}  # fmt: skip


def table(measured: Measured) -> str:
    """Both tables as Markdown."""
    out = ["| what | target | median (quartiles) | rounds | met |", "|---|---|---|---|---|"]
    for row in rows_of(measured):
        met = {None: "", True: "yes", False: "**no**"}[row["met"]]
        value = f"{row['median']:.2f}{row['unit']} ({row['low']:.2f}–{row['high']:.2f})"
        out.append(f"| {row['what']} | {row['target']} | {value} | {row['rounds']} | {met} |")
    kinds = [k for k in (*KINDS, "stock ×2", "ours ×2") if any(kind == k for _, kind in measured.rounds)]
    out += ["", "| absolute, median of rounds | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    for measure in dict.fromkeys(name for (name, _), values in measured.rounds.items() if values):
        cells = []
        for kind in kinds:
            values = measured.rounds.get((measure, kind))
            cells.append(f"{statistics.median(values):.1f}" if values else "")
        out.append(f"| {measure} | " + " | ".join(cells) + " |")
    out += ["", "| all requests, ms | n | p50 | p95 | p99 |", "|---|---|---|---|---|"]
    for (measure, kind), values in measured.raw.items():
        shares = " | ".join(f"{percentile(values, share):.1f}" for share in (0.5, 0.95, 0.99))
        out.append(f"| {measure}, {kind} | {len(values)} | {shares} |")
    return "\n".join(out)


def picture(measured: Measured) -> str:
    """Ratios to stock as bars."""
    wanted = {"throughput": "throughput (more is better)", "cpu ms": "CPU a request", "latency 1 p50": "p50, 1 connection",
              "latency 16 p50": "p50, 16 connections", "latency 16 p99": "p99, 16 connections", "hit p50": "exact hit, p50",
              "first token p50": "time to first token", "loud p99": "p99 beside 1 MB prompts", "memory MB": "memory"}  # fmt: skip
    groups = {}
    for measure, title in wanted.items():
        if measured.rounds.get((measure, "stock")):
            groups[title] = {k: statistics.median(measured.pairs(measure, k, "stock", _ratio)) for k in KINDS}
    return chart("Against stock LiteLLM on the same machine", groups)
