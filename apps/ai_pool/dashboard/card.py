"""The eight cards: a number, the last hour of it, what it should be, and the rows behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from ai_model.memory.rung import WARNING_PRESSURE
from ai_model.pool.advice import (
    ENOUGH_ANSWERS,
    EXCELLENT_WAIT_S,
    GOOD_ANSWERS,
    GOOD_PRESSURE,
    GOOD_WAIT_S,
    HIGH_UTILISATION,
    LOW_UTILISATION,
    MAX_PRESSURE,
    READING_TOK_S,
    REST_GOOD,
    REST_MAX,
    Level,
)
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.dashboard.sparkline import sparkline
from apps.ai_pool.dashboard.unit import MISSING, Unit, written
from apps.ai_pool.dashboard.verdict import SIGNS

GOOD_TTFT_S, LONG_TTFT_S = 4.0, 15.0
FELT_STALL = 0.01
"""Less waiting for memory is not worth a word; the plot has it."""
LONG_WAIT_S = 30.0
"""Somebody who has waited so long may be gone soon."""

NOT_KNOWN = "not known yet"

Spark = Sequence[PoolSample | None]


@dataclass(frozen=True, slots=True)
class Card:
    """One number. ``live`` names the field of the stream that the script keeps it fresh with."""

    slug: str
    name: str
    value: str
    note: str
    target: str
    link: str
    spark: SafeString
    level: Level | None = None
    live: str = ""
    unit: str = ""
    """How the script writes the field: the name of a Unit."""

    @property
    def sign(self) -> str:
        """The shape of its level."""
        return "" if self.level is None else SIGNS[self.level]


def all_cards(
    status: PoolStatus, hour: Spark, num_today: int, *, messages_url: str = "#plot-ends"
) -> list[Card]:
    """Return the cards; ``hour`` are the 60 minutes until now, ``num_today`` answers since
    midnight, and ``messages_url`` is the list of answers."""
    return [
        _waiting(status, hour),
        _running(status, hour),
        _wait(status, hour),
        _first_text(status, hour),
        _speed(status, hour),
        _success(status, hour),
        _memory(status, hour),
        _answers(status, hour, num_today, messages_url),
    ]


def _waiting(status: PoolStatus, hour: Spark) -> Card:
    level, is_up = None, _is_up(status)
    if is_up:
        is_long = status.oldest_wait_s > LONG_WAIT_S
        level = Level.ACT if is_long else Level.WATCH if status.num_waiting else Level.GOOD
    oldest = written(status.oldest_wait_s, Unit.SECONDS)
    return Card(
        slug="waiting",
        name="Waiting",
        value=written(status.num_waiting, Unit.COUNT) if is_up else MISSING,
        note=f"oldest {oldest}" if status.num_waiting else "nobody in line" if is_up else NOT_KNOWN,
        target="target 0",
        link="#waiting",
        spark=_spark(hour, lambda one: one.max_waiting),
        level=level,
        live="num_waiting",
        unit="COUNT",
    )


def _running(status: PoolStatus, hour: Spark) -> Card:
    busy, level = status.utilisation_15min, None
    if busy is not None:
        level = Level.WATCH if busy > HIGH_UTILISATION else Level.GOOD
    value = f"{status.num_running} / {status.num_instances}" if _is_up(status) else MISSING
    return Card(
        slug="running",
        name="Running / instances",
        value=value,
        note="15 min " + written(busy, Unit.SHARE) if busy is not None else NOT_KNOWN,
        target=f"target {100 * LOW_UTILISATION:.0f}–{100 * HIGH_UTILISATION:.0f} % in use",
        link="#instances",
        spark=_spark(hour, lambda one: one.max_running),
        level=level,
        live="num_running",
        unit="OF",
    )


def _wait(status: PoolStatus, hour: Spark) -> Card:
    wait_s = status.wait_p50_s
    return Card(
        slug="wait",
        name="Median wait, 5 min",
        value=written(wait_s, Unit.SECONDS),
        note="p95 " + written(status.wait_p95_s, Unit.SECONDS),
        target=f"target {EXCELLENT_WAIT_S:.1f} s, at most {GOOD_WAIT_S:.0f} s",
        link="#plot-wait",
        spark=_spark(hour, lambda one: one.wait_p50_s),
        level=_below(wait_s, EXCELLENT_WAIT_S, GOOD_WAIT_S),
        live="wait_p50_s",
        unit="SECONDS",
    )


def _first_text(status: PoolStatus, hour: Spark) -> Card:
    return Card(
        slug="ttft",
        name="First text, p95",
        value=written(status.ttft_p95_s, Unit.SECONDS),
        note="median " + written(status.ttft_p50_s, Unit.SECONDS),
        target=f"target {GOOD_TTFT_S:.0f} s, at most {LONG_TTFT_S:.0f} s",
        link="#plot-ttft",
        spark=_spark(hour, lambda one: one.ttft_p95_s),
        level=_below(status.ttft_p95_s, GOOD_TTFT_S, LONG_TTFT_S),
        live="ttft_p95_s",
        unit="SECONDS",
    )


def _speed(status: PoolStatus, hour: Spark) -> Card:
    num_writing = sum(one.state == "decode" for one in status.instances)
    level = None
    if num_writing:
        is_slow = status.decode_tok_s < num_writing * READING_TOK_S
        level = Level.WATCH if is_slow else Level.GOOD
    return Card(
        slug="speed",
        name="Writing speed",
        value=written(status.decode_tok_s or None, Unit.RATE) if _is_up(status) else MISSING,
        note="reading " + written(status.prefill_tok_s or None, Unit.RATE),
        target=f"target {READING_TOK_S:.0f} tok/s for each answer",
        link="#plot-speed",
        spark=_spark(hour, lambda one: one.decode_tok_s),
        level=level,
        live="decode_tok_s",
        unit="RATE",
    )


def _success(status: PoolStatus, hour: Spark) -> Card:
    known = [one for one in hour if one is not None]
    num_ok = sum(_num_answers(one) for one in known)
    num_ended = sum(one.num_ended - one.num_cancelled for one in known)
    share = num_ok / num_ended if num_ended else None
    level = None
    if share is not None:
        is_fair = share >= ENOUGH_ANSWERS
        level = Level.GOOD if share >= GOOD_ANSWERS else Level.WATCH if is_fair else Level.ACT
    return Card(
        slug="success",
        name="Answered, 1 h",
        value=written(share, Unit.SHARE),
        note=f"{num_ended - num_ok:,} of {num_ended:,} failed" if num_ended else "no question yet",
        target=f"target {100 * GOOD_ANSWERS:.0f} %",
        link="#attention",
        spark=_spark(hour, _success_of),
        level=level,
    )


def _memory(status: PoolStatus, hour: Spark) -> Card:
    memory = status.memory
    resting = memory.resting_pressure or 0.0
    used = max(memory.rss_bytes, memory.anon_bytes)
    parts = [f"{written(used, Unit.BYTES)} held"] if used else ["not measured"]
    if memory.limit_bytes:
        parts.append(f"of {written(memory.limit_bytes, Unit.BYTES)}")
    if (memory.stall_some or 0.0) >= FELT_STALL:
        parts.append(f"· stalled {written(memory.stall_some, Unit.SHARE)}")
    calm = max(GOOD_PRESSURE, resting + REST_GOOD)
    level = _below(memory.pressure, calm, max(MAX_PRESSURE, resting + REST_MAX))
    word = f" · {memory.level}" if memory.level else ""
    if memory.is_warned:
        word += f", above {100 * WARNING_PRESSURE:.0f} %"
    return Card(
        slug="memory",
        name="Memory" + word,
        value=written(memory.pressure, Unit.SHARE),
        note=" ".join(parts),
        target=f"target below {100 * min(1.0, calm):.0f} %",
        link="#plot-memory",
        spark=_spark(hour, lambda one: one.pressure),
        level=level,
        live="memory.pressure",
        unit="SHARE",
    )


def _answers(status: PoolStatus, hour: Spark, num_today: int, messages_url: str) -> Card:
    num_hour = sum(_num_answers(one) for one in hour if one is not None)
    refused = sum(one.num_refused for one in hour if one is not None)
    return Card(
        slug="answers",
        name="Answers today",
        value=written(num_today, Unit.COUNT),
        note=f"{num_hour:,} in the last hour",
        target=f"{refused:,} refused in it, target 0",
        link=messages_url,
        spark=_spark(hour, _num_answers),
        level=Level.WATCH if refused else None,
    )


def _num_answers(one: PoolSample) -> int:
    return one.num_done + one.num_length + one.num_user_stop


def _success_of(one: PoolSample) -> float | None:
    num_ended = one.num_ended - one.num_cancelled
    return _num_answers(one) / num_ended if num_ended > 0 else None


def _spark(hour: Spark, number: Callable[[PoolSample], float | None]) -> SafeString:
    return sparkline([None if one is None else number(one) for one in hour])


def _below(value: float | None, good: float, fair: float) -> Level | None:
    if value is None:
        return None
    return Level.GOOD if value <= good else Level.WATCH if value <= fair else Level.ACT


def _is_up(status: PoolStatus) -> bool:
    return status.state not in (PoolState.DOWN, PoolState.FAILED, PoolState.LOADING)
