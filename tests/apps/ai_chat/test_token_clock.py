"""A stall is told apart from a slow answer, and both from waiting."""

from __future__ import annotations

import pytest

from apps.ai_chat.token_clock import TokenClock

DELTA = {"type": "gen.delta"}
STARTED = {"type": "gen.started"}


def clock_with(*gaps: float) -> tuple[TokenClock, float]:
    """A clock that has heard words with these gaps, and the time of the last one."""
    clock, now = TokenClock(), 100.0
    clock.hear(STARTED, now)
    for gap in (0.0, *gaps):
        now += gap
        clock.hear(DELTA, now)
    return clock, now


def test_nothing_is_late_before_the_answer_has_begun() -> None:
    assert TokenClock().stalled_s(1e9) is None


@pytest.mark.parametrize(
    ("gaps", "silent_s", "is_stalled"),
    [
        ([0.1] * 10, 2.9, False),
        ([0.1] * 10, 3.1, True),
        ([1.0] * 10, 5.9, False),
        ([1.0] * 10, 6.1, True),
        ([0.1] * 9 + [60.0], 3.1, True),
        ([], 3.1, True),
    ],
)
def test_a_stall(gaps: list[float], silent_s: float, is_stalled: bool) -> None:
    clock, now = clock_with(*gaps)
    stalled = clock.stalled_s(now + silent_s)
    assert (stalled is not None) == is_stalled
    if is_stalled:
        assert stalled == pytest.approx(silent_s)


@pytest.mark.parametrize(
    "frame", [{"type": "gen.progress", "phase": "load"}, {"type": "gen.queue", "position": 1}]
)
def test_whose_pool_is_away_does_not_stall(frame: dict[str, str]) -> None:
    clock, now = clock_with(0.1, 0.1)
    clock.hear(frame, now + 1)
    assert clock.stalled_s(now + 100) is None
    clock.hear(DELTA, now + 200)
    assert clock.stalled_s(now + 202) is None
    assert clock.stalled_s(now + 204) == pytest.approx(4), "the time away is no usual gap"


def test_reading_the_prompt_is_a_sign_of_life() -> None:
    clock, now = clock_with()
    clock.hear({"type": "gen.progress", "phase": "prompt"}, now + 10)
    assert clock.stalled_s(now + 12) is None


def test_slow() -> None:
    clock, now = clock_with(*[2.0] * 7)
    assert not clock.is_slow(now), "too early to say"
    clock, now = clock_with(*[2.0] * 8)
    assert clock.is_slow(now)
    clock, now = clock_with(*[0.1] * 20)
    assert not clock.is_slow(now + 29)
    assert clock.is_slow(now + 31)
