"""Planned and measured side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.workload import Workload

TOLERANCE = 0.25
"""A plan is true when it is off by no more than this share."""
SMALL_S = 0.25
"""Shorter differences are not felt, however large a share they are."""
OPTIONS = {
    "num_users": "--users",
    "num_turns": "--turns",
    "think_s": "--think",
    "question_tokens": "--question-tokens",
    "answer_tokens": "--answer-tokens",
    "answer_spread": "--answer-spread",
    "system_tokens": "--system-tokens",
}
"""Of a workload, by the options of both commands that give it."""
_MEASURES: tuple[tuple[str, Callable[[Outcome], float]], ...] = (
    ("answer, mean", lambda one: one.total.avg),
    ("answer, p50", lambda one: one.total.p50),
    ("answer, p95", lambda one: one.total.p95),
    ("first word, p50", lambda one: one.ttft.p50),
    ("wait, p50", lambda one: one.wait.p50),
    ("tokens per second", lambda one: one.tok_s),
    ("tokens of an answer", lambda one: one.answer_tokens),
)


class BadPlan(ValueError):
    """A file that is no plan; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure: seconds, or tokens per second."""

    num_instances: int
    name: str
    planned: float
    measured: float

    @property
    def deviation(self) -> float | None:
        """By which share of the plan the measured value is above it; None without a plan of it."""
        return (self.measured - self.planned) / self.planned if self.planned else None

    @property
    def is_true(self) -> bool:
        """Whether the plan was right enough."""
        if not self.name.startswith("tokens") and abs(self.measured - self.planned) <= SMALL_S:
            return True
        return self.deviation is not None and abs(self.deviation) <= TOLERANCE

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "num_instances": self.num_instances,
            "name": self.name,
            "planned": round(self.planned, 3),
            "measured": round(self.measured, 3),
            "deviation": None if self.deviation is None else round(self.deviation, 3),
            "is_true": self.is_true,
        }


def read_plan(path: Path) -> dict[int, Outcome]:
    """Return what ``plan_capacity --json`` expects, by number of instances. Raises BadPlan."""
    try:
        plan = json.loads(path.read_text())
        outcomes = map(Outcome.from_json, [plan["expected"], *plan["others"]])
        return {one.num_instances: one for one in outcomes}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadPlan(f"{path} is not the output of `plan_capacity --users N --json`.") from None


def check_plan(path: Path, workload: Workload) -> None:
    """Raise BadPlan when a plan, read before, is about other visitors than those who come."""
    planned = json.loads(path.read_text()).get("workload")
    if not isinstance(planned, dict):
        raise BadPlan(f"{path} does not say for which visitors it was made.")
    asked = workload.to_json()
    other = [
        f"{OPTIONS[name]} {planned[name]:g}, not {asked[name]:g}"
        for name in OPTIONS
        if isinstance(planned.get(name), (int, float)) and planned[name] != asked[name]
    ]
    if other:
        raise BadPlan(f"The plan was made for other visitors: {'; '.join(other)}.")


def compare(plan: dict[int, Outcome], measured: Sequence[Outcome]) -> list[Compared]:
    """Return all measures of the sizes that plan and measurement have in common."""
    return [
        Compared(one.num_instances, name, value(plan[one.num_instances]), value(one))
        for one in measured
        if one.num_instances in plan
        for name, value in _MEASURES
    ]
