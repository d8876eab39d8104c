"""The plan of one step: who writes a token, and whose prompt is read how far. Pure, so it is tested
without llama.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_model.engine.step_cost import StepCost, attended_cells

MIN_PREFILL = 8
"""Prompt tokens read in a step at least, however dear a step is: nobody starves."""

PREFILL_SHARE = 2.0
"""A step may always take this many times what its running answers alone would take."""


TILE = 32
"""Tokens that the largest tiles of llama.cpp's kernels take at once."""


@dataclass(frozen=True, slots=True)
class Writer:
    """An instance that is due for a token, behind ``num_held`` tokens of its own."""

    instance: int
    num_held: int


@dataclass(frozen=True, slots=True)
class Reader:
    """An instance with ``num_unread`` tokens of its prompt to read, behind ``num_held``."""

    instance: int
    num_unread: int
    num_held: int


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
    writers: Sequence[Writer],
    readers: Sequence[Reader],
    is_answering: bool,
    cost: StepCost,
    held_cells: int,
    target_itl_ms: float,
    chunk_tokens: int,
) -> StepPlan:
    """Return the next step.

    All ``writers`` get a token. ``readers`` come oldest first, and the oldest prompt is read first,
    since that gives the shortest mean time to first token; what it leaves of the step goes to the
    next. While somebody is being answered (``is_answering``, which includes answers that wait for
    their pace) the step is kept within ``target_itl_ms`` milliseconds by ``cost``, or within twice
    what the writers alone take if that is more; else it takes ``chunk_tokens``. ``held_cells`` are
    all cells of the KV cache that are in use.
    """
    capacity = chunk_tokens
    if is_answering and readers:
        own_cells = sum(attended_cells(one.num_held, 1, held_cells) for one in writers)
        own_ms = cost.ms(len(writers), own_cells) if writers else 0.0
        allowed_ms = max(target_itl_ms, PREFILL_SHARE * own_ms)
        smallest = min(MIN_PREFILL, chunk_tokens)
        edges = (size - len(writers) for size in _edges(cost, chunk_tokens + len(writers)))
        sizes = sorted({edge for edge in edges if smallest < edge < chunk_tokens} | {chunk_tokens})
        capacity = smallest
        for size in sizes:
            shares = _deal(readers, size)
            cells = own_cells + _cells_of(shares, readers, held_cells)
            num_tokens = len(writers) + sum(share.num_tokens for share in shares)
            if cost.ms(num_tokens, cells) > allowed_ms:
                break
            capacity = size
    return StepPlan(tuple(one.instance for one in writers), tuple(_deal(readers, capacity)))


def _edges(cost: StepCost, at_most: int) -> list[int]:
    """Return the sizes at which the staircase has its edges: the measured ones, and what tiles of
    32 make beyond the largest of those."""
    measured = [size for size, _ in cost.curve.points]
    return measured + list(range(measured[-1] // TILE * TILE + TILE, at_most, TILE))


def _deal(readers: Sequence[Reader], num_tokens: int) -> list[PrefillShare]:
    """Give ``num_tokens`` to the readers in their order."""
    shares: list[PrefillShare] = []
    for reader in readers:
        taken = min(num_tokens, reader.num_unread)
        if taken <= 0:
            break
        shares.append(PrefillShare(reader.instance, taken))
        num_tokens -= taken
    return shares


def _cells_of(shares: Sequence[PrefillShare], readers: Sequence[Reader], held_cells: int) -> float:
    return sum(
        attended_cells(reader.num_held, share.num_tokens, held_cells)
        for share, reader in zip(shares, readers, strict=False)
    )
