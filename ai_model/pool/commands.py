"""What a client may ask of the pool, read strictly from frames."""

from __future__ import annotations

from dataclasses import dataclass

from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields
from ai_model.pool.frames import Frame
from ai_model.pool.request import MAX_KEY_CHARS, PoolRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Take this request; answered ok when it waits or runs."""

    request: PoolRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Send the frames of a generation behind ``after``, then the new ones, then an end."""

    generation: str
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """Send no more frames of the subscription that the command ``sub`` began."""

    sub: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End a generation; the visitor had seen ``seen`` code points of its text."""

    generation: str
    seen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """The answer is stored; the pool may forget it."""

    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStatus:
    """Say how the pool is doing."""


Command = Submit | Subscribe | Unsubscribe | Stop | Acknowledge | GetStatus


def command_id(frame: Frame) -> int:
    """Return the number the client gave this command. Raises BadFrame."""
    return Fields(frame).integer("id")


def parse_command(frame: Frame) -> Command:
    """Return the command in ``frame``. Raises BadFrame for unknown types and wrong fields."""
    values = Fields(frame)
    match values.text("type", max_chars=32):
        case "submit":
            return Submit(request=PoolRequest.from_json(values.mapping("request")))
        case "subscribe":
            return Subscribe(
                generation=_generation(values), after=values.integer("after", default=0)
            )
        case "unsubscribe":
            return Unsubscribe(sub=values.integer("sub"))
        case "stop":
            return Stop(generation=_generation(values), seen=values.optional_integer("seen"))
        case "acknowledge":
            return Acknowledge(generation=_generation(values))
        case "status":
            return GetStatus()
    raise BadFrame("the pool does not know this type of frame")


def _generation(values: Fields) -> str:
    return values.text("generation", max_chars=MAX_KEY_CHARS)
