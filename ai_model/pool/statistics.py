"""What a pool has done since it started: counts by reason, and windows of measured times."""

from __future__ import annotations

from collections import Counter

from ai_model.pool.occupancy import Occupancy
from ai_model.pool.samples import TimedSamples

WAITS_S = 5 * 60.0
"""How far back the quantiles of waits and first texts look."""
CANCELS_S = 3600.0


class Statistics:
    """Numbers for the status. Times are in monotonic seconds. Lives on the pool's event loop.

    Every reason counted here is one of the pool's own codes, so the counters stay small.
    """

    def __init__(self) -> None:
        self.num_accepted = 0
        self.num_refused = 0
        self.refusals: Counter[str] = Counter()
        """Requests not taken, by the code of the error."""
        self.outcomes: Counter[str] = Counter()
        """Ended generations by outcome: done, length, user_stop, deadline, failed, ..."""
        self.errors: Counter[str] = Counter()
        """Generations that ended with an error, by its code."""
        self.deadlines: Counter[str] = Counter()
        """Deadlines that passed: queue, first_token, stall, total."""
        self.num_prompt_tokens = 0
        self.num_cached_tokens = 0
        self.num_generated_tokens = 0
        self.waits = TimedSamples(WAITS_S)
        self.ttfts = TimedSamples(WAITS_S)
        self.cancels = TimedSamples(CANCELS_S)
        """From a cancel until the engine let go of the instance."""
        self.occupancy = Occupancy()

    @property
    def num_done(self) -> int:
        """Generations that ended with an answer."""
        return sum(self.outcomes[outcome] for outcome in ("done", "length", "user_stop"))

    @property
    def num_ended(self) -> int:
        """Generations that ended in any way."""
        return sum(self.outcomes.values())

    def refuse(self, code: str) -> None:
        """Count a request that was not taken; ``code`` is that of the error."""
        self.num_refused += 1
        self.refusals[code] += 1

    def count_tokens(self, *, num_prompt: int, num_cached: int, num_generated: int) -> None:
        """Add what one answer read, what of that was there already, and what it wrote."""
        self.num_prompt_tokens += num_prompt
        self.num_cached_tokens += num_cached
        self.num_generated_tokens += num_generated
