"""Odds of tokens as they stand in a frame: short, because there is an entry for each token.

``[piece, logprob, [[piece, logprob], ...]]``, the bytes of a piece as the characters of Latin-1: a
token may be half a character, which JSON cannot hold as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ai_model.engine.events import TokenOdds
from ai_model.pool.errors import BadFrame

_DIGITS = 6
BYTES_OF_ONE = 150
"""Estimated memory of one entry as JSON values."""


def odds_to_json(odds: Iterable[TokenOdds]) -> list[Any]:
    """Return plain JSON values."""
    return [
        [*_pair(one.piece, one.logprob), [list(_pair(*top)) for top in one.top]] for one in odds
    ]


def odds_from_json(values: object) -> tuple[TokenOdds, ...]:
    """Return what ``odds_to_json`` wrote. Raises BadFrame."""
    try:
        return tuple(
            TokenOdds(
                piece.encode("latin-1"),
                float(logprob),
                tuple((other.encode("latin-1"), float(number)) for other, number in top),
            )
            for piece, logprob, top in values  # type: ignore[attr-defined]
        )
    except (AttributeError, TypeError, ValueError):
        raise BadFrame("odds of a delta are wrong") from None


def num_odds_bytes(values: Iterable[Any]) -> int:
    """Return the memory that the odds in a frame take, about."""
    return sum(BYTES_OF_ONE * (1 + len(top)) for _, _, top in values)


def _pair(piece: bytes, logprob: float) -> tuple[str, float]:
    return piece.decode("latin-1"), round(logprob, _DIGITS)
