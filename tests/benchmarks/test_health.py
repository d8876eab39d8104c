"""The health benchmark: it fills the pool of a real server, measures, and leaves nothing behind."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks import health
from benchmarks.live_site import live_site
from tests.benchmarks.leftovers import assert_nothing_is_left
from tests.live import DEMO_MODEL


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="the demo model is not there")
def test_the_probe_is_answered_while_the_pool_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    # The demo model answers faster than one web process asks; held back, it is soon full.
    held_back = partial(live_site, settings={"CORRAL_MAX_TOK_S": "20"})
    monkeypatch.setattr(health, "live_site", held_back)
    report = health.run(DEMO_MODEL, quick=True)
    idle, full = report.rows
    assert (report.name, idle["case"], full["case"]) == ("health", "idle", "saturated")
    for row in report.rows:
        assert row["failed"] == 0 and int(str(row["probes"])) > 4
        assert (
            0 < float(str(row["p50_ms"])) <= float(str(row["p99_ms"])) <= float(str(row["max_ms"]))
        )
    assert float(str(full["full_share"])) >= 0.5 and int(str(full["answers"])) > 0
    assert report.totals["live_p99_ms"] == full["p99_ms"]
    assert_nothing_is_left()
