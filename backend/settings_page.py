"""The page ``docs/settings.md``, made from the table of settings."""

from __future__ import annotations

from backend.env import SECTIONS
from backend.setting import Setting


def settings_page() -> str:
    """The text of ``docs/settings.md``."""
    lines = [
        "# Settings",
        "",
        "Set them in the environment or in a file `.env` beside `manage.py` (`NAME=value` on each",
        "line); the environment wins. A wrong value stops the start with one sentence.",
        "",
        "This page is written by `python manage.py settings_table --write`.",
    ]
    for title, settings in SECTIONS.items():
        lines += ["", f"## {title}", "", "| Name | Default | Meaning |", "|---|---|---|"]
        lines += [_row(setting) for setting in settings]
    return "\n".join(lines) + "\n"


def _row(setting: Setting) -> str:
    name = f"`{setting.name}`" + (f" (also `{setting.alias}`)" if setting.alias else "")
    default = f"`{setting.default_text}`" if setting.default_text else "empty"
    meaning = setting.help
    if setting.at_least is not None and setting.at_most is not None:
        meaning += f" From {setting.at_least:,.12g} to {setting.at_most:,.12g}."
    if setting.choices:
        meaning += " One of " + ", ".join(f"`{choice}`" for choice in setting.choices) + "."
    if setting.is_secret:
        meaning += f" Or `{setting.name}_FILE` names the file that holds it."
    return f"| {name} | {default} | {meaning} |"
