"""``pool selftest``: a fixed question, its answer compared with the first one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.ai_pool.actions.self_test import run_self_test
from apps.ai_pool.pool_command.screen import EXIT_DEGRADED, Screen
from apps.ai_pool.pool_command.subcommand import Subcommand


class SelftestCommand(Subcommand):
    """Exit code 0 as expected, 1 another text or slow, 2 no pool answers."""

    name = "selftest"
    help = "ask the model a fixed question and compare answer and speed with its first run"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether this run is what later ones are compared with."""
        parser.add_argument(
            "--new-baseline",
            action="store_true",
            help="compare later runs with this one, for example after an upgrade",
        )

    def run(self, screen: Screen, *, new_baseline: bool, **options: Any) -> None:
        """Ask, compare, say it."""
        with screen.waiting("The model is asked."):
            result = run_self_test(is_new_baseline=new_baseline)
        if screen.as_json:
            screen.write_json(result.to_json())
        if not result.is_ok:
            raise CommandError(result.sentence, returncode=EXIT_DEGRADED)
        if not screen.as_json:
            screen.say(result.sentence)
            screen.say(f"It said: {' '.join(result.text.split())}", "dim")
