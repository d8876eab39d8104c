"""What the status benchmark makes of what it heard."""

from __future__ import annotations

from array import array

import pytest

from benchmarks.status import Slices, _row
from benchmarks.watched_chat import NOBODY, PAGE, Heard


def heard() -> Heard:
    return Heard(at=array("d", [1.5, 2.5, 3.5, 4.5]), gaps_ms=array("d", [10, 20, 30, 40]))


def test_only_what_came_within_the_slices_counts() -> None:
    slices = Slices(times=[(1.0, 2.0), (4.0, 5.0)], web_s=0.3, pool_s=0.1)
    assert slices.gaps_ms(heard()) == [10, 40]
    row = _row(NOBODY, slices, heard(), alone=0.15)
    assert row["cost_share"] == pytest.approx(0.05)
    assert (row["web_share"], row["pool_share"]) == (0.15, 0.05)
    assert (row["seconds"], row["itl_p99_ms"], row["pieces"]) == (2, 40, 2)


def test_a_watcher_who_heard_nothing_is_no_measurement() -> None:
    slices = Slices(times=[(1.0, 2.0)])
    with pytest.raises(RuntimeError, match="page"):
        _row(PAGE, slices, heard(), alone=0.0)
    with pytest.raises(RuntimeError, match="nobody"):
        _row(NOBODY, Slices(times=[(9.0, 9.5)]), heard(), alone=0.0)
