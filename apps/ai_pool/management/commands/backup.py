"""Makes a backup of database, secret key and settings in one file, while the server runs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.markup import escape
from rich.table import Table

from apps.ai_pool.backup.errors import BackupError
from apps.ai_pool.backup.making import MadeBackup, make_backup
from apps.ai_pool.backup.place import current_place
from apps.ai_pool.backup.shelf import NUM_KEPT, Shelf, made_at, own_shelf

EXIT_FAILED = 2


class Command(RichCommand):
    """``backup``. Exit code 0 done, 2 not done."""

    help = "Back up database, secret key and settings (not models), also while the server runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to and how many."""
        parser.add_argument(
            "--to",
            type=Path,
            metavar="DIR",
            help="directory for the file (default: CORRAL_BACKUP_DIR, else backups in the var "
            "directory)",
        )
        parser.add_argument(
            "--keep",
            type=int,
            default=NUM_KEPT,
            metavar="N",
            help=f"backups to keep there; older ones are removed ({NUM_KEPT})",
        )
        parser.add_argument("--list", action="store_true", help="only list the backups there")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(
        self,
        *args: Any,
        to: Path | None,
        keep: int,
        as_json: bool,
        **options: Any,
    ) -> None:
        """Make one, or list them."""
        if keep < 1:
            raise CommandError("--keep must be at least 1.", returncode=EXIT_FAILED)
        shelf = own_shelf() if to is None else Shelf(to.absolute())
        if options["list"]:
            self._list(shelf, as_json=as_json)
            return
        try:
            made = self._make(shelf, keep, is_quiet=as_json)
        except BackupError as error:
            raise CommandError(str(error), returncode=EXIT_FAILED) from None
        if as_json:
            self.stdout.write(json.dumps(_facts(made), indent=1))
            return
        size = made.path.stat().st_size / 1e6
        self.console.print(
            f"[green]Done.[/] {escape(str(made.path))}, {size:,.1f} MB: "
            f"{', '.join(entry.name for entry in made.manifest.entries)}.",
            highlight=False,
            soft_wrap=True,
        )
        if made.removed:
            num = len(made.removed)
            self.console.print(
                f"[dim]Removed {num} older one{'s' if num > 1 else ''}; {keep} are kept.[/]"
            )
        self.console.print(
            "[dim]It holds the secret key and what visitors wrote: keep a copy on another machine, "
            "out of reach of others.[/]",
            soft_wrap=True,
        )

    def _make(self, shelf: Shelf, keep: int, *, is_quiet: bool) -> MadeBackup:
        is_shown = self.console.is_terminal and not is_quiet
        with self.console.status("") if is_shown else nullcontext() as status:

            def show(step: str) -> None:
                if status is not None:
                    status.update(f"{step} ...")

            return make_backup(current_place(), shelf, num_kept=keep, on_step=show)

    def _list(self, shelf: Shelf, *, as_json: bool) -> None:
        rows = [
            {
                "path": str(path),
                "size_bytes": path.stat().st_size,
                "made_at": when.isoformat(timespec="seconds"),
            }
            for path in shelf.backups
            if (when := made_at(path.name)) is not None
        ]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=1))
        elif not rows:
            self.stdout.write(f"There is no backup in {shelf.directory}.")
        elif self.console.is_terminal:
            table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
            for title in ("Made (UTC)", "MB", "File"):
                table.add_column(title, justify="right" if title == "MB" else "left")
            for row in rows:
                table.add_row(*_cells(row))
            self.console.print(table)
        else:
            self.stdout.write("\n".join("  ".join(_cells(row)) for row in rows))


def _cells(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["made_at"][:19].replace("T", " "), f"{row['size_bytes'] / 1e6:.1f}", row["path"]


def _facts(made: MadeBackup) -> dict[str, Any]:
    return {
        "path": str(made.path),
        "size_bytes": made.path.stat().st_size,
        "manifest": made.manifest.to_json(),
        "removed": [str(path) for path in made.removed],
    }
