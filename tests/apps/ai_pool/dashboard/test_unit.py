"""Numbers are written short, and an axis always has room for what is drawn on it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_pool.dashboard.unit import MISSING, Unit, axis, clean, written

ANY = st.one_of(st.none(), st.floats(), st.integers())


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, Unit.COUNT, MISSING),
        (math.nan, Unit.SECONDS, MISSING),
        (1234, Unit.COUNT, "1,234"),
        (2.5, Unit.COUNT, "2.5"),
        (-0.0, Unit.COUNT, "0"),
        (0.04, Unit.SECONDS, "0.0 s"),
        (9.96, Unit.SECONDS, "10.0 s"),
        (41.4, Unit.SECONDS, "41 s"),
        (600, Unit.SECONDS, "10 min"),
        (7200, Unit.SECONDS, "2.0 h"),
        (273_600, Unit.SECONDS, "3.2 days"),
        (0.5, Unit.SHARE, "50 %"),
        (0.987, Unit.SHARE, "98.7 %"),
        (1.0, Unit.SHARE, "100 %"),
        (9.44, Unit.RATE, "9.4 tok/s"),
        (118, Unit.RATE, "118 tok/s"),
        (9.4e6, Unit.BYTES, "9.4 MB"),
        (1.46e9, Unit.BYTES, "1.5 GB"),
    ],
)
def test_written(value: float | None, unit: Unit, text: str) -> None:
    assert written(value, unit) == text


@given(ANY, st.sampled_from(Unit))
def test_whatever_it_is_it_is_written_or_missing(value: float | None, unit: Unit) -> None:
    text = written(value, unit)
    assert text and "nan" not in text and "inf" not in text and "-" not in text


@given(ANY)
def test_what_is_clean_can_be_drawn(value: float | None) -> None:
    known = clean(value)
    assert known is None or 0 <= known <= 1e15


@given(st.floats(), st.sampled_from(Unit), st.integers(1, 8))
def test_an_axis_has_room(highest: float, unit: Unit, num_lines: int) -> None:
    made = axis(highest, unit, num_lines)
    assert math.isfinite(made.top) and made.top > 0
    assert unit is Unit.SHARE or made.top >= (clean(highest) or 0.0)
    assert len(made.labels) == num_lines + 1
    assert made.labels[-1] == "0"


@pytest.mark.parametrize(
    ("highest", "unit", "labels"),
    [
        (0, Unit.COUNT, ("4", "3", "2", "1", "0")),
        (5, Unit.COUNT, ("8", "6", "4", "2", "0")),
        (11, Unit.SECONDS, ("12 s", "9.0 s", "6.0 s", "3.0 s", "0")),
        (70, Unit.RATE, ("80", "60", "40", "20", "0")),
        (2e9, Unit.BYTES, ("2.0 GB", "1.5 GB", "1.0 GB", "500 MB", "0")),
        (0.2, Unit.SHARE, ("100 %", "75 %", "50 %", "25 %", "0")),
    ],
)
def test_lines_stand_at_round_numbers(highest: float, unit: Unit, labels: tuple[str, ...]) -> None:
    assert axis(highest, unit).labels == labels
