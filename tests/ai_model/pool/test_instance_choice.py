"""As many instances as the measured staircase speaks for, and no more."""

from __future__ import annotations

import pytest

from ai_model.engine.cost_curve import CostCurve
from ai_model.pool.instance_choice import choose_num_instances

ONE_CORE_Q8 = CostCurve(((1, 50.0), (2, 84.0), (4, 133.0), (8, 230.0), (16, 420.0)))
"""About 20 tokens a second alone and 30 for four together."""


@pytest.mark.parametrize(
    ("points", "at_most", "target_itl_ms", "expected"),
    [
        (ONE_CORE_Q8.points, 4, 400, 4),
        (ONE_CORE_Q8.points, 3, 400, 1),  # two gain 19 %, which is not worth it
        (ONE_CORE_Q8.points, 8, 400, 8),
        (ONE_CORE_Q8.points, 16, 400, 8),  # a step of 16 takes longer than it may
        (ONE_CORE_Q8.points, 16, 140, 4),
        (ONE_CORE_Q8.points, 16, 10, 1),
        (ONE_CORE_Q8.points, 1, 400, 1),
        (((1, 27.0), (2, 56.0), (4, 95.0), (8, 127.0)), 4, 400, 1),  # K-quants, small batches
        (((1, 27.0), (2, 56.0), (4, 95.0), (8, 127.0)), 8, 400, 8),
        (((1, 50.0), (2, 52.0), (4, 101.0)), 4, 400, 2),  # four are hardly faster than two
        (((1, 30.0), (64, 600.0)), 4, 400, 1),  # nothing between was measured
        (((8, 30.0),), 8, 400, 1),
        (((1, 0.0), (2, 0.0)), 2, 400, 1),
        (((1, 0.26), (2, 0.33), (4, 0.52), (8, 0.97)), 4, 400, 1),  # the demo model
        (((1, 5.0), (2, 6.0), (4, 7.0)), 4, 400, 4),
    ],
)
def test_rule(
    points: tuple[tuple[int, float], ...], at_most: int, target_itl_ms: float, expected: int
) -> None:
    curve = CostCurve(points)
    assert choose_num_instances(curve, at_most=at_most, target_itl_ms=target_itl_ms) == expected
