"""What can stay in the KV cache when a conversation's oldest turns are left out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_model.engine.instance import common_prefix
from ai_model.engine.request import EngineRequest

_PROBE = 32
"""So many tokens in a row must be the same where the kept turns begin; fewer are read as fast."""


@dataclass(frozen=True, slots=True)
class HistoryCut:
    """Positions ``start`` to ``end`` go, what is behind them moves up. Then the first
    ``num_cached`` tokens of the prompt are held."""

    start: int
    end: int
    num_cached: int


def find_cut(held: Sequence[int], request: EngineRequest) -> HistoryCut | None:
    """Return what to take out of ``held`` tokens so that the prompt of ``request`` goes on behind
    the rest; None where that would save nothing.

    Only for turns that fell out of the context at the beginning, right behind the system prompt.
    Whatever else differs was changed by somebody, and what stood there before must not linger: the
    cells behind it have seen it.
    """
    prompt = request.prompt
    if not prompt.num_dropped_turns:
        return None
    start = prompt.num_system_tokens
    wanted = prompt.tokens + request.produced
    if common_prefix(held, wanted) < start:
        return None
    best: HistoryCut | None = None
    probe = list(wanted[start : start + _PROBE])
    for end in range(start + 1, len(held) - len(probe) + 1):
        if held[end] != probe[0] or list(held[end : end + _PROBE]) != probe:
            continue
        num_cached = start + common_prefix(held[end:], wanted[start:])
        if best is None or num_cached > best.num_cached:
            best = HistoryCut(start, end, num_cached)
    if best is None or best.num_cached - common_prefix(held, wanted) < _PROBE:
        return None
    # The last token is always evaluated: its logits choose the next one.
    return HistoryCut(best.start, best.end, min(best.num_cached, len(wanted) - 1))
