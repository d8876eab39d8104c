"""What a method of a view says about itself, for the description of the API.

Light on purpose: a web process that is never asked for the description does not load what makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from rest_framework.serializers import Serializer

Method = TypeVar("Method", bound=Callable[..., Any])
EVENTS = "text/event-stream"
EVENT: dict[str, Any] = {
    "type": "object",
    "description": "One event; what it says is JSON in `data`.",
    "required": ["data"],
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string"},
    },
}


class Tag(StrEnum):
    """The chapters of the description, in their order."""

    CONVERSATIONS = "Conversations"
    ANSWERS = "Answers"
    VISITOR = "Visitor"
    SITES = "Sites"
    APPROVED = "Approved answers"
    POOL = "Pool"
    ACTIONS = "Pool actions"
    MODELS = "Models"
    OPENAI = "OpenAI-compatible"


@dataclass(frozen=True, slots=True)
class PageOf:
    """A page of a list: ``next``, ``previous`` and ``results``; takes ``cursor`` and ``limit``."""

    item: type[Serializer[Any]]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A plain list."""

    item: type[Serializer[Any]]


@dataclass(frozen=True, slots=True)
class TextOf:
    """Something that is no JSON, such as events."""

    media_type: str = EVENTS
    text: str = "Server-sent events."


@dataclass(frozen=True, slots=True)
class Header:
    """A header a request may carry."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class JsonOrText:
    """One or the other, as was asked; a JSON schema and what is no JSON."""

    schema: dict[str, Any]
    text: TextOf


Answer = (
    type[Serializer[Any]]
    | Serializer[Any]
    | PageOf
    | ListOf
    | TextOf
    | JsonOrText
    | dict[str, Any]
    | None
)
"""None is an empty body; a dict is a JSON schema."""
Request = type[Serializer[Any]] | dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One operation. ``id`` is what generated clients call it."""

    id: str
    summary: str
    tag: Tag
    request: Request = None
    responses: Mapping[int, Answer] = field(default_factory=dict)
    query: type[Serializer[Any]] | None = None
    headers: tuple[Header, ...] = ()
    text: str = ""


def described(
    operation_id: str,
    summary: str,
    *,
    tag: Tag,
    request: Request = None,
    response: Answer = None,
    status: int | tuple[int, ...] = 200,
    responses: Mapping[int, Answer] | None = None,
    query: type[Serializer[Any]] | None = None,
    headers: tuple[Header, ...] = (),
    text: str = "",
) -> Callable[[Method], Method]:
    """Decorate a method of a view with what it takes and gives; must be the outermost decorator.

    ``response`` comes with ``status`` (one or several); ``responses`` are others besides. Errors
    need not be named: every operation has the one shape of errors, and what ``with_etag`` adds is
    known.
    """
    statuses = (status,) if isinstance(status, int) else status
    found = Description(
        id=operation_id,
        summary=summary,
        tag=tag,
        request=request,
        responses=dict.fromkeys(statuses, response) | dict(responses or {}),
        query=query,
        headers=headers,
        text=text,
    )

    def decorate(method: Method) -> Method:
        method.description = found  # type: ignore[attr-defined]
        return method

    return decorate
