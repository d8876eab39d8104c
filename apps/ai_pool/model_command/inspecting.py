"""``model inspect``: shows what a file holds."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from ai_model.model_file import ModelFileInfo, inspect
from ai_model.store import ModelStore
from apps.ai_pool import conf
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.pool_command.screen import Screen


class InspectCommand(Subcommand):
    """Reads the header only."""

    name = "inspect"
    help = "show what a file holds"
    has_json = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which one."""
        parser.add_argument("name", nargs="?", help="default: the model in use")

    def run(self, screen: Screen, store: ModelStore, *, name: str | None, **options: Any) -> None:
        """Show it."""
        facts = _facts(inspect(store.resolve(name) if name else conf.chosen_model().path))
        if screen.as_json:
            screen.write_json(facts)
            return
        for title, value in facts.items():
            shown = f"{value:,}" if type(value) is int else str(value)
            screen.say(f"{title.replace('_', ' '):<20}{shown}", "")


def _facts(info: ModelFileInfo) -> dict[str, Any]:
    return {
        "path": os.fspath(info.path),
        "name": info.name,
        "title": info.title,
        "architecture": info.architecture,
        "quantisation": info.quant,
        "size_bytes": info.size_bytes,
        "parameters": info.num_parameters,
        "layers": info.num_layers,
        "vocabulary": info.num_vocab,
        "trained_context": info.n_ctx_train,
        "kv_bytes_per_token": info.kv_bytes_per_token,
        "chat_template": str(info.template),
        "is_demo": info.is_demo,
    }
