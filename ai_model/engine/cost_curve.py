"""What a step costs: milliseconds by number of tokens, measured when a model is loaded."""

from __future__ import annotations

import bisect
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ai_model.engine.context import Context

_SIZES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class CostCurve:
    """Measured points ``(tokens, milliseconds)``, rising in tokens, at least one.

    The cost of a step is a staircase, not a line: quantised kernels work in tiles, so the measured
    sizes are its edges.
    """

    points: tuple[tuple[int, float], ...]

    def cost_ms(self, num_tokens: int) -> float:
        """Return the milliseconds of a step of ``num_tokens``, between the points by proportion."""
        sizes = [size for size, _ in self.points]
        at = bisect.bisect_left(sizes, num_tokens)
        if at < len(sizes) and sizes[at] == num_tokens:
            return self.points[at][1]
        if at == 0:
            return self.points[0][1]
        if at == len(sizes):
            size, cost = self.points[-1]
            return cost * num_tokens / size
        (low, low_cost), (high, high_cost) = self.points[at - 1], self.points[at]
        return low_cost + (high_cost - low_cost) * (num_tokens - low) / (high - low)


def measure(context: Context, *, num_vocab: int, budget_s: float = 2.5) -> CostCurve:
    """Return the curve of this model on this machine, spending about ``budget_s`` seconds; empties
    the context.

    Sizes that no longer fit the budget are left to proportion.
    """
    # The first step reads the model from disk, which may take longer than all others together.
    _run(context, 1, num_vocab)
    started = time.monotonic()
    points: list[tuple[int, float]] = []
    for size in _SIZES:
        if size > context.batch_tokens:
            break
        # Twice, because something else may have had the processor for a moment.
        points.append((size, min(_run(context, size, num_vocab) for _ in range(2))))
        spent = time.monotonic() - started
        if spent + 3 * points[-1][1] / 1000 > budget_s:
            break
    return CostCurve(tuple(_rising(points)))


def _run(context: Context, size: int, num_vocab: int) -> float:
    context.clear()
    for position in range(size):
        token = 3 + position * 7 % max(1, num_vocab - 3)
        context.add(token, position=position, sequence=0, wants_logits=position == size - 1)
    started = time.perf_counter()
    context.decode()
    elapsed_ms = (time.perf_counter() - started) * 1000
    context.clear()
    return elapsed_ms


def _rising(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Drop sizes that are dearer than a larger one: nobody would choose them as an edge."""
    kept: list[tuple[int, float]] = []
    for size, cost in reversed(points):
        if not kept or cost <= kept[-1][1]:
            kept.append((size, cost))
    return kept[::-1]
