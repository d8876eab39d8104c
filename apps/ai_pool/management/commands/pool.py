"""Shows how the running pool is doing and lets its operator pause, resize and empty it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ai_model.catalog import UnknownModel
from ai_model.checksums import ChecksumMismatch
from ai_model.model_file import BadModelFile
from ai_model.pool.control_result import ControlResult
from ai_model.pool.errors import PoolError, PoolUnavailable
from ai_model.pool.status import PoolState, PoolStatus
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool import conf, services
from apps.ai_pool.table import duration, text_lines

WATCH_INTERVAL_S = 1.0
EXIT_DEGRADED = 1
EXIT_DOWN = 2
TABLE_WIDTH = 80
"""On a narrower terminal a table would cut off the ids that --cancel needs."""
_HEADINGS = ("#", "waited", "eta", "visitor", "request")


class Command(RichCommand):
    """``pool status|pause|resume|drain|resize|model|queue``.

    Exit code 0 done (status: ready), 1 not done (status: loading, paused or draining), 2 no pool
    answers, or wrong use.
    """

    help = "The running pool: status, pause, resume, drain, resize, model, queue."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-command each."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

        def add(name: str, text: str) -> ArgumentParser:
            action: ArgumentParser = actions.add_parser(name, help=text, description=text)
            return action

        status = add("status", "what the pool is doing now")
        how = status.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", dest="as_json")
        how.add_argument("--watch", action="store_true", help="again every second until Ctrl-C")
        pause = add("pause", "take no new questions; what waits and runs goes on")
        pause.add_argument("message", nargs="*", help="what visitors are told meanwhile")
        resume = add("resume", "take questions again after pause or drain")
        drain = add("drain", "take nothing new and finish what waits and runs")
        resize = add("resize", "change how many questions are answered at the same time")
        resize.add_argument("number", type=int, help="1 to 128, until the pool restarts")
        model = add("model", "answer with another model, once what runs has finished")
        model.add_argument("name", help="Q5_K_M ..., demo, or a path; until the pool restarts")
        queue = add("queue", "who waits, and for how long")
        queue.add_argument("--cancel", metavar="ID", help="end the request with this id")
        for action in (pause, resume, drain, resize, model, queue):
            action.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Run one action; everything expected comes out as one sentence."""
        run: Callable[..., None] = getattr(self, f"_{action}")
        try:
            run(**options)
        except BrokenPipeError:
            # Whoever reads has seen enough; Python must not complain about it at its end either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except PoolUnavailable as error:
            raise CommandError(_why_down(error.text), returncode=EXIT_DOWN) from None
        except PoolError as error:
            raise CommandError(_sentence(error.text), returncode=EXIT_DOWN) from None
        except (UnknownModel, conf.ImpossibleSetting) as error:
            raise CommandError(str(error), returncode=EXIT_DOWN) from None
        except (BadModelFile, ChecksumMismatch) as error:
            raise CommandError(str(error), returncode=EXIT_DEGRADED) from None
        except ValueError as error:
            raise CommandError(str(error), returncode=EXIT_DOWN) from None

    # status

    def _status(self, *, as_json: bool, watch: bool, **options: Any) -> None:
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
            raise CommandError(_reason(status), returncode=code)

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

    # What changes the pool

    def _pause(self, *, message: list[str], **options: Any) -> None:
        self._tell(services.pause_pool(" ".join(message)), **options)

    def _resume(self, **options: Any) -> None:
        self._tell(services.resume_pool(), **options)

    def _drain(self, **options: Any) -> None:
        self._tell(services.drain_pool(), **options)

    def _resize(self, *, number: int, **options: Any) -> None:
        self._tell(services.resize_pool(number), **options)

    def _model(self, *, name: str, as_json: bool, **options: Any) -> None:
        if self.console.is_terminal and not as_json:
            with self.console.status("The running answers finish first, then the model is read."):
                result = services.switch_model(name)
        else:
            result = services.switch_model(name)
        self._tell(result, as_json=as_json)
        if not as_json:
            self._say(f"To keep it after a restart: manage.py model use {name}", "dim")

    def _tell(self, result: ControlResult, *, as_json: bool, **options: Any) -> None:
        if as_json:
            self.stdout.write(json.dumps(result.to_json(), indent=1))
        if not result.is_done:
            raise CommandError(result.text, returncode=EXIT_DEGRADED)
        if not as_json:
            self._say(result.text, "bold")
            self._say(_numbers(result), "dim")

    # queue

    def _queue(self, *, cancel: str | None, as_json: bool, **options: Any) -> None:
        if cancel is not None:
            self._tell(services.cancel_generation(cancel.strip().lower()), as_json=as_json)
            return
        waiting = services.list_waiting()
        if as_json:
            self.stdout.write(json.dumps([one.to_json() for one in waiting], indent=1))
        elif not waiting:
            self._say("Nobody waits.", "bold")
        elif self.console.is_terminal and self.console.width >= TABLE_WIDTH:
            table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
            for number, heading in enumerate(_HEADINGS):
                justify = "right" if number < 2 else "left"
                table.add_column(heading, justify=justify, no_wrap=True)
            for one in waiting:
                table.add_row(*map(Text, _row(one)))
            self.console.print(table)
        else:
            rows = [_HEADINGS, *map(_row, waiting)]
            self.stdout.write("\n".join(_line(row) for row in rows))

    def _say(self, text: str, style: str) -> None:
        """Print a line: in colour on a terminal, as it is into a pipe."""
        if self.console.is_terminal:
            self.console.print(Text(text, style=style))
        else:
            self.stdout.write(text)


def exit_code(status: PoolStatus) -> int:
    """Return what a monitoring script gets: 0 fine, 1 not answering yet, 2 down."""
    if status.state is PoolState.READY:
        return 0
    if status.state in (PoolState.LOADING, PoolState.DRAINING, PoolState.PAUSED):
        return EXIT_DEGRADED
    return EXIT_DOWN


def _reason(status: PoolStatus) -> str:
    reason = status.reason or f"The pool is {status.state}."
    return f"{reason} Visitors are told: {status.notice}" if status.notice else reason


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


def _numbers(result: ControlResult) -> str:
    size = f"{result.num_instances} of {result.max_instances}"
    if result.num_instances == result.max_instances:
        size = str(result.max_instances)
    plural = "" if result.max_instances == 1 else "s"
    return f"{result.num_running} running, {result.num_waiting} waiting, {size} instance{plural}."


def _row(one: WaitingRequest) -> tuple[str, ...]:
    if one.eta_p50_s is None or one.eta_p90_s is None:
        eta = "-"
    elif one.eta_p90_s < 1:
        eta = "< 1s"
    else:
        eta = f"{duration(one.eta_p50_s)} - {duration(one.eta_p90_s)}"
    return (str(one.position), duration(one.waited_s), eta, one.visitor, one.generation)


def _line(row: tuple[str, ...]) -> str:
    position, waited, eta, visitor, generation = row
    return f"{position:>4}  {waited:>7}  {eta:<16}  {visitor:<8}  {generation}"


def _sentence(text: str) -> str:
    """Return a text with a capital letter in front and a full stop behind."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."
