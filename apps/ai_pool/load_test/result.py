"""The result of a load test: every size of the pool, and how true the plan was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.workload import Workload
from apps.ai_pool.load_test.comparison import Compared, compare
from apps.ai_pool.load_test.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One load test. Holds no text of any visitor."""

    began: str
    """Date and time, ISO 8601."""
    model: str
    workload: Workload
    runs: tuple[Run, ...]
    plan: dict[int, Outcome]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcome of each run."""
        return tuple(run.outcome for run in self.runs)

    @property
    def compared(self) -> list[Compared]:
        """Planned against measured; empty without a plan."""
        return compare(self.plan, self.outcomes)

    @property
    def num_bad(self) -> int:
        """Questions without an answer, of all runs."""
        return sum(outcome.num_failed for outcome in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "began": self.began,
            "model": self.model,
            "workload": self.workload.to_json(),
            "runs": [run.to_json() for run in self.runs],
            "plan": [one.to_json() for one in self.plan.values()],
            "compared": [one.to_json() for one in self.compared],
        }


def comparison_cells(compared: Sequence[Compared]) -> list[tuple[str, ...]]:
    """Return rows for people: measure, instances, planned, measured, off by, within."""
    return [
        (
            one.name,
            str(one.num_instances),
            f"{one.planned:.2f}",
            f"{one.measured:.2f}",
            "-" if one.deviation is None else f"{round(100 * one.deviation):+d} %",
            "yes" if one.is_true else "no",
        )
        for one in compared
    ]


COMPARISON_HEADINGS = ("measure", "instances", "planned", "measured", "off by", "within 25 %")
