"""Shows what this machine has and what Corral takes of it, watches that, and tests whether it
suffices."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.table import Table
from rich.text import Text

from ai_model.pool.status import PoolState
from apps.ai_pool.capacity_plan.measuring import figures_here
from apps.ai_pool.doctor.examination import check_machine
from apps.ai_pool.doctor.finding import Finding, Level
from apps.ai_pool.doctor.printing import exit_code, show_group
from apps.ai_pool.resources.fitness import judge_reading, judge_storing, judge_writing
from apps.ai_pool.resources.sample import Sample, Sampler
from apps.ai_pool.resources.use import Use, look
from apps.ai_pool.resources.wording import (
    MONITOR_HEADINGS,
    PROCESS_HEADINGS,
    machine_rows,
    model_rows,
    pool_row,
    process_rows,
    together,
)
from apps.ai_pool.text_table import print_table

EXIT_SHORT, EXIT_DOWN = 1, 2
LEAST_S, MOST_S = 0.2, 3600.0
WIDTHS = (8, 5, 8, 8, 7, 8, 8, 13, 7, 7, 6)


class Command(RichCommand):
    """``resources info|monitor|test``.

    Exit code 0 enough, 1 something is short, 2 wrong use; ``monitor`` ends with 2 when no pool
    answered at the last look, ``test`` when the machine cannot run the profile.
    """

    help = "What this machine has, what Corral takes of it, and whether that suffices."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-command each."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        info = actions.add_parser("info", help="processors, memory, disks, model, processes")
        monitor = actions.add_parser("monitor", help="a line every few seconds; Ctrl-C ends")
        monitor.add_argument("--every", type=float, default=2.0, help="seconds between lines (2)")
        monitor.add_argument("--count", type=int, default=0, help="so many lines; 0: for ever")
        test = actions.add_parser(
            "test", help="can this machine run the profile? up to half a minute without a pool"
        )
        for action in (info, monitor, test):
            action.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Run one action."""
        run = {"info": self._info, "monitor": self._monitor, "test": self._test}[action]
        code = run(**options)
        if code:
            sys.exit(code)

    def _info(self, *, as_json: bool, **options: Any) -> int:
        use = look()
        if as_json:
            self.stdout.write(json.dumps(use.to_json(), indent=1))
        else:
            self._show(use)
        return EXIT_SHORT if use.warnings else 0

    def _show(self, use: Use) -> None:
        rows = [*machine_rows(use.machine), *model_rows(use.model, use.fault), pool_row(use.pool)]
        if self.console.is_terminal:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(style="dim", no_wrap=True)
            grid.add_column(overflow="fold")
            for title, text in rows:
                grid.add_row(title, Text(text))
            self.console.print(grid)
            self.console.print()
        else:
            self.stdout.write("\n".join(f"{title:<12}{text}" for title, text in rows) + "\n")
        if use.processes:
            table = process_rows(use.processes, time.time())
            print_table(self.console, PROCESS_HEADINGS, table)
        self.console.print(Text(together(use)))
        for warning in use.warnings:
            self.console.print(Text(warning, style="yellow"))

    def _monitor(self, *, every: float, count: int, as_json: bool, **options: Any) -> int:
        if not LEAST_S <= every <= MOST_S or count < 0:
            sentence = f"--every takes {LEAST_S:g} to {MOST_S:g} seconds, --count 0 or more."
            raise CommandError(sentence, returncode=EXIT_DOWN)
        sampler, number, last = Sampler(), 0, None
        try:
            while not count or number < count:
                time.sleep(every)
                last = sampler.sample()
                self._show_sample(last, as_json, is_first=number == 0)
                number += 1
        except KeyboardInterrupt:
            pass
        is_down = last is not None and last.state in (PoolState.DOWN, PoolState.FAILED)
        return EXIT_DOWN if is_down else 0

    def _show_sample(self, sample: Sample, as_json: bool, *, is_first: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(sample.to_json()))
        else:
            if is_first:
                heading = _columns(MONITOR_HEADINGS)
                self.console.print(Text(heading, style="dim"), soft_wrap=True)
            self.console.print(Text(_columns(sample.cells())), soft_wrap=True)
        # Somebody may wait for the line in a pipe.
        self.stdout.flush()

    def _test(self, *, as_json: bool, **options: Any) -> int:
        groups = [("Machine", check_machine())]
        is_shown = self.console.is_terminal and not as_json
        with self.console.status("Measuring the speed ...") if is_shown else nullcontext():
            groups.append(("Speed", _speed()))
        findings = [finding for _, group in groups for finding in group]
        code = exit_code(findings)
        if as_json:
            rows = [{"group": title} | asdict(one) for title, group in groups for one in group]
            self.stdout.write(json.dumps({"exit_code": code, "findings": rows}, indent=1))
            return code
        for title, group in groups:
            show_group(self.console, self.stdout, title, group)
        sentence, style = {
            0: ("This machine can run the profile.", "bold green"),
            1: ("This machine can run the profile, with what is said above.", "bold yellow"),
        }.get(code, ("This machine cannot run the profile.", "bold red"))
        self.console.print(Text(f"\n{sentence}", style=style))
        return code


def _speed() -> list[Finding]:
    stored = judge_storing(Path(settings.CORRAL_VAR_DIR))
    try:
        figures = figures_here()
    except ValueError as error:
        fix = "`manage.py model list` shows the models, `manage.py check` the settings."
        return [*stored, Finding("speed-unknown", Level.ERROR, str(error), fix)]
    return [*stored, *judge_writing(figures), *judge_reading(figures)]


def _columns(cells: tuple[str, ...]) -> str:
    return " ".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
