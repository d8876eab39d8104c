"""Counters go on over restarts of the pool and never go back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_model.pool.histogram import HistogramFigures
from ai_model.pool.status import PoolStatus
from apps.ai_pool.metrics_totals import MAX_LIVES, RESTARTS, SUM, Totals, counts_of
from tests.apps.ai_pool.metrics_reading import status_of

DONE = ("corral_requests_total", "done")
QUEUE = "corral_request_queue_time_seconds"


def test_one_life_is_what_it_says() -> None:
    totals = Totals()
    totals.take(status_of(outcomes={"done": 3}))
    totals.take(status_of(outcomes={"done": 5}))
    assert totals[DONE] == 5
    assert totals["corral_requests_total", "failed"] == 0


def test_lives_add_up() -> None:
    totals = Totals()
    totals.take(status_of("a", outcomes={"done": 5}, waits=(0.05, 3.0)))
    totals.take(status_of("b", outcomes={"done": 1}, waits=(3.5,)))
    assert totals[DONE] == 6
    assert totals[QUEUE, SUM] == pytest.approx(6.55)
    assert [totals[QUEUE, str(index)] for index in range(6)] == [0, 1, 0, 0, 0, 2]


def test_a_late_answer_changes_nothing() -> None:
    """Of an earlier moment, and of an earlier life."""
    totals = Totals()
    totals.take(status_of("a", outcomes={"done": 5}))
    totals.take(status_of("a", outcomes={"done": 4}))
    assert totals[DONE] == 5
    totals.take(status_of("b", outcomes={"done": 1}))
    totals.take(status_of("a", outcomes={"done": 5}))
    assert totals[DONE] == 6


def test_a_pool_that_is_down_takes_nothing_away() -> None:
    totals = Totals()
    totals.take(status_of(outcomes={"done": 5}))
    totals.take(PoolStatus.down("gone"))
    assert totals[DONE] == 5
    assert totals[RESTARTS, ""] == 0


def test_more_lives_than_are_kept_apart() -> None:
    totals = Totals()
    seen = []
    for number in range(MAX_LIVES * 3):
        totals.take(status_of(f"life {number}", outcomes={"done": 2}, num_restarts=number))
        seen.append(totals[DONE])
    assert seen == [2 * (number + 1) for number in range(MAX_LIVES * 3)]
    assert totals[RESTARTS, ""] == MAX_LIVES * 3 - 1


def test_restarts() -> None:
    """Those before the first look, those missed, and those of a supervisor that is new itself."""
    totals = Totals()
    seen = []
    for life, num_restarts in [("a", 2), ("a", 2), ("b", 3), ("c", 6), ("d", 0), ("e", 1)]:
        totals.take(status_of(life, num_restarts=num_restarts))
        seen.append(totals[RESTARTS, ""])
    assert seen == [2, 2, 3, 6, 7, 8]


def test_a_pool_that_does_not_name_its_lives() -> None:
    """Is told by its process id."""
    totals = Totals()
    for pid, done in [(10, 5), (10, 6), (11, 1)]:
        totals.take(status_of("", pid=pid, outcomes={"done": done}))
    assert totals[DONE] == 7


def test_unknown_labels_are_one() -> None:
    """Whatever a pool writes there, no new time series begins."""
    counts = counts_of(status_of(errors={"stalled": 1, "x" * 50: 2, 'y"\n': 3}))
    codes = {part: count for (name, part), count in counts.items() if "errors" in name}
    assert codes == {"stalled": 1, "other": 5}


def test_buckets_of_another_release_are_left_out() -> None:
    foreign = HistogramFigures(bounds=(1.0, 2.0), counts=(1, 1, 1), total=5.0)
    totals = Totals()
    totals.take(status_of(waits=(0.05,)))
    totals.take(replace(status_of("b"), latencies={"queue": foreign}))
    assert totals[QUEUE, SUM] == 0.05
    assert sum(totals[QUEUE, str(index)] for index in range(20)) == 1
