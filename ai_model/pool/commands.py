"""What a client may ask of the pool, read strictly from frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ai_model.engine.config import MAX_INSTANCES
from ai_model.pool.config import EMERGENCY_MODES
from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields
from ai_model.pool.frames import Frame
from ai_model.pool.request import MAX_KEY_CHARS, PoolRequest
from ai_model.pool.temporary_limit import LimitName, read_limit_name

MAX_VIEWERS = 1_000_000
MAX_COUNTED_BYTES = 16 * 1024
"""Tokenising so much takes a few milliseconds."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHistory:
    """Give the samples of the last ``age_s`` seconds."""

    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """Read the conversation of this request if an instance is idle; nothing is taken."""

    request: PoolRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """This client follows a generation for ``num_viewers`` people, maybe none."""

    generation: str
    num_viewers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTokens:
    """Say how many tokens ``text`` takes in a prompt."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Refuse new requests, telling visitors ``message``."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Take requests again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Take nothing new and finish what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Have so many instances at most."""

    num_instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchModel:
    """Answer with the model in ``path``; answered when it is in use or cannot be."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWaiting:
    """Say who waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End a generation for the operator."""

    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveToFront:
    """Let a generation that waits be the next one."""

    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrphans:
    """End the running answers that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Change a limit for ``seconds``; it goes back by itself."""

    name: LimitName
    value: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlimit:
    """Let a limit go back to its usual value now."""

    name: LimitName


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """End the process for a new one when what runs has finished, after ``patience_s`` at latest."""

    patience_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEmergency:
    """Switch the emergency mode on, off, or to what memory says (auto)."""

    mode: str


ControlCommand = (
    Pause
    | Resume
    | Drain
    | Resize
    | Cancel
    | MoveToFront
    | CancelOrphans
    | Limit
    | Unlimit
    | Restart
    | SetEmergency
)
"""Commands that are answered with a ControlResult at once."""
Command = (
    Submit
    | Subscribe
    | Unsubscribe
    | Stop
    | Acknowledge
    | GetStatus
    | GetHistory
    | Warm
    | Watching
    | CountTokens
    | SwitchModel
    | ListWaiting
    | ControlCommand
)


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
        case "history":
            return GetHistory(age_s=values.number("age_s", default=0.0))
        case "warm":
            return Warm(request=PoolRequest.from_json(values.mapping("request")))
        case "watching":
            return Watching(
                generation=_generation(values),
                num_viewers=values.integer("num_viewers", high=MAX_VIEWERS),
            )
        case "count_tokens":
            return CountTokens(text=_short_text(values))
        case "pause":
            return Pause(message=values.text("message", max_chars=4096, default=""))
        case "resume":
            return Resume()
        case "drain":
            return Drain()
        case "resize":
            return Resize(num_instances=values.integer("num_instances", low=1, high=MAX_INSTANCES))
        case "switch_model":
            return SwitchModel(path=_path(values))
        case "list_waiting":
            return ListWaiting()
        case "cancel":
            return Cancel(generation=_generation(values))
        case "move_to_front":
            return MoveToFront(generation=_generation(values))
        case "cancel_orphans":
            return CancelOrphans()
        case "limit":
            return _limit(values)
        case "unlimit":
            return Unlimit(name=read_limit_name(values))
        case "restart":
            return Restart(patience_s=values.number("patience_s"))
        case "set_emergency":
            return SetEmergency(mode=_emergency_mode(values))
    raise BadFrame("the pool does not know this type of frame")


def _emergency_mode(values: Fields) -> str:
    mode = values.text("mode", max_chars=16)
    if mode not in EMERGENCY_MODES:
        raise BadFrame(f"mode of frame is none of {', '.join(EMERGENCY_MODES)}")
    return mode


def _limit(values: Fields) -> Limit:
    name = read_limit_name(values)
    low, high = name.bounds
    value = values.integer("value", low=low, high=high)
    return Limit(name=name, value=value, seconds=values.number("seconds"))


def _path(values: Fields) -> Path:
    path = values.text("path", max_chars=4096)
    if not path.startswith("/") or "\0" in path:
        raise BadFrame("path of frame is not an absolute path")
    return Path(path)


def _short_text(values: Fields) -> str:
    text = values.text("text", max_chars=MAX_COUNTED_BYTES)
    if len(text.encode()) > MAX_COUNTED_BYTES:
        raise BadFrame(f"text of frame has more than {MAX_COUNTED_BYTES} bytes")
    return text


def _generation(values: Fields) -> str:
    return values.text("generation", max_chars=MAX_KEY_CHARS)
