"""Restarts come at once, then ever later, and end when they are fruitless."""

from __future__ import annotations

from ai_model.pool.restart_policy import COOL_DOWN_S, HEALTHY_S, RestartPolicy


def test_fruitless_deaths_open_the_breaker() -> None:
    """After growing pauses."""
    policy = RestartPolicy()
    delays = [policy.record_death(lived_s=1, has_answered=False) for _ in range(6)]
    assert delays == [0, 1, 2, 4, 8, COOL_DOWN_S]
    assert policy.is_open
    policy.reset()
    assert not policy.is_open
    assert policy.record_death(lived_s=1, has_answered=False) == 0


def test_an_answer_or_a_long_life_in_between_starts_anew() -> None:
    """Such a process is worth starting at once, for ever."""
    for fruit in ({"lived_s": 1.0, "has_answered": True}, {"lived_s": HEALTHY_S}):
        policy = RestartPolicy()
        for _ in range(20):
            policy.record_death(lived_s=1, has_answered=False)
            delay = policy.record_death(**{"has_answered": False, **fruit})  # type: ignore[arg-type]
            assert delay == 0
        assert not policy.is_open
        assert policy.num_deaths == 40
