"""Shows the table of system checks, or writes it to ``docs/checks.md``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.ai_pool.check_table import checks_markdown


class Command(BaseCommand):
    """``manage.py checks_table [--write]``."""

    help = "Shows every system check with its id; --write renews docs/checks.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/checks.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            path = settings.BASE_DIR / "docs" / "checks.md"
            path.write_text(checks_markdown())
            self.stdout.write(f"wrote {path}")
        else:
            self.stdout.write(checks_markdown(), ending="")
