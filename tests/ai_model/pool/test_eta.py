"""Promises are ranges that hold, made from what runs and what was measured, or nothing."""

from __future__ import annotations

import random
from math import isfinite
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.pool.eta import DEFAULT_RETRY_S, MAX_RETRY_S, Eta, EtaEstimator, Running
from ai_model.pool.wait_record import WaitFigures
from tests.ai_model.pool.simulated_pool import SimulatedPool, make_answers

RUNS = st.lists(st.floats(0, 1e4, allow_subnormal=False), min_size=20, max_size=80)
RUNNING = st.lists(
    st.builds(
        Running,
        age_s=st.floats(0, 1e5, allow_subnormal=False),
        num_generated=st.integers(0, 5000),
        num_prompt_left=st.integers(0, 2000),
    ),
    min_size=1,
    max_size=9,
)


def make_estimator(*runs: float, num_tokens: int = 0) -> EtaEstimator:
    """Return an estimator that has seen ``runs``."""
    estimator = EtaEstimator()
    for run in runs:
        estimator.record_run(run, num_tokens)
    return estimator


def test_too_few_samples_give_nothing() -> None:
    """And a plain time to try again."""
    estimator = make_estimator(3.0, 3.0, 3.0, 3.0)
    assert estimator.estimate(1, 2) is None
    assert estimator.estimate_all(9, 2) == []
    assert estimator.retry_after_s(2) == DEFAULT_RETRY_S


def test_short_answers_end_first() -> None:
    """So nothing is said before twice as many have ended as run, and never more than 50."""
    estimator = make_estimator(*[1.0] * 15)
    assert estimator.estimate(1, 8) is None
    estimator.record_run(1.0)
    assert estimator.estimate(1, 8) is not None
    assert make_estimator(*[1.0] * 50).estimate(1, 128) is not None


def test_known_lengths_are_counted_out() -> None:
    """All answers take 8 s, two instances have 2 s and 6 s behind them."""
    few, many = make_estimator(*[8.0] * 10), make_estimator(*[8.0] * 200)
    running = [Running(age_s=2.0), Running(age_s=6.0)]
    etas = many.estimate_all(4, 2, running)
    assert [eta.p50 for eta in etas] == pytest.approx([2.0, 6.0, 10.0, 14.0], rel=0.01)
    assert [eta.p90 for eta in etas] == pytest.approx([2.0, 6.0, 10.0, 14.0], rel=0.15)
    doubtful = few.estimate(4, 2, running)
    assert doubtful is not None and doubtful.p90 > 1.2 * etas[3].p90


def test_written_tokens_tell_more_than_age() -> None:
    """An answer of 100 tokens takes 10 s; one with 80 written has 2 s left however old it is."""
    estimator = make_estimator(*[10.0] * 20, num_tokens=100)
    late = estimator.estimate(1, 1, [Running(age_s=30.0, num_generated=80)])
    fresh = estimator.estimate(1, 1, [Running(age_s=5.0, num_prompt_left=40)])
    assert late is not None and fresh is not None
    assert late.p50 == pytest.approx(2.0, rel=0.02)
    assert fresh.p50 == pytest.approx(10.0, rel=0.02), "not a token is written yet"


def test_an_old_answer_is_expected_to_go_on() -> None:
    """With many short and a few long answers, age says which kind it is."""
    estimator = make_estimator(*[1.0] * 80, *[60.0] * 20)
    young = estimator.estimate(1, 1, [Running(age_s=0.0)])
    old = estimator.estimate(1, 1, [Running(age_s=10.0)])
    assert young is not None and old is not None
    assert young.p50 < 2.0
    assert 45.0 < old.p50 <= 60.0


def test_nobody_is_promised_an_end_that_no_answer_had() -> None:
    """An answer older than all that were seen goes on for a share of its age."""
    eta = make_estimator(*range(1, 101)).estimate(1, 1, [Running(age_s=500.0)])
    assert eta is not None and eta.p50 >= 50.0


def test_free_and_closing_instances() -> None:
    """A free instance serves at once; after shrinking, the first to end leaves none behind."""
    estimator = make_estimator(*[8.0] * 10)
    running = [Running(age_s=2.0), Running(age_s=6.0)]
    more = [eta.p50 for eta in estimator.estimate_all(2, 3, running)]
    fewer = [eta.p50 for eta in estimator.estimate_all(2, 1, running)]
    assert more == pytest.approx([0.0, 2.0], rel=0.02)
    assert fewer == pytest.approx([6.0, 14.0], rel=0.02)


def test_more_at_once_is_slower_for_each() -> None:
    """What was measured in quiet minutes is not promised for a rush."""
    estimator = EtaEstimator()
    for num_running in (1, 2) * 10:
        estimator.record_run(10.0 * num_running, 100, num_running=num_running)
    eta = estimator.estimate(1, 4, [Running(age_s=0.0)] * 4)
    assert eta is not None and eta.p50 == pytest.approx(40.0, rel=0.15)


def test_drift_is_followed() -> None:
    """Answers that have become ten times as long replace what was known."""
    estimator = make_estimator(*[1.0] * 300, *[10.0] * 200)
    eta = estimator.estimate(1, 1, [Running(age_s=0.0)])
    assert eta is not None and eta.p50 == pytest.approx(10.0, rel=0.02)


def test_broken_promises_are_learned_from() -> None:
    """Waits that are always twice what was foreseen widen the range, and only so far.

    Those of the first answers teach nothing: too little was known to foresee them.
    """
    young = make_estimator(*[8.0] * 20)
    for _ in range(100):
        young.record_wait(Eta(1.0, 2.0), 9.0)
    unchanged = young.estimate(1, 1)
    assert unchanged is not None and unchanged.factor_p90 == 1.0
    estimator = make_estimator(*range(1, 80))
    running = [Running(age_s=1.0)] * 2
    before = estimator.estimate(4, 2, running)
    assert before is not None
    for _ in range(300):
        promised = estimator.estimate(4, 2, running)
        assert promised is not None
        estimator.record_wait(promised, 2 * before.p90)
    after = estimator.estimate(4, 2, running)
    assert after is not None
    assert 1.5 * before.p90 < after.p90 <= 2.01 * before.p90


@given(RUNS, st.integers(1, 90), st.integers(1, 9), RUNNING)
@settings(max_examples=60, deadline=None)
def test_ranges_are_ranges(
    runs: list[float], num_waiting: int, num_instances: int, running: list[Running]
) -> None:
    """Numbers, in order within a place and along the line, the same however they are asked for."""
    estimator = make_estimator(*runs)
    etas = estimator.estimate_all(num_waiting, num_instances, running)
    assert len(etas) == num_waiting
    for eta in etas:
        assert isfinite(eta.p90) and 0 <= eta.p50 <= eta.p90
    for near, far in zip(etas, etas[1:], strict=False):
        assert near.p50 <= far.p50 and near.p90 <= far.p90
    again = make_estimator(*runs)
    assert again.estimate(num_waiting, num_instances, running) == etas[-1]
    assert estimator.estimate(1, num_instances, running) == etas[0]
    assert 1.0 <= estimator.retry_after_s(num_instances, num_waiting, running) <= MAX_RETRY_S


@given(RUNS, st.integers(1, 9), st.one_of(st.just([]), RUNNING))
@settings(max_examples=60, deadline=None)
def test_another_instance_never_hurts(
    runs: list[float], num_instances: int, running: list[Running]
) -> None:
    """Every place waits no longer, and the last one less if anybody takes any time."""
    estimator = make_estimator(*runs)
    few = estimator.estimate_all(40, num_instances, running)
    more = estimator.estimate_all(40, num_instances + 1, running)
    for one, other in zip(few, more, strict=True):
        assert other.p50 <= one.p50 + 1e-6 and other.p90 <= one.p90 + 1e-6
    if min(runs) > 0:
        assert more[-1].p50 < few[-1].p50


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e5, allow_subnormal=False),
            st.integers(0, 5000),
            st.integers(0, 64),
            st.floats(0, 1e5, allow_subnormal=False),
        ),
        min_size=6,
        max_size=60,
    ),
    st.lists(st.floats(0, 1e5, allow_subnormal=False), max_size=20),
    RUNNING,
)
@settings(max_examples=60, deadline=None)
def test_whatever_was_measured_stays_finite(
    runs: list[tuple[float, int, int, float]], waits: list[float], running: list[Running]
) -> None:
    """Zero seconds, zero tokens, reading longer than the whole: still ranges, still in order."""
    estimator = EtaEstimator()
    for seconds, num_tokens, num_running, prefill_s in runs:
        estimator.record_run(seconds, num_tokens, num_running=num_running, prefill_s=prefill_s)
    for wait in waits:
        promised = estimator.estimate(3, 2, running)
        assert promised is not None
        estimator.record_wait(promised, wait)
    etas = estimator.estimate_all(70, 3, running)
    for near, far in zip(etas, etas[1:], strict=False):
        assert 0 <= near.p50 <= near.p90 and isfinite(far.p90)
        assert near.p50 <= far.p50 and near.p90 <= far.p90


def test_a_long_line_costs_little() -> None:
    """A crowd that comes at once needs one simulation, not one for each."""
    choose = random.Random(1)
    estimator = make_estimator(*(choose.lognormvariate(1, 1) for _ in range(200)))
    running = [Running(age_s=1.0, num_generated=5)] * 8
    estimator.estimate_all(1, 8, running)
    began = process_time()
    for num_waiting in range(1, 301):
        estimator.estimate(num_waiting, 8, running)
    estimator.estimate_all(300, 8, running)
    assert process_time() - began < 0.5


def check_bars(figures: WaitFigures, least: float = 0.85) -> None:
    """Check what is demanded of promises; ``least`` is how many must be kept."""
    assert figures.num_waits >= 150
    assert figures.coverage is not None and least <= figures.coverage <= 0.97
    assert figures.promised_to_real is not None and figures.promised_to_real <= 2.0
    assert figures.spread is not None and figures.spread <= 2.5


@pytest.mark.parametrize("seed", range(6))
def test_promises_hold_in_a_rush(seed: int) -> None:
    """Rushes of answers with a heavy tail, a tenth cancelled, and a resize while some wait."""
    pool = SimulatedPool(resize={400.0: 3 if seed % 2 else 5})
    pool.play(make_answers(seed))
    check_bars(pool.record.figures())
    assert len(pool.record) == 0


@pytest.mark.parametrize("seed", range(3))
def test_promises_survive_a_machine_that_gets_slower(seed: int) -> None:
    """Something else takes half of the processor for some minutes, which nobody could foresee."""
    pool = SimulatedPool(slowdown=lambda now: 2.0 if 500 < now < 900 else 1.0)
    pool.play(make_answers(seed))
    check_bars(pool.record.figures(), least=0.8)


@pytest.mark.parametrize("seed", range(3))
def test_promises_recover_from_a_rush_at_the_start(seed: int) -> None:
    """With nothing known when it begins, some are broken, and that is over soon."""
    pool = SimulatedPool()
    pool.play(make_answers(seed, num_quiet=0))
    check_bars(pool.record.figures(), least=0.8)


def test_the_same_story_is_told_the_same_way() -> None:
    """There is no clock and no chance in it."""
    first, second = SimulatedPool(), SimulatedPool()
    first.play(make_answers(9, num_bursts=6))
    second.play(make_answers(9, num_bursts=6))
    assert first.record.figures() == second.record.figures()
    assert first.estimator.estimate_all(9, 4) == second.estimator.estimate_all(9, 4)


def test_a_promise_can_be_written_down_by_hand() -> None:
    """The factors are only for promises that were multiplied."""
    assert Eta(1.0, 2.0) == Eta(p50=1.0, p90=2.0, factor_p50=1.0, factor_p90=1.0)
