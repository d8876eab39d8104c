"""The plan of one step: who writes a token, and whose prompt is read how far. Pure, so it is tested
without llama.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_model.engine.cost_curve import CostCurve

MIN_PREFILL = 8
"""Prompt tokens read in a step at least, however dear a step is: nobody starves."""

PREFILL_SHARE = 2.0
"""A step may always take this many times what its running answers alone would take."""


@dataclass(frozen=True, slots=True)
class PrefillShare:
    """``num_tokens`` of the prompt of instance ``instance``."""

    instance: int
    num_tokens: int


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What one step evaluates."""

    decode: tuple[int, ...]
    """Instances that write one token each."""
    prefill: tuple[PrefillShare, ...]
    """Prompts that are read, oldest first."""

    @property
    def num_tokens(self) -> int:
        """Tokens in the step."""
        return len(self.decode) + sum(share.num_tokens for share in self.prefill)


def plan_step(
    *,
    decoding: Sequence[int],
    prefilling: Sequence[PrefillShare],
    is_answering: bool,
    curve: CostCurve,
    target_itl_ms: float,
    chunk_tokens: int,
) -> StepPlan:
    """Return the next step.

    ``decoding`` are the instances due for a token: all of them get one. ``prefilling`` are the
    prompts still to be read, oldest first, with the tokens they have left. While somebody is being
    answered (``is_answering``, which includes answers that wait for their pace) the step is kept
    within ``target_itl_ms`` milliseconds by ``curve``, or within twice what the running answers
    alone take if that is more; else it takes ``chunk_tokens``. The oldest
    prompt is read first, since that gives the shortest mean time to first token, and what it leaves
    of the step goes to the next.
    """
    capacity = chunk_tokens + len(decoding)
    if is_answering and prefilling:
        own_ms = curve.cost_ms(len(decoding)) if decoding else 0.0
        allowed_ms = max(target_itl_ms, PREFILL_SHARE * own_ms)
        floor = len(decoding) + min(MIN_PREFILL, chunk_tokens)
        budget = curve.largest_step(allowed_ms, at_least=floor, at_most=capacity)
    else:
        budget = capacity
    left = budget - len(decoding)
    shares: list[PrefillShare] = []
    for work in prefilling:
        if left <= 0:
            break
        taken = min(left, work.num_tokens)
        if taken > 0:
            shares.append(PrefillShare(work.instance, taken))
            left -= taken
    return StepPlan(tuple(decoding), tuple(shares))
