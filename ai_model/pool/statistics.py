"""What a pool has done since it started: counts by reason, and windows of measured times."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

from ai_model.pool.latencies import Latencies, Latency
from ai_model.pool.occupancy import Occupancy
from ai_model.pool.samples import TimedSamples
from ai_model.pool.writing_speed import WritingSpeed

WAITS_S = 5 * 60.0
"""How far back the quantiles of waits and first texts look."""
CANCELS_S = 3600.0


class Statistics:
    """Numbers for the status. Times are in monotonic seconds. Lives on the pool's event loop.

    Every reason counted here is one of the pool's own codes, so the counters stay small.
    """

    def __init__(self) -> None:
        self.life = uuid4().hex
        """Names this run of the pool: everything here has been counted since its start."""
        self.num_accepted = 0
        self.num_refused = 0
        self.refusals: Counter[str] = Counter()
        """Requests not taken, by the code of the error."""
        self.refusal_reasons: Counter[str] = Counter()
        """The same by the limit they met; by the code where there is none."""
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
        self.latencies = Latencies()
        """The same times and some more, since the start."""
        self.occupancy = Occupancy()
        self.writing = WritingSpeed()

    @property
    def num_done(self) -> int:
        """Generations that ended with an answer."""
        return sum(self.outcomes[outcome] for outcome in ("done", "length", "user_stop"))

    @property
    def num_ended(self) -> int:
        """Generations that ended in any way."""
        return sum(self.outcomes.values())

    def refuse(self, code: str, reason: str = "") -> None:
        """Count a request that was not taken; ``code`` and ``reason`` are those of the error."""
        self.num_refused += 1
        self.refusals[code] += 1
        self.refusal_reasons[reason or code] += 1

    def add_wait(self, seconds: float, now: float) -> None:
        """Add how long a request waited for its instance."""
        self.waits.add(seconds, now)
        self.latencies.add(Latency.QUEUE, seconds)

    def add_ttft(self, seconds: float, now: float) -> None:
        """Add how long a request waited for its first text."""
        self.ttfts.add(seconds, now)
        self.latencies.add(Latency.FIRST_TEXT, seconds)

    def add_cancel(self, seconds: float, now: float) -> None:
        """Add how long the engine took to let go of a cancelled answer."""
        self.cancels.add(seconds, now)
        self.latencies.add(Latency.CANCEL, seconds)

    def count_tokens(self, *, num_prompt: int, num_cached: int, num_generated: int) -> None:
        """Add what one answer read, what of that was there already, and what it wrote."""
        self.num_prompt_tokens += num_prompt
        self.num_cached_tokens += num_cached
        self.num_generated_tokens += num_generated
