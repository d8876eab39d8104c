"""Every level does without what the calmer ones do without, and something more."""

from __future__ import annotations

import itertools
from dataclasses import fields

from ai_model.memory import MemoryLevel
from ai_model.pool.economy import ECONOMIES, NORMAL, Economy


def thrift(economy: Economy) -> tuple[float, ...]:
    """Return how much is saved at each point; a larger number saves more."""
    values = []
    for field in fields(Economy):
        value = getattr(economy, field.name)
        if field.name in ("can_grow", "has_parking", "has_warm_ups", "takes_new_conversations"):
            values.append(float(not value))
        elif field.name in ("max_instances", "max_tokens", "max_exchanges"):
            values.append(0.0 if value is None else 1 / value)
        else:
            values.append(float(value))
    return tuple(values)


def test_it_only_ever_gets_stricter() -> None:
    assert ECONOMIES[MemoryLevel.LOW] == NORMAL
    for calmer, tighter in itertools.pairwise(ECONOMIES[level] for level in MemoryLevel):
        pairs = list(zip(thrift(calmer), thrift(tighter), strict=True))
        assert all(less <= more for less, more in pairs)
        assert any(less < more for less, more in pairs)


def test_what_visitors_feel() -> None:
    """Nothing before high; the numbers are what docs/small-server.md promises."""
    medium = ECONOMIES[MemoryLevel.MEDIUM]
    assert (medium.max_tokens, medium.queue_part, medium.has_parking) == (None, 1, True)
    assert medium.has_warm_ups
    high, critical = ECONOMIES[MemoryLevel.HIGH], ECONOMIES[MemoryLevel.CRITICAL]
    assert (high.max_tokens, high.max_exchanges, high.queue_part) == (128, None, 2)
    assert high.takes_new_conversations
    assert (critical.max_tokens, critical.max_exchanges) == (128, 2)
    assert not critical.takes_new_conversations
