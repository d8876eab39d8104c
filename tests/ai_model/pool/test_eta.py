"""Predictions are ranges from samples, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.eta import DEFAULT_RETRY_S, MAX_RETRY_S, EtaEstimator


def test_too_few_samples_give_nothing() -> None:
    """And a plain time to try again."""
    estimator = EtaEstimator()
    for _ in range(4):
        estimator.record_run(3.0)
    assert estimator.estimate(1, 2) is None
    assert estimator.retry_after_s(2) == DEFAULT_RETRY_S


def test_a_place_further_back_waits_longer() -> None:
    """In proportion to the answers in front of it and the instances that work on them."""
    estimator = EtaEstimator()
    for _ in range(10):
        estimator.record_run(4.0)
    near, far = estimator.estimate(1, 2), estimator.estimate(4, 2)
    assert near is not None and far is not None
    assert near.p50 == pytest.approx(2.0)
    assert far.p50 == pytest.approx(8.0)


@given(st.lists(st.floats(0, 1e4), min_size=5, max_size=80), st.integers(1, 50), st.integers(1, 9))
def test_ranges_are_ranges(runs: list[float], position: int, instances: int) -> None:
    """Nine of ten wait at least as long as half, and retry times stay sensible."""
    estimator = EtaEstimator()
    for run in runs:
        estimator.record_run(run)
    eta = estimator.estimate(position, instances)
    assert eta is not None and 0 <= eta.p50 <= eta.p90
    assert 1.0 <= estimator.retry_after_s(instances) <= MAX_RETRY_S
