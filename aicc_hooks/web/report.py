"""`aicc report`: one HTML file with charts, tables and the scorecard; no script, nothing loaded."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from aicc_hooks.experiments.overview import EMPTY, Overview
from aicc_hooks.experiments.show import as_html
from aicc_hooks.record.frame import Frame
from aicc_hooks.record.reader import SpoolReader
from aicc_hooks.record.scorecard import Score
from aicc_hooks.web import svg

_STATIC = Path(__file__).parent / "static"
_TABLES: Final = (("route", "Routes"), ("deployment", "Models"), ("client", "Clients"))
_STEPS = (60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800, 2_592_000)
_STYLE = """
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.2rem 3rem; }
header { margin-bottom: 1.4rem; } header h1 { font-size: 1.5rem; } .card h2 { margin-bottom: 0.6rem; }
.wide { overflow-x: auto; } td.key { overflow-wrap: anywhere; }
@media print { body { background: none; } .card { break-inside: avoid; } }
"""


def render(
    reader: SpoolReader,
    *,
    since: float,
    until: float | None = None,
    scores: Sequence[Score] = (),
    experiments: Overview | None = None,
) -> str:
    """The whole document. Raises SpoolError."""
    until = time.time() if until is None else until
    first = reader.query("SELECT min(end) FROM records WHERE end >= ?", [since])[0][0]
    begin = max(since, float(first)) if first is not None else since
    step = next((s for s in _STEPS if (until - begin) / s <= 90), max(_STEPS[-1], (until - begin) / 90))
    begin = math.floor(begin / step) * step
    frame = Frame(reader, since=since, until=until)
    totals, buckets = frame.totals(), frame.over(begin, step, math.ceil((until - begin) / step))
    form = "%H:%M" if until - begin < 90_000 else "%d %b %H:%M" if step < 86_400 else "%d %b"
    starts = [time.strftime(form, time.localtime(b["start"])) for b in buckets]
    saved = frame.time_saved()
    tiles = [
        ("Requests", f"{totals['requests']:,}", f"{totals['tokens']:,} tokens"),
        ("Errors", share(totals["error_rate"]), f"{totals['failures']:,} faults (5xx)"),
        ("Time p50 / p95", f"{span(totals['p50_ms'])} / {span(totals['p95_ms'])}", f"first token {span(totals['first_token_p50_ms'])}"),
        ("Cache hits", share(totals["cache_hit_rate"]), f"{span(saved['saved_ms'])} saved"),
    ]  # fmt: skip
    body = [
        '<div class="grid">',
        *(_tile(*tile) for tile in tiles),
        _card("span-6", "Requests", svg.bars("Requests over time, failed ones on top", starts,
              [b["requests"] - b["errors"] for b in buckets], [b["errors"] for b in buckets], lambda v: f"{v:,.0f}"),
              (("c1", "served"), ("c5", "failed"))),
        _card("span-6", "Time to answer", svg.lines("Time to answer over time", starts,
              [("p50", [b["p50_ms"] for b in buckets]), ("p95", [b["p95_ms"] for b in buckets])], span), (("c1", "p50"), ("c3", "p95"))),
        _scores(scores),
        *(_table(frame, by, title) for by, title in _TABLES),
        _counts("Why", frame.counts("reason")),
        _counts("Privacy findings", frame.counts("privacy")),
        _counts("Injection rules", frame.counts("injection_rules")),
        _experiments(experiments) if experiments is not None else "",
        _table(frame, "variant", "Variants in this period") if frame.counts("variant") else "",
        _table(frame, "day", "Days"),
        "</div>",
    ]  # fmt: skip
    period = f"{_moment(since)} to {_moment(until)}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>AI Command Center: {escape(period)}</title>"
        f"<style>{(_STATIC / 'theme.css').read_text(encoding='utf-8')}{_STYLE}</style></head><body><main>"
        f'<header><h1>AI Command Center</h1><p class="muted">{escape(period)}</p></header>'
        + "\n".join(body)
        + "</main></body></html>\n"
    )


def _tile(label: str, value: str, note: str) -> str:
    return (
        f'<section class="card tile span-3"><div class="label">{escape(label)}</div><div class="value">{escape(value)}</div>'
        f'<div class="note">{escape(note)}</div></section>'
    )


def _card(css: str, title: str, chart: str, legend: Iterable[tuple[str, str]]) -> str:
    marks = "".join(f'<span><i class="{c}"></i>{escape(name)}</span>' for c, name in legend)
    return f'<section class="card {css}"><h2>{escape(title)}</h2>{chart}<div class="legend">{marks}</div></section>'


def _scores(scores: Sequence[Score]) -> str:
    if not scores:
        return ""
    words = {"yes": ("good", "met"), "no": ("bad", "missed"), "unknown": ("", "no data")}
    rows = "".join(
        f'<tr><td>{escape(s.name)}</td><td class="num">{escape(s.target)}</td><td class="num">{escape(s.shown)}</td>'
        f'<td><span class="pill {words[s.met][0]}">{words[s.met][1]}</span></td><td class="muted">{escape(s.basis)}</td></tr>'
        for s in scores
    )
    return (
        '<section class="card span-12 wide"><h2>Scorecard</h2><table><thead><tr><th>Metric</th><th class="num">Target</th>'
        f'<th class="num">Actual</th><th></th><th>Measured on</th></tr></thead><tbody>{rows}</tbody></table></section>'
    )


def _table(frame: Frame, by: str, title: str) -> str:
    rows = "".join(
        f'<tr><td class="key">{escape(str(row["key"]))}</td>'
        + "".join(
            f'<td class="num">{escape(cell)}</td>'
            for cell in (
                f"{row['requests']:,}", share(row["error_rate"]), f"{row['tokens']:,}", span(row["p50_ms"]), span(row["p95_ms"]),
                span(row["first_token_p50_ms"]), share(row["cache_hit_rate"]),
            )
        )
        + "</tr>"
        for row in frame.by(by)[:40]
        if by != "variant" or row["key"] != "-"
    )  # fmt: skip
    head = "".join(
        f'<th class="num">{name}</th>'
        for name in ("Requests", "Errors", "Tokens", "p50", "p95", "First token", "Cache hits")
    )
    return (
        f'<section class="card span-12 wide"><h2>{escape(title)}</h2><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _counts(title: str, counts: dict[str, int]) -> str:
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="num">{count:,}</td></tr>'
        for name, count in list(counts.items())[:15]
    )
    rows = rows or '<tr><td class="muted">none</td><td></td></tr>'
    return (
        f'<section class="card span-4"><h2>{escape(title)}</h2><table><tbody>{rows}</tbody></table></section>'
    )


def _experiments(found: Overview) -> str:
    """Over the whole record, unlike the rest of the page: a part of a run would be judged by too few requests."""
    told = f"<p>{escape(found.problem)}</p>" if found.problem else ""
    body = "".join(as_html(report, state) for state, report in found.reports)
    if not body and not told:
        body = f'<p class="muted">{escape(EMPTY)}</p>'
    return f'<section class="card span-12 wide"><h2>Experiments</h2>{told}{body}</section>'


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def share(value: float | None) -> str:
    """0.153 → 15.3 %."""
    return "–" if value is None else f"{value * 100:.1f} %"


def span(ms: float | None) -> str:
    """Milliseconds as people read them."""
    if ms is None:
        return "–"
    if ms < 1_000:
        return f"{ms:.0f} ms"
    return f"{ms / 1_000:.1f} s" if ms < 90_000 else f"{ms / 60_000:.0f} min"
