"""Experience corrects promises, slowly and within bounds."""

from __future__ import annotations

import random

import pytest

from ai_model.pool.calibration import MAX_FACTOR, Calibration


def test_no_experience_changes_nothing() -> None:
    """Neither do waits that say nothing."""
    calibration = Calibration(0.9)
    calibration.add(0.0, 5.0)
    calibration.add(-1.0, 5.0)
    assert calibration.factor == 1.0


def test_the_wanted_share_is_kept() -> None:
    """Predictions that fit half of the waits are raised until they fit nine of ten."""
    choose = random.Random(4)
    calibration = Calibration(0.9)
    for _ in range(400):
        calibration.add(10.0, 10.0 * choose.lognormvariate(0, 0.5))
    waits = [10.0 * choose.lognormvariate(0, 0.5) for _ in range(2000)]
    kept = sum(wait <= 10.0 * calibration.factor for wait in waits) / len(waits)
    assert 0.82 <= kept <= 0.93


def test_a_few_waits_are_little_evidence() -> None:
    """Those of one rush err together."""
    calibration = Calibration(0.9)
    for _ in range(5):
        calibration.add(1.0, 2.0)
    assert 1.0 < calibration.factor < 1.2


@pytest.mark.parametrize("real", [0.0, 1e9])
def test_factors_are_bounded(real: float) -> None:
    """Whatever happened."""
    calibration = Calibration(0.9)
    for _ in range(500):
        calibration.add(1.0, real)
    assert 1 / MAX_FACTOR <= calibration.factor <= MAX_FACTOR
