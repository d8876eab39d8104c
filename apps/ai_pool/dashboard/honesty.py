"""Whether what is promised to those who wait comes true, in one sentence and four figures."""

from __future__ import annotations

from dataclasses import dataclass

from ai_model.pool.advice import HONEST_COVERAGE, MIN_PROMISES, Level
from ai_model.pool.wait_record import WaitFigures
from apps.ai_pool.dashboard.unit import Unit, written
from apps.ai_pool.dashboard.verdict import SIGNS


@dataclass(frozen=True, slots=True)
class Honesty:
    """The last promises as the page tells about them."""

    level: Level | None
    sign: str
    sentence: str
    facts: tuple[tuple[str, str], ...]


def honesty(figures: WaitFigures) -> Honesty:
    """Return what came of the last promises (1000 at most)."""
    low, high = HONEST_COVERAGE
    coverage = figures.coverage
    if coverage is None or not figures.num_waits:
        return Honesty(None, "", "Nobody has waited since the pool started.", ())
    level = Level.GOOD if low <= coverage <= high else Level.WATCH
    if figures.num_waits < MIN_PROMISES:
        level, word = None, f"too few to judge (from {MIN_PROMISES} on)"
    elif coverage < low:
        word = "promises are too short"
    elif coverage > high:
        word = "promises are longer than they need to be"
    else:
        word = "honest"
    facts = (
        ("Within the promise", written(coverage, Unit.SHARE)),
        ("Promised p90 to real", _times(figures.promised_to_real)),
        ("Half are off by at most", written(figures.error_p50_s, Unit.SECONDS)),
        ("Left before their turn, too late", f"{figures.num_given_up:,}"),
    )
    sentence = (
        f"{coverage:.0%} of the last {figures.num_waits:,} waits were no longer than the promised "
        f"p90: {word}. Between {low:.0%} and {high:.0%} is honest."
    )
    return Honesty(level, "" if level is None else SIGNS[level], sentence, facts)


def _times(ratio: float | None) -> str:
    return written(None, Unit.COUNT) if ratio is None else f"{ratio:.1f} times"
