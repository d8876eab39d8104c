"""Samples tell what happened in their period, and many of them become one without losing any."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.errors import BadFrame
from ai_model.pool.generation import Outcome
from ai_model.pool.pool_sample import (
    OUTCOME_FIELDS,
    PoolSample,
    from_json,
    roll,
    sample_between,
    to_json,
)
from ai_model.pool.status import MemoryStatus, PoolState, PoolStatus
from ai_model.pool.wait_record import WaitFigures

START = PoolStatus(state=PoolState.READY, pid=1, uptime_s=10.0)
LATER = replace(
    START,
    uptime_s=20.0,
    num_accepted=5,
    outcomes={"done": 3, "failed": 1},
    num_prompt_tokens=100,
    running_s=12.5,
    instance_s=40.0,
)


def between(before: PoolStatus | None, after: PoolStatus) -> PoolSample:
    return sample_between(before, after, unix_s=1000.0, seconds=10.0)


def test_every_outcome_has_a_field() -> None:
    names = {item.name for item in fields(PoolSample)}
    assert {str(outcome) for outcome in Outcome} == set(OUTCOME_FIELDS)
    assert set(OUTCOME_FIELDS.values()) <= names


def test_counters_are_those_of_the_period() -> None:
    sample = between(START, LATER)
    assert (sample.num_accepted, sample.num_done, sample.num_failed) == (5, 3, 1)
    assert (sample.num_ended, sample.num_prompt_tokens, sample.num_starts) == (4, 100, 0)
    assert sample.utilisation == 12.5 / 40
    nothing = between(LATER, replace(LATER, uptime_s=30.0))
    assert (nothing.num_accepted, nothing.num_ended, nothing.utilisation) == (0, 0, None)


def test_promises_are_those_of_the_period() -> None:
    before = PoolStatus(
        state=PoolState.READY, pid=1, uptime_s=100.0, eta=WaitFigures(num_promises=4, promised_s=8)
    )
    later = WaitFigures(num_promises=7, num_promises_kept=2, promised_s=20.0, real_wait_s=5.0)
    sample = sample_between(
        before, replace(before, uptime_s=110.0, eta=later), unix_s=1000.0, seconds=10.0
    )
    assert (sample.num_promises, sample.num_promises_kept) == (3, 2)
    assert (sample.promised_s, sample.real_wait_s) == (12.0, 5.0)


def test_a_restart_takes_nothing_away() -> None:
    """The new process counts from 0, in another process or with a younger one."""
    for new in (replace(START, pid=2), replace(START, uptime_s=1.0)):
        sample = between(LATER, replace(new, num_accepted=2, outcomes={"done": 1}))
        assert (sample.num_accepted, sample.num_done, sample.num_failed) == (2, 1, 0)
        assert sample.num_starts == 1
    # Even if it has already counted more than the old one.
    sample = between(LATER, replace(START, pid=2, num_accepted=9))
    assert sample.num_accepted == 9


def test_a_counter_that_goes_down_by_itself_has_restarted() -> None:
    sample = between(LATER, replace(LATER, uptime_s=30.0, num_accepted=2))
    assert (sample.num_accepted, sample.num_starts) == (2, 0)


def test_gauges() -> None:
    memory = MemoryStatus(rss_bytes=9, parked_bytes=None, pressure=0.8)
    status = replace(LATER, num_waiting=3, num_running=2, wait_p50_s=1.5, memory=memory)
    sample = between(START, status)
    assert (sample.num_waiting, sample.max_waiting, sample.max_running) == (3, 3, 2)
    assert (sample.wait_p50_s, sample.wait_p95_s) == (1.5, None)
    assert (sample.rss_bytes, sample.parked_bytes, sample.pressure) == (9, 0, 0.8)


def test_means_maxima_and_sums() -> None:
    first = PoolSample(
        unix_s=10, seconds=10, num_waiting=4, max_waiting=4, wait_p50_s=1.0, num_done=2
    )
    second = PoolSample(
        unix_s=40, seconds=30, num_samples=3, num_waiting=0, max_waiting=9, num_done=5
    )
    rolled = roll([second, first])
    assert (rolled.unix_s, rolled.seconds, rolled.num_samples) == (40, 40, 4)
    assert (rolled.num_waiting, rolled.max_waiting, rolled.num_done) == (1.0, 9, 7)
    assert (rolled.wait_p50_s, rolled.wait_p95_s) == (1.0, None)
    with pytest.raises(ValueError):
        roll([])


numbers = st.integers(0, 1000)
samples = st.builds(
    PoolSample,
    unix_s=numbers,
    seconds=numbers,
    num_samples=st.integers(1, 9),
    num_waiting=numbers,
    wait_p50_s=st.none() | numbers,
    max_running=numbers,
    num_done=numbers,
    running_s=numbers,
)


@given(groups=st.lists(st.lists(samples, min_size=1, max_size=5), min_size=1, max_size=4))
def test_hours_of_minutes_are_hours_of_samples(groups: list[list[PoolSample]]) -> None:
    """However the samples are grouped on the way, except means of what was not always measured."""
    at_once = roll([sample for group in groups for sample in group])
    in_steps = roll([roll(group) for group in groups])
    for item in fields(PoolSample):
        if item.name != "wait_p50_s":
            expected = getattr(at_once, item.name)
            assert getattr(in_steps, item.name) == pytest.approx(expected), item.name
    assert (in_steps.wait_p50_s is None) is (at_once.wait_p50_s is None)


def test_sums_stay_within_json() -> None:
    rolled = roll([PoolSample(num_done=2**53 - 1)] * 3)
    assert from_json(to_json([rolled]), max_samples=1) == (rolled,)


@given(many=st.lists(samples, max_size=5))
def test_round_trip(many: list[PoolSample]) -> None:
    text = json.dumps(to_json(many))
    assert from_json(json.loads(text), max_samples=5) == tuple(many)


def test_other_releases_can_be_read() -> None:
    value = {"fields": ["unix_s", "num_done", "new"], "rows": [[5.0, 3, "x"], [6.0, 4, None]]}
    assert from_json(value, max_samples=2) == (
        PoolSample(unix_s=5.0, num_done=3),
        PoolSample(unix_s=6.0, num_done=4),
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"fields": ["unix_s"], "rows": [[1.0], [2.0], [3.0]]},
        {"fields": ["unix_s"], "rows": [[1.0, 2.0]]},
        {"fields": ["unix_s"], "rows": [7]},
        {"fields": [["unix_s"]], "rows": [[1.0]]},
        {"fields": ["num_done"], "rows": [["x"]]},
        {"fields": ["num_done"], "rows": [[-1]]},
        {"fields": ["x"] * 500, "rows": []},
    ],
)
def test_rubbish(value: object) -> None:
    with pytest.raises(BadFrame):
        from_json(value, max_samples=2)
