"""The benchmark of OpenAI's API: what it compares, and that it can be run."""

from __future__ import annotations

import pytest

from benchmarks import api
from benchmarks.report import Row
from tests.benchmarks.leftovers import assert_nothing_is_left
from tests.live import DEMO_MODEL


def row(system: str, tok_s: float, p50: float) -> Row:
    return {"system": system, "tok_s": tok_s, "ttft_p50_s": p50, "ttft_p95_s": 2 * p50}


def test_each_figure_is_compared_with_the_best_there_is() -> None:
    rows = [row("ours", 60, 0.5), row("a", 40, 1.0), row("b", 50, 4.0)]
    totals = api.compare(rows, "model.Q8_0.gguf")
    assert totals["tok_s_ratio"] == 1.2 and totals["ttft_p50_ratio"] == 0.5
    assert totals["ttft_p95_ratio"] == 0.5 and totals["ok"] == "yes"
    assert api.compare(rows, "model.Q5_K_M.gguf")["ok"] == "no"
    assert "ok" not in api.compare(rows, "demo.gguf")
    assert api.compare(rows[:1], "demo.gguf") == {}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="the demo model is not there")
def test_a_real_site_is_measured() -> None:
    report = api.run(DEMO_MODEL, quick=True)
    (ours,) = report.rows
    assert float(str(ours["tok_s"])) > 0
    assert 0 < float(str(ours["ttft_p50_s"])) < float(str(ours["total_p95_s"]))
    assert_nothing_is_left()
