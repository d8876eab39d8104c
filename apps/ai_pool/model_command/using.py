"""``model use``: chooses the model for the next start."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ai_model.model_file import inspect
from ai_model.store import ModelStore
from apps.ai_pool import conf
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.pool_command.screen import Screen


class UseCommand(Subcommand):
    """A file that cannot work is not chosen."""

    name = "use"
    help = "choose the model for the next start"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which one."""
        parser.add_argument("name", help="Q5_K_M ..., demo, a path, or auto to take it back")

    def run(self, screen: Screen, store: ModelStore, *, name: str, **options: Any) -> None:
        """Note it, and say what that means."""
        path = None
        if name.strip().lower() == "auto":
            store.clear_selection()
        else:
            path = store.resolve(name)
            inspect(path)
            store.select(path)
        chosen = conf.chosen_model()
        begin = "From the next start"
        if path is not None and chosen.path != path:
            begin = "Noted, but as long as the settings say otherwise"
        screen.say(f"{begin}: {store.show(chosen.path)}, because {chosen.reason}.", "")
