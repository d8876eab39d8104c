"""Plots as SVG, drawn here: no script, no foreign address; colours come from the page's CSS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 22, 34
NUM_TICKS = 4
MAX_BAR = 46.0
MAX_POINTS = 400
LABEL_ROOM = 90
"""Bars get their value written above when there is so much room for each."""


@dataclass(frozen=True, slots=True)
class Bars:
    """One group of bars: its name, the bars' heights, and a mark for each that was planned."""

    name: str
    heights: tuple[float, ...]
    marks: tuple[float | None, ...] = ()


def bar_plot(title: str, groups: Sequence[Bars], unit: str) -> str:
    """Return groups of bars, bar n of each in colour n; a planned value is a line across."""
    values = [height for group in groups for height in group.heights]
    values += [mark for group in groups for mark in group.marks if mark is not None]
    top = nice_top(max(values, default=0.0))
    parts = _frame(title, top)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    for at, group in enumerate(groups):
        num = max(1, len(group.heights))
        width = min(MAX_BAR, room * 0.8 / num)
        start = LEFT + room * (at + 0.5) - width * num / 2
        for number, height in enumerate(group.heights):
            x, y = start + number * width, _y(height, top)
            tip = f"{group.name}: {height:.2f} {unit}"
            parts.append(
                f'<rect class="c{number}" x="{x + 1:.1f}" y="{y:.1f}" width="{width - 2:.1f}" '
                f'height="{HEIGHT - BOTTOM - y:.1f}" rx="2"><title>{escape(tip)}</title></rect>'
            )
            mark = group.marks[number] if number < len(group.marks) else None
            if room >= LABEL_ROOM:
                # Above the line of the plan, which would strike it through.
                middle, above = x + width / 2, min(y, y if mark is None else _y(mark, top)) - 5
                parts.append(
                    f'<text class="v" x="{middle:.1f}" y="{above:.1f}">{short(height)}</text>'
                )
            if mark is not None:
                line_y = _y(mark, top)
                parts.append(
                    f'<line class="mark" x1="{x - 2:.1f}" x2="{x + width + 2:.1f}" '
                    f'y1="{line_y:.1f}" y2="{line_y:.1f}"><title>planned: {mark:.2f} '
                    f"{escape(unit)}</title></line>"
                )
        parts.append(
            f'<text class="x" x="{LEFT + room * (at + 0.5):.1f}" y="{HEIGHT - 12}">'
            f"{escape(group.name)}</text>"
        )
    return "".join([*parts, "</svg>"])


def step_plot(title: str, samples: Sequence[tuple[float, int, int]], names: Sequence[str]) -> str:
    """Return counts over time as steps: ``samples`` are seconds and one count for each name."""
    end = max((sample[0] for sample in samples), default=0.0) or 1.0
    # A multiple of the ticks: there is no half visitor.
    top = NUM_TICKS * ceil(max((max(sample[1:]) for sample in samples), default=1) / NUM_TICKS) or 4
    parts = _frame(title, top)
    thinned = samples[:: max(1, ceil(len(samples) / MAX_POINTS))]
    for number in range(len(names)):
        path, y = "", _y(0, top)
        for sample in thinned:
            x = LEFT + (WIDTH - LEFT - RIGHT) * sample[0] / end
            path += f"{'L' if path else 'M'}{x:.1f} {y:.1f}"
            y = _y(sample[1 + number], top)
            path += f"L{x:.1f} {y:.1f}"
        parts.append(f'<path class="l{number}" d="{path or "M0 0"}"/>')
    for share in (0.0, 0.5, 1.0):
        anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
        x = LEFT + (WIDTH - LEFT - RIGHT) * share
        parts.append(
            f'<text class="x" style="text-anchor:{anchor}" x="{x:.1f}" y="{HEIGHT - 12}">'
            f"{end * share:.0f} s</text>"
        )
    return "".join([*parts, "</svg>"])


def nice_top(value: float) -> float:
    """Return a round number of at least ``value``, for the top of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def short(value: float) -> str:
    """Return a number in few characters."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _frame(title: str, top: float) -> list[str]:
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
    ]
    for tick in range(NUM_TICKS + 1):
        value = top * tick / NUM_TICKS
        y = _y(value, top)
        text = f"{value:g}" if top >= NUM_TICKS else f"{value:.2g}"
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="y" x="{LEFT - 6}" y="{y + 4:.1f}">{text}</text>'
        )
    return parts


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(1.0, max(0.0, value / top))
