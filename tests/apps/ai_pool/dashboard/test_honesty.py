"""Whether promises are true: judged from fifty on, in both directions."""

from __future__ import annotations

import pytest

from ai_model.pool.advice import Level
from ai_model.pool.wait_record import WaitFigures
from apps.ai_pool.dashboard.honesty import honesty


def test_nobody_has_waited() -> None:
    made = honesty(WaitFigures())
    assert made.level is None and made.facts == () and "Nobody" in made.sentence


@pytest.mark.parametrize(
    ("num_waits", "coverage", "level", "word"),
    [
        (10, 0.1, None, "too few"),
        (60, 0.92, Level.GOOD, ": honest"),
        (60, 0.5, Level.WATCH, "too short"),
        (60, 1.0, Level.WATCH, "longer"),
    ],
)
def test_judged(num_waits: int, coverage: float, level: Level | None, word: str) -> None:
    made = honesty(WaitFigures(num_waits=num_waits, coverage=coverage, promised_to_real=1.6))
    assert made.level is level and word in made.sentence
    assert dict(made.facts)["Promised p90 to real"] == "1.6 times"
