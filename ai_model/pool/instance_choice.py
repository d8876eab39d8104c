"""How many instances answer fastest together, by what a step costs. Pure."""

from __future__ import annotations

from ai_model.engine.cost_curve import CostCurve

MIN_GAIN = 1.2
"""More instances than one have to write so many times as many tokens a second in all."""
ENOUGH = 0.9
"""Fewer instances that reach this share of the most are chosen: each answer is faster then."""

TOKEN_MS = 1.0
"""What a token takes of the same processor besides its step, in milliseconds.

Choosing it, its text, its way through pool and web server to the visitor. Measured with the demo
model on one core: steps of 1 and 4 tokens take 0.26 and 0.52 ms, but 1 and 4 instances write 1,940
and 1,910 tokens a second, for the engine alone takes 0.25 to 0.4 ms more for each.
"""


def choose_num_instances(curve: CostCurve, *, at_most: int, target_itl_ms: float) -> int:
    """Return the number of instances, 1 to ``at_most``, that the measured curve speaks for.

    n instances write n tokens in a step of n tokens, and each token takes a little more. The number
    is the smallest whose tokens per second in all reach 90 % of what is possible within
    ``target_itl_ms`` milliseconds per step; and one, if that is not at least a fifth more than one
    alone would write. Only sizes that were measured count, since between them the curve guesses.
    """
    speeds = {
        size: size / (cost_ms + TOKEN_MS * size)
        for size, cost_ms in curve.points
        if size == 1 or (size <= at_most and cost_ms <= target_itl_ms)
    }
    if 1 not in speeds:
        return 1
    best = max(speeds.values())
    if best < MIN_GAIN * speeds[1]:
        return 1
    return min(size for size, speed in speeds.items() if speed >= ENOUGH * best)
