"""``model list``: what there is, and which one is used."""

from __future__ import annotations

from typing import Any

from ai_model.store import ModelStore
from apps.ai_pool import conf
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.model_rows import model_rows
from apps.ai_pool.pool_command.screen import Screen

HEADINGS = ("", "Size", "State", "Model", "")


class ListCommand(Subcommand):
    """The catalog, the demo model, and a file of one's own."""

    name = "list"
    help = "what there is and what is used"
    has_json = True

    def run(self, screen: Screen, store: ModelStore, **options: Any) -> None:
        """Show it."""
        chosen = conf.chosen_model()
        rows = model_rows(store, chosen.path)
        if screen.as_json:
            screen.write_json(rows)
            return
        screen.table(HEADINGS, [_cells(row) for row in rows], num_right=2)
        screen.say(f"Used: {store.show(chosen.path)}, because {chosen.reason}.", "")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    size = f"{row['size_bytes'] / 1e6:,.0f} MB" if row["size_bytes"] else "-"
    state = "here" if row["path"] else "not fetched"
    return (">" if row["is_used"] else "", size, state, row["name"], row["note"])
