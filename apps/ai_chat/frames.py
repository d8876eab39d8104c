"""What a browser may send: every frame of ``chat.v1`` is checked here before anything sees it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar

from apps.ai_chat.errors import ChatError
from apps.ai_chat.frame_fields import (
    MAX_COMMENT_CHARS,
    MAX_PAGE_CHARS,
    MAX_REASON_CHARS,
    MAX_TOKEN_CHARS,
    context,
    identifier,
    number,
    resumes,
    text,
    text_up_to,
    texts_of,
    thumb,
    watch_ms,
)

MAX_FRAME_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One checked frame."""

    type: ClassVar[str]
    parsers: ClassVar[dict[str, Callable[[Any], Any]]]

    @property
    def ref(self) -> str:
        """What an ``error`` frame refers to: the client's id if there is one, else the type."""
        for name in ("cid", "gen", "message"):
            value = getattr(self, name, None)
            if value is not None:
                return str(value)
        return self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Frame):
    """First frame of a socket."""

    type: ClassVar[str] = "hello"
    parsers: ClassVar = {
        "v": number,
        "site": text_up_to(64),
        "token": text_up_to(1024),
        "user_jwt": text_up_to(MAX_TOKEN_CHARS),
        "handover": text_up_to(64),
        "lang": text_up_to(35),
        "tz": text_up_to(64),
        "client": texts_of(64, "name", "ver"),
        "page": texts_of(MAX_PAGE_CHARS, "path", "title"),
        "resume": resumes,
    }
    v: int
    site: str = ""
    token: str = ""
    user_jwt: str = ""
    handover: str = ""
    """Key of the site whose visitor our own page speaks for."""
    lang: str = ""
    tz: str = ""
    client: dict[str, str] = field(default_factory=dict)
    page: dict[str, str] = field(default_factory=dict)
    resume: tuple[tuple[uuid.UUID, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSend(Frame):
    """A question."""

    type: ClassVar[str] = "message.send"
    parsers: ClassVar = {
        "cid": identifier,
        "gen": identifier,
        "text": text,
        "conversation": identifier,
        "parent": identifier,
        "context": context,
    }
    cid: uuid.UUID
    gen: uuid.UUID
    text: str
    conversation: uuid.UUID | None = None
    parent: uuid.UUID | None = None
    context: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdit(Frame):
    """A question in other words: a new version beside the old one."""

    type: ClassVar[str] = "message.edit"
    parsers: ClassVar = {
        "cid": identifier,
        "gen": identifier,
        "message": identifier,
        "text": text,
    }
    cid: uuid.UUID
    gen: uuid.UUID
    message: uuid.UUID
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSelect(Frame):
    """Show another version of a message."""

    type: ClassVar[str] = "branch.select"
    parsers: ClassVar = {"message": identifier}
    message: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GenRegenerate(Frame):
    """Another answer to a question."""

    type: ClassVar[str] = "gen.regenerate"
    parsers: ClassVar = {"gen": identifier, "message": identifier}
    gen: uuid.UUID
    message: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GenContinue(Frame):
    """More of an answer that ended early."""

    type: ClassVar[str] = "gen.continue"
    parsers: ClassVar = {"gen": identifier, "message": identifier}
    gen: uuid.UUID
    message: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GenStop(Frame):
    """Stop an answer, or leave the queue."""

    type: ClassVar[str] = "gen.stop"
    parsers: ClassVar = {"gen": identifier, "seen": number}
    gen: uuid.UUID
    seen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenResume(Frame):
    """Send again what came after ``after``."""

    type: ClassVar[str] = "gen.resume"
    parsers: ClassVar = {"gen": identifier, "after": number}
    gen: uuid.UUID
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Frame):
    """The visitor has seen a conversation up to this message."""

    type: ClassVar[str] = "read"
    parsers: ClassVar = {"conversation": identifier, "message": identifier}
    conversation: uuid.UUID
    message: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveFeedback(Frame):
    """A thumb for an answer; 0 takes it back."""

    type: ClassVar[str] = "feedback"
    parsers: ClassVar = {
        "message": identifier,
        "value": thumb,
        "reason": text_up_to(MAX_REASON_CHARS),
        "comment": text_up_to(MAX_COMMENT_CHARS),
    }
    message: uuid.UUID
    value: int
    reason: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(Frame):
    """The website tells who its signed-in user is."""

    type: ClassVar[str] = "identify"
    parsers: ClassVar = {"user_jwt": text_up_to(MAX_TOKEN_CHARS)}
    user_jwt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm(Frame):
    """A question may come soon: the pool can read what it would start with."""

    type: ClassVar[str] = "warm"
    parsers: ClassVar = {"conversation": identifier}
    conversation: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolWatch(Frame):
    """Tell how the pool is doing, again and again."""

    type: ClassVar[str] = "pool.watch"
    parsers: ClassVar = {"every_ms": watch_ms}
    every_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUnwatch(Frame):
    """Enough of that."""

    type: ClassVar[str] = "pool.unwatch"
    parsers: ClassVar = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(Frame):
    """A sign of life."""

    type: ClassVar[str] = "ping"
    parsers: ClassVar = {"n": number}
    n: int = 0


FRAMES: dict[str, type[Frame]] = {
    frame.type: frame
    for frame in (
        Hello,
        MessageSend,
        MessageEdit,
        BranchSelect,
        GenRegenerate,
        GenContinue,
        GenStop,
        GenResume,
        Read,
        GiveFeedback,
        Identify,
        Warm,
        PoolWatch,
        PoolUnwatch,
        Ping,
    )
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
    for name, parse in frame.parsers.items():
        value = data.get(name)
        if value is None:
            continue
        try:
            values[name] = parse(value)
        except ValueError as error:
            raise ChatError("bad_frame", why=f"{name} {error}", ref=ref) from None
    try:
        return frame(**values)
    except TypeError:
        missing = [f.name for f in fields(frame) if f.name not in values and _is_required(f)]
        raise ChatError("bad_frame", why=f"{', '.join(missing)} missing", ref=ref) from None


def _is_required(given: Field[Any]) -> bool:
    return given.default is MISSING and given.default_factory is MISSING


def _ref_of(data: dict[str, Any]) -> str | None:
    for name in ("cid", "gen", "message", "type"):
        value = data.get(name)
        if isinstance(value, str) and value:
            return _short(value)
    return None


def _short(value: Any) -> str:
    """A piece of what the client sent, safe to send back."""
    return value[:64].encode(errors="replace").decode() if isinstance(value, str) else "(none)"
