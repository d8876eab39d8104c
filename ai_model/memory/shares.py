"""The formula: how full memory is, as shares of the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit, above 0, and what counts towards it, in bytes."""

    limit_bytes: int
    unreclaimable_bytes: int

    def share(self, more_bytes: int = 0) -> float:
        """Return what is used, with ``more_bytes`` on top, as a share of the limit."""
        return max(0, self.unreclaimable_bytes + more_bytes) / self.limit_bytes


@dataclass(frozen=True, slots=True)
class Shares:
    """See ``MemoryReading``, whose fields these are."""

    p_need: float
    p_kill: float
    p_host: float

    @property
    def p(self) -> float:
        """The larger one of what this site and what the whole machine needs."""
        return max(self.p_need, self.p_host)


def shares(groups: Sequence[Bound], host: Bound, weights_bytes: int) -> Shares:
    """Return the shares under the limits of control groups, if any, and of the machine.

    The smallest limit need not be the fullest one, so each is held against what it bounds. The
    weights count in full under each: they must be resident for an answer at full speed.
    """
    p_host = host.share(weights_bytes)
    return Shares(
        p_need=max((group.share(weights_bytes) for group in groups), default=p_host),
        # The machine has a killer of its own.
        p_kill=max(bound.share() for bound in (*groups, host)),
        p_host=p_host,
    )
