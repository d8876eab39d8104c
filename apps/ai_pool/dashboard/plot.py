"""A plot: what it shows, its drawing as an SVG, and the same numbers as a table.

All of it is drawn without a style attribute, which the policy of our pages does not allow: the
places of words and marks are percentages, so that a plot fits every width undistorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from apps.ai_pool.dashboard.history import Timeline
from apps.ai_pool.dashboard.mark import Mark
from apps.ai_pool.dashboard.path import HEIGHT, WIDTH, Values, area, bars, dots, line, stacked, y_of
from apps.ai_pool.dashboard.unit import MISSING, Axis, Unit, axis, clean, written

NUM_LINES = 4
TOP_PX, BOX_PX, FOOT_PX, LEFT_PX = 18, 150, 22, 50
"""Room for marks, for the drawing, for the times below it, and for the numbers beside it."""


class Shape(StrEnum):
    """How a series is drawn."""

    LINE = "line"
    AREA = "area"
    """A line and what lies below it."""
    LAYER = "layer"
    """An area that stands on the one before."""
    BAR = "bar"
    """A bar that stands on the one before."""


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers. ``look`` names its colour and dashes in the style sheet."""

    name: str
    values: Values
    look: str
    shape: Shape = Shape.LINE
    unit: Unit | None = None
    """Another unit than the plot's: then it is in the table and the legend only."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Several series over the same time."""

    slug: str
    title: str
    unit: Unit
    series: tuple[Series, ...]
    note: str = ""
    """One sentence on how to read it."""
    target: float | None = None
    """A line to stay below (or above, as the note says)."""

    @property
    def is_empty(self) -> bool:
        """Whether there is not one number to draw."""
        return all(clean(value) is None for one in self.series for value in one.values)


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A series in the legend, with its newest value."""

    name: str
    look: str
    shape: str
    value: str


@dataclass(frozen=True, slots=True)
class DrawnPlot:
    """What the template shows of a plot."""

    slug: str
    title: str
    note: str
    is_empty: bool
    svg: SafeString
    legend: tuple[LegendEntry, ...]
    newest: str
    """When the values of the legend were."""
    table: SafeString


def draw(plot: Plot, timeline: Timeline, marks: Sequence[Mark] = ()) -> DrawnPlot:
    """Return a plot for the page."""
    columns = _columns(plot)
    newest = _newest(plot, timeline)
    legend = tuple(
        LegendEntry(one.name, one.look, one.shape, column[newest] if column else MISSING)
        for one, column in zip(plot.series, columns, strict=True)
    )
    is_empty = plot.is_empty
    return DrawnPlot(
        slug=plot.slug,
        title=plot.title,
        note=plot.note,
        is_empty=is_empty,
        svg=SafeString("") if is_empty else _svg(plot, timeline, marks),
        legend=legend,
        newest=timeline.time_of(newest),
        table=SafeString("") if is_empty else _table(plot, timeline, columns),
    )


def _columns(plot: Plot) -> list[list[str]]:
    return [[written(value, one.unit or plot.unit) for value in one.values] for one in plot.series]


def _newest(plot: Plot, timeline: Timeline) -> int:
    last = timeline.period.num_steps - 1
    known = (
        at
        for at in range(last, -1, -1)
        if any(at < len(one.values) and clean(one.values[at]) is not None for one in plot.series)
    )
    return next(known, last)


def _svg(plot: Plot, timeline: Timeline, marks: Sequence[Mark]) -> SafeString:
    drawn = [one for one in plot.series if one.unit is None or one.unit is plot.unit]
    stack = [one for one in drawn if one.shape in (Shape.LAYER, Shape.BAR)]
    sums = stacked([one.values for one in stack])
    highest = [value for one in drawn if one not in stack for value in one.values]
    highest += sums[-1] if sums else []
    scale = axis(max([clean(value) or 0.0 for value in highest], default=0.0), plot.unit, NUM_LINES)
    gap = timeline.period.max_gap
    drawing = [_grid()]
    below: list[float | None] | None = None
    for one, total in zip(stack, sums, strict=True):
        if one.shape is Shape.BAR:
            drawing.append(_path(one, "bar", bars(one.values, scale.top, below)))
        else:
            drawing.append(_path(one, "layer", area(total, scale.top, below, gap)))
        below = total
    for one in drawn:
        if one in stack:
            continue
        if one.shape is Shape.AREA:
            drawing.append(_path(one, "area", area(one.values, scale.top, None, gap)))
        drawing.append(_path(one, "line", line(one.values, scale.top, gap)))
        drawing.append(_path(one, "dot", dots(one.values, scale.top, gap)))
    if plot.target is not None and plot.target <= scale.top:
        y = y_of(plot.target, scale.top)
        drawing.append(f'<path class="plot-target" d="M0 {y:.1f}H{WIDTH:.0f}"/>')
    parts = [
        f'<svg class="plot-svg" role="img" width="100%" height="{TOP_PX + BOX_PX + FOOT_PX}" '
        f'aria-labelledby="{plot.slug}-title" aria-describedby="{plot.slug}-desc">',
        f'<title id="{plot.slug}-title">{escape(plot.title)}</title>',
        f'<desc id="{plot.slug}-desc">{escape(_description(plot, timeline))}</desc>',
        _values(scale),
        # The style sheet gives it the width that is left; this is for those without one.
        f'<svg class="plot-box" x="{LEFT_PX}" width="88%" overflow="visible">',
        f'<svg y="{TOP_PX}" width="100%" height="{BOX_PX}" overflow="visible" '
        f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" preserveAspectRatio="none">',
        *drawing,
        "</svg>",
        _times(timeline),
        *_marks(marks, timeline),
        _CURSOR,
        "</svg></svg>",
    ]
    return mark_safe("".join(parts))


_CURSOR = f'<rect class="plot-cursor" x="-9999" y="{TOP_PX}" width="1" height="{BOX_PX}"/>'
"""What the script moves to the point under the pointer."""


def _path(one: Series, shape: str, drawn: str) -> str:
    return f'<path class="plot-{shape} {escape(one.look)}" d="{drawn}"/>' if drawn else ""


def _grid() -> str:
    lines = "".join(
        f"M0 {HEIGHT * part / NUM_LINES:.1f}H{WIDTH:.0f}" for part in range(NUM_LINES + 1)
    )
    return f'<path class="plot-grid" data-grid="" d="{lines}"/>'


def _values(scale: Axis) -> str:
    """Return the numbers at the lines."""
    texts = "".join(
        f'<text class="plot-y" x="{LEFT_PX - 6}" y="{TOP_PX + BOX_PX * part / NUM_LINES + 4:.1f}" '
        f'text-anchor="end">{escape(label)}</text>'
        for part, label in enumerate(scale.labels)
    )
    return f'<g aria-hidden="true">{texts}</g>'


def _times(timeline: Timeline) -> str:
    """Return the times below."""
    texts = "".join(
        f'<text class="plot-x plot-x{part}" x="{25 * part}%" y="{TOP_PX + BOX_PX + 16}" '
        f'text-anchor="{anchor}">{timeline.period.tick_of(timeline.begin, part / 4)}</text>'
        for part, anchor in enumerate(("start", "middle", "middle", "middle", "end"))
    )
    return f'<g aria-hidden="true">{texts}</g>'


def _marks(marks: Sequence[Mark], timeline: Timeline) -> list[str]:
    parts = []
    for mark in marks:
        share = mark.share(timeline.begin, timeline.period.seconds)
        if share is None:
            continue
        x = f"{100 * share:.2f}%"
        parts.append(
            f'<g class="plot-mark plot-mark--{escape(mark.kind)}"><title>'
            f"{escape(f'{mark.at:%d %b %H:%M} {mark.text}')}</title>"
            f'<line x1="{x}" x2="{x}" y1="{TOP_PX - 4}" y2="{TOP_PX + BOX_PX}"/>'
            f'<svg x="{x}" y="2" width="1" height="1" overflow="visible">'
            f'<path d="{mark.glyph}"/></svg></g>'
        )
    return parts


def _description(plot: Plot, timeline: Timeline) -> str:
    """Say in words what a plot shows: what of each series was the highest and is the newest."""
    parts = [f"The last {timeline.period.name}."]
    for one in plot.series:
        known = [value for item in one.values if (value := clean(item)) is not None]
        if known:
            unit = one.unit or plot.unit
            parts.append(
                f"{one.name}: at most {written(max(known), unit)}, last {written(known[-1], unit)}."
            )
    return " ".join([*parts, "The table below has the numbers."])


def _table(plot: Plot, timeline: Timeline, columns: list[list[str]]) -> SafeString:
    """Return the numbers as a table; the script finds the values under the pointer in it."""
    head = "".join(f'<th scope="col">{escape(one.name)}</th>' for one in plot.series)
    rows = []
    for at in range(timeline.period.num_steps):
        cells = "".join(f"<td>{column[at]}</td>" for column in columns)
        rows.append(f'<tr><th scope="row">{timeline.time_of(at)}</th>{cells}</tr>')
    return mark_safe(
        f'<table class="plot-table"><caption>{escape(plot.title)}, the last '
        f"{escape(timeline.period.name)} (UTC)</caption>"
        f'<thead><tr><th scope="col">Time</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
