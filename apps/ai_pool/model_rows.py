"""The models there are, as rows for programs: the catalog, the demo model, a file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ai_model.catalog import CATALOG, DEMO_NAME, DEMO_TITLE
from ai_model.store import ModelStore


def model_rows(store: ModelStore, chosen: Path | None) -> list[dict[str, Any]]:
    """Return a row for each model; ``chosen`` is the file the server starts with, if it has one."""
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
                "is_used": path is not None and path == chosen,
                "is_pinned": bool(entry.sha256 or store.checksums.pinned(entry.filename)),
                "note": entry.note,
            }
        )
    demo = store.demo_path
    note = "comes with Corral; for trying it out"
    rows.append(_own(store, DEMO_NAME, DEMO_TITLE, demo, note) | {"is_used": demo == chosen})
    if chosen is not None and not any(row["is_used"] for row in rows):
        note = "your own" if chosen.is_file() else "there is no such file"
        rows.append(_own(store, chosen.name, chosen.stem, chosen, note))
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
