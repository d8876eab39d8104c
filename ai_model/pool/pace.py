"""Seconds a token of an answer takes, and how that grows with the answers written beside it."""

from __future__ import annotations

KEPT = 0.95
"""Weight that an answer keeps with each newer one: about the last twenty count, so a machine that
has become slower, or a pool that was resized, is believed soon."""
RIDGE = 0.02
"""Share of the spread needed before a difference in speed is put down to the number of answers."""

MAX_CHANGE = 10.0
"""However far the line is drawn out, the pace stays within this factor of what was measured."""


class Pace:
    """A line through the last answers: seconds per token = alone + beside x answers running.

    All instances share one processor, so an answer beside seven others takes longer than one alone.
    The line keeps what was measured in quiet minutes usable in a rush. Lives on one thread.
    """

    def __init__(self) -> None:
        # Sums over past answers, weighted by tokens and fading: of the weight, of the number
        # running, of its square, of the seconds per token, and of the product of the last two.
        self._weight = 0.0
        self._running = 0.0
        self._running_2 = 0.0
        self._pace = 0.0
        self._product = 0.0

    def record(self, seconds: float, num_tokens: int, num_running: float) -> None:
        """Add an answer of ``num_tokens`` > 0 tokens that took ``seconds``.

        ``num_running`` answers, itself among them, ran meanwhile on average.
        """
        self._weight = KEPT * self._weight + num_tokens
        self._running = KEPT * self._running + num_tokens * num_running
        self._running_2 = KEPT * self._running_2 + num_tokens * num_running**2
        self._pace = KEPT * self._pace + seconds
        self._product = KEPT * self._product + seconds * num_running

    def at(self, num_running: float) -> float | None:
        """Return the seconds per token with ``num_running`` answers at once; None when unknown."""
        if self._weight <= 0 or self._pace <= 0:
            return None
        mean_running, mean_pace = self._running / self._weight, self._pace / self._weight
        spread = self._running_2 / self._weight - mean_running**2
        together = self._product / self._weight - mean_running * mean_pace
        beside = max(0.0, together / (spread + RIDGE * mean_running**2)) if mean_running else 0.0
        if mean_running:
            # More answers never make one of them faster, and none is free for the others.
            beside = min(beside, mean_pace / mean_running)
        pace = mean_pace + beside * (num_running - mean_running)
        return min(max(pace, mean_pace / MAX_CHANGE), mean_pace * MAX_CHANGE)
