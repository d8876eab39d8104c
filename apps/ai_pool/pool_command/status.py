"""``pool status``: how the pool is doing, once or again every second."""

from __future__ import annotations

import asyncio
import time
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError
from rich.live import Live
from rich.text import Text

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import conf, services
from apps.ai_pool.pool_command.screen import EXIT_DEGRADED, EXIT_DOWN, Screen
from apps.ai_pool.pool_command.subcommand import Subcommand
from apps.ai_pool.table import duration, text_lines

WATCH_INTERVAL_S = 1.0


class StatusCommand(Subcommand):
    """Exit code 0 ready, 1 loading, paused or draining, 2 down."""

    name = "status"
    help = "what the pool is doing now"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Once, or again and again."""
        parser.add_argument("--watch", action="store_true", help="again every second until Ctrl-C")

    def run(self, screen: Screen, *, watch: bool = False, **options: Any) -> None:
        """Show it."""
        if watch:
            if screen.as_json:
                raise CommandError("--watch shows a table, not JSON.", returncode=EXIT_DOWN)
            _watch(screen)
            return
        status = services.read_status()
        if status.state is PoolState.DOWN:
            status = replace(status, reason=why_down(status.reason))
        if screen.as_json:
            screen.write_json(services.staff_form(status))
        else:
            screen.write(_page(replace(status, reason="")))
        code = exit_code(status)
        if code:
            raise CommandError(_reason(status), returncode=code)


def exit_code(status: PoolStatus) -> int:
    """Return what a monitoring script gets: 0 fine, 1 not answering yet, 2 down."""
    if status.state is PoolState.READY:
        return 0
    if status.state in (PoolState.LOADING, PoolState.DRAINING, PoolState.PAUSED):
        return EXIT_DEGRADED
    return EXIT_DOWN


def why_down(reason: str) -> str:
    """Add what keeps the pool from starting at all, when something does."""
    if conf.is_pool_external():
        return reason
    try:
        conf.pool_plan()
    except ValueError as error:
        return str(error)
    return f"{reason} Is the server running (`make run`)?"


def _watch(screen: Screen) -> None:
    async def follow(live: Live) -> None:
        while True:
            started = time.monotonic()
            live.update(Text(_page(await services.pool_status())), refresh=True)
            spent = time.monotonic() - started
            await asyncio.sleep(max(0.1, WATCH_INTERVAL_S - spent))

    with Live(console=screen.console, auto_refresh=False) as live:
        try:
            asyncio.run(follow(live))
        except KeyboardInterrupt:
            return


def _page(status: PoolStatus) -> str:
    lines = [status.as_text(), "", *text_lines(status)]
    lines += [
        f"{limit.name} is {limit.value} instead of {limit.usual} for {duration(limit.left_s)} yet"
        for limit in status.limits
    ]
    return "\n".join(lines)


def _reason(status: PoolStatus) -> str:
    reason = status.reason or f"The pool is {status.state}."
    return f"{reason} Visitors are told: {status.notice}" if status.notice else reason
