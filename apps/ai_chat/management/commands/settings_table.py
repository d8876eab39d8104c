"""Shows the table of settings, or writes it to ``docs/settings.md``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backend.env import BASE_DIR
from backend.settings_page import settings_page


class Command(BaseCommand):
    """``manage.py settings_table [--write]``."""

    help = "Shows every setting with its default; --write renews docs/settings.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/settings.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            path = BASE_DIR / "docs" / "settings.md"
            path.write_text(settings_page())
            self.stdout.write(f"wrote {path}")
        else:
            self.stdout.write(settings_page(), ending="")
