"""Answers that did not end well in the last 24 hours, by what ended them. Never what was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from apps.ai_chat.models import Message

WINDOW = timedelta(hours=24)
MAX_ROWS = 1000
NUM_SAMPLES = 3
UNKNOWN = "unknown"
HINTS = {
    "queue_full": "More asked than the line may hold: more instances or shorter answers.",
    "deadline": "An answer took longer than it may: see the waits, or raise the deadlines.",
    "pool_lost": "The pool process ended during the answer: see the restarts.",
    "no_model": "No model was loaded.",
    "interrupted": "The server ended during the answer; the visitor was offered to go on.",
    "paused": "The pool was paused.",
    "internal": "Something unforeseen; the log has the whole story.",
    "too_long": "The question did not fit.",
}


@dataclass(frozen=True, slots=True)
class BadEnd:
    """What ended some answers. ``samples`` are ids of the newest of them."""

    code: str
    count: int
    last: datetime
    samples: tuple[str, ...]
    hint: str


@dataclass(frozen=True, slots=True)
class Attention:
    """All of them, the most frequent first. ``is_cut``: there are more than were counted."""

    ends: tuple[BadEnd, ...]
    is_cut: bool = False


def read_attention(now: datetime) -> Attention:
    """Return what ended badly in the 24 hours before ``now`` (aware), by one query."""
    rows = (
        Message.objects.filter(
            Q(state__in=(Message.State.FAILED, Message.State.INTERRUPTED)) | ~Q(error_code=""),
            role=Message.Role.ASSISTANT,
            created__gte=now - WINDOW,
        )
        .order_by("-created")
        .values_list("error_code", "reason", "state", "created", "id")
    )
    found = list(rows[: MAX_ROWS + 1])
    ends = _grouped(
        (code or _cause(reason, state), created, str(pk))
        for code, reason, state, created, pk in found[:MAX_ROWS]
    )
    return Attention(ends, is_cut=len(found) > MAX_ROWS)


def _cause(reason: str, state: str) -> str:
    if state == Message.State.INTERRUPTED:
        return str(state)
    return reason or UNKNOWN


def _grouped(rows: Iterable[tuple[str, datetime, str]]) -> tuple[BadEnd, ...]:
    """Return the groups of rows, which come newest first."""
    groups: dict[str, list[tuple[datetime, str]]] = {}
    for code, created, pk in rows:
        groups.setdefault(code, []).append((created, pk))
    ends = [
        BadEnd(
            code=code,
            count=len(group),
            last=group[0][0],
            samples=tuple(pk for _, pk in group[:NUM_SAMPLES]),
            hint=HINTS.get(code, ""),
        )
        for code, group in groups.items()
    ]
    return tuple(sorted(ends, key=lambda end: (-end.count, end.code)))
