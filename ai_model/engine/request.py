"""What is asked of the engine: one prompt, how to sample, and where it belongs."""

from __future__ import annotations

from dataclasses import dataclass, field

from ai_model.prompt import FittedPrompt

MAX_TOP_ODDS = 5
"""Likeliest tokens told for each token: they are carried and kept as long as the answer is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How tokens are chosen and when an answer ends.

    ``temperature`` 0 means greedy. ``top_k`` 0, ``top_p`` 1, ``min_p`` 0 and ``repeat_penalty`` 1
    switch the respective filter off. ``presence_penalty`` lowers the logit of every token that was
    written already, ``frequency_penalty`` once for each time. ``repeat_last_n`` counts generated
    tokens; the penalties look back so far. ``max_tokens`` bounds the answer in tokens. ``stop``
    ends the answer before any of these texts. ``num_top_odds`` asks how likely each token was, and
    which so many were likeliest; None asks nothing. Raises ValueError for values out of range.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.1
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repeat_last_n: int = 64
    seed: int | None = None
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    num_top_odds: int | None = None

    def __post_init__(self) -> None:
        ranges: tuple[tuple[str, float, float, float], ...] = (
            ("temperature", self.temperature, 0.0, 2.0),
            ("top_k", self.top_k, 0, 1000),
            ("top_p", self.top_p, 0.0, 1.0),
            ("min_p", self.min_p, 0.0, 1.0),
            ("repeat_penalty", self.repeat_penalty, 0.5, 2.0),
            ("presence_penalty", self.presence_penalty, -2.0, 2.0),
            ("frequency_penalty", self.frequency_penalty, -2.0, 2.0),
            ("repeat_last_n", self.repeat_last_n, 0, 4096),
            ("max_tokens", self.max_tokens, 1, 65_536),
        )
        for name, value, low, high in ranges:
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low} and {high}, not {value}")
        if self.seed is not None and not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must lie between 0 and {2**32 - 1}, not {self.seed}")
        if self.num_top_odds is not None and not 0 <= self.num_top_odds <= MAX_TOP_ODDS:
            raise ValueError(f"num_top_odds must lie between 0 and {MAX_TOP_ODDS}")
        if len(self.stop) > 8 or any(not 0 < len(text) <= 64 for text in self.stop):
            raise ValueError("stop takes at most 8 texts of 1 to 64 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRequest:
    """One answer to generate.

    ``conversation`` and ``visitor`` are opaque keys: what an instance has read of a conversation is
    reused for its next turn, and never shared between visitors. ``produced`` are tokens that an
    earlier engine already generated for this answer; it goes on behind them and they are not
    delivered again. ``produced_text`` is what was shown of them; without it, what is certain.
    """

    id: str
    conversation: str
    visitor: str
    prompt: FittedPrompt
    sampling: SamplingParams = field(default_factory=SamplingParams)
    produced: tuple[int, ...] = ()
    produced_text: str = ""
    is_warm_up: bool = False
    """Only read the prompt, in idle time, so that the next turn of the conversation begins at once.

    A warm-up has no instance of its own: it gives way to every other request."""
