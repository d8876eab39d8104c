"""Puts a backup back: database, secret key and settings, after all of it was checked."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.markup import escape

from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.manifest import Manifest
from apps.ai_pool.backup.place import current_place
from apps.ai_pool.backup.restoring import Restored, check_backup, restore_here, restore_to

EXIT_FAILED = 2


class Command(RichCommand):
    """``restore FILE``. Exit code 0 done (``--check``: sound), 2 not done."""

    help = "Restore a backup: database, secret key and settings. Stop the server first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which file and where to."""
        parser.add_argument("file", type=Path, help="a file that `backup` made")
        where = parser.add_mutually_exclusive_group()
        where.add_argument(
            "--to",
            type=Path,
            metavar="DIR",
            help="restore into this empty directory instead; CORRAL_VAR_DIR can then name it",
        )
        where.add_argument("--check", action="store_true", help="only check that it is complete")
        parser.add_argument(
            "--force",
            action="store_true",
            help="replace what is there; it is kept in a directory before-restore-...",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(
        self,
        *args: Any,
        file: Path,
        to: Path | None,
        check: bool,
        force: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        """Check or restore; everything expected comes out as one sentence."""
        try:
            if check:
                self._tell(check_backup(file), None, as_json=as_json)
                return
            if to is not None:
                restored = restore_to(file, to, is_forced=force)
            else:
                restored = restore_here(file, current_place(), is_forced=force)
        except BackupError as error:
            raise CommandError(str(error), returncode=EXIT_FAILED) from None
        self._tell(restored.manifest, restored, as_json=as_json)

    def _tell(self, manifest: Manifest, restored: Restored | None, *, as_json: bool) -> None:
        if as_json:
            facts: dict[str, Any] = {"manifest": manifest.to_json()}
            if restored is not None:
                facts["var_dir"] = str(restored.place.var_dir)
                facts["kept_in"] = str(restored.kept_in) if restored.kept_in else None
            self.stdout.write(json.dumps(facts, indent=1))
            return
        made = f"made {manifest.made_at} by Corral {manifest.versions.get('corral', '?')}"
        names = ", ".join(entry.name for entry in manifest.entries)
        if restored is None:
            self._say(f"[green]Sound.[/] {escape(made)}: {escape(names)}.")
            return
        self._say(
            f"[green]Restored[/] to {escape(str(restored.place.var_dir))}: {escape(names)}; "
            f"{escape(made)}."
        )
        if restored.kept_in is not None:
            self._say(f"What was there before is in {escape(str(restored.kept_in))}.")
        self._say("[dim]Next: `manage.py migrate`, `manage.py doctor`, then start the server.[/]")

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)
