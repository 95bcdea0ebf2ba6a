"""Sums of measurements, and a bar chart as SVG text."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the sorted values lie; needs at least one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median and the quartiles around it."""
    middle = statistics.median(values)
    if len(values) < 3:
        return middle, min(values), max(values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def chart(title: str, groups: Mapping[str, Mapping[str, float]], unit: str = "× stock") -> str:
    """Horizontal bars: one group a measure, one bar a gateway. Values are ratios; 1 is marked."""
    colours = {"stock": "#9aa5b1", "openai": "#c8a45c", "ours": "#2f7d6b"}
    rows = sum(len(bars) for bars in groups.values())
    height = 40 + rows * 16 + len(groups) * 14
    # Bars end at 2.2, so that one outlier does not flatten the rest.
    left, width, top, limit = 230, 380, 34, 2.2
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" font-family="system-ui, sans-serif" font-size="12" '
        f'role="img" aria-label="{escape(title)}">',
        f'<rect width="720" height="{height}" fill="#ffffff"/><text x="12" y="20" font-weight="600">{escape(title)}</text>',
    ]
    y = top
    for name, bars in groups.items():
        out.append(f'<text x="12" y="{y + 12}">{escape(name)}</text>')
        for kind, value in bars.items():
            length = min(value, limit) / limit * width
            colour = colours.get(kind, "#666666")
            out.append(
                f'<rect x="{left}" y="{y}" width="{length:.1f}" height="12" rx="2" fill="{colour}"/>'
                f'<text x="{left + length + 6:.1f}" y="{y + 11}">{value:.2f} {escape(kind)}</text>'
            )
            y += 16
        y += 14
    one = left + width / limit
    out.append(
        f'<line x1="{one:.1f}" x2="{one:.1f}" y1="{top - 4}" y2="{height - 8}" stroke="#444" stroke-dasharray="3 3"/>'
        f'<text x="{one + 4:.1f}" y="20" fill="#444">1.00 {escape(unit)}</text></svg>'
    )
    return "".join(out) + "\n"
