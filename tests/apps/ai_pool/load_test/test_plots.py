"""Plots are SVG without anything foreign in it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from apps.ai_pool.load_test.plots import Bars, bar_plot, nice_top, step_plot


def test_names_cannot_break_out() -> None:
    plot = bar_plot("<b>&", [Bars('<script>"', (1.0,), (2.0,))], "s")
    ElementTree.fromstring(plot)
    assert "<script" not in plot


def test_higher_values_are_higher_bars() -> None:
    root = ElementTree.fromstring(bar_plot("x", [Bars("a", (1.0, 2.0))], "s"))
    low, high = (float(bar.attrib["height"]) for bar in root.iter("rect"))
    assert high == pytest.approx(2 * low, abs=0.2)


def test_steps_without_samples_and_with_many() -> None:
    ElementTree.fromstring(step_plot("x", [], ("a", "b")))
    many = [(at / 10, at % 7, at % 3) for at in range(5000)]
    plot = step_plot("x", many, ("a", "b"))
    ElementTree.fromstring(plot)
    assert len(plot) < 40_000


@pytest.mark.parametrize(("value", "top"), [(0, 1), (7.3, 8), (0.012, 0.015), (100, 100)])
def test_the_top_of_an_axis_is_round(value: float, top: float) -> None:
    assert nice_top(value) == pytest.approx(top)
