"""Shows how the running pool is doing, for people, scripts and monitoring."""

from __future__ import annotations

import asyncio
import json
import time
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.live import Live
from rich.text import Text

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import conf, services
from apps.ai_pool.table import text_lines

WATCH_INTERVAL_S = 1.0
EXIT_DEGRADED = 1
EXIT_DOWN = 2


class Command(RichCommand):
    """``pool status``. Exit code 0 ready, 1 loading or draining, 2 down or failed."""

    help = "The running pool: status."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-command each."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        status = actions.add_parser("status", help="what the pool is doing now")
        how = status.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", dest="as_json")
        how.add_argument("--watch", action="store_true", help="again every second until Ctrl-C")

    def handle(self, *args: Any, as_json: bool, watch: bool, **options: Any) -> None:
        """Ask the pool over its socket and print the answer."""
        if watch:
            self._watch()
            return
        status = asyncio.run(services.pool_status())
        if status.state is PoolState.DOWN:
            status = replace(status, reason=_why_down(status.reason))
        if as_json:
            self.stdout.write(json.dumps(services.staff_form(status), indent=1))
        else:
            self.stdout.write(_page(replace(status, reason="")))
        code = exit_code(status)
        if code:
            raise CommandError(status.reason or f"The pool is {status.state}.", returncode=code)

    def _watch(self) -> None:
        async def follow(live: Live) -> None:
            while True:
                started = time.monotonic()
                live.update(Text(_page(await services.pool_status())), refresh=True)
                spent = time.monotonic() - started
                await asyncio.sleep(max(0.1, WATCH_INTERVAL_S - spent))

        with Live(console=self.console, auto_refresh=False) as live:
            try:
                asyncio.run(follow(live))
            except KeyboardInterrupt:
                return


def exit_code(status: PoolStatus) -> int:
    """Return what a monitoring script gets: 0 fine, 1 not answering yet, 2 down."""
    if status.state is PoolState.READY:
        return 0
    if status.state in (PoolState.LOADING, PoolState.DRAINING):
        return EXIT_DEGRADED
    return EXIT_DOWN


def _why_down(reason: str) -> str:
    """Add what keeps the pool from starting at all, when something does."""
    if conf.is_pool_external():
        return reason
    try:
        conf.pool_plan()
    except ValueError as error:
        return str(error)
    return f"{reason} Is the server running (`make run`)?"


def _page(status: PoolStatus) -> str:
    return status.as_text() + "\n\n" + "\n".join(text_lines(status))
