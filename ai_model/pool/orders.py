"""What an operator told a pool process, as the next process of that pool is told it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ai_model.engine.config import MAX_INSTANCES
from ai_model.pool.config import EMERGENCY_MODES, PoolConfig
from ai_model.pool.control_result import Intake
from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields
from ai_model.pool.temporary_limit import LimitName, read_limit_name


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOrder:
    """A limit that was changed until a time."""

    name: LimitName
    value: int
    ends_unix_s: float
    max_left_s: float
    """Seconds it had left when this was written: it never gets more."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": str(self.name),
            "value": self.value,
            "ends_unix_s": self.ends_unix_s,
            "max_left_s": self.max_left_s,
        }

    @classmethod
    def from_json(cls, value: object) -> LimitOrder:
        """Return what ``to_json`` wrote. Raises BadFrame."""
        values = Fields(value, "limit")
        name = read_limit_name(values)
        low, high = name.bounds
        return cls(
            name=name,
            value=values.integer("value", low=low, high=high),
            ends_unix_s=values.number("ends_unix_s"),
            max_left_s=values.number("max_left_s"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """An operator's orders that still hold. They end with the supervisor, not with a process."""

    intake: Intake = Intake.OPEN
    message: str = ""
    """What visitors are told while the pool is paused."""
    max_instances: int | None = None
    """None: as configured."""
    model_path: Path | None = None
    """None: as configured."""
    limits: tuple[LimitOrder, ...] = ()
    emergency: str = ""
    """The switch of the emergency mode: auto, on or off; empty: as configured."""

    @property
    def changes_load(self) -> bool:
        """Whether they change what a process needs: another model, another size."""
        return self.max_instances is not None or self.model_path is not None

    def without_load(self) -> Orders:
        """Return them with the configured model and size."""
        return replace(self, max_instances=None, model_path=None)

    def applied_to(self, config: PoolConfig) -> PoolConfig:
        """Return the configuration of a process that obeys the model and the size in them."""
        if self.max_instances is not None:
            hot = min(config.hot_instances, self.max_instances)
            config = replace(config, max_instances=self.max_instances, hot_instances=hot)
        if self.model_path is not None and self.model_path != config.model_path:
            config = replace(config, model_path=self.model_path, model_is_demo=False)
        if self.emergency:
            config = replace(config, emergency=self.emergency)
        return config

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "intake": str(self.intake),
            "message": self.message,
            "max_instances": self.max_instances,
            "model_path": None if self.model_path is None else str(self.model_path),
            "limits": [limit.to_json() for limit in self.limits],
            "emergency": self.emergency,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Orders:
        """Return what ``to_json`` wrote; missing fields are no orders. Raises BadFrame."""
        values = Fields(value, "the orders")
        intake = values.text("intake", max_chars=16, default=str(Intake.OPEN))
        if intake not in set(Intake):
            raise BadFrame("intake of the orders is unknown")
        emergency = values.text("emergency", max_chars=16, default="")
        if emergency and emergency not in EMERGENCY_MODES:
            raise BadFrame("emergency of the orders is unknown")
        path = values.text("model_path") if value.get("model_path") is not None else None
        items = values.items("limits", max_items=len(LimitName), default=[])
        return cls(
            intake=Intake(intake),
            message=values.text("message", default=""),
            max_instances=values.optional_integer("max_instances", low=1, high=MAX_INSTANCES),
            model_path=None if path is None else Path(path),
            limits=tuple(LimitOrder.from_json(item) for item in items),
            emergency=emergency,
        )

    def to_sentence(self) -> str:
        """Return them as one line without spaces: words for a supervisor lose double ones."""
        text = json.dumps(self.to_json(), separators=(",", ":"))
        return text.replace(" ", "\\u0020")

    @classmethod
    def from_sentence(cls, sentence: str) -> Orders:
        """Return what ``to_sentence`` wrote. Raises BadFrame."""
        try:
            value = json.loads(sentence)
        except (ValueError, RecursionError):
            raise BadFrame("the orders are no JSON") from None
        if not isinstance(value, dict):
            raise BadFrame("the orders are no JSON object")
        return cls.from_json(value)


NO_ORDERS = Orders()
