"""What a browser may send: every frame of ``chat.v1`` is checked here before anything sees it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, ClassVar

from apps.ai_chat.errors import ChatError

MAX_FRAME_BYTES = 16 * 1024
MAX_RESUMES = 16
MAX_NUMBER = 2**53
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _identifier(value: Any) -> uuid.UUID:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError("must be a UUID")
    return uuid.UUID(value)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_NUMBER:
        raise ValueError("must be a whole number from 0")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must not hold half a character") from None
    return value


def _short_text(value: Any) -> str:
    if len(_text(value)) > 1024:
        raise ValueError("is too long")
    return str(value)


def _resumes(value: Any) -> tuple[tuple[uuid.UUID, int], ...]:
    if not isinstance(value, list) or len(value) > MAX_RESUMES:
        raise ValueError(f"must be a list of at most {MAX_RESUMES}")
    pairs = []
    for item in value:
        if not isinstance(item, dict):
            raise ValueError("must hold objects")
        pairs.append((_identifier(item.get("gen")), _number(item.get("after", 0))))
    return tuple(pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One checked frame."""

    type: ClassVar[str]
    parsers: ClassVar[dict[str, Callable[[Any], Any]]]

    @property
    def ref(self) -> str:
        """What an ``error`` frame refers to: the client's id if there is one, else the type."""
        for name in ("cid", "gen"):
            value = getattr(self, name, None)
            if value is not None:
                return str(value)
        return self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Frame):
    """First frame of a socket."""

    type: ClassVar[str] = "hello"
    parsers: ClassVar = {"v": _number, "token": _short_text, "resume": _resumes}
    v: int
    token: str = ""
    resume: tuple[tuple[uuid.UUID, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSend(Frame):
    """A question."""

    type: ClassVar[str] = "message.send"
    parsers: ClassVar = {
        "cid": _identifier,
        "gen": _identifier,
        "text": _text,
        "conversation": _identifier,
    }
    cid: uuid.UUID
    gen: uuid.UUID
    text: str
    conversation: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenRegenerate(Frame):
    """Another answer to the last question."""

    type: ClassVar[str] = "gen.regenerate"
    parsers: ClassVar = {"gen": _identifier, "message": _identifier}
    gen: uuid.UUID
    message: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GenStop(Frame):
    """Stop an answer, or leave the queue."""

    type: ClassVar[str] = "gen.stop"
    parsers: ClassVar = {"gen": _identifier, "seen": _number}
    gen: uuid.UUID
    seen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenResume(Frame):
    """Send again what came after ``after``."""

    type: ClassVar[str] = "gen.resume"
    parsers: ClassVar = {"gen": _identifier, "after": _number}
    gen: uuid.UUID
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(Frame):
    """A sign of life."""

    type: ClassVar[str] = "ping"
    parsers: ClassVar = {"n": _number}
    n: int = 0


FRAMES: dict[str, type[Frame]] = {
    frame.type: frame for frame in (Hello, MessageSend, GenRegenerate, GenStop, GenResume, Ping)
}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse_frame(text: str) -> Frame:
    """Return the checked frame in ``text``.

    Raises ChatError ``bad_frame`` or ``unknown_type``; its ``details["ref"]`` is what the client
    called the frame, as far as it can be read. Unknown fields are ignored, so that a newer client
    can talk to an older server.
    """
    if len(text) > MAX_FRAME_BYTES or len(text.encode(errors="replace")) > MAX_FRAME_BYTES:
        raise ChatError("bad_frame", why=f"over {MAX_FRAME_BYTES} bytes", ref=None)
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ChatError("bad_frame", why="no JSON", ref=None) from None
    if not isinstance(data, dict):
        raise ChatError("bad_frame", why="no object", ref=None)
    ref = _ref_of(data)
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in FRAMES:
        raise ChatError("unknown_type", type=_short(kind), ref=ref)
    frame = FRAMES[kind]
    values = {}
    for field in fields(frame):
        value = data.get(field.name)
        if value is None:
            continue
        try:
            values[field.name] = frame.parsers[field.name](value)
        except ValueError as error:
            raise ChatError("bad_frame", why=f"{field.name} {error}", ref=ref) from None
    try:
        return frame(**values)
    except TypeError:
        missing = [f.name for f in fields(frame) if f.name not in values and _is_required(f)]
        raise ChatError("bad_frame", why=f"{', '.join(missing)} missing", ref=ref) from None


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING


def _ref_of(data: dict[str, Any]) -> str | None:
    for name in ("cid", "gen", "type"):
        value = data.get(name)
        if isinstance(value, str) and value:
            return _short(value)
    return None


def _short(value: Any) -> str:
    """A piece of what the client sent, safe to send back."""
    return value[:64].encode(errors="replace").decode() if isinstance(value, str) else "(none)"
