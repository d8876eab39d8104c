"""What changed the pool while a plot was being made: restarts, releases, settings, orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.admin.models import LogEntry

from apps.ai_pool.models import PoolMark, PoolStatus

MAX_MARKS = 60
ORDER = "order"
GLYPHS = {
    "restart": "M-5 11L0 2L5 11Z",
    "configuration": "M0 1L5 6.5L0 12L-5 6.5Z",
    "release": "M-4.5 2H4.5V11H-4.5Z",
    ORDER: "M-5 6.5A5 5 0 1 0 5 6.5A5 5 0 1 0-5 6.5Z",
}
"""A shape for each kind of mark: colour is not the only sign."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One line in the plots."""

    kind: str
    at: datetime
    text: str

    @property
    def glyph(self) -> str:
        """Its shape, as the path of an SVG."""
        return GLYPHS.get(self.kind, GLYPHS[ORDER])

    def share(self, begin: datetime, seconds: float) -> float | None:
        """Return where in a period it lies, from 0 to 1; None if outside."""
        share = (self.at - begin).total_seconds() / seconds
        return share if 0 <= share <= 1 else None


def read_marks(since: datetime, before: datetime) -> list[Mark]:
    """Return the newest marks of a time, oldest first, by two queries.

    What operators have done is read from the admin's log.
    """
    found = [Mark(mark.kind, mark.at, mark.text) for mark in _newest(since, before)][::-1]
    orders = LogEntry.objects.filter(
        content_type__app_label=PoolStatus._meta.app_label,
        content_type__model=PoolStatus._meta.model_name,
        action_time__gte=since,
        action_time__lt=before,
    ).select_related("user", "content_type")
    found += [
        Mark(ORDER, entry.action_time, f"{entry.get_change_message()} ({entry.user})")
        for entry in orders.order_by("-action_time")[:MAX_MARKS]
    ]
    return sorted(found, key=lambda mark: mark.at)[-MAX_MARKS:]


def lost_processes(marks: Iterable[Mark], now: datetime, within: timedelta) -> list[Mark]:
    """Return the restarts of the last time, the newest first."""
    recent = [
        mark
        for mark in marks
        if mark.kind == PoolMark.Kind.RESTART and timedelta(0) <= now - mark.at <= within
    ]
    return recent[::-1]


def _newest(since: datetime, before: datetime) -> Iterable[PoolMark]:
    marks = PoolMark.objects.filter(at__gte=since, at__lt=before)
    return marks.order_by("-at", "-id")[:MAX_MARKS]
