"""``pool model``: answer with another model."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from apps.ai_pool import services
from apps.ai_pool.pool_command.screen import Screen
from apps.ai_pool.pool_command.subcommand import Subcommand


class ModelCommand(Subcommand):
    """Waits until the new model is in use, or says why it is not."""

    name = "model"
    help = "answer with another model, once what runs has finished"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which."""
        parser.add_argument("name", help="Q5_K_M ..., demo, or a path; until the server restarts")

    def run(self, screen: Screen, *, name: str, **options: Any) -> None:
        """Switch."""
        with screen.waiting("The running answers finish first, then the model is read."):
            result = services.switch_model(name)
        screen.tell(result)
        if not screen.as_json:
            screen.say(f"To keep it after a restart: manage.py model use {name}", "dim")
