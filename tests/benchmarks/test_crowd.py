"""The benchmark of crowds counts whoever was not answered, and how."""

from __future__ import annotations

import pytest

from benchmarks import crowd
from benchmarks.crowd_client import Outcome
from tests.benchmarks.leftovers import assert_nothing_is_left
from tests.live import DEMO_MODEL


def test_everybody_is_counted_once() -> None:
    outcomes = [
        Outcome(status=200, response_s=1.0, total_s=2.0, is_whole=True),
        Outcome(status=200, response_s=0.5, total_s=0.6),
        Outcome(status=503, response_s=0.1, total_s=0.1, has_time=True),
        Outcome(status=429, response_s=0.2, total_s=0.2),
        Outcome(status=500, response_s=0.1, total_s=0.1),
        Outcome(failure="ConnectionResetError", total_s=3.0),
    ]
    row = crowd.figures(6, outcomes)
    counted = ("clients", "answered", "refused", "no_time", "failed")
    assert [row[name] for name in counted] == [6, 1, 2, 1, 3]
    assert (row["p50_ms"], row["last_s"], row["end_s"]) == (200, 1.0, 3.0)
    assert crowd.failures(outcomes) == "1 x status 200, 1 x status 500, 1 x ConnectionResetError"
    assert crowd.failures(outcomes[:1]) == "none"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="the demo model is not there")
def test_a_crowd_is_answered_or_told_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "BIG", 100)
    report = crowd.run(DEMO_MODEL, quick=True)
    small, big = report.rows
    assert (small["clients"], big["clients"]) == (100, 100)
    assert (report.totals["failures_50"], report.totals["failures_100"]) == ("none", "none")
    assert float(str(report.totals["rss_peak_mb_100"])) > 10
    for row in (small, big):
        assert row["failed"] == row["no_time"] == 0
        assert int(str(row["answered"])) + int(str(row["refused"])) == 100
    assert int(str(big["refused"])) > 0
    assert_nothing_is_left()
