"""How fast answers are written, by the clock on the wall: what their readers see."""

from __future__ import annotations

from math import exp

MEMORY_S = 10.0
"""Of older writing, what counts fades with this time constant."""


class WritingSpeed:
    """Tokens per second of time in which somebody's answer was being written, all answers together.

    The engine's own speed counts its work alone. This counts the pauses as well that a pace makes,
    and the prompts that are read in between. All times are monotonic seconds. Lives on the pool's
    loop.
    """

    def __init__(self) -> None:
        self._tokens = 0.0
        self._seconds = 0.0
        self._written_until = 0.0

    def add(self, num_tokens: int, seconds: float, now: float) -> None:
        """Count ``num_tokens`` of one answer that came ``seconds`` after those before them."""
        # Time in which several answers were written counts once.
        since = max(now - seconds, self._written_until)
        passed_s = max(0.0, now - since)
        kept = exp(-passed_s / MEMORY_S)
        self._tokens = self._tokens * kept + num_tokens
        self._seconds = self._seconds * kept + passed_s
        self._written_until = max(self._written_until, now)

    @property
    def tok_s(self) -> float:
        """Tokens per second, as it was lately; 0 before anything was written."""
        return self._tokens / self._seconds if self._seconds > 0 else 0.0
