"""Gathers tokens into frames: often enough to look live, seldom enough to be cheap."""

from __future__ import annotations

from ai_model.engine.events import TokenOdds

FLUSH_S = 0.060
MAX_TOKENS = 24
SENTENCE_ENDS = (".", "!", "?", "\n", "…", "。", "！", "？", "؟")


class Coalescer:
    """Text and tokens that wait to be sent together. Pure: times are given, in monotonic seconds.

    The first text goes at once. After that a frame is due 60 ms after the last one, with 24 tokens,
    or at the end of a sentence; so slow tokens are never held back at all.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._tokens: list[int] = []
        self._odds: list[TokenOdds] = []
        self._has_text = False
        self._last_flush = float("-inf")

    def add(self, tokens: tuple[int, ...], text: str, odds: tuple[TokenOdds, ...] = ()) -> None:
        """Add what the engine delivered; ``text`` may be empty while characters are held back."""
        self._tokens += tokens
        self._odds += odds
        if text:
            self._text.append(text)
            self._has_text = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        return not self._tokens and not self._has_text

    def due_in_s(self, now: float) -> float:
        """Return the seconds until what is gathered should be sent, 0 for now."""
        if len(self._tokens) >= MAX_TOKENS or self._ends_sentence():
            return 0.0
        if self._last_flush == float("-inf"):
            # Tokens without text are nothing to look at: they need not be the first frame.
            return 0.0 if self._has_text else FLUSH_S
        return max(0.0, self._last_flush + FLUSH_S - now)

    def take(self, now: float) -> tuple[tuple[int, ...], str, tuple[TokenOdds, ...]]:
        """Return everything gathered and begin anew."""
        tokens, text, odds = tuple(self._tokens), "".join(self._text), tuple(self._odds)
        self._tokens.clear()
        self._odds.clear()
        self._text.clear()
        self._has_text = False
        self._last_flush = now
        return tokens, text, odds

    def _ends_sentence(self) -> bool:
        return self._has_text and self._text[-1].rstrip(" ").endswith(SENTENCE_ENDS)
