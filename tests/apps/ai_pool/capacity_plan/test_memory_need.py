"""The truthful formula: weights once, and a context for each instance."""

from __future__ import annotations

from apps.ai_pool.capacity_plan.memory_need import GB, MB, copies_bytes, memory_need
from tests.apps.ai_pool.capacity_plan.machines import make_figures


def test_one_instance_more_costs_its_context() -> None:
    figures = make_figures()
    few, many = memory_need(figures, 1), memory_need(figures, 11)
    assert few.weights == many.weights == figures.weights_bytes
    assert many.total - few.total == 10 * 1024 * 22_528 == 220 * MB


def test_the_customary_estimate() -> None:
    assert copies_bytes(10) == (16 * GB, 19 * GB)
