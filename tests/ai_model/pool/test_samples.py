"""Windows of measurements forget what is too old or too much."""

from __future__ import annotations

from ai_model.pool.samples import TimedSamples


def test_quantiles() -> None:
    """In whatever order the values came."""
    samples = TimedSamples(max_age_s=300)
    assert samples.quantile(0.5, now=0) is None
    for value in (4, 1, 3, 2):
        samples.add(value, now=0)
    assert [samples.quantile(share, now=0) for share in (0, 0.5, 0.95, 1)] == [1, 3, 4, 4]


def test_old_measurements_are_forgotten() -> None:
    """What is as old as the window still counts, what is older does not."""
    samples = TimedSamples(max_age_s=300)
    samples.add(9, now=1000)
    samples.add(1, now=1100)
    assert samples.quantile(0.95, now=1300) == 9
    assert samples.quantile(0.95, now=1300.1) == 1
    assert samples.num_samples(now=1400) == 1
    assert samples.quantile(0.5, now=1400.1) is None


def test_the_window_is_bounded() -> None:
    """However many measurements a second brings."""
    samples = TimedSamples(max_age_s=300, max_size=10)
    for value in range(1000):
        samples.add(value, now=1.0)
    assert samples.num_samples(now=1.0) == 10
    assert samples.quantile(0, now=1.0) == 990
