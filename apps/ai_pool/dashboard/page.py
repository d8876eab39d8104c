"""Puts the page together: what the pool says now, what is stored, and how it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ai_model.pool.errors import PoolError
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import PoolStatus
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool import conf, rollup, services
from apps.ai_pool.dashboard import plots
from apps.ai_pool.dashboard.attention import read_attention
from apps.ai_pool.dashboard.card import all_cards
from apps.ai_pool.dashboard.history import FRESH_S, Timeline, read_timeline
from apps.ai_pool.dashboard.honesty import honesty
from apps.ai_pool.dashboard.mark import read_marks
from apps.ai_pool.dashboard.period import PERIODS, Period, find_period
from apps.ai_pool.dashboard.plot import draw
from apps.ai_pool.dashboard.rows import (
    MAX_LINE,
    instance_rows,
    lost_rows,
    process_facts,
    waiting_rows,
)
from apps.ai_pool.dashboard.sites import read_sites
from apps.ai_pool.dashboard.uptime import read_uptime
from apps.ai_pool.dashboard.verdict import verdict

HOUR = find_period("1h")
TIMEOUT_S = 1.5

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class PoolNow:
    """What the pool said when the page was asked for. Both lists are empty while it is away."""

    status: PoolStatus
    fresh: tuple[PoolSample, ...] = ()
    """Its newest samples."""
    line: tuple[WaitingRequest, ...] = ()
    """Those who wait."""


async def ask_pool() -> PoolNow:
    """Ask the pool. Never raises, never waits for decoding, some seconds at most."""
    status = await services.pool_status()
    if not status.pid:
        return PoolNow(status)
    client = services.get_pool_client()
    fresh, line = await asyncio.gather(
        _or_nothing(client.history(FRESH_S, timeout_s=TIMEOUT_S)),
        _or_nothing(client.list_waiting(timeout_s=TIMEOUT_S)),
    )
    return PoolNow(status, fresh, line)


async def _or_nothing(question: Awaitable[tuple[Answer, ...]]) -> tuple[Answer, ...]:
    try:
        return await question
    except (PoolError, OSError, TimeoutError, conf.ImpossibleSetting):
        return ()


def page_context(
    pool: PoolNow,
    period: Period,
    now: datetime,
    *,
    addresses: Mapping[str, str] | None = None,
    row_addresses: Mapping[str, str] | None = None,
    messages_url: str = "",
    sites_url: str = "",
) -> dict[str, Any]:
    """Return what the template shows at ``now`` (aware); about a dozen queries, whatever the
    period. ``addresses`` are the pages of what this user may do now, by the names of the actions,
    and ``row_addresses`` those that rows lead to; the others are lists in the admin, empty for who
    may not see them."""
    status = pool.status
    hour = read_timeline(HOUR, now, pool.fresh)
    day = _read_day(now)
    shown = hour if period is HOUR else read_timeline(period, now, pool.fresh)
    marks = read_marks(shown.begin, now + timedelta(minutes=5))
    lost = lost_rows(marks, now)
    return {
        "period": period,
        "periods": PERIODS,
        "verdict": verdict(status, _for_advice(hour, day), addresses),
        "cards": all_cards(status, hour.samples, _num_today(day, hour, now), **_link(messages_url)),
        "plots": [draw(plot, shown, marks) for plot in plots.all_plots(shown)],
        "marks": marks[::-1],
        "has_history": any(one is not None for one in (*shown.samples, *hour.samples)),
        "status": status,
        "facts": process_facts(status),
        "instances": instance_rows(status),
        "lost": [row for row in lost if not row.is_folded],
        "lost_before": [row for row in lost if row.is_folded],
        "line": waiting_rows(pool.line),
        "max_line": MAX_LINE,
        "orphans_url": (addresses or {}).get("orphans", ""),
        "can": row_addresses or {},
        "attention": read_attention(now),
        "messages_url": messages_url,
        "honesty": honesty(status.eta),
        "sites": read_sites(now),
        "sites_url": sites_url,
        "uptime": read_uptime(now),
        "made": now,
    }


def _read_day(now: datetime) -> list[PoolSample]:
    """Return the hours of the last day and those since midnight."""
    return rollup.read(
        rollup.Resolution.HOUR, now - timedelta(hours=25), now + timedelta(minutes=5)
    )


def _for_advice(hour: Timeline, day: list[PoolSample]) -> list[PoolSample]:
    """Return the last hour, in which answers are judged, and before it the peak of the day."""
    peak = max((one.max_running for one in day), default=0)
    return [PoolSample(max_running=peak), *hour.known]


def _num_today(day: list[PoolSample], hour: Timeline, now: datetime) -> int:
    """Return the answers since midnight (UTC). The hours are stored up to a minute ago."""
    midnight_s = now.timestamp() // 86_400 * 86_400
    today = [one for one in day if one.unix_s >= midnight_s]
    newest_s = max((one.unix_s for one in day), default=midnight_s)
    today += [one for one in hour.known if one.unix_s > max(newest_s, midnight_s)]
    return sum(one.num_done + one.num_length + one.num_user_stop for one in today)


def _link(messages_url: str) -> dict[str, str]:
    return {"messages_url": messages_url} if messages_url else {}
