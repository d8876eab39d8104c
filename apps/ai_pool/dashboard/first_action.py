"""Where an advice leads: the page of an action, or rows of this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ai_model.pool.advice import Action, Advice

ATTENTION = "#attention"


@dataclass(frozen=True, slots=True)
class FirstAction:
    """What to do. Without an address it is for somebody who may do more."""

    text: str
    address: str = ""


def first_action(advice: Advice, addresses: Mapping[str, str]) -> FirstAction | None:
    """Return what an advice leads to; ``addresses`` are those of the actions that this user may
    do now, by their names."""
    match advice.action:
        case Action.RESUME:
            return FirstAction("Resume the pool", addresses.get("resume", ""))
        case Action.RESTART:
            return FirstAction("Restart the pool", addresses.get("restart", ""))
        case Action.RESIZE:
            filled = f"num_instances={advice.num_instances}"
            return FirstAction(
                f"Resize to {advice.num_instances}", _with(addresses.get("resize", ""), filled)
            )
        case Action.SHORTEN_ANSWERS:
            filled = "limit=max_tokens"
            return FirstAction("Shorten answers", _with(addresses.get("limit", ""), filled))
        case Action.SMALLER_MODEL:
            return FirstAction("Switch the model", addresses.get("model", ""))
        case Action.READ_LOG:
            return FirstAction("See what failed", ATTENTION)
    return None


def _with(address: str, filled: str) -> str:
    """Return the address of a form with a field filled in; "" stays ""."""
    return f"{address}?{filled}" if address else ""
