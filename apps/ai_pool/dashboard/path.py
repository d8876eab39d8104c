"""Numbers as the paths of an SVG, in a box that is WIDTH wide and HEIGHT high."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.ai_pool.dashboard.unit import clean

WIDTH, HEIGHT = 1000.0, 100.0
BAR = 0.76
"""How much of its step a bar fills."""

Values = Sequence[float | None]


def line(values: Values, top: float, max_gap: int = 1) -> str:
    """Return a line through the middles of the steps, broken where nothing is known of more than
    ``max_gap`` of them; a piece of one step is left to ``dots``."""
    parts = []
    for run in _runs(values, max_gap):
        points = [f"{_x(at, len(values)):.1f} {y_of(value, top):.1f}" for at, value in run]
        if len(points) > 1:
            parts.append("M" + "L".join(points))
    return "".join(parts)


def dots(values: Values, top: float, max_gap: int = 1) -> str:
    """Return the steps that no line reaches, as lines of no length: round ends make them dots."""
    return "".join(
        f"M{_x(run[0][0], len(values)):.1f} {y_of(run[0][1], top):.1f}h.1"
        for run in _runs(values, max_gap)
        if len(run) == 1
    )


def area(values: Values, top: float, below: Values | None = None, max_gap: int = 1) -> str:
    """Return the area from ``below`` (the bottom without it) up to the line of ``values``."""
    floor = [0.0] * len(values) if below is None else list(below)
    parts = []
    for run in _runs(values, max_gap):
        if len(run) == 1:
            continue
        upper = [f"{_x(at, len(values)):.1f} {y_of(value, top):.1f}" for at, value in run]
        lower = [
            f"{_x(at, len(values)):.1f} {y_of(clean(floor[at]) or 0.0, top):.1f}"
            for at, _ in reversed(run)
        ]
        parts.append("M" + "L".join(upper + lower) + "Z")
    return "".join(parts)


def bars(values: Values, top: float, below: Values | None = None) -> str:
    """Return a bar for each step, standing on ``below``."""
    width = WIDTH / max(1, len(values))
    parts = []
    for at, value in enumerate(values):
        known, floor = clean(value), clean(below[at] if below else 0.0) or 0.0
        if not known:
            continue
        low, high = y_of(floor, top), y_of(floor + known, top)
        left = width * (at + (1 - BAR) / 2)
        parts.append(f"M{left:.1f} {low:.1f}V{high:.1f}h{width * BAR:.1f}V{low:.1f}Z")
    return "".join(parts)


def stacked(rows: Sequence[Values]) -> list[list[float | None]]:
    """Return the sums of each row and all those before it; None where the row knows nothing."""
    sums: list[list[float | None]] = []
    heights = [0.0] * len(rows[0]) if rows else []
    for row in rows:
        known = [clean(value) for value in row]
        heights = [height + (value or 0.0) for height, value in zip(heights, known, strict=True)]
        sums.append(
            [None if value is None else at for at, value in zip(heights, known, strict=True)]
        )
    return sums


def y_of(value: float, top: float) -> float:
    """Return how far below the upper edge a value lies; always inside of the box."""
    share = value / top if top > 0 else 0.0
    return HEIGHT * (1 - min(1.0, max(0.0, share)))


def _x(at: int, num_steps: int) -> float:
    return WIDTH * (at + 0.5) / num_steps


def _runs(values: Values, max_gap: int) -> Iterator[list[tuple[int, float]]]:
    """Yield the pieces of a line."""
    run: list[tuple[int, float]] = []
    for at, value in enumerate(values):
        known = clean(value)
        if known is None:
            continue
        if run and at - run[-1][0] > max_gap + 1:
            yield run
            run = []
        run.append((at, known))
    if run:
        yield run
