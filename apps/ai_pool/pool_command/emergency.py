"""``pool emergency``: begin the emergency mode, forbid it, or leave it to memory."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ai_model.pool.config import EMERGENCY_MODES
from apps.ai_pool import services
from apps.ai_pool.pool_command.screen import Screen
from apps.ai_pool.pool_command.subcommand import Subcommand


class EmergencyCommand(Subcommand):
    """What should last longer than the server is CORRAL_EMERGENCY."""

    name = "emergency"
    help = "short answers and no new conversations: on, off (never), or auto (by memory)"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which of the three."""
        parser.add_argument("mode", choices=EMERGENCY_MODES)

    def run(self, screen: Screen, *, mode: str, **options: Any) -> None:
        """Switch."""
        screen.tell(services.set_emergency(mode))
