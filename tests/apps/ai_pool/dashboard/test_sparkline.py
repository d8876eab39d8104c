"""A sparkline is there from two values on, and says nothing to a screen reader."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from apps.ai_pool.dashboard.sparkline import sparkline


def test_two_values_make_one() -> None:
    assert sparkline([]) == "" and sparkline([1.0, None]) == ""
    svg = sparkline([1.0, None, 2.0])
    assert 'aria-hidden="true"' in svg and svg.count("<path") == 2


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=60))
def test_any_values(values: list[float | None]) -> None:
    svg = sparkline(values)
    if svg:
        ElementTree.fromstring(svg)
        assert "nan" not in svg and "inf" not in svg
