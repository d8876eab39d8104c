"""Runs the server, or any command, as if on a smaller machine, and shows what memory does."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django_rich.management import RichCommand

from ai_model.amount import parse_amount
from ai_model.catalog import UnknownModel
from ai_model.model_file import BadModelFile
from ai_model.simulation.cage import Cage
from ai_model.simulation.choice import choose_cage
from ai_model.simulation.file_cache import forget
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.run import NOT_FOUND, NOT_STARTED, Output, Run
from apps.ai_pool import conf
from apps.ai_pool.trace_screen import TraceScreen

EXIT_WRONG = 2


class Command(RichCommand):
    """``simulate --cpus 1 --memory 2G [--swap 0] [-- COMMAND]``.

    Exit code: that of the command, 128 and the number of a signal that ended it; 2 wrong use.
    """

    help = (
        "Run the server (or the command after --) with the processors and the memory of a smaller "
        "machine, and show its memory every second."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The machine, the form of the trace, the command."""
        parser.add_argument("--cpus", type=float, default=1.0, help="processors (1)")
        parser.add_argument(
            "--memory",
            default="2G",
            help="memory for the command alone (2G); 1.65G is what a rented 2 GB machine leaves "
            "beside its system",
        )
        parser.add_argument("--swap", help="swap, 0 for none (default: what this machine has)")
        parser.add_argument(
            "--json",
            action="store_true",
            dest="as_json",
            help="an object per line; what the command prints goes to standard error",
        )
        parser.add_argument(
            "run", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="default: manage.py serve"
        )

    def handle(self, *args: Any, run: list[str], as_json: bool, **options: Any) -> None:
        """Choose the limits, say what they are, run, and take over the exit code."""
        try:
            machine = SmallMachine(
                num_cpus=options["cpus"],
                memory_bytes=parse_amount(options["memory"]),
                swap_bytes=None if options["swap"] is None else parse_amount(options["swap"]),
            )
        except ValueError as error:
            raise CommandError(f"{error}.", returncode=EXIT_WRONG) from None
        command = run[1:] if run[:1] == ["--"] else run
        command = command or [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"]
        forget(_models(command))
        cage, reasons = choose_cage(machine)
        screen = TraceScreen(self.stdout, self.console, as_json=as_json)
        try:
            code = self._run(command, cage, reasons, screen)
        except BrokenPipeError:
            # Whoever reads has seen enough; the command was ended.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        finally:
            cage.close()
        sys.exit(code)

    def _run(
        self, command: list[str], cage: Cage, reasons: tuple[str, ...], screen: TraceScreen
    ) -> int:
        screen.object(
            {
                "kind": "start",
                "command": command,
                "limits": cage.kept,
                "not_limited": cage.not_kept,
                "reasons": reasons,
            }
        )
        screen.say(f"Limits: {'; '.join(cage.kept)}.")
        for sentence in cage.not_kept:
            screen.say(f"Not limited: {sentence}")
        if cage.not_kept:
            for reason in reasons:
                screen.say(f"Because: {reason}.")
        output = Output.RELAYED if screen.is_live else Output.AS_IS
        running = Run(
            command,
            cage,
            on_line=screen.line,
            output=Output.TO_ERRORS if screen.as_json else output,
            on_output=screen.output,
        )
        with screen:
            code = running.wait()
        if code in (NOT_FOUND, NOT_STARTED) and running.failure:
            raise CommandError(running.failure, returncode=code)
        with contextlib.suppress(BrokenPipeError):
            screen.end(running.peaks, exit_code=code)
        return code


def _models(command: list[str]) -> list[Path]:
    """Return the model files that the command will read, as far as can be told."""
    named = [Path(word) for word in command if word.endswith(".gguf")]
    with contextlib.suppress(BadModelFile, UnknownModel, conf.ImpossibleSetting):
        named.append(conf.chosen_model().path)
    return named
