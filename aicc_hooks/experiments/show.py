"""A report for people: chart lines for the terminal, a page fragment for HTML."""

from __future__ import annotations

import math
from html import escape

from aicc_hooks.experiments.report import Comparison, ExperimentReport, VariantSums

HEAD = ("variant", "requests", "users", "errors", "p50", "p95", "tokens", "cached", "scored", "score")
_WIDTH = 41


def cells(variant: VariantSums) -> tuple[str, ...]:
    """One table row, `-` for what is not known."""
    return (
        variant.name, f"{variant.requests:,}", f"{variant.users:,}", _share(variant.error_rate), _ms(variant.p50_ms), _ms(variant.p95_ms),
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


def as_html(report: ExperimentReport) -> str:
    """A section for the page and the HTML report; no script, no style of its own but the chart's."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells(v)) + "</tr>" for v in report.variants
    )
    head = "".join(f"<th>{escape(h)}</th>" for h in HEAD)
    found = "".join(f"<li>{escape(c.verdict)}</li>" for c in report.comparisons)
    warned = "".join(f"<li>{escape(w)}</li>" for w in report.warnings)
    return (
        f"<section><h2>{escape(report.name)}</h2><p><strong>{escape(report.verdict)}</strong></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{_svg(report)}<ul>{found}</ul>"
        + (f"<ul>{warned}</ul>" if warned else "")
        + "</section>"
    )


def _svg(report: ExperimentReport) -> str:
    bounds = [abs(b) for c in report.comparisons for b in (c.low, c.high) if math.isfinite(b)]
    scale = max(bounds, default=0.0)
    if not scale:
        return ""
    parts = []
    for number, c in enumerate(report.comparisons):
        y = 14 + 22 * number
        low, high = (200 + 190 * max(-1.0, min(1.0, b / scale)) for b in (c.low, c.high))
        middle = 200 + 190 * ((c.value or 0.0) - (c.control or 0.0)) / scale
        parts.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="currentColor" stroke-width="3"/>'
            f'<circle cx="{middle:.1f}" cy="{y}" r="5" fill="currentColor"/><text x="396" y="{y - 6}" text-anchor="end" '
            f'font-size="10" fill="currentColor">{escape(c.variant)}</text>'
        )
    height = 22 * len(report.comparisons) + 10
    return (
        f'<svg viewBox="0 0 400 {height}" role="img" aria-label="differences to the first variant" width="400" height="{height}">'
        f'<line x1="200" x2="200" y1="0" y2="{height}" stroke="currentColor" stroke-dasharray="3 3"/>{"".join(parts)}</svg>'
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"
