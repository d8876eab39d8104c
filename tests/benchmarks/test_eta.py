"""The benchmark of promised waits judges what visitors were shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import eta
from benchmarks.eta import Visit
from tests.ai_model.tiny_model import build_tiny_model


def test_figures_are_those_of_visitors_who_waited() -> None:
    """Not of those who were served at once, who left, or who were promised nothing."""
    visits = [
        Visit(promised=(2.0, 4.0), waited_s=3.0),
        Visit(promised=(4.0, 8.0), waited_s=9.0),
        Visit(promised=(1.0, 100.0), is_cancelled=True),
        Visit(is_refused=True),
        Visit(),
    ]
    row = eta._figures(visits)
    assert row["waits"] == 2
    assert row["coverage"] == 0.5
    assert row["promised_to_real"] == 1.0
    assert row["p90_to_p50"] == 2.0
    assert row["error_p50_s"] == 5.0


def test_promises_of_nothing_are_compared_at_the_size_of_a_step() -> None:
    """Frames carry tenths of seconds; less is not a broken promise, nor a division by zero."""
    row = eta._figures([Visit(promised=(0.0, 0.0), waited_s=0.04)])
    assert row["coverage"] == 1.0
    assert row["p90_to_p50"] == 1.0


def test_no_wait_is_no_result() -> None:
    """Rather than a table of zeros."""
    with pytest.raises(RuntimeError, match="nobody had to wait"):
        eta._figures([Visit()])


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_real_pool_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short run gets promises from a real pool and puts them to the test."""
    monkeypatch.setattr(eta, "QUICK_DURATION_S", 6.0)
    monkeypatch.setattr(eta, "SMALL_MODEL_TOK_S", 60.0)
    report = eta.run(build_tiny_model(tmp_path / "tiny.gguf", n_ctx=2048), quick=True)
    row = report.rows[0]
    assert isinstance(row["waits"], int) and row["waits"] >= 1
    assert isinstance(row["coverage"], float) and 0 <= row["coverage"] <= 1
    assert report.totals["refused"] == 0
