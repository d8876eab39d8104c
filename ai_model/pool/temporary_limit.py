"""A limit of the pool that an operator changed for a while."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields


class LimitName(StrEnum):
    """The limits that can be changed for a while; fields of PoolConfig."""

    MAX_TOKENS = "max_tokens"
    CONTEXT = "n_ctx"
    QUEUE_SIZE = "queue_size"
    MAX_INFLIGHT = "max_inflight_per_visitor"

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest value that an operator may choose."""
        return _BOUNDS[self]


_BOUNDS = {
    LimitName.MAX_TOKENS: (16, 65_536),
    LimitName.CONTEXT: (256, 131_072),
    LimitName.QUEUE_SIZE: (0, 10_000),
    LimitName.MAX_INFLIGHT: (1, 10_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryLimit:
    """A changed limit as it is shown: what it is now, what it was, and for how long yet."""

    name: LimitName
    value: int
    usual: int
    """What it goes back to."""
    left_s: float
    """Seconds until it does, by itself."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"name": str(self.name)}

    @classmethod
    def from_json(cls, value: object) -> TemporaryLimit:
        """Return what ``to_json`` wrote; unknown fields are ignored. Raises BadFrame."""
        values = Fields(value, "limit")
        return cls(
            name=read_limit_name(values),
            value=values.integer("value"),
            usual=values.integer("usual"),
            left_s=values.number("left_s"),
        )


def read_limit_name(values: Fields) -> LimitName:
    """Return the limit that the field ``name`` names. Raises BadFrame."""
    name = values.text("name", max_chars=32)
    if name not in set(LimitName):
        raise BadFrame("name of limit is none that can be changed for a while")
    return LimitName(name)
