"""How often a pool process had to be replaced, as its supervisor tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Restarts:
    """The deaths of earlier processes of a pool."""

    num: int = 0
    last_cause: str = ""
    """Why the last one died, in a few words for the operator; empty without one."""


NO_RESTARTS = Restarts()
