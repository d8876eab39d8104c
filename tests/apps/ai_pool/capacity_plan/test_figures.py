"""Figures travel as JSON and can be scaled to another machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.ai_pool.capacity_plan.figures import BadFigures, Figures
from tests.apps.ai_pool.capacity_plan.machines import GB, make_figures


def test_there_and_back() -> None:
    figures = make_figures()
    assert Figures.from_json(json.loads(json.dumps(figures.to_json()))) == figures


@pytest.mark.parametrize(
    "change",
    [
        {"points": []},
        {"points": [[1, 5], [2, 4]]},
        {"points": [[0, 5]]},
        {"points": "x"},
        {"n_ctx": 0},
        {"cell_ms": "1"},
        {"unknown": 1},
    ],
)
def test_what_is_wrong_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadFigures):
        Figures.from_json(make_figures().to_json() | change)


def test_anything_else_is_refused() -> None:
    for value in (None, [], {}, "x"):
        with pytest.raises(BadFigures):
            Figures.from_json(value)


def test_more_processors_are_quicker_but_not_in_proportion() -> None:
    there = make_figures().on(num_cpus=4, memory_bytes=16 * GB)
    assert 25 < there.points[0][1] < 35
    assert (there.num_cpus, there.memory_bytes) == (4, 16 * GB)
    assert "scaled from 2 to 4 CPUs" in there.source


def test_the_same_machine_is_not_scaled() -> None:
    figures = make_figures()
    assert figures.on(num_cpus=2, memory_bytes=figures.memory_bytes) == figures
