"""Writes the description of the API that the server shows."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.api.openapi.document import PATH, described_now


class Command(BaseCommand):
    """For developers: after a view has changed what it takes or gives."""

    help = "Print the description of the API (OpenAPI), or write the file the server shows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Print, write, or look whether it is up to date."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--write", action="store_true", help="write the file")
        what.add_argument("--check", action="store_true", help="exit code 1 unless it is current")

    def handle(self, *args: Any, write: bool = False, check: bool = False, **options: Any) -> None:
        """Make it."""
        text = described_now()
        if write:
            PATH.write_text(text, encoding="utf-8")
        elif not check:
            self.stdout.write(text, ending="")
        elif not PATH.is_file() or PATH.read_text(encoding="utf-8") != text:
            raise CommandError("Views have changed: run `manage.py openapi --write`.")
