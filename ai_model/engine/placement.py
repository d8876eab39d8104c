"""Which instance takes a request, and whose KV cells it may begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_model.engine.instance import Instance
from ai_model.engine.request import EngineRequest


@dataclass(frozen=True, slots=True)
class Placement:
    """``instance`` takes the request and keeps ``num_cached`` tokens, copied from ``source`` when
    that is another instance."""

    instance: Instance
    source: Instance
    num_cached: int


def place(request: EngineRequest, idle: Sequence[Instance]) -> Placement:
    """Choose among the ``idle`` instances (at least one) the one that saves most reading.

    First the one that holds this conversation. Else the longest idle one, beginning with the
    longest beginning that any idle instance holds of the same visitor: what other visitors wrote is
    never shared, since the time saved would give it away. Pure.
    """
    tokens = request.prompt.tokens + request.produced
    usable = len(tokens) - 1  # the last token is always evaluated: its logits choose the next one
    own = [one for one in idle if one.conversation == request.conversation and one.tokens]
    if own:
        best = max(own, key=lambda one: one.common_prefix(tokens))
        return Placement(best, best, min(best.common_prefix(tokens), usable))
    target = min(idle, key=lambda one: (bool(one.tokens), one.since))
    related = [one for one in idle if one.visitor == request.visitor and one.tokens]
    source = max(related, key=lambda one: one.common_prefix(tokens), default=target)
    cached = min(source.common_prefix(tokens), usable) if related else 0
    return Placement(target, source, cached)
