"""Charts as SVG text for the report, which has no scripts. All text is escaped here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

WIDTH: Final = 560
HEIGHT: Final = 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 6, 8, 22

Number = float | int | None


def bars(
    title: str,
    starts: Sequence[str],
    good: Sequence[Number],
    bad: Sequence[Number],
    unit: Callable[[float], str],
) -> str:
    """Stacked bars; each has its own tooltip."""
    top = _nice(max((float(g or 0) + float(b or 0) for g, b in zip(good, bad, strict=True)), default=0))
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(good))
    parts = [_frame(top, starts, unit)]
    for i, (g, b, when) in enumerate(zip(good, bad, starts, strict=True)):
        x, below = _LEFT + i * step, 0.0
        for value, css in ((float(g or 0), "bar"), (float(b or 0), "bar bad")):
            if value:
                y, height = _y(below + value, top), _y(below, top) - _y(below + value, top)
                parts.append(
                    f'<rect class="{css}" x="{x + step * 0.12:.1f}" y="{y:.1f}" width="{step * 0.76:.1f}" height="{height:.1f}" rx="1">'
                    f"<title>{escape(when)}: {escape(unit(value))}</title></rect>"
                )
            below += value
    return _wrap(title, parts)


def lines(
    title: str,
    starts: Sequence[str],
    series: Sequence[tuple[str, Sequence[Number]]],
    unit: Callable[[float], str],
) -> str:
    """Up to three lines; gaps where there is no value."""
    top = _nice(max((float(v) for _, values in series for v in values if v is not None), default=0))
    count = max((len(values) for _, values in series), default=1)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, count)
    parts = [_frame(top, starts, unit)]
    for (name, values), css in zip(series, ("line", "line two", "line three"), strict=False):
        path, pen = [], False
        for i, value in enumerate(values):
            if value is None:
                pen = False
                continue
            path.append(
                f"{'L' if pen else 'M'}{_LEFT + (i + 0.5) * step:.1f} {_y(float(value), top):.1f}h.01"
            )
            pen = True
        parts.append(f'<path class="{css}" d="{"".join(path)}"><title>{escape(name)}</title></path>')
    return _wrap(title, parts)


def _frame(top: float, starts: Sequence[str], unit: Callable[[float], str]) -> str:
    parts = []
    for i in range(3):
        value = top * i / 2
        y = _y(value, top)
        parts.append(f'<line class="gridline" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(unit(value))}</text>')
    if starts:
        for i, anchor in ((0, "start"), (len(starts) // 2, "middle"), (len(starts) - 1, "end")):
            x = {"start": _LEFT, "middle": (_LEFT + WIDTH - _RIGHT) / 2, "end": WIDTH - _RIGHT}[anchor]
            parts.append(
                f'<text x="{x:.0f}" y="{HEIGHT - 5}" text-anchor="{anchor}">{escape(starts[i])}</text>'
            )
    return "".join(parts)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value / top if top else 0)


def _nice(value: float) -> float:
    """A round number at or above: 1, 1.5, 2, 3, 5 or 7.5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((f * power for f in (1, 1.5, 2, 3, 5, 7.5) if value <= f * power), 10 * power)


def _wrap(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )
