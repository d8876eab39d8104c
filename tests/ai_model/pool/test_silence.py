"""Silence is time without a sign of life in which the observer was awake."""

from __future__ import annotations

from ai_model.pool.silence import Silence


def test_silence_adds_up_and_ends_with_a_sign_of_life() -> None:
    """Nothing before the first look counts."""
    silence = Silence(max_gap_s=2)
    assert silence.look(100, is_alive=False) == 0
    assert silence.since_last_look(101) == 1
    assert silence.look(101, is_alive=False) == 1
    assert silence.look(102.5, is_alive=False) == 2.5
    assert silence.look(103, is_alive=True) == 0
    assert silence.look(104, is_alive=False) == silence.seconds == 1


def test_a_gap_of_the_observer_does_not_count() -> None:
    """A frozen container must not find its pool dead when it thaws."""
    silence = Silence(max_gap_s=2)
    silence.look(0, is_alive=True)
    assert silence.look(3600, is_alive=False) == 2
    assert silence.look(3601, is_alive=False) == 3
