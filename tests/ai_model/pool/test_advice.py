"""What the numbers advise is true, fits on a line, and never contradicts itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.pool.advice import Action, Advice, Level, Measure, advise
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import (
    InstanceStatus,
    MemoryStatus,
    ModelStatus,
    PoolState,
    PoolStatus,
)
from ai_model.pool.wait_record import WaitFigures

GB = 10**9
MODEL = ModelStatus(name="M", quant="Q8_0", is_demo=False, n_ctx=1024, kv_bytes_per_token=22_528)
CALM = PoolStatus(
    state=PoolState.READY,
    model=MODEL,
    uptime_s=100_000.0,
    num_instances=4,
    max_instances=8,
    num_running=2,
    utilisation_15min=0.5,
    utilisation_24h=0.5,
    wait_p50_s=0.2,
    wait_p95_s=0.4,
    decode_tok_s=40.0,
)


def about(status: PoolStatus, measure: Measure, *samples: PoolSample) -> Advice | None:
    found = [advice for advice in advise(status, samples) if advice.measure is measure]
    assert len(found) <= 1
    return found[0] if found else None


def capacity(status: PoolStatus, *samples: PoolSample) -> Advice:
    advice = about(status, Measure.CAPACITY, *samples)
    assert advice is not None
    return advice


def memory(pressure: float, resting: float | None = None) -> PoolStatus:
    return replace(
        CALM,
        memory=MemoryStatus(pressure=pressure, resting_pressure=resting, limit_bytes=2 * GB),
    )


def test_all_is_well() -> None:
    verdict, *others = advise(CALM)
    assert (verdict.level, verdict.measure) == (Level.GOOD, Measure.STATE)
    assert verdict.sentence == "Ready: 2 of 4 instances in use, nobody waits."
    assert [advice.sentence for advice in others] == ["The median wait is 0.2 s: excellent."]
    assert capacity(replace(CALM, wait_p50_s=1.9)).sentence == "The median wait is 1.9 s: good."


@pytest.mark.parametrize(
    ("state", "level", "action"),
    [
        (PoolState.DOWN, Level.ACT, Action.RESTART),
        (PoolState.FAILED, Level.ACT, Action.READ_LOG),
        (PoolState.LOADING, Level.WATCH, Action.NONE),
        (PoolState.DRAINING, Level.WATCH, Action.NONE),
        (PoolState.PAUSED, Level.WATCH, Action.RESUME),
    ],
)
def test_a_pool_that_takes_nobody(state: PoolState, level: Level, action: Action) -> None:
    """Its state comes first, and its old waits and its idleness advise no other size."""
    status = replace(CALM, state=state, wait_p50_s=60.0, utilisation_24h=0.0, utilisation_15min=0.0)
    verdict, *others = advise(status)
    assert (verdict.measure, verdict.level, verdict.action) == (Measure.STATE, level, action)
    assert others == []


def test_long_waits_need_more_instances() -> None:
    """Twice as many at most, with the truth about their price."""
    advice = capacity(replace(CALM, wait_p50_s=8.0, utilisation_15min=1.0))
    assert (advice.level, advice.action, advice.num_instances) == (Level.ACT, Action.RESIZE, 8)
    assert advice.sentence == (
        "The median wait is 8.0 s: use 8 instances instead of 4 (23 MB each)."
    )
    assert advise(replace(CALM, wait_p50_s=8.0))[0].num_instances == 5


def test_busy_instances_need_more_of_them() -> None:
    busy = replace(CALM, utilisation_15min=0.75)
    assert capacity(busy).num_instances == 6
    assert capacity(replace(busy, utilisation_15min=0.7)).level is Level.GOOD
    assert capacity(replace(busy, uptime_s=60.0)).level is Level.GOOD


def test_a_slow_processor_is_the_limit() -> None:
    """More answers at once would only slow all of them."""
    decoding = tuple(InstanceStatus(index=index, state="decode") for index in range(4))
    slow = replace(CALM, wait_p50_s=8.0, instances=decoding, decode_tok_s=12.0)
    advice = capacity(slow)
    assert (advice.action, advice.num_instances) == (Action.SHORTEN_ANSWERS, None)
    assert "processor" in advice.sentence
    assert capacity(replace(slow, decode_tok_s=20.0)).action is Action.RESIZE


def test_only_what_fits_is_advised() -> None:
    """Of 2 GB, 4 % are free until memory stops being calm: three instances."""
    advice = capacity(replace(memory(0.66), wait_p50_s=8.0, utilisation_15min=1.0))
    assert advice.num_instances == 7
    assert "3 more fit" in advice.sentence
    for pressure in (0.695, 0.8, 0.95):
        advice = capacity(replace(memory(pressure), wait_p50_s=8.0))
        assert (advice.action, "memory" in advice.sentence) == (Action.SHORTEN_ANSWERS, True)


def test_instances_nobody_needs() -> None:
    idle = replace(CALM, utilisation_15min=0.1, utilisation_24h=0.1, num_running=0)
    advice = capacity(idle)
    assert (advice.level, advice.action, advice.num_instances) == (Level.WATCH, Action.RESIZE, 1)
    assert "1 instead of 4 would do and save 69 MB" in advice.sentence
    assert capacity(idle, PoolSample(max_running=3)).num_instances == 3
    for needed in (
        replace(idle, utilisation_15min=0.4),
        replace(idle, utilisation_24h=0.4),
        replace(idle, utilisation_24h=None),
        replace(idle, uptime_s=600.0),
        replace(idle, num_waiting=1),
        replace(idle, wait_p95_s=5.0),
        replace(idle, num_instances=1),
        replace(idle, num_running=4),
    ):
        assert capacity(needed).level is Level.GOOD


@pytest.mark.parametrize(
    ("pressure", "resting", "level"),
    [
        (0.69, None, None),
        (0.71, None, Level.WATCH),
        (0.86, None, Level.ACT),
        (0.87, 0.78, None),
        (0.90, 0.78, Level.WATCH),
        (0.94, 0.78, Level.ACT),
        (0.69, 0.10, None),
        (0.71, 0.10, Level.WATCH),
        (1.41, None, Level.ACT),
    ],
)
def test_memory_is_compared_with_its_rest(
    pressure: float, resting: float | None, level: Level | None
) -> None:
    advice = about(memory(pressure, resting), Measure.MEMORY)
    assert (None if advice is None else advice.level) is level
    assert advice is None or f"{pressure:.0%}" in advice.sentence


def test_above_the_line_of_warning_while_the_level_is_low() -> None:
    """A pool that rests there is as it was meant to be; one that has risen is worth watching."""

    def advice(pressure: float, resting: float) -> Advice | None:
        status = memory(pressure, resting)
        low = replace(status, memory=replace(status.memory, level="low"))
        return about(low, Measure.MEMORY)

    risen, rests = advice(0.64, 0.45), advice(0.64, 0.60)
    assert risen is not None and risen.level is Level.WATCH
    assert risen.sentence == "Memory is at 64%, 45% at rest: above 60%; from 75% on it is saved."
    assert rests is not None and rests.level is Level.GOOD
    assert advice(0.59, 0.30) is None


def test_an_engine_that_stands_still() -> None:
    """Is the first thing to say, and its size is not the problem."""
    stuck = replace(CALM, heartbeat_age_s=15.0, wait_p50_s=60.0)
    assert (advise(stuck)[0].measure, advise(stuck)[0].action) == (
        Measure.HEARTBEAT,
        Action.RESTART,
    )
    assert about(stuck, Measure.CAPACITY) is None
    assert about(replace(stuck, num_running=0), Measure.HEARTBEAT) is None


def test_failed_answers() -> None:
    """Of the given time, else since the start; those who went away do not count."""
    status = replace(CALM, num_done=97, outcomes={"done": 97, "failed": 3, "cancelled": 50})
    advice = about(replace(status, errors={"internal": 1, "deadline": 2}), Measure.ANSWERS)
    assert advice is not None and advice.level is Level.WATCH
    assert advice.sentence == "3 of 100 answers failed, most often by deadline."
    advice = about(status, Measure.ANSWERS, PoolSample(num_done=15, num_expired=5))
    assert advice is not None and (advice.level, advice.action) == (Level.ACT, Action.READ_LOG)
    assert about(status, Measure.ANSWERS, PoolSample(num_done=100)) is None
    assert about(status, Measure.ANSWERS, PoolSample(num_failed=19)) is None


def test_promises_and_restarts() -> None:
    short = about(replace(CALM, eta=WaitFigures(num_waits=50, coverage=0.7)), Measure.ETA)
    assert short is not None and "too short: 70 %" in short.sentence.replace("%", " %")
    assert about(replace(CALM, eta=WaitFigures(num_waits=9, coverage=0.7)), Measure.ETA) is None
    assert about(replace(CALM, eta=WaitFigures(num_waits=99, coverage=0.9)), Measure.ETA) is None
    died = replace(CALM, num_restarts=1, uptime_s=100.0)
    advice = about(died, Measure.RESTARTS)
    assert advice is not None and advice.sentence.endswith("started again once.")
    assert about(replace(died, uptime_s=100_000.0), Measure.RESTARTS) is None


shares = st.none() | st.floats(0, 1.5)
times = st.none() | st.floats(0, 1e6)
counts = st.integers(0, 2**53 - 1)
instances = st.lists(
    st.builds(InstanceStatus, index=st.just(0), state=st.sampled_from(["idle", "decode"])),
    max_size=8,
)
statuses = st.builds(
    PoolStatus,
    state=st.sampled_from(PoolState),
    model=st.none() | st.just(MODEL) | st.just(replace(MODEL, n_ctx=2**53 - 1)),
    uptime_s=st.floats(0, 1e9),
    num_restarts=counts,
    num_instances=st.integers(0, 130) | counts,
    num_running=st.integers(0, 10) | counts,
    num_waiting=st.integers(0, 2),
    instances=instances.map(tuple),
    heartbeat_age_s=st.floats(0, 30),
    decode_tok_s=st.floats(0, 100),
    num_done=counts,
    outcomes=st.dictionaries(st.sampled_from(["done", "failed", "cancelled"]), counts),
    errors=st.dictionaries(st.text(), counts, max_size=3),
    utilisation_15min=shares,
    utilisation_24h=shares,
    wait_p50_s=times,
    wait_p95_s=times,
    eta=st.builds(WaitFigures, num_waits=counts, coverage=shares),
    memory=st.builds(
        MemoryStatus,
        pressure=shares,
        resting_pressure=shares,
        limit_bytes=counts,
    ),
)
past = st.lists(
    st.builds(PoolSample, max_running=counts, num_done=counts, num_failed=counts), max_size=3
)


@settings(max_examples=500, deadline=None)
@given(status=statuses, samples=past)
def test_it_never_contradicts_itself(status: PoolStatus, samples: list[PoolSample]) -> None:
    advices = advise(status, samples)
    order = [Level.ACT, Level.WATCH, Level.GOOD]
    levels = [order.index(advice.level) for advice in advices]
    assert levels == sorted(levels) and advices
    # One sentence about each thing at most, so no two of them about the same number.
    measures = [advice.measure for advice in advices]
    assert len(set(measures)) == len(measures)
    actions = {advice.action for advice in advices}
    assert not {Action.RESIZE, Action.SHORTEN_ANSWERS} <= actions
    # "Ready" is a verdict only when nothing is wrong.
    is_well = all(advice.level is Level.GOOD for advice in advices)
    if Measure.STATE in measures and status.state is PoolState.READY:
        assert is_well
    for advice in advices:
        assert advice.sentence.endswith(".") and len(advice.sentence) <= 200
        assert (advice.action is Action.RESIZE) is (advice.num_instances is not None)
        if advice.level is Level.GOOD:
            assert advice.action is Action.NONE
    resizes = [advice for advice in advices if advice.num_instances is not None]
    for advice in resizes:
        assert status.state is PoolState.READY
        assert advice.num_instances is not None
        assert 1 <= advice.num_instances != status.num_instances
        if advice.num_instances > status.num_instances:
            assert Measure.MEMORY not in measures
            assert advice.num_instances <= 128
        else:
            assert not status.num_waiting
            assert advice.num_instances >= status.num_running
