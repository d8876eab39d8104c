"""The staircase of what a step costs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ai_model.engine import cost_curve
from ai_model.engine.cost_curve import CostCurve
from tests.ai_model.engine.conftest import MakeEngine

CURVE = CostCurve(((1, 34.0), (4, 65.0), (8, 103.0), (16, 182.0), (32, 340.0)))


def test_cost_lies_on_and_between_the_points() -> None:
    assert CURVE.cost_ms(8) == 103.0
    assert CURVE.cost_ms(6) == 84.0
    assert CURVE.cost_ms(64) == 680.0
    assert CostCurve(((4, 10.0),)).cost_ms(1) == 10.0


def test_engine_measures_its_own_curve(make_engine: MakeEngine, tiny_model: Path) -> None:
    engine = make_engine()
    assert engine._decoder is not None
    sizes = [size for size, _ in engine._decoder.step_cost.curve.points]
    costs = [cost for _, cost in engine._decoder.step_cost.curve.points]
    assert sizes == sorted(set(sizes))
    assert costs == sorted(costs)
    assert all(cost > 0 for cost in costs)
    assert not any(one.num_kv_tokens for one in engine.snapshot().instances)


def test_a_model_that_comes_slowly_from_disk_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time of its first step is no part of what the measuring may take."""
    now, sizes = [0.0], list[int]()

    def step(context: object, size: int, num_vocab: int) -> float:
        took_s = 0.05 * size if sizes else 60.0
        sizes.append(size)
        now[0] += took_s
        return 1000 * took_s

    monkeypatch.setattr(cost_curve, "_run", step)
    monkeypatch.setattr(cost_curve.time, "monotonic", lambda: now[0])
    curve = cost_curve.measure(SimpleNamespace(batch_tokens=64), num_vocab=9)  # type: ignore[arg-type]
    assert [size for size, _ in curve.points] == [1, 2, 4, 8]
