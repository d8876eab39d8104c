"""The first promise is the one that counts, and nobody is counted who left in time."""

from __future__ import annotations

import pytest

from ai_model.pool.eta import Eta
from ai_model.pool.wait_record import WaitFigures, WaitRecord


def test_nothing_was_measured_yet() -> None:
    """So nothing is claimed."""
    record = WaitRecord()
    assert record.figures() == WaitFigures()
    assert record.coverage() is None
    assert record.arrive("unknown", 5.0) is None
    assert record.leave("unknown", 5.0) is None


def test_the_first_promise_counts() -> None:
    """A later, safer one does not replace it, and the wait is measured from the first."""
    record = WaitRecord()
    record.promise("a", Eta(2.0, 4.0), 100.0)
    record.promise("a", Eta(50.0, 90.0), 103.0)
    wait = record.arrive("a", 105.0)
    assert wait is not None
    assert wait.promised == Eta(2.0, 4.0) and wait.seconds == 5.0 and not wait.is_kept
    assert record.coverage() == 0.0
    assert record.arrive("a", 106.0) is None, "it has got its instance already"


def test_no_promise_is_no_promise() -> None:
    """While nothing is known, nothing is noted; the first real one counts from then on."""
    record = WaitRecord()
    record.promise("a", None, 1.0)
    assert len(record) == 0
    record.promise("a", Eta(1.0, 2.0), 8.0)
    wait = record.arrive("a", 9.5)
    assert wait is not None and wait.seconds == 1.5 and wait.is_kept


def test_figures() -> None:
    """Four waits of which one broke its promise."""
    record = WaitRecord()
    for name, seconds in zip("abcd", (1.0, 2.0, 3.0, 6.0), strict=True):
        record.promise(name, Eta(2.0, 4.0), 10.0)
        record.arrive(name, 10.0 + seconds)
    figures = record.figures()
    assert figures.num_waits == 4 and figures.num_given_up == 0
    assert figures.coverage == 0.75
    assert figures.promised_to_real == pytest.approx(4 / 3)
    assert figures.spread == 2.0
    assert figures.mean_error_s == pytest.approx(1.0)
    assert figures.error_p50_s == 1.0
    assert figures.error_p90_s == 4.0
    assert (figures.num_promises, figures.num_promises_kept) == (4, 3)
    assert (figures.promised_s, figures.promised_p90_s, figures.real_wait_s) == (8.0, 16.0, 12.0)


def test_sums_go_on_when_the_record_is_full() -> None:
    """The record forgets old waits; what is summed since the start does not."""
    record = WaitRecord(max_waits=1)
    for name in "abc":
        record.promise(name, Eta(1.0, 2.0), 0.0)
        record.arrive(name, 1.0)
    assert record.figures().num_waits == 1
    assert record.figures().num_promises == 3


def test_who_leaves_in_time_is_forgotten() -> None:
    """Nobody knows how long the wait would have been."""
    record = WaitRecord()
    record.promise("a", Eta(2.0, 4.0), 0.0)
    assert record.leave("a", 3.9) is None
    assert len(record) == 0 and record.figures() == WaitFigures()


def test_who_leaves_too_late_was_promised_too_little() -> None:
    """The promise was broken, though the wait itself stays unknown."""
    record = WaitRecord()
    record.promise("a", Eta(2.0, 4.0), 0.0)
    wait = record.leave("a", 4.5)
    assert wait is not None and wait.is_given_up and not wait.is_kept
    figures = record.figures()
    assert (figures.num_waits, figures.num_given_up, figures.coverage) == (1, 1, 0.0)
    assert figures.promised_to_real is None and figures.error_p50_s is None


def test_a_wait_of_nothing_at_all() -> None:
    """Zero seconds promised and real do not divide by zero."""
    record = WaitRecord()
    record.promise("a", Eta(0.0, 0.0), 7.0)
    record.arrive("a", 7.0)
    figures = record.figures()
    assert figures.coverage == 1.0
    assert figures.promised_to_real is None and figures.spread is None


def test_memory_is_bounded() -> None:
    """The oldest open promises and the oldest outcomes go first."""
    record = WaitRecord(max_open=2, max_waits=2)
    for name in "abc":
        record.promise(name, Eta(1.0, 2.0), 0.0)
    assert len(record) == 2
    assert record.arrive("a", 1.0) is None and record.arrive("c", 1.0) is not None
    for name in "defg":
        record.promise(name, Eta(1.0, 2.0), 0.0)
        record.arrive(name, 9.0)
    assert record.figures().num_waits == 2 and record.coverage() == 0.0
