"""A report for people: chart lines for the terminal, a page fragment for HTML."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import Any, Final

from aicc_hooks.experiments.report import Comparison, Estimate, ExperimentReport, VariantSums
from aicc_hooks.experiments.schema import Metric

_WIDTH = 41


def head(report: ExperimentReport) -> tuple[str, ...]:
    """Names of the columns of `cells`."""
    return ("variant", "requests", report.unit, "errors", "p50", "p95", "tokens", "cached", "scored", "score")


def cells(variant: VariantSums) -> tuple[str, ...]:
    """One table row, `-` for what is not known."""
    return (
        variant.name, f"{variant.requests:,}", f"{variant.units:,}", _share(variant.error_rate), _ms(variant.p50_ms), _ms(variant.p95_ms),
        "-" if variant.tokens is None else f"{variant.tokens:.0f}", _share(variant.cache_rate), f"{variant.scores:,}",
        "-" if variant.score is None else f"{variant.score:.3f}",
    )  # fmt: skip


def chart(report: ExperimentReport) -> list[str]:
    """Intervals of the differences on one scale; `|` is no difference, `●` the estimate."""
    bounds = [abs(b) for c in report.comparisons for b in (c.low, c.high) if math.isfinite(b)]
    scale = max(bounds, default=0.0)
    if not scale:
        return []
    width = max(len(c.variant) for c in report.comparisons)
    lines = [f"{'':{width}}  {-scale:<+.3g}{'0':^{_WIDTH - 12}}{scale:>+.3g}"]
    return lines + [f"{c.variant:{width}}  {_bar(c, scale)}" for c in report.comparisons]


def _bar(comparison: Comparison, scale: float) -> str:
    def place(value: float) -> int:
        return round((max(-scale, min(scale, value)) / scale + 1) / 2 * (_WIDTH - 1))

    line = [" "] * _WIDTH
    for at in range(place(comparison.low), place(comparison.high) + 1):
        line[at] = "─"
    line[_WIDTH // 2] = "|"
    if comparison.value is not None and comparison.control is not None:
        line[place(comparison.value - comparison.control)] = "●"
    return "".join(line).rstrip()


def panels(report: ExperimentReport) -> list[dict[str, Any]]:
    """One chart a metric that has values, the experiment's own first: bounds of the scale and each variant's interval."""
    found = []
    for metric in sorted(_TITLES, key=lambda m: m != report.metric):
        rows = [(v.name, v.estimates.get(metric)) for v in report.variants]
        values = [x for _, e in rows if e for x in (e.value, e.low, e.high) if x is not None]
        if not values:
            continue
        low = 0.0 if metric in ("latency_ms", "tokens") else min(0.0, *values)
        high = max(values)
        high = high if high > low else low + 1.0
        say = _SHOWN[metric]
        found.append({
            "metric": metric, "title": f"{_TITLES[metric]} (mean of {report.unit}, 95% interval)", "low": low, "high": high, "from": say(low), "to": say(high),
            "rows": [
                {"name": name, "value": e and e.value, "low": e and e.low, "high": e and e.high, "text": _interval(e, say)}
                for name, e in rows
            ],
        })  # fmt: skip
    return found


def panel_lines(report: ExperimentReport) -> list[str]:
    """The panels as text: `─` the 95% interval, `●` the mean."""
    lines: list[str] = []
    width = max(len(v.name) for v in report.variants)
    for panel in panels(report):
        span = panel["high"] - panel["low"]

        def place(value: float, low: float = panel["low"], span: float = span) -> int:
            return round(max(0.0, min(1.0, (value - low) / span)) * (_WIDTH - 1))

        lines += [*([""] if lines else []), f"{panel['title']}, {panel['from']} to {panel['to']}"]
        for row in panel["rows"]:
            line = [" "] * _WIDTH
            if row["low"] is not None:
                for at in range(place(row["low"]), place(row["high"]) + 1):
                    line[at] = "─"
            if row["value"] is not None:
                line[place(row["value"])] = "●"
            lines.append(f"{row['name']:{width}}  {''.join(line)}  {row['text']}")
    return lines


def as_html(report: ExperimentReport, state: str = "") -> str:
    """A section for the HTML reports; no script, no style of its own but the chart's."""
    rows = "".join(
        f'<tr><th scope="row">{escape(v.name)}</th>'
        + "".join(f'<td class="num">{escape(c)}</td>' for c in cells(v)[1:])
        + "</tr>"
        for v in report.variants
    )
    names = "".join(
        f'<th scope="col"{" class=num" if i else ""}>{escape(name)}</th>'
        for i, name in enumerate(head(report))
    )
    found = "".join(f"<li>{escape(c.variant)}: {escape(c.verdict)}</li>" for c in report.comparisons)
    warned = "".join(f"<li>{escape(w)}</li>" for w in report.warnings)
    pill = f' <span class="pill">{escape(state)}</span>' if state else ""
    drawn = "".join(
        f"<figure><figcaption>{escape(p['title'])}</figcaption>{_svg(p)}</figure>" for p in panels(report)
    )
    return (
        f"<section><h3>{escape(report.name)}{pill}</h3><p><strong>{escape(report.verdict)}</strong></p>"
        f"<ul>{found}</ul><table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>{drawn}"
        + (f"<ul>{warned}</ul>" if warned else "")
        + "</section>"
    )


def _svg(panel: dict[str, Any]) -> str:
    """Dots with intervals, a row a variant; the values are in the label too."""
    left, right, step = 110, 430, 24
    height = step * len(panel["rows"]) + 18

    def x(value: float) -> float:
        return float(left + (right - left) * (value - panel["low"]) / (panel["high"] - panel["low"]))

    parts = []
    for number, row in enumerate(panel["rows"]):
        y = 12 + step * number
        parts.append(
            f'<text x="0" y="{y + 4}" font-size="12" fill="currentColor">{escape(row["name"][:16])}</text>'
        )
        if row["low"] is not None:
            parts.append(
                f'<line x1="{x(row["low"]):.1f}" x2="{x(row["high"]):.1f}" y1="{y}" y2="{y}" stroke="currentColor" stroke-width="2"/>'
            )
        if row["value"] is not None:
            parts.append(f'<circle cx="{x(row["value"]):.1f}" cy="{y}" r="4.5" fill="currentColor"/>')
        parts.append(
            f'<text x="{right + 12}" y="{y + 4}" font-size="12" fill="currentColor">{escape(row["text"])}</text>'
        )
    for at, anchor, text in ((left, "start", panel["from"]), (right, "end", panel["to"])):
        parts.append(
            f'<text x="{at}" y="{height - 2}" font-size="11" text-anchor="{anchor}" fill="currentColor">{escape(text)}</text>'
        )
    told = "; ".join(f"{row['name']} {row['text']}" for row in panel["rows"])
    return (
        f'<svg viewBox="0 0 620 {height}" width="620" height="{height}" role="img" aria-label="{escape(panel["title"])}: {escape(told)}">'
        f'<line x1="{left}" x2="{right}" y1="{height - 14}" y2="{height - 14}" stroke="currentColor" stroke-opacity="0.3"/>{"".join(parts)}</svg>'
    )


def _interval(estimate: Estimate | None, say: Callable[[float], str]) -> str:
    if estimate is None:
        return "no values"
    if estimate.low is None or estimate.high is None:
        return f"{say(estimate.value)} (no interval yet)"
    return f"{say(estimate.value)} ({say(estimate.low)} to {say(estimate.high)})"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


_TITLES: Final[dict[Metric, str]] = {
    "score": "Score", "error_rate": "Error rate", "latency_ms": "Latency of uncached answers", "tokens": "Answer tokens",
}  # fmt: skip
_SHOWN: Final[dict[Metric, Callable[[float], str]]] = {
    "score": lambda v: f"{v:.3g}", "error_rate": _share, "latency_ms": _ms, "tokens": lambda v: f"{v:.0f}",
}  # fmt: skip
