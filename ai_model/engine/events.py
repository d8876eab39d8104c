"""What the engine tells about a request, in the order Started, Progress*, Delta*, Finished."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    """The model ended its turn, or wrote a stop text."""
    LENGTH = "length"
    """The answer reached ``max_tokens`` or the end of the context."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The engine could not go on; ``Finished.error`` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The request holds an instance and its prompt is being read."""

    request_id: str
    instance: int
    num_prompt_tokens: int
    num_cached_tokens: int
    """Prompt tokens that need no reading because the instance already holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Part of the prompt has been read (prefill)."""

    request_id: str
    num_done: int
    num_total: int
    num_cached: int


@dataclass(frozen=True, slots=True)
class TokenOdds:
    """How likely the model found one token before anything was filtered: natural logarithms of
    probabilities. ``piece`` is the token's bytes; ``top`` the likeliest ones, likeliest first."""

    piece: bytes
    logprob: float
    top: tuple[tuple[bytes, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """Tokens of the answer. ``text`` is empty while half a character or a possible stop text is
    held back. ``odds`` has one entry for each token if the request asked for them."""

    request_id: str
    tokens: tuple[int, ...]
    text: str
    odds: tuple[TokenOdds, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of a request: exactly one, after which its instance is free."""

    request_id: str
    reason: FinishReason
    error: str = ""
    num_prompt_tokens: int = 0
    num_cached_tokens: int = 0
    num_completion_tokens: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0


EngineEvent = Started | Progress | Delta | Finished
