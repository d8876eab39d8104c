"""What the numbers of a pool advise: short sentences, each with one thing to do about it.

The advices of one call never contradict each other: all that has to do with the number of instances
is decided in one place, and nothing grows while memory is tight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ai_model.memory.rung import RUNGS, WARNING_PRESSURE
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import PoolState, PoolStatus

LOW_UTILISATION, HIGH_UTILISATION, AIM_UTILISATION = 0.30, 0.70, 0.50
EXCELLENT_WAIT_S, GOOD_WAIT_S = 0.5, 2.0
GOOD_PRESSURE, MAX_PRESSURE = 0.70, 0.85
REST_GOOD, REST_MAX = 0.10, 0.15
"""How far above its rest memory is calm, and how far it is only worth watching."""
READING_TOK_S = 5.0
"""Slower answers keep their readers waiting: more of them at once would help nobody."""
MAX_HEARTBEAT_S = 10.0
GOOD_ANSWERS, ENOUGH_ANSWERS = 0.99, 0.95
MIN_ENDED = 20
HONEST_COVERAGE = (0.85, 0.97)
MIN_PROMISES = 50
MIN_BUSY_UPTIME_S, MIN_IDLE_UPTIME_S = 300.0, 3600.0
"""How long a pool must have run before its utilisation says anything."""
MAX_INSTANCES = 128


class Level(StrEnum):
    """How urgent an advice is."""

    GOOD = "good"
    WATCH = "watch"
    ACT = "act"


class Measure(StrEnum):
    """What an advice is about."""

    STATE = "state"
    HEARTBEAT = "heartbeat"
    MEMORY = "memory"
    CAPACITY = "capacity"
    ANSWERS = "answers"
    ETA = "eta"
    RESTARTS = "restarts"


class Action(StrEnum):
    """What to do; views know which of them they can offer as a button."""

    NONE = "none"
    RESUME = "resume"
    RESTART = "restart"
    RESIZE = "resize"
    SHORTEN_ANSWERS = "shorten_answers"
    SMALLER_MODEL = "smaller_model"
    READ_LOG = "read_log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One sentence and what to do."""

    level: Level
    measure: Measure
    sentence: str
    action: Action = Action.NONE
    num_instances: int | None = None
    """The size to resize to, when that is the action."""


def advise(status: PoolStatus, samples: Sequence[PoolSample] = ()) -> list[Advice]:
    """Return what the numbers say, the most urgent first; never empty, and never two of a measure.

    The first one is the verdict: good only if all are. ``samples`` are those of the last hours,
    oldest first; without them peaks are unknown and shares of answers are since the start.
    """
    state = _about_state(status)
    if status.state not in (PoolState.READY, PoolState.PAUSED, PoolState.DRAINING):
        return [state]
    heartbeat = _about_heartbeat(status)
    found = [
        heartbeat,
        _about_memory(status),
        # The size of a pool that stands still is not what is wrong with it.
        None if heartbeat is not None else _about_capacity(status, samples),
        _about_answers(status, samples),
        _about_eta(status),
        _about_restarts(status),
    ]
    advices = [advice for advice in found if advice is not None]
    if state.level is not Level.GOOD or all(advice.level is Level.GOOD for advice in advices):
        advices.insert(0, state)
    urgency = [Level.ACT, Level.WATCH, Level.GOOD]
    return sorted(advices, key=lambda advice: urgency.index(advice.level))


def _about_state(status: PoolStatus) -> Advice:
    reason = status.reason or f"The pool is {status.state}."
    level, sentence, action = Level.WATCH, reason, Action.NONE
    match status.state:
        case PoolState.READY:
            level = Level.GOOD
            waiting = f"{status.num_waiting} wait" if status.num_waiting else "nobody waits"
            sentence = (
                f"Ready: {status.num_running} of {status.num_instances} instances in use, "
                f"{waiting}."
            )
        case PoolState.PAUSED:
            sentence, action = "The pool is paused and takes no requests.", Action.RESUME
        case PoolState.DOWN:
            level, action = Level.ACT, Action.RESTART
        case PoolState.FAILED:
            level, action = Level.ACT, Action.READ_LOG
    return Advice(level=level, measure=Measure.STATE, sentence=sentence, action=action)


def _about_heartbeat(status: PoolStatus) -> Advice | None:
    if not status.num_running or status.heartbeat_age_s <= MAX_HEARTBEAT_S:
        return None
    return Advice(
        level=Level.ACT,
        measure=Measure.HEARTBEAT,
        sentence=f"The engine has shown no sign of life for {status.heartbeat_age_s:.0f} s.",
        action=Action.RESTART,
    )


def _about_memory(status: PoolStatus) -> Advice | None:
    pressure, resting = status.memory.pressure, status.memory.resting_pressure
    level = _memory_level(status)
    if pressure is None or (level is Level.GOOD and not status.memory.is_warned):
        return None
    now = f"Memory is at {pressure:.0%}"
    if resting is not None:
        now += f", {resting:.0%} at rest"
    if level is Level.GOOD:
        # A pool that rests above the line is where it was meant to be.
        is_risen = pressure >= (resting or 0.0) + REST_GOOD
        sentence = f"{now}: above {WARNING_PRESSURE:.0%}; from {RUNGS[0].enter:.0%} on it is saved."
        level = Level.WATCH if is_risen else Level.GOOD
        return Advice(level=level, measure=Measure.MEMORY, sentence=sentence)
    if level is Level.WATCH:
        return Advice(level=level, measure=Measure.MEMORY, sentence=f"{now}: watch it.")
    return Advice(
        level=level,
        measure=Measure.MEMORY,
        sentence=f"{now}: take a smaller quantisation or add memory.",
        action=Action.SMALLER_MODEL,
    )


def _memory_level(status: PoolStatus) -> Level:
    """Return GOOD, too, when nobody has measured."""
    pressure = status.memory.pressure
    if pressure is None or pressure < _calm_pressure(status):
        return Level.GOOD
    resting = status.memory.resting_pressure or 0.0
    return Level.WATCH if pressure <= max(MAX_PRESSURE, resting + REST_MAX) else Level.ACT


def _calm_pressure(status: PoolStatus) -> float:
    return max(GOOD_PRESSURE, (status.memory.resting_pressure or 0.0) + REST_GOOD)


def _about_capacity(status: PoolStatus, samples: Sequence[PoolSample]) -> Advice | None:
    """Say whether the number of instances is right, as far as waits and utilisation tell."""
    if status.state is not PoolState.READY or status.num_instances < 1:
        return None
    wait_s = status.wait_p50_s
    busy = _share(status.utilisation_15min)
    is_busy = busy > HIGH_UTILISATION and status.uptime_s >= MIN_BUSY_UPTIME_S
    if wait_s is not None and wait_s > GOOD_WAIT_S:
        return _more(status, busy, f"The median wait is {_seconds(wait_s)}")
    if is_busy:
        return _more(status, busy, f"Instances were used {busy:.0%} of the last 15 minutes")
    fewer = _fewer(status, samples)
    if fewer is not None or wait_s is None:
        return fewer
    word = "excellent" if wait_s < EXCELLENT_WAIT_S else "good"
    sentence = f"The median wait is {_seconds(wait_s)}: {word}."
    return Advice(level=Level.GOOD, measure=Measure.CAPACITY, sentence=sentence)


def _more(status: PoolStatus, busy: float, cause: str) -> Advice:
    """Advise more instances if they would help and fit, else what else helps."""
    size = status.num_instances
    num_decoding = sum(instance.state == "decode" for instance in status.instances)
    room = _room(status)
    if num_decoding and status.decode_tok_s < num_decoding * READING_TOK_S:
        hint = (
            f"the processor is the limit ({num_decoding} answers share {status.decode_tok_s:.0f} "
            "tok/s), so shorten answers or add a machine"
        )
    elif _memory_level(status) is not Level.GOOD or room < 1:
        hint = "memory has no room for more instances, so shorten answers or add memory"
    elif size >= MAX_INSTANCES:
        hint = "the pool is as large as it can be, so shorten answers or add a machine"
    else:
        wanted = max(size + 1, math.ceil(busy * size / AIM_UTILISATION))
        wanted = min(wanted, size + room, 2 * size, MAX_INSTANCES)
        return Advice(
            level=Level.ACT,
            measure=Measure.CAPACITY,
            sentence=f"{cause}: use {wanted} instances instead of {size}{_cost(status)}.",
            action=Action.RESIZE,
            num_instances=wanted,
        )
    return Advice(
        level=Level.ACT,
        measure=Measure.CAPACITY,
        sentence=f"{cause}; {hint}.",
        action=Action.SHORTEN_ANSWERS,
    )


def _fewer(status: PoolStatus, samples: Sequence[PoolSample]) -> Advice | None:
    """Advise fewer instances if some were never needed and nobody waits."""
    size = status.num_instances
    day, now = status.utilisation_24h, status.utilisation_15min
    if day is None or now is None or max(day, now) >= LOW_UTILISATION:
        return None
    is_young = status.uptime_s < MIN_IDLE_UPTIME_S
    if is_young or status.num_waiting or (status.wait_p95_s or 0.0) > GOOD_WAIT_S:
        return None
    peak = max([status.num_running, *(sample.max_running for sample in samples)])
    wanted = max(1, peak, math.ceil(_share(day) * size / AIM_UTILISATION))
    if wanted >= size:
        return None
    saved = (size - wanted) * status.kv_bytes_per_instance / 1e6
    saving = f" and save {saved:.0f} MB" if saved >= 1 else ""
    return Advice(
        level=Level.WATCH,
        measure=Measure.CAPACITY,
        sentence=(
            f"Instances were used {_share(day):.0%} of the last 24 hours: {wanted} instead of "
            f"{size} would do{saving}."
        ),
        action=Action.RESIZE,
        num_instances=wanted,
    )


def _room(status: PoolStatus) -> int:
    """Return how many instances more leave memory calm; all there may be if nobody knows."""
    memory, cost = status.memory, status.kv_bytes_per_instance
    if memory.pressure is None or not memory.limit_bytes or not cost:
        return MAX_INSTANCES
    free_bytes = (_calm_pressure(status) - memory.pressure) * memory.limit_bytes
    return int(max(0, min(MAX_INSTANCES, free_bytes // cost)))


def _cost(status: PoolStatus) -> str:
    megabytes = status.kv_bytes_per_instance / 1e6
    room = _room(status)
    fit = f", {room} more fit" if room < MAX_INSTANCES else ""
    return f" ({megabytes:.0f} MB each{fit})" if megabytes >= 1 else ""


def _about_answers(status: PoolStatus, samples: Sequence[PoolSample]) -> Advice | None:
    if samples:
        num_ok = sum(item.num_done + item.num_length + item.num_user_stop for item in samples)
        num_ended = sum(item.num_ended - item.num_cancelled for item in samples)
    else:
        num_ok = status.num_done
        num_ended = sum(status.outcomes.values()) - status.outcomes.get("cancelled", 0)
    if num_ended < MIN_ENDED or num_ok >= GOOD_ANSWERS * num_ended:
        return None
    causes = sorted(status.errors.items(), key=lambda item: (-item[1], item[0]))
    often = f", most often by {causes[0][0][:32]}" if causes else ""
    return Advice(
        level=Level.WATCH if num_ok >= ENOUGH_ANSWERS * num_ended else Level.ACT,
        measure=Measure.ANSWERS,
        sentence=f"{num_ended - num_ok} of {num_ended} answers failed{often}.",
        action=Action.READ_LOG,
    )


def _about_eta(status: PoolStatus) -> Advice | None:
    coverage = status.eta.coverage
    low, high = HONEST_COVERAGE
    if coverage is None or status.eta.num_waits < MIN_PROMISES or low <= coverage <= high:
        return None
    word = "too short" if coverage < low else "too long"
    return Advice(
        level=Level.WATCH,
        measure=Measure.ETA,
        sentence=f"Promised waits are {word}: {coverage:.0%} held, 85 to 97 % is honest.",
    )


def _about_restarts(status: PoolStatus) -> Advice | None:
    if not status.num_restarts or status.uptime_s >= MIN_IDLE_UPTIME_S:
        return None
    times = "once" if status.num_restarts == 1 else f"{status.num_restarts} times"
    return Advice(
        level=Level.WATCH,
        measure=Measure.RESTARTS,
        sentence=f"The pool process died and was started again {times}.",
        action=Action.READ_LOG,
    )


def _share(value: float | None) -> float:
    return 0.0 if value is None else min(1.0, max(0.0, value))


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
