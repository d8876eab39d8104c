"""The speed that readers see: pauses count, and what happens at the same time counts once."""

from __future__ import annotations

import pytest

from ai_model.pool.writing_speed import WritingSpeed


def test_nothing_was_written_yet() -> None:
    speed = WritingSpeed()
    assert speed.tok_s == 0
    speed.add(3, 0.0, now=5.0)
    assert speed.tok_s == 0, "no time has passed in which to be fast or slow"


def test_one_answer_by_the_clock() -> None:
    speed = WritingSpeed()
    for tick in range(1, 101):
        speed.add(1, 0.1, now=100 + tick / 10)
    assert speed.tok_s == pytest.approx(10, rel=0.01)


def test_answers_side_by_side_add_up() -> None:
    speed = WritingSpeed()
    for tick in range(1, 101):
        for _ in range(3):
            speed.add(1, 0.1, now=100 + tick / 10)
    assert speed.tok_s == pytest.approx(30, rel=0.05)


def test_time_in_which_nobody_was_answered_does_not_count() -> None:
    speed = WritingSpeed()
    for tick in range(1, 101):
        speed.add(1, 0.1, now=tick / 10)
    for tick in range(1, 101):
        speed.add(1, 0.1, now=3600 + tick / 10)
    assert speed.tok_s == pytest.approx(10, rel=0.01)


def test_it_follows_a_machine_that_has_become_slow() -> None:
    speed = WritingSpeed()
    for tick in range(1, 101):
        speed.add(1, 0.1, now=tick / 10)
    for tick in range(1, 41):
        speed.add(1, 1.0, now=10 + tick)
    assert speed.tok_s == pytest.approx(1, rel=0.25)
