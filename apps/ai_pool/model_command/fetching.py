"""``model fetch``: downloads a model of the catalog, whole and checked or not at all."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ai_model.catalog import DEFAULT_QUANT, find_entry
from ai_model.download import DownloadPlan, fetch, plan_download
from ai_model.store import ModelStore
from apps.ai_pool import conf
from apps.ai_pool.model_command.progress import download_progress
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.pool_command.screen import Screen

EXIT_WRONG_USE = 2
UNPINNED = "not known yet: recorded at this download, and binding from then on"
DETAILS = (
    "The file appears under its name only when its size, SHA-256 and structure are right. Where "
    "the catalog knows no SHA-256, that of the first verified download is recorded and must be "
    "met from then on. HF_ENDPOINT names a mirror of the Hugging Face hub."
)


class FetchCommand(Subcommand):
    """Shows what it is going to do, and asks."""

    name = "fetch"
    help = "download a model of the catalog; it is checked before it is used"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which one."""
        parser.description = f"{parser.description} {DETAILS}"
        parser.add_argument(
            "name",
            nargs="?",
            default=DEFAULT_QUANT,
            help=f"Q4_K_M, Q5_K_M or Q8_0 ({DEFAULT_QUANT})",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--force", action="store_true", help="fetch it again")

    def run(
        self,
        screen: Screen,
        store: ModelStore,
        *,
        name: str,
        yes: bool,
        force: bool,
        **options: Any,
    ) -> None:
        """Download it unless it is here."""
        entry = find_entry(name)
        here = store.find(entry)
        if here is not None and not force:
            store.checksums.verify(here, entry.sha256)
            screen.say(f"{store.show(here)} is here already, and whole.")
            return
        plan = plan_download(entry, store)
        screen.say("\n".join(plan_lines(plan, store)), "")
        if not yes:
            _ask()
        # It would say in many lines what the sentence at the end says in one.
        logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
        with download_progress(screen.console) as progress:
            bar = progress.add_task(entry.filename, total=entry.size_bytes)
            path = fetch(
                entry, store, lambda done, total: progress.update(bar, completed=done, total=total)
            )
        screen.say(f"Done. {store.show(path)} is whole and checked.", "green")
        screen.say(_what_will_run(store, path), "")


def plan_lines(plan: DownloadPlan, store: ModelStore) -> list[str]:
    """What is going to be done."""
    entry = plan.entry
    is_known = entry.sha256 or store.checksums.pinned(entry.filename)
    rows = (
        ("Model", f"{entry.title} {entry.quant}"),
        ("From", f"huggingface.co/{entry.repo}"),
        ("Licence", entry.license),
        ("Size", f"{plan.needed_bytes / 1e6:,.0f} MB"),
        ("To", f"{store.show(plan.target)} ({plan.free_bytes / 1e6:,.0f} MB free)"),
        ("SHA-256", "pinned" if is_known else UNPINNED),
    )
    return [f"{title:<9}{text}" for title, text in rows]


def _ask() -> None:
    if not sys.stdin.isatty():
        sentence = "Nobody can be asked here; say --yes to download."
        raise CommandError(sentence, returncode=EXIT_WRONG_USE)
    try:
        answer = input("Download it? [Y/n] ").strip().lower()
    except (EOFError, KeyboardInterrupt):
        answer = "n"
    if answer not in ("", "y", "yes"):
        raise CommandError("Nothing was downloaded.")


def _what_will_run(store: ModelStore, path: Path) -> str:
    chosen = conf.chosen_model()
    if chosen.path == path:
        return "Restart the server to use it. `manage.py pool model` switches one while it runs."
    return f"The server will still use {store.show(chosen.path)}, because {chosen.reason}."
