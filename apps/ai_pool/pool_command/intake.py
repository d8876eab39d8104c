"""``pool pause``, ``resume`` and ``drain``: whether new questions are taken."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from apps.ai_pool import services
from apps.ai_pool.pool_command.screen import Screen
from apps.ai_pool.pool_command.subcommand import Subcommand


class PauseCommand(Subcommand):
    """Refuses with a sentence."""

    name = "pause"
    help = "take no new questions; what waits and runs goes on"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What visitors are told."""
        parser.add_argument("message", nargs="*", help="what visitors are told meanwhile")

    def run(self, screen: Screen, *, message: list[str], **options: Any) -> None:
        """Pause."""
        screen.tell(services.pause_pool(" ".join(message)))


class ResumeCommand(Subcommand):
    """Undoes both others."""

    name = "resume"
    help = "take questions again after pause or drain"

    def run(self, screen: Screen, **options: Any) -> None:
        """Open."""
        screen.tell(services.resume_pool())


class DrainCommand(Subcommand):
    """Empties the pool."""

    name = "drain"
    help = "take nothing new and finish what waits and runs"

    def run(self, screen: Screen, **options: Any) -> None:
        """Drain."""
        screen.tell(services.drain_pool())
