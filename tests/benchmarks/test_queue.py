"""The benchmark of admission runs without a model, and the pool keeps its bound in it."""

from __future__ import annotations

from pathlib import Path

from benchmarks import queue


def test_never_takes_more_than_the_bound() -> None:
    report = queue.run(Path("/nowhere.gguf"), quick=True)
    assert [row["case"] for row in report.rows] == ["line empty", "line full"]
    assert [row["accepted"] for row in report.rows] == [queue.QUEUE_SIZE, 0]
    assert all(row["submitters"] == 500 for row in report.rows)
    assert all(0 < float(str(row["p50_ms"])) <= float(str(row["p99_ms"])) for row in report.rows)
