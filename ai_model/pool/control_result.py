"""What the pool answers to a command of its operator."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ai_model.pool.fields import Fields
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit


class Intake(StrEnum):
    """What happens to new requests."""

    OPEN = "open"
    PAUSED = "paused"
    """Refused with the operator's message; what waits and runs goes on."""
    DRAINING = "draining"
    """Refused as by a pool that is about to end; what waits and runs is finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """How the pool stands after a command. ``text`` is a sentence for the operator."""

    text: str
    is_done: bool = True
    """Whether it is as was asked; otherwise ``text`` says why not."""
    intake: Intake = Intake.OPEN
    message: str = ""
    """What visitors are told while the pool is paused."""
    model: str = ""
    """Name of the model in use, empty while none is loaded."""
    num_instances: int = 0
    """Instances there are now."""
    max_instances: int = 0
    """Instances there may be."""
    num_running: int = 0
    num_waiting: int = 0
    limits: tuple[TemporaryLimit, ...] = ()
    """Limits that are changed for a while."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {
            "intake": str(self.intake),
            "limits": [limit.to_json() for limit in self.limits],
        }

    @classmethod
    def from_json(cls, value: object) -> ControlResult:
        """Return what ``to_json`` wrote; unknown fields are ignored. Raises BadFrame."""
        values = Fields(value, "result")
        intake = values.text("intake", max_chars=16)
        return cls(
            text=values.text("text"),
            is_done=values.flag("is_done"),
            intake=Intake(intake) if intake in set(Intake) else Intake.OPEN,
            message=values.text("message", default=""),
            model=values.text("model", default=""),
            num_instances=values.integer("num_instances", default=0),
            max_instances=values.integer("max_instances", default=0),
            num_running=values.integer("num_running", default=0),
            num_waiting=values.integer("num_waiting", default=0),
            limits=tuple(
                TemporaryLimit.from_json(item)
                for item in values.items("limits", max_items=len(LimitName), default=[])
            ),
        )
