"""What a pool has done since it started: counts of outcomes and windows of waiting times."""

from __future__ import annotations

from collections import Counter

from ai_model.pool.samples import Samples


class Statistics:
    """Numbers for the status. Times are in seconds. Lives on the pool's event loop."""

    def __init__(self) -> None:
        self.num_accepted = 0
        self.num_refused = 0
        self.outcomes: Counter[str] = Counter()
        """Ended generations by outcome: done, length, user_stop, deadline, failed, ..."""
        self.waits = Samples()
        self.ttfts = Samples()

    @property
    def num_done(self) -> int:
        """Generations that ended with an answer."""
        return sum(self.outcomes[outcome] for outcome in ("done", "length", "user_stop"))

    @property
    def num_ended(self) -> int:
        """Generations that ended in any way."""
        return sum(self.outcomes.values())
