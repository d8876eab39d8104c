"""``manage.py widget_order``: finds the order in which the widget packs best."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.widget.packing_order import KEPT_IN
from apps.widget.release_making import find_order


class Command(BaseCommand):
    """Changes a source file, so it is for developers."""

    help = "Try orders of the widget's functions and keep the one that packs best."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--tries", type=int, default=15_000, help="orders to try (15000: 1 min)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = find_order(tries=options["tries"])
        KEPT_IN.write_text("\n".join(names) + "\n", "utf-8")
        self.stdout.write(f"{len(names)} names in {KEPT_IN.name}")
