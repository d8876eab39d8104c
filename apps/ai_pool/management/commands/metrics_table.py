"""Shows the table of metrics, or writes it to ``docs/metrics.md``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.ai_pool.metrics_page import metrics_markdown
from backend.env import BASE_DIR


class Command(BaseCommand):
    """``manage.py metrics_table [--write]``."""

    help = "Shows every metric with its meaning; --write renews docs/metrics.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/metrics.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            path = BASE_DIR / "docs" / "metrics.md"
            path.write_text(metrics_markdown())
            self.stdout.write(f"wrote {path}")
        else:
            self.stdout.write(metrics_markdown(), ending="")
