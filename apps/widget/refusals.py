"""Keeps count of refused origins, so that an owner can allow the right one with a click.

Anybody can make refusals, so both are bounded: rows per site, and what is written or logged in a
minute. What goes over that is only not counted. Thread-safe.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.widget.errors import BadOrigin
from apps.widget.models import RefusedOrigin, Site
from apps.widget.origins import Origin, parse_origin

logger = logging.getLogger(__name__)

MAX_ROWS_PER_SITE = 50
MAX_WRITES_PER_MINUTE = 60
"""Of one process, for all its sites."""
WRITE_EVERY_S = 10.0
"""The same refusal within so many seconds is only counted in memory."""
LOG_EVERY_S = 3600.0
MAX_LOGS_PER_HOUR = 20
_MAX_PAIRS = 1000


@dataclass(slots=True)
class _Pair:
    """What this process remembers of one origin at one site."""

    num_unwritten: int = 0
    written: float = float("-inf")
    logged: float = float("-inf")


class _Budget:
    """At most so many of something within a span of seconds."""

    def __init__(self, most: int, span_s: float) -> None:
        self._most, self._span_s = most, span_s
        self._begin, self._num_taken = float("-inf"), 0

    def take(self, now: float) -> bool:
        """True while there is something left of this span's."""
        if now - self._begin >= self._span_s:
            self._begin, self._num_taken = now, 0
        self._num_taken += 1
        return self._num_taken <= self._most


class RefusalBook:
    """Decides what of a stream of refusals is written and logged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pairs: OrderedDict[tuple[int, str], _Pair] = OrderedDict()
        self._writes = _Budget(MAX_WRITES_PER_MINUTE, 60.0)
        self._logs = _Budget(MAX_LOGS_PER_HOUR, 3600.0)

    def note(self, site_id: int, origin: str) -> tuple[int, bool]:
        """Count one refusal; returns how many to write now (0: none) and whether to log."""
        now = time.monotonic()
        with self._lock:
            pair = self._pairs.setdefault((site_id, origin), _Pair())
            self._pairs.move_to_end((site_id, origin))
            if len(self._pairs) > _MAX_PAIRS:
                self._pairs.popitem(last=False)
            pair.num_unwritten += 1
            if now - pair.written < WRITE_EVERY_S or not self._writes.take(now):
                return 0, False
            is_logged = now - pair.logged >= LOG_EVERY_S and self._logs.take(now)
            number, pair.num_unwritten, pair.written = pair.num_unwritten, 0, now
            if is_logged:
                pair.logged = now
            return number, is_logged


_book = RefusalBook()


def record_refusal(site: Site, origin: str, fix: str) -> None:
    """Count that ``origin`` (in its normal form) was refused; now and then log ``fix``."""
    number, is_logged = _book.note(site.pk, origin)
    if is_logged:
        logger.warning("site %s refused a page of %s: %s", site.key, origin, fix)
    if number:
        _write(site, origin, number)


def forget_refusals(site: Site, entry: Origin) -> None:
    """Take what ``entry`` allows off the list."""
    for row in RefusedOrigin.objects.filter(site=site):
        with suppress(BadOrigin):
            if entry.covers(parse_origin(row.origin)):
                row.delete()


def _write(site: Site, origin: str, number: int) -> None:
    rows = RefusedOrigin.objects.filter(site=site)
    changed = rows.filter(origin=origin).update(
        num_tries=F("num_tries") + number, last=timezone.now()
    )
    if changed:
        return
    excess = rows.count() - MAX_ROWS_PER_SITE + 1
    if excess > 0:
        # An owner's own page is tried again and again; one-time noise gives way to it.
        seldom = rows.order_by("num_tries", "last").values_list("pk", flat=True)[:excess]
        RefusedOrigin.objects.filter(pk__in=list(seldom)).delete()
    try:
        with transaction.atomic():
            RefusedOrigin.objects.create(site=site, origin=origin, num_tries=number)
    except IntegrityError:
        # Another process wrote it a moment ago, or the site has just been deleted.
        rows.filter(origin=origin).update(num_tries=F("num_tries") + number)
