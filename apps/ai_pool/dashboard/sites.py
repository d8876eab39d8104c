"""What each site asks of the pool: questions, waits, opinions, and pages that were refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from apps.ai_chat.models import Feedback, Message
from apps.ai_pool.dashboard.unit import MISSING, Unit, written
from apps.widget.models import RefusedOrigin, Site

WINDOW = timedelta(hours=24)
OPINIONS = timedelta(days=7)
MAX_SITES = 20
MAX_WAITS = 10_000
"""Quantiles are of so many at most: reading more would take longer than the rest of the page."""
OWN_PAGE = "This site's own page"


@dataclass(frozen=True, slots=True)
class SiteUse:
    """One site. Asks and visitors are those of 24 hours, opinions those of 7 days."""

    pk: int | None
    name: str
    asks_hour: int
    asks_day: int
    num_visitors: int
    wait_p50_s: float | None
    wait_p95_s: float | None
    num_good: int
    num_bad: int
    num_refused: int
    """Origins whose pages may not use the chat but tried; those that are remembered."""

    @property
    def wait(self) -> str:
        """The median wait as a text."""
        return written(self.wait_p50_s, Unit.SECONDS)

    @property
    def long_wait(self) -> str:
        """What 95 of 100 waited at most, as a text."""
        return written(self.wait_p95_s, Unit.SECONDS)

    @property
    def liked(self) -> str:
        """The share of good opinions, and how many there are."""
        total = self.num_good + self.num_bad
        return f"{self.num_good / total:.0%} of {total:,}" if total else MISSING


def read_sites(now: datetime) -> list[SiteUse]:
    """Return the sites that ask most, by five queries; empty while nobody has asked."""
    asks = _asks(now)
    waits = _waits(now)
    opinions = _opinions(now)
    refused = dict(
        RefusedOrigin.objects.order_by()
        .values_list("site")
        .annotate(num=Count("id"))
        .values_list("site", "num")
    )
    names: dict[int | None, str] = {None: OWN_PAGE}
    names |= dict(Site.objects.values_list("pk", "name"))
    uses = [
        SiteUse(
            pk=pk,
            name=name,
            asks_hour=row.get("hour", 0),
            asks_day=row.get("day", 0),
            num_visitors=row.get("visitors", 0),
            wait_p50_s=_quantile(waits.get(pk, ()), 0.50),
            wait_p95_s=_quantile(waits.get(pk, ()), 0.95),
            num_good=opinion.get("good", 0),
            num_bad=opinion.get("bad", 0),
            num_refused=refused.get(pk, 0),
        )
        for pk, name in names.items()
        for row, opinion in [(asks.get(pk, {}), opinions.get(pk, {}))]
        # The own page is only a site to those who use it.
        if pk is not None or row
    ]
    return sorted(uses, key=lambda use: (-use.asks_day, use.name))[:MAX_SITES]


def _asks(now: datetime) -> dict[int | None, dict[str, float]]:
    answers = Message.objects.filter(
        role=Message.Role.ASSISTANT, created__gte=now - WINDOW, created__lte=now
    )
    rows = (
        answers.order_by()
        .values("conversation__site")
        .annotate(
            day=Count("id"),
            hour=Count("id", filter=Q(created__gte=now - timedelta(hours=1))),
            visitors=Count("conversation__visitor", distinct=True),
        )
    )
    return {row["conversation__site"]: row for row in rows}


def _waits(now: datetime) -> dict[int | None, list[int]]:
    """Return the newest waits of each site in milliseconds, in order, MAX_WAITS of all at most."""
    newest = (
        Message.objects.filter(
            role=Message.Role.ASSISTANT,
            created__gte=now - WINDOW,
            created__lte=now,
            queue_ms__isnull=False,
        )
        .order_by("-created")
        .values_list("conversation__site", "queue_ms")[:MAX_WAITS]
    )
    waits: defaultdict[int | None, list[int]] = defaultdict(list)
    for site, wait_ms in newest:
        waits[site].append(wait_ms)
    return {site: sorted(found) for site, found in waits.items()}


def _quantile(waits: Sequence[int], share: float) -> float | None:
    """Return the wait in seconds that ``share`` of those in order do not exceed."""
    return waits[min(len(waits) - 1, int(share * len(waits)))] / 1000 if waits else None


def _opinions(now: datetime) -> dict[int | None, dict[str, int]]:
    rows = (
        Feedback.objects.filter(created__gte=now - OPINIONS)
        .order_by()
        .values("message__conversation__site")
        .annotate(
            good=Count("id", filter=Q(value=Feedback.Value.UP)),
            bad=Count("id", filter=Q(value=Feedback.Value.DOWN)),
        )
    )
    return {row["message__conversation__site"]: row for row in rows}
