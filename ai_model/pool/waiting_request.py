"""One who waits, as the operator may see it: who and how long, never what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ai_model.pool.fields import Fields

NUM_KEY_CHARS = 6
"""Enough of a visitor's key to tell visitors apart, too little to use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequest:
    """A place in line; 1 is the next. Times are in seconds."""

    position: int
    generation: str
    visitor: str
    """A short name of the visitor, such as v-31a0c2."""
    waited_s: float
    eta_p50_s: float | None = None
    """Half of those in this place get an instance within this time; None when unknown."""
    eta_p90_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> WaitingRequest:
        """Return what ``to_json`` wrote; unknown fields are ignored. Raises BadFrame."""
        values = Fields(value, "waiting request")
        return cls(
            position=values.integer("position", low=1),
            generation=values.text("generation", max_chars=128),
            visitor=values.text("visitor", max_chars=64),
            waited_s=values.number("waited_s"),
            eta_p50_s=values.optional_number("eta_p50_s"),
            eta_p90_s=values.optional_number("eta_p90_s"),
        )


def short_name(visitor: str) -> str:
    """Return a visitor's key as people read it."""
    # A key is only text to the pool, and this is written to terminals.
    shown = "".join(char if char.isalnum() else "-" for char in visitor[:NUM_KEY_CHARS])
    return f"v-{shown}"
