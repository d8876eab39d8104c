"""Answers that did not end well in the last 24 hours, by what ended them. Never what was said."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from apps.ai_chat.models import Message
from apps.ai_pool.actions.known_ends import known_until

Row = tuple[str, datetime, str]
"""The kind of an end, when its answer was begun, and the answer's id."""
WINDOW = timedelta(hours=24)
MAX_ROWS = 1000
NUM_SAMPLES = 3
UNKNOWN = "unknown"
HINTS = {
    "queue_full": "More asked than the line may hold: more instances or shorter answers.",
    "queue_timeout": "No instance became free in time: more instances or shorter answers.",
    "first_token_timeout": "Reading the question took too long: shorter prompts, fewer at once.",
    "stalled": "The engine made no progress: the processors are overloaded, or see the log.",
    "memory_pressure": "Memory was short: see its plot, or take a smaller model.",
    "context_full": "The conversation was longer than the model can see.",
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
class KnownEnds:
    """Ends of one kind that somebody has marked as known."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Attention:
    """All of them, the most frequent first. ``is_cut``: there are more than were counted."""

    ends: tuple[BadEnd, ...]
    is_cut: bool = False
    known: tuple[KnownEnds, ...] = ()


def read_attention(now: datetime) -> Attention:
    """Return what ended badly in the 24 hours before ``now`` (aware), by two queries."""
    until = known_until()
    found = _read(now, MAX_ROWS + 1)
    fresh = [row for row in found[:MAX_ROWS] if not _is_known(row, until)]
    known = Counter(row[0] for row in found[:MAX_ROWS] if _is_known(row, until))
    return Attention(
        _grouped(fresh),
        is_cut=len(found) > MAX_ROWS,
        known=tuple(KnownEnds(code, num) for code, num in sorted(known.items())),
    )


def read_failed(code: str, now: datetime, num_wanted: int) -> list[uuid.UUID]:
    """Return the newest answers that ended with this code and that nobody has marked."""
    until = known_until()
    found = [row for row in _read(now, MAX_ROWS) if row[0] == code and not _is_known(row, until)]
    return [uuid.UUID(pk) for _, _, pk in found[:num_wanted]]


def _read(now: datetime, num_wanted: int) -> list[Row]:
    rows = (
        Message.objects.filter(
            Q(state__in=(Message.State.FAILED, Message.State.INTERRUPTED)) | ~Q(error_code=""),
            role=Message.Role.ASSISTANT,
            created__gte=now - WINDOW,
        )
        .order_by("-created")
        .values_list("error_code", "reason", "state", "created", "id")
    )
    return [
        (code or _cause(reason, state), created, str(pk))
        for code, reason, state, created, pk in rows[:num_wanted]
    ]


def _is_known(row: Row, until: dict[str, datetime]) -> bool:
    return row[0] in until and row[1] <= until[row[0]]


def _cause(reason: str, state: str) -> str:
    if state == Message.State.INTERRUPTED:
        return str(state)
    return reason or UNKNOWN


def _grouped(rows: Iterable[Row]) -> tuple[BadEnd, ...]:
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
