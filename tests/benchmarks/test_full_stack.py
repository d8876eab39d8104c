"""The benchmark of the whole way asks all three the same."""

from __future__ import annotations

import pytest

from benchmarks import full_stack
from benchmarks.full_stack import Round
from tests.benchmarks.leftovers import assert_nothing_is_left
from tests.live import DEMO_MODEL


def test_a_round_lasts_from_the_first_question_to_the_last_end() -> None:
    together = full_stack._round([(10.0, 12.0, 30, 100), (11.0, 15.0, 20, 90)])
    assert (together.seconds, together.num_tokens, together.num_prompt) == (5.0, 50, 190)
    row = full_stack._row("way", [together, Round(5.0, 100, 190)])
    assert (row["tok_s"], row["tok_s_least"], row["tok_s_most"]) == (15.0, 10.0, 20.0)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="the demo model is not there")
def test_all_three_ways_read_the_same() -> None:
    report = full_stack.run(DEMO_MODEL, quick=True)
    assert [row["way"] for row in report.rows] == ["engine alone", "WebSocket", "SSE of /v1/"]
    assert report.totals["same_prompts"] == "yes"
    for row in report.rows:
        assert float(str(row["of_engine"])) > 0 and int(str(row["tokens"])) > 0
    for name in ("ws", "sse"):
        median = float(str(report.totals[f"added_{name}_p50_ms"]))
        assert 0 < median <= float(str(report.totals[f"added_{name}_p95_ms"])) < 5000
    assert_nothing_is_left()
