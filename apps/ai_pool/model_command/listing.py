"""``model list``: what there is, and which one is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ai_model.catalog import CATALOG, DEMO_NAME, DEMO_TITLE
from ai_model.store import ModelStore
from apps.ai_pool import conf
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.pool_command.screen import Screen

HEADINGS = ("", "Size", "State", "Model", "")


class ListCommand(Subcommand):
    """The catalog, the demo model, and a file of one's own."""

    name = "list"
    help = "what there is and what is used"
    has_json = True

    def run(self, screen: Screen, store: ModelStore, **options: Any) -> None:
        """Show it."""
        rows = model_rows(store)
        if screen.as_json:
            screen.write_json(rows)
            return
        screen.table(HEADINGS, [_cells(row) for row in rows], num_right=2)
        chosen = conf.chosen_model()
        screen.say(f"Used: {store.show(chosen.path)}, because {chosen.reason}.", "")


def model_rows(store: ModelStore) -> list[dict[str, Any]]:
    """Return a row for each model. Raises what conf.chosen_model() raises."""
    chosen = conf.chosen_model()
    rows: list[dict[str, Any]] = []
    for entry in CATALOG:
        path = store.find(entry)
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "quant": entry.quant,
                "size_bytes": entry.size_bytes,
                "license": entry.license,
                "path": store.show(path) if path else "",
                "is_used": path == chosen.path,
                "is_pinned": bool(entry.sha256 or store.checksums.pinned(entry.filename)),
                "note": entry.note,
            }
        )
    demo = store.demo_path
    note = "comes with Corral; for trying it out"
    rows.append(_own(store, DEMO_NAME, DEMO_TITLE, demo, note) | {"is_used": demo == chosen.path})
    if not any(row["is_used"] for row in rows):
        note = "your own" if chosen.path.is_file() else "there is no such file"
        rows.append(_own(store, chosen.path.name, chosen.path.stem, chosen.path, note))
    return rows


def _own(store: ModelStore, name: str, title: str, path: Path, note: str) -> dict[str, Any]:
    is_here = path.is_file()
    return {
        "name": name,
        "title": title,
        "quant": "",
        "size_bytes": path.stat().st_size if is_here else 0,
        "license": "",
        "path": store.show(path) if is_here else "",
        "is_used": True,
        "is_pinned": bool(store.checksums.pinned(path.name)),
        "note": note,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    size = f"{row['size_bytes'] / 1e6:,.0f} MB" if row["size_bytes"] else "-"
    state = "here" if row["path"] else "not fetched"
    return (">" if row["is_used"] else "", size, state, row["name"], row["note"])
