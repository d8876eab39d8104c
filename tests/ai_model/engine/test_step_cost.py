"""What a step is expected to take, and how the expectation follows the machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine.cost_curve import CostCurve
from ai_model.engine.step_cost import StepCost, attended_cells

CURVE = CostCurve(((1, 40.0), (16, 70.0), (32, 120.0), (64, 240.0)))


def test_a_token_looks_at_all_before_it() -> None:
    assert attended_cells(0, 1, 0) == 0
    assert attended_cells(100, 1, 100) == 100
    assert attended_cells(0, 3, 3) == pytest.approx(0 + 1 + 2 + 0.2 * 6)


def test_cells_of_others_cost_less() -> None:
    assert 100 < attended_cells(100, 1, 1000) < attended_cells(1000, 1, 1000)


def test_the_price_of_a_cell_is_learned() -> None:
    cost = StepCost.from_curve(CURVE)
    for _ in range(60):
        cells = attended_cells(800, 32, 800)
        cost = cost.learned(32, cells, 120 + 0.006 * cells)
    assert cost.cell_ms == pytest.approx(0.006, rel=0.05)
    assert cost.slowness == 1.0


def test_a_busy_machine_is_learned_from_short_contexts() -> None:
    cost = StepCost.from_curve(CURVE)
    for _ in range(60):
        cost = cost.learned(16, 0, 140)
    assert cost.slowness == pytest.approx(2, rel=0.05)
    for _ in range(60):
        cost = cost.learned(16, 0, 70)
    assert cost.slowness == pytest.approx(1, rel=0.05)


def test_one_outlier_changes_little() -> None:
    cost = StepCost(CURVE, cell_ms=0.004)
    assert cost.learned(16, 0, 70_000).slowness <= 1.6
    assert cost.learned(32, 20_000, 1e9).cell_ms <= 0.004 * 1.6


@given(
    st.lists(
        st.tuples(st.integers(1, 64), st.floats(0, 1e6), st.floats(0, 1e5)), min_size=1, max_size=50
    )
)
def test_whatever_happens_it_stays_usable_and_recovers(
    steps: list[tuple[int, float, float]],
) -> None:
    cost = StepCost.from_curve(CURVE)
    for num_tokens, cells, took_ms in steps:
        cost = cost.learned(num_tokens, cells, took_ms)
        assert cost.cell_ms > 0
        assert 0.5 <= cost.slowness <= 4
    for _ in range(400):
        cost = cost.learned(32, 0, 120)
        cells = attended_cells(900, 32, 900)
        cost = cost.learned(32, cells, 120 + 0.004 * cells)
    assert cost.ms(32, attended_cells(900, 32, 900)) == pytest.approx(235, rel=0.1)
