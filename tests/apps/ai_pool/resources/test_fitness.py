"""Whether a machine is fast enough: figures of good and bad machines, and what is then said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.resources import fitness
from apps.ai_pool.resources.fitness import judge_reading, judge_storing, judge_writing
from tests.apps.ai_pool.capacity_plan.machines import make_figures

QUICK = make_figures(points=((1, 40.0), (8, 100.0), (64, 600.0)), num_instances=8)


def slowed(factor: float) -> Figures:
    return replace(QUICK, points=tuple((size, cost * factor) for size, cost in QUICK.points))


def test_a_machine_that_is_fast_enough() -> None:
    (writing,) = judge_writing(QUICK)
    assert writing.level is Level.GOOD
    assert "25 tokens a second alone, 10 each when 8" in writing.sentence
    (reading,) = judge_reading(replace(QUICK, chunk_tokens=64))
    # 64 tokens in one step, 36 in another: 600 ms, and half of the way from 100 to 600.
    assert reading.level is Level.GOOD and "is read in 0.95 s" in reading.sentence


def test_one_that_is_too_slow_for_all_at_once() -> None:
    (finding,) = judge_writing(slowed(6))
    assert (finding.id, finding.level) == ("writing-crowded", Level.WARNING)
    # Four take 65.7 ms * 6 in a step: 2.54 tokens a second each.
    assert "CORRAL_MAX_INSTANCES=4:" in finding.fix


def test_one_that_is_too_slow_for_anybody() -> None:
    slow = slowed(11)
    (finding,) = judge_writing(slow)
    assert (finding.id, finding.level) == ("writing-slow", Level.ERROR)
    (finding,) = judge_reading(slow)
    assert (finding.id, finding.level) == ("reading-slow", Level.WARNING)


def test_full_contexts_count() -> None:
    dear = replace(QUICK, cell_ms=0.01, n_ctx=2048)
    assert fitness.writing_tok_s(dear, 8) < 0.8 * fitness.writing_tok_s(QUICK, 8)


def test_a_pace_that_is_set_is_not_exceeded() -> None:
    assert fitness.writing_tok_s(replace(QUICK, max_tok_s=5.0), 1) == 5.0


def test_a_disk_that_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitness.sync_ms(tmp_path) > 0 and list(tmp_path.iterdir()) == []
    monkeypatch.setattr(fitness, "sync_ms", lambda directory: 250.0)
    (finding,) = judge_storing(tmp_path)
    assert (finding.id, finding.level) == ("disk-slow", Level.WARNING)
    monkeypatch.setattr(fitness, "sync_ms", lambda directory: 5.0)
    assert judge_storing(tmp_path)[0].level is Level.GOOD
