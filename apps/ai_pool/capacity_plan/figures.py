"""What is known of a machine and a model: the only input of a plan besides the visitors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ai_model.engine.cost_curve import CostCurve
from ai_model.engine.step_cost import StepCost

SPEEDUP_EXPONENT = 0.8
"""Twice the processors make a step 1.74 times as fast: the memory they share does not grow along.
An assumption; measure on the real machine to replace it."""


class BadFigures(ValueError):
    """Figures that cannot be; the text is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One model on one machine."""

    model: str
    quant: str
    weights_bytes: int
    kv_bytes_per_token: int
    n_ctx: int
    max_tokens: int
    points: tuple[tuple[int, float], ...]
    """Step cost: tokens in a step and the milliseconds it takes, rising."""
    cell_ms: float
    """What every cell looked at adds, in milliseconds."""
    num_cpus: int
    memory_bytes: int
    num_instances: int
    """Instances as configured now."""
    queue_size: int
    timeout_s: float
    chunk_tokens: int
    target_itl_ms: float
    max_tok_s: float
    parked_bytes: int
    source: str
    """Where the costs come from, for people."""

    @property
    def step_cost(self) -> StepCost:
        """The measured costs as the scheduler uses them."""
        return StepCost(CostCurve(self.points), self.cell_ms)

    @property
    def instance_bytes(self) -> int:
        """Memory of one instance more, with a full context."""
        return self.n_ctx * self.kv_bytes_per_token

    def on(self, *, num_cpus: int, memory_bytes: int) -> Figures:
        """Return an estimate for a machine of another size."""
        factor = (self.num_cpus / num_cpus) ** SPEEDUP_EXPONENT
        points = tuple((size, cost * factor) for size, cost in self.points)
        source = self.source
        if num_cpus != self.num_cpus:
            source += f", scaled from {self.num_cpus} to {num_cpus} CPUs"
        return replace(
            self,
            points=points,
            cell_ms=self.cell_ms * factor,
            num_cpus=num_cpus,
            memory_bytes=memory_bytes,
            source=source,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"points": [list(point) for point in self.points]}

    @classmethod
    def from_json(cls, value: object) -> Figures:
        """Return what ``to_json`` wrote. Raises BadFigures."""
        try:
            if not isinstance(value, Mapping):
                raise TypeError
            values = dict(value)
            values["points"] = checked_points(values["points"])
            figures = cls(**values)
            numbers = asdict(figures)
            for name, given in numbers.items():
                kind = str if name in ("model", "quant", "source") else (int, float)
                if name != "points" and not isinstance(given, kind):
                    raise TypeError
            if min(figures.num_cpus, figures.n_ctx, figures.num_instances, figures.max_tokens) < 1:
                raise TypeError
        except BadFigures:
            raise
        except (KeyError, TypeError, ValueError):
            raise BadFigures("The figures are not those of `plan_capacity --json`.") from None
        return figures


def checked_points(value: Any) -> tuple[tuple[int, float], ...]:
    """Return step costs out of JSON; they must rise. Raises TypeError or BadFigures."""
    points = tuple(sorted((int(size), float(cost)) for size, cost in value))
    costs = [cost for _, cost in points]
    if not points or points[0][0] < 1 or costs[0] <= 0 or costs != sorted(costs):
        raise BadFigures("The step costs must be positive and rise with the number of tokens.")
    return points
