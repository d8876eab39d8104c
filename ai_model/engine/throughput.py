"""Tokens per second as they were lately, without keeping a history."""

from __future__ import annotations


class Throughput:
    """A decaying mean of tokens over busy seconds. Written by one thread, read by any."""

    def __init__(self, memory: float = 0.95) -> None:
        self._memory = memory
        self._tokens = 0.0
        self._seconds = 0.0

    def add(self, num_tokens: int, seconds: float) -> None:
        """Count ``num_tokens`` that took ``seconds``."""
        self._tokens = self._tokens * self._memory + num_tokens
        self._seconds = self._seconds * self._memory + seconds

    @property
    def tok_s(self) -> float:
        """Tokens per second of work; 0 before the first."""
        return self._tokens / self._seconds if self._seconds else 0.0
