"""The first line of the page: how the pool is, why, and what to do first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_model.pool.advice import Level, Measure, advise
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.dashboard.first_action import FirstAction, first_action

WORDS = {Level.GOOD: "Healthy", Level.WATCH: "Watch", Level.ACT: "Act now"}
STATE_WORDS = {
    PoolState.LOADING: "Starting",
    PoolState.PAUSED: "Paused",
    PoolState.DRAINING: "Draining",
    PoolState.DOWN: "Down",
    PoolState.FAILED: "Failed",
}
SIGNS = {Level.GOOD: "●", Level.WATCH: "▲", Level.ACT: "■"}
"""A shape for each level: colour is not the only sign."""
MEASURE_NAMES = {
    Measure.STATE: "State",
    Measure.HEARTBEAT: "Heartbeat",
    Measure.MEMORY: "Memory",
    Measure.CAPACITY: "Instances",
    Measure.ANSWERS: "Answers",
    Measure.ETA: "Promised waits",
    Measure.RESTARTS: "Restarts",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line: a sign, a word, the reason, the first action if there is one."""

    level: Level
    sign: str
    word: str
    reason: str
    action: FirstAction | None
    advices: tuple[AdviceLine, ...]


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """One advice as the page shows it."""

    level: Level
    sign: str
    name: str
    sentence: str
    action: FirstAction | None


def verdict(
    status: PoolStatus,
    samples: Sequence[PoolSample] = (),
    addresses: Mapping[str, str] | None = None,
) -> Verdict:
    """Return what the numbers say; ``samples`` are those of the last hours, oldest first, and
    ``addresses`` the pages of what this user may do, by the names of the actions."""
    known = addresses or {}
    advices = advise(status, samples)
    first = advices[0]
    word = STATE_WORDS.get(status.state) or WORDS[first.level]
    return Verdict(
        level=first.level,
        sign=SIGNS[first.level],
        word=word,
        reason=first.sentence,
        action=first_action(first, known),
        advices=tuple(
            AdviceLine(
                advice.level,
                SIGNS[advice.level],
                MEASURE_NAMES[advice.measure],
                advice.sentence,
                first_action(advice, known),
            )
            for advice in advices
        ),
    )
