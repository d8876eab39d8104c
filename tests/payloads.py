"""Texts that try to get something past the reader or out of the page, for every place that shows
what a visitor, the model or a site owner wrote.

They stand in ``payloads.json`` as ``{"name", "text"}`` so that tests in other languages and in
browsers use the same ones. ``"repeat"`` repeats a text that often.
"""

from __future__ import annotations

import json
from pathlib import Path

PATH = Path(__file__).with_name("payloads.json")


def payloads() -> dict[str, str]:
    """Every payload by its name."""
    rows = json.loads(PATH.read_text(encoding="utf-8"))
    return {row["name"]: row["text"] * row.get("repeat", 1) for row in rows}
