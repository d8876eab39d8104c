"""What is left of a running answer follows from those that got as far."""

from __future__ import annotations

import pytest

from ai_model.pool.holding_times import (
    Hold,
    HoldingTimes,
    Running,
    remaining,
    remaining_unknown,
)

HOLDS = [Hold(float(seconds), seconds * 10) for seconds in range(1, 101)]


def test_only_answers_that_got_so_far_count() -> None:
    """By age while no speed is known, by tokens written as soon as it is."""
    by_age = remaining(Running(age_s=80.0, num_generated=10), HOLDS, None)
    assert by_age == [float(rest) for rest in range(1, 21)]
    by_tokens = remaining(Running(age_s=3.0, num_generated=800), HOLDS, 0.1)
    assert by_tokens == pytest.approx(by_age)


def test_before_the_first_token_the_whole_answer_is_ahead() -> None:
    """However long its prompt has been read."""
    rests = remaining(Running(age_s=90.0, num_prompt_left=5), HOLDS, 0.1)
    assert rests == pytest.approx([float(rest) for rest in range(1, 101)])


def test_few_samples_are_not_mistaken_for_a_tail() -> None:
    """An answer that has just begun takes what the few others took."""
    holds = [Hold(seconds, 0) for seconds in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert remaining(Running(age_s=0.0), holds, None) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_beyond_all_samples_the_rest_grows_with_age() -> None:
    """A heavy tail has no usual end."""
    old = remaining(Running(age_s=200.0), HOLDS, None)
    older = remaining(Running(age_s=400.0), HOLDS, None)
    assert min(old) >= 20.0 and max(older) == pytest.approx(2 * max(old))


def test_somebody_who_looks_in_meets_long_answers() -> None:
    """One answer of 90 s among nine of 10 s takes half of the time."""
    rests = remaining_unknown([Hold(10.0, 0)] * 9 + [Hold(90.0, 0)], 100)
    assert len(rests) == 100
    assert sum(rest > 10.0 for rest in rests) == pytest.approx(44, abs=1)
    assert remaining_unknown([Hold(0.0, 0)] * 5, 3) == [0.0, 0.0, 0.0]


def test_past_answers_are_retold_at_todays_speed() -> None:
    """The machine has become twice as slow; the answers are as long as ever."""
    times = HoldingTimes(200)
    for tok_s in [0.1] * 40 + [0.2] * 60:
        times.record(100 * tok_s, 100, 4, 0.0)
    assert len(times) == 100
    seconds = [hold.seconds for hold in times.holds(4)]
    assert seconds == pytest.approx([20.0] * 100, rel=0.1)


def test_short_answers_do_not_tell_their_speed() -> None:
    """One token behind a long prompt is not a slow machine."""
    times = HoldingTimes(200)
    for _ in range(20):
        times.record(10.0, 100, 4, 0.0)
    times.record(5.0, 1, 4, 4.9)
    assert times.holds(4)[0].seconds == pytest.approx(5.0, rel=0.01)
