"""Whatever the numbers are, what is drawn of them is inside of the box."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_pool.dashboard.path import HEIGHT, WIDTH, area, bars, dots, line, stacked
from apps.ai_pool.dashboard.unit import Unit, axis

VALUES = st.lists(st.one_of(st.none(), st.floats()), max_size=40)
TOPS = st.one_of(st.floats(), st.just(0.0))
TOKEN = re.compile(r"[A-Za-z]|-?\d+(?:\.\d+)?")


def corners(path: str) -> list[tuple[float, float]]:
    """Return every point a path touches; raises for what is no path."""
    assert re.fullmatch(r"(?:[MLHVZhv]|-?\d*\.?\d+| )*", path), path
    points, x, y = [], 0.0, 0.0
    for command, rest in re.findall(r"([MLHVZh])([^MLHVZh]*)", path):
        numbers = [float(number) for number in rest.split()]
        match command:
            case "M" | "L":
                x, y = numbers
            case "H":
                (x,) = numbers
            case "h":
                x += numbers[0]
            case "V":
                (y,) = numbers
        points.append((x, y))
    return points


def is_inside(path: str) -> bool:
    return all(-0.05 <= x <= WIDTH + 0.2 and -0.05 <= y <= HEIGHT + 0.05 for x, y in corners(path))


@given(VALUES, TOPS, st.integers(0, 3))
def test_lines_and_areas_stay_in_the_box(values: list[float | None], top: float, gap: int) -> None:
    assert is_inside(line(values, top, gap))
    assert is_inside(area(values, top, None, gap))
    assert is_inside(bars(values, top))
    assert is_inside(dots(values, top, gap))


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_stacks_stay_in_the_box_and_only_grow(rows: list[list[float | None]]) -> None:
    length = min(map(len, rows))
    rows = [row[:length] for row in rows]
    sums = stacked(rows)
    known = [value for value in sums[-1] if value is not None]
    top = axis(max(known, default=0.0), Unit.COUNT).top
    below = None
    for row, total in zip(rows, sums, strict=True):
        assert is_inside(bars(row, top, below)) and is_inside(area(total, top, below))
        if below is not None:
            pairs = zip(total, below, strict=True)
            assert all(b is None or t is None or t >= b for t, b in pairs)
        below = total


def test_a_line_goes_through_the_middles_of_the_steps() -> None:
    assert line([0, 5, 10, None], 10) == "M125.0 100.0L375.0 50.0L625.0 0.0"


def test_a_gap_breaks_a_line_and_a_single_point_is_a_dot() -> None:
    assert line([1, None, 1, None, None, 1, 1], 1).count("M") == 2
    assert line([1, None, None, 1], 1, max_gap=2).count("M") == 1
    assert line([None, 1, None], 1) == ""
    assert dots([None, 1, None], 1) == "M500.0 0.0h.1"
    assert dots([1, 1, None, None, 1, 1], 1) == ""
    assert line([None, math.nan], 1) == ""


def test_bars_stand_on_each_other() -> None:
    low, high = bars([1, 0], 2), bars([1, None], 2, [1, 0])
    assert corners(low)[0][1] == 100.0 and corners(low)[1][1] == 50.0
    assert corners(high)[0][1] == 50.0 and corners(high)[1][1] == 0.0
    assert low.count("M") == 1, "nothing is drawn of nothing"


@pytest.mark.parametrize("top", [0.0, -1.0, math.nan, math.inf])
def test_an_axis_without_height_draws_at_an_edge(top: float) -> None:
    assert is_inside(line([1.0, 2.0], top))
