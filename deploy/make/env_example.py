"""Writes ``deploy/.env.example``; run it with ``python -m deploy.make.env_example``."""

from __future__ import annotations

import textwrap
from pathlib import Path

from backend.env import SECTIONS

PATH = Path(__file__).resolve().parents[1] / ".env.example"
HEAD = """\
# Settings of Corral. Copy this file to .env beside manage.py and remove the # of what you change;
# the environment wins over it. Every value here is the default. docs/settings.md has the limits.
#
# A public site needs at least these three:
#   DJANGO_ENV=production
#   SECRET_KEY=      (python3 -c "import secrets; print(secrets.token_urlsafe(50))")
#   ALLOWED_HOSTS=www.example.org
"""


def env_example() -> str:
    """Return the text of the file."""
    lines = [HEAD]
    for title, settings in SECTIONS.items():
        lines.append(f"\n# ---- {title} ----\n")
        for setting in settings:
            lines += textwrap.wrap(setting.help, 98, initial_indent="# ", subsequent_indent="# ")
            lines.append(f"#{setting.name}={_quoted(setting.default_text)}\n")
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value


if __name__ == "__main__":
    PATH.write_text(env_example())
