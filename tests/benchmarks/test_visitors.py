"""The benchmarks with real servers and real lines find nothing wrong and leave nothing behind."""

from __future__ import annotations

import pytest

from benchmarks import sockets, stop, warm
from tests.benchmarks.leftovers import assert_nothing_is_left
from tests.live import DEMO_MODEL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="the demo model is not there"),
]


def test_stop_reaches_the_pool() -> None:
    report = stop.run(DEMO_MODEL, quick=True)
    assert [row["case"] for row in report.rows] == ["gen.done received", "instance free"]
    for row in report.rows:
        assert row["stops"] == 5
        assert 0 < float(str(row["p50_ms"])) <= float(str(row["p95_ms"])) < 5000
    assert report.totals["free_p95_ms"] == report.rows[1]["p95_ms"]
    assert_nothing_is_left()


def test_nothing_is_lost_on_many_lines() -> None:
    report = sockets.run(DEMO_MODEL, quick=True)
    assert report.totals["answers"] == 6
    for name in ("frames_lost", "texts_wrong", "idle_lines_lost"):
        assert report.totals[name] == 0
    assert 0 < float(str(report.totals["gap_p95_ms"])) < 60_000
    assert int(str(report.totals["deaf_frames_sent"])) > 0
    assert all(float(str(row["web_rss_mb"])) > 10 for row in report.rows)
    assert_nothing_is_left()


def test_a_warm_up_is_what_the_question_finds() -> None:
    report = warm.run(DEMO_MODEL, quick=True)
    cached = {row["case"]: int(str(row["cached_tokens"])) for row in report.rows}
    assert cached["warmed up"] > 300 + cached["without"]
    assert float(str(report.totals["ttft_ratio"])) > 0
    assert_nothing_is_left()
