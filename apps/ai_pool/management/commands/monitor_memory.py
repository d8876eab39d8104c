"""Shows how tight memory is, or makes it tight on purpose and shows what the pool does."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand

from ai_model.memory.mapped_models import mapped_models
from ai_model.memory.reading import Source
from ai_model.memory.sensor import MemorySensor
from ai_model.pool.status import PoolStatus
from ai_model.simulation.cage import membership
from ai_model.simulation.squeeze import Outcome, Squeeze, joins_group_of
from ai_model.simulation.watch import Watch
from apps.ai_pool import services
from apps.ai_pool.trace_screen import TraceScreen

EXIT_DEGRADED, EXIT_WRONG = 1, 2
LEAST_SHARE, MOST_SHARE = 0.5, 0.99


class Command(RichCommand):
    """``monitor_memory --mode monitor|test``.

    Exit code 0 all is well, 1 the test did not end as it should, 2 nothing could be tested or wrong
    use.
    """

    help = (
        "Show the memory of the pool's control group or of this machine every second "
        "(--mode monitor), or take memory step by step and show what the pool does (--mode test)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, for how long, how far."""
        parser.add_argument("--mode", choices=("monitor", "test"), default="monitor")
        parser.add_argument(
            "--seconds", type=float, help="monitor: stop after so long (default: at Ctrl-C)"
        )
        parser.add_argument(
            "--share",
            type=float,
            default=0.97,
            help="test: how much of the limit to fill with what cannot be dropped (0.97)",
        )
        parser.add_argument(
            "--hold", type=float, default=10.0, help="test: seconds to stay there (10)"
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="test: even where no control group keeps it from filling the whole machine",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, mode: str, as_json: bool, **options: Any) -> None:
        """Watch or test; Ctrl-C ends both and gives all memory back."""
        screen = TraceScreen(self.stdout, self.console, as_json=as_json)
        pid = services.read_status().pid
        sensor = MemorySensor(
            weight_files=lambda: mapped_models([pid] if pid else []),
            membership=membership(pid or os.getpid()),
        )
        if not pid:
            screen.say("No pool runs here, so this is the memory of this command's own group.")
        try:
            if mode == "monitor":
                self._monitor(sensor, screen, options["seconds"])
            else:
                self._test(sensor, screen, pid, options)
        except BrokenPipeError:
            # Whoever reads has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _monitor(self, sensor: MemorySensor, screen: TraceScreen, seconds: float | None) -> None:
        watch = Watch(sensor, pool_level=pool_level)
        until = None if seconds is None else time.monotonic() + seconds
        try:
            with screen:
                while until is None or time.monotonic() < until:
                    line = watch.look()
                    if line is not None:
                        screen.line(line)
                    time.sleep(watch.interval_s)
        except KeyboardInterrupt:
            pass
        screen.end(watch.peaks)

    def _test(
        self, sensor: MemorySensor, screen: TraceScreen, pid: int, options: dict[str, Any]
    ) -> None:
        share = options["share"]
        if not LEAST_SHARE <= share <= MOST_SHARE:
            raise CommandError(
                f"--share must lie between {LEAST_SHARE} and {MOST_SHARE}.", returncode=EXIT_WRONG
            )
        if not 0 <= options["hold"] <= 600:
            raise CommandError("--hold must lie between 0 and 600 seconds.", returncode=EXIT_WRONG)
        if sensor.read().source is Source.NONE and not options["yes"]:
            raise CommandError(
                "No control group limits the memory here, so this test would fill the whole "
                "machine. Run the server in `manage.py simulate`, or add --yes if nothing else "
                "matters on this machine.",
                returncode=EXIT_WRONG,
            )
        enter = joins_group_of(membership(pid)) if pid else None
        if pid and enter is None:
            screen.say(
                "This user may not put a process into the pool's control group, so the memory is "
                "taken outside of it."
            )
        test = Squeeze(
            sensor,
            share=share,
            hold_s=options["hold"],
            on_line=screen.line,
            pool_level=pool_level,
            enter=enter,
        )
        try:
            with screen:
                outcome = test.run()
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped; all memory is given back.", returncode=EXIT_WRONG
            ) from None
        screen.end(outcome.peaks, pool_levels=list(outcome.pool_levels), is_good=outcome.is_good)
        for sentence in sentences(outcome):
            screen.say(sentence)
        if not outcome.is_good:
            raise CommandError("The test did not end as it should.", returncode=EXIT_DEGRADED)


def pool_level() -> str:
    """Return what the running pool says, empty if none runs or it says nothing."""
    status: PoolStatus = services.read_status()
    return status.memory.level


def sentences(outcome: Outcome) -> list[str]:
    """Return the levels in their order, and what went wrong."""
    measured = ", ".join(f"{level} at {at_s:.0f} s" for at_s, level in outcome.peaks.levels)
    told = [f"Levels by this command's own readings: {measured}."]
    if outcome.pool_levels:
        told.append(f"Levels the pool reported: {', '.join(outcome.pool_levels)}.")
    if outcome.is_killed:
        told.append("The kernel killed the process that took the memory; nothing of the site.")
    if not outcome.is_recovered:
        told.append("The levels did not come back in time.")
    return told
