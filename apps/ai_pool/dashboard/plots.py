"""Which plots the page has, and which numbers of the history each shows."""

from __future__ import annotations

from collections.abc import Callable

from ai_model.pool.advice import GOOD_WAIT_S, HONEST_COVERAGE
from ai_model.pool.pool_sample import OUTCOME_FIELDS, PoolSample
from apps.ai_pool.dashboard.history import Timeline
from apps.ai_pool.dashboard.plot import Plot, Series, Shape
from apps.ai_pool.dashboard.unit import Unit

Number = Callable[[PoolSample], float | None]

OUTCOME_NAMES = {
    "done": ("complete", "good"),
    "length": ("at the length limit", "blue"),
    "user_stop": ("stopped by the visitor", "quiet"),
    "cancelled": ("visitor left", "pale"),
    "deadline": ("deadline", "amber"),
    "expired": ("expired", "sand"),
    "failed": ("failed", "bad"),
    "pool_lost": ("pool lost", "dark"),
}
assert set(OUTCOME_NAMES) == set(OUTCOME_FIELDS)
MAX_LIMIT_SHARE = 3.0
"""A limit so many times above what is used would only press the plot flat."""


def all_plots(timeline: Timeline) -> list[Plot]:
    """Return the plots of a time, the most telling first."""
    return [
        _line(timeline),
        _waits(timeline),
        _first_texts(timeline),
        _speeds(timeline),
        _memory(timeline),
        *_stalls(timeline),
        _ends(timeline),
        _honesty(timeline),
        _coverage(timeline),
    ]


def _line(timeline: Timeline) -> Plot:
    return Plot(
        "plot-line",
        "Waiting and running",
        Unit.COUNT,
        (
            _series(timeline, "running", lambda one: one.max_running, "blue", Shape.AREA),
            _series(timeline, "waiting", lambda one: one.max_waiting, "bad"),
            _series(timeline, "instances", lambda one: one.num_instances, "quiet dashed"),
        ),
        "The most at any moment of each step.",
    )


def _waits(timeline: Timeline) -> Plot:
    return Plot(
        "plot-wait",
        "Wait in line",
        Unit.SECONDS,
        (
            _series(timeline, "p50", lambda one: one.wait_p50_s, "blue"),
            _series(timeline, "p95", lambda one: one.wait_p95_s, "amber dashed"),
        ),
        f"A median below {GOOD_WAIT_S:.0f} s is good.",
        target=GOOD_WAIT_S,
    )


def _first_texts(timeline: Timeline) -> Plot:
    return Plot(
        "plot-ttft",
        "Time to the first text",
        Unit.SECONDS,
        (
            _series(timeline, "p50", lambda one: one.ttft_p50_s, "blue"),
            _series(timeline, "p95", lambda one: one.ttft_p95_s, "amber dashed"),
        ),
        "From the question to the first words of the answer, the line included.",
    )


def _speeds(timeline: Timeline) -> Plot:
    return Plot(
        "plot-speed",
        "Tokens per second",
        Unit.RATE,
        (
            _series(timeline, "writing", _while_busy("decode_tok_s"), "good"),
            _series(timeline, "reading", _while_busy("prefill_tok_s"), "blue dashed"),
        ),
        "All instances together: writing by the clock, reading by the work on it.",
    )


def _while_busy(field: str) -> Number:
    """Where nobody was answered there is no speed, only the last one."""
    return lambda one: getattr(one, field) if one.running_s > 0 else None


def _memory(timeline: Timeline) -> Plot:
    used = max((one.rss_bytes for one in timeline.known), default=0)
    limit = max((one.limit_bytes for one in timeline.known), default=0)
    series = [
        _series(timeline, "model", lambda one: one.weights_bytes, "blue", Shape.LAYER),
        _series(timeline, "conversations", lambda one: one.kv_bytes, "good", Shape.LAYER),
        _series(timeline, "parked", lambda one: one.parked_bytes, "amber", Shape.LAYER),
        _series(timeline, "other", _other_bytes, "quiet", Shape.LAYER),
    ]
    note = "What the pool process holds."
    if limit and limit <= MAX_LIMIT_SHARE * max(1, used):
        series.append(_series(timeline, "limit", lambda one: one.limit_bytes or None, "bad dashed"))
    elif limit:
        note += f" The limit of {limit / 1e9:.0f} GB is far above."
    pressure = _values(timeline, lambda one: one.pressure)
    series.append(Series("pressure", pressure, "none", unit=Unit.SHARE))
    return Plot("plot-memory", "Memory", Unit.BYTES, tuple(series), note)


def _stalls(timeline: Timeline) -> list[Plot]:
    """How much work waited for memory; no plot where the kernel does not tell."""
    plot = Plot(
        "plot-stall",
        "Waiting for memory",
        Unit.SHARE,
        (
            _series(timeline, "some tasks", lambda one: one.stall_some, "amber", Shape.AREA),
            _series(timeline, "all tasks", lambda one: one.stall_full, "bad"),
        ),
        "Share of the time, as the kernel tells (PSI). Memory is saved from 10 % on.",
    )
    return [] if plot.is_empty else [plot]


def _other_bytes(one: PoolSample) -> float:
    return max(0, one.rss_bytes - one.weights_bytes - one.kv_bytes - one.parked_bytes)


def _ends(timeline: Timeline) -> Plot:
    return Plot(
        "plot-ends",
        "How answers ended",
        Unit.COUNT,
        tuple(
            _series(timeline, name, _outcome(field), look, Shape.BAR)
            for outcome, (name, look) in OUTCOME_NAMES.items()
            for field in [OUTCOME_FIELDS[outcome]]
        ),
        "Answers that ended in each step.",
    )


def _outcome(field: str) -> Number:
    return lambda one: getattr(one, field)


def _honesty(timeline: Timeline) -> Plot:
    return Plot(
        "plot-eta",
        "Promised and real waits",
        Unit.SECONDS,
        (
            _series(timeline, "promised p90", _mean("promised_p90_s"), "quiet dashed", Shape.AREA),
            _series(timeline, "promised p50", _mean("promised_s"), "blue dashed"),
            _series(timeline, "real", _mean("real_wait_s"), "bad"),
        ),
        "Means of each step. What was promised first counts; honest waits stay in the grey.",
    )


def _coverage(timeline: Timeline) -> Plot:
    low, high = HONEST_COVERAGE
    return Plot(
        "plot-coverage",
        "Waits no longer than promised",
        Unit.SHARE,
        (
            _series(timeline, "kept", _mean("num_promises_kept"), "good"),
            Series("promises", _values(timeline, _num_promises), "none", unit=Unit.COUNT),
        ),
        f"Share within the promised p90; {100 * low:.0f} to {100 * high:.0f} % is honest.",
        target=low,
    )


def _mean(field: str) -> Number:
    return lambda one: getattr(one, field) / one.num_promises if one.num_promises else None


def _num_promises(one: PoolSample) -> float | None:
    return one.num_promises or None


def _series(
    timeline: Timeline, name: str, number: Number, look: str, shape: Shape = Shape.LINE
) -> Series:
    return Series(name, _values(timeline, number), look, shape)


def _values(timeline: Timeline, number: Number) -> list[float | None]:
    return [None if one is None else number(one) for one in timeline.samples]
