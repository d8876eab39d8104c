"""Speed depends on how many run, and is only said to where that was seen."""

from __future__ import annotations

import pytest

from ai_model.pool.pace import Pace


def test_unknown_before_the_first_answer() -> None:
    """No number is better than a wrong one."""
    assert Pace().at(4) is None


def test_the_line_is_found() -> None:
    """Answers alone and beside others tell what a fuller pool will take."""
    pace = Pace()
    for num_running in (1, 2, 3, 4) * 10:
        pace.record((0.02 + 0.01 * num_running) * 50, 50, num_running)
    for num_running in (1, 4, 8):
        assert pace.at(num_running) == pytest.approx(0.02 + 0.01 * num_running, rel=0.1)


def test_one_crowd_size_says_nothing_about_others() -> None:
    """All answers ran among four: the same pace is expected of three and five."""
    pace = Pace()
    for _ in range(20):
        pace.record(5.0, 100, 4)
    assert pace.at(3) == pace.at(5) == pytest.approx(0.05)


def test_more_never_make_one_faster() -> None:
    """A machine that happened to be slow while one ran does not promise speed to many."""
    pace = Pace()
    for _ in range(20):
        pace.record(10.0, 100, 1)
        pace.record(5.0, 100, 4)
    alone, crowded = pace.at(1), pace.at(8)
    assert alone is not None and crowded is not None and crowded >= alone


def test_a_slower_machine_is_believed_soon() -> None:
    """Twenty answers outweigh two hundred old ones."""
    pace = Pace()
    for _ in range(200):
        pace.record(5.0, 100, 4)
    for _ in range(40):
        pace.record(15.0, 100, 4)
    assert pace.at(4) == pytest.approx(0.15, rel=0.15)


def test_the_line_is_not_drawn_out_for_ever() -> None:
    """Answers whose company is unknown, or a hundred at once, get a pace within bounds."""
    pace = Pace()
    for num_running in (10, 60) * 10:
        pace.record(0.01 * num_running * 100, 100, num_running)
    mean = pace.at(35)
    assert mean is not None
    for num_running in (0, 1, 10_000):
        bounded = pace.at(num_running)
        assert bounded is not None and mean / 11 <= bounded <= mean * 11
