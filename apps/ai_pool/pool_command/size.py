"""``pool resize``: how many questions are answered at the same time."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from apps.ai_pool import services
from apps.ai_pool.pool_command.screen import Screen
from apps.ai_pool.pool_command.subcommand import Subcommand


class ResizeCommand(Subcommand):
    """Running answers go on."""

    name = "resize"
    help = "change how many questions are answered at the same time"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many."""
        parser.add_argument("number", type=int, help="1 to 128, until the server restarts")

    def run(self, screen: Screen, *, number: int, **options: Any) -> None:
        """Resize."""
        screen.tell(services.resize_pool(number))
