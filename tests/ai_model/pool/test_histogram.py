"""A histogram loses nothing, and its figures travel between releases unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from ai_model.pool.errors import BadFrame
from ai_model.pool.histogram import MAX_BUCKETS, Histogram, HistogramFigures


def test_values_fall_into_their_buckets() -> None:
    """One on a bound belongs below it, as Prometheus has it."""
    histogram = Histogram((0.1, 1.0, 5.0))
    for value in (0.05, 0.1, 0.100001, 1.0, 5.5, -3.0):
        histogram.add(value)
    figures = histogram.figures()
    assert figures.counts == (3, 2, 0, 1)
    assert figures.num_values == 6
    assert figures.total == pytest.approx(0.05 + 0.1 + 0.100001 + 1.0 + 5.5, abs=1e-6)


def test_many_at_once() -> None:
    histogram = Histogram((0.1, 1.0))
    histogram.add(0.5, 4)
    assert histogram.figures() == HistogramFigures(bounds=(0.1, 1.0), counts=(0, 4, 0), total=2.0)


def test_round_trip() -> None:
    histogram = Histogram((0.1, 1.0))
    histogram.add(7.25)
    figures = histogram.figures()
    assert HistogramFigures.from_json(figures.to_json(), "h") == figures


def test_more_than_a_32_bit_number_of_tokens() -> None:
    """A year of a busy pool."""
    figures = HistogramFigures(bounds=(1.0,), counts=(2**33, 0), total=1.0)
    assert HistogramFigures.from_json(figures.to_json(), "h") == figures


@pytest.mark.parametrize(
    "change",
    [
        {"counts": [1]},
        {"counts": [1, 2, 3, 4]},
        {"counts": [1, -2, 3]},
        {"counts": [1, 2.5, 3]},
        {"counts": "123"},
        {"bounds": [1.0, 1.0]},
        {"bounds": [2.0, 1.0]},
        {"bounds": [1.0, float("inf")]},
        {"bounds": list(range(MAX_BUCKETS + 1))},
        {"total": None},
        {"total": float("nan")},
    ],
)
def test_wrong_figures_are_refused(change: dict[str, Any]) -> None:
    good: dict[str, Any] = {"bounds": [1.0, 2.0], "counts": [1, 2, 3], "total": 4.0}
    HistogramFigures.from_json(good, "h")
    with pytest.raises(BadFrame):
        HistogramFigures.from_json(good | change, "h")
