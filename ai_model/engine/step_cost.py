"""What a step is expected to take: the measured curve, and what long contexts add to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ai_model.engine.cost_curve import CostCurve

_RATE = 0.2
"""Weight of the newest step in what is learned."""
_PRIOR_SHARE = 0.001
"""A cell attended to is taken to cost this share of a token, until steps have shown better."""
_MASKED_SHARE = 0.2
"""What a cell of somebody else costs, which is looked at and passed over, relative to an own one.

Measured with flash attention on a processor: 1.1 against 6 microseconds.
"""
_CLEAR_SHARE = 0.1
"""Contexts that add at least this share teach the price of a cell, shorter ones the slowness."""


def attended_cells(start: int, count: int, held: int) -> float:
    """Return the cells that ``count`` tokens from position ``start`` on look at, in a cache that
    holds ``held`` cells in all; those of others count for less."""
    own = count * start + count * (count - 1) / 2
    return own + _MASKED_SHARE * max(0.0, count * held - own)


@dataclass(frozen=True, slots=True)
class StepCost:
    """A linear model: ``slowness * curve(tokens) + cell_ms * cells``, both factors learned."""

    curve: CostCurve
    cell_ms: float
    slowness: float = 1.0
    """How much longer steps take than when the curve was measured: something else is running."""

    @classmethod
    def from_curve(cls, curve: CostCurve) -> StepCost:
        """Begin with what the curve tells about cells."""
        size, cost = curve.points[-1]
        return cls(curve, cell_ms=_PRIOR_SHARE * cost / size)

    def ms(self, num_tokens: int, num_cells: float) -> float:
        """Return the milliseconds of a step of ``num_tokens`` that look at ``num_cells`` cells."""
        return self.slowness * self.curve.cost_ms(num_tokens) + self.cell_ms * num_cells

    def learned(self, num_tokens: int, num_cells: float, took_ms: float) -> StepCost:
        """Return the model after a step that took ``took_ms``; single outliers are bounded."""
        plain_ms = max(self.curve.cost_ms(num_tokens), 1e-3)
        cells_ms = self.cell_ms * num_cells
        if cells_ms >= _CLEAR_SHARE * plain_ms:
            seen = max(0.0, took_ms - self.slowness * plain_ms) / num_cells
            seen = min(seen, 4 * self.cell_ms)
            # Never quite nothing, or it would never be clear enough to be learned again.
            floor = _PRIOR_SHARE / 10 * self.curve.points[-1][1] / self.curve.points[-1][0]
            return replace(self, cell_ms=max(floor, _mix(self.cell_ms, seen)))
        seen = min(max((took_ms - cells_ms) / plain_ms, 0.5), 4.0)
        return replace(self, slowness=_mix(self.slowness, seen))


def _mix(old: float, new: float) -> float:
    return old + _RATE * (new - old)
