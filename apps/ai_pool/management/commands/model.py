"""Lists, fetches, verifies, chooses and inspects model files."""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from ai_model.catalog import CATALOG, DEFAULT_QUANT, DEMO_NAME, DEMO_TITLE, UnknownModel, find_entry
from ai_model.checksums import ChecksumMismatch
from ai_model.download import DownloadError, DownloadPlan, fetch, plan_download
from ai_model.hardware import num_usable_cpus
from ai_model.model_file import BadModelFile, ModelFileInfo, inspect
from ai_model.store import ModelStore
from ai_model.synthetic import QUANTS, SYNTHETIC_NAME, SynthesisError, write_synthetic
from apps.ai_pool import conf


class Command(RichCommand):
    """``model list|fetch|verify|use|inspect|synth``. Exits 0 done, 1 not done, 2 wrong usage."""

    help = "The model files: list, fetch, verify, use, inspect."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-command each."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="what there is and what is used")
        listing.add_argument("--json", action="store_true", dest="as_json")
        fetching = actions.add_parser("fetch", help="download a model of the catalog")
        fetching.add_argument(
            "name",
            nargs="?",
            default=DEFAULT_QUANT,
            help=f"Q4_K_M, Q5_K_M or Q8_0 ({DEFAULT_QUANT})",
        )
        fetching.add_argument("--yes", action="store_true", help="do not ask")
        fetching.add_argument("--force", action="store_true", help="fetch it again")
        verifying = actions.add_parser("verify", help="read files whole and compare checksums")
        verifying.add_argument("name", nargs="?", help="default: every file that is here")
        verifying.add_argument("--json", action="store_true", dest="as_json")
        using = actions.add_parser("use", help="choose the model for the next start")
        using.add_argument("name", help="Q5_K_M ..., demo, a path, or auto to take it back")
        inspecting = actions.add_parser("inspect", help="show what a file holds")
        inspecting.add_argument("name", nargs="?", help="default: the model in use")
        inspecting.add_argument("--json", action="store_true", dest="as_json")
        synthesising = actions.add_parser(
            "synth", help="write TinyLlama with random weights, to measure speed without a download"
        )
        synthesising.add_argument("--quant", default=DEFAULT_QUANT, choices=QUANTS)
        synthesising.add_argument("--vocab", type=Path, help="a GGUF file with the tokenizer")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Run one action; everything expected comes out as one sentence."""
        store = conf.model_store()
        run: Callable[..., None] = getattr(self, f"_{action}")
        try:
            run(store, **options)
        except UnknownModel as error:
            raise CommandError(str(error), returncode=2) from None
        except (
            BadModelFile,
            ChecksumMismatch,
            DownloadError,
            SynthesisError,
            conf.ImpossibleSetting,
        ) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or 'A file'}: {error.strerror}.") from None

    # list

    def _list(self, store: ModelStore, *, as_json: bool, **options: Any) -> None:
        rows = _rows(store)
        if as_json:
            self.stdout.write(json.dumps(rows, indent=1))
            return
        table = Table(box=None, padding=(0, 2), header_style="dim")
        table.add_column("")
        table.add_column("Model", no_wrap=True)
        table.add_column("Size", justify="right", no_wrap=True)
        table.add_column("State", no_wrap=True)
        table.add_column("")
        for row in rows:
            table.add_row(
                "[green]>[/]" if row["is_used"] else "",
                escape(row["name"]),
                f"{row['size_bytes'] / 1e6:,.0f} MB" if row["size_bytes"] else "-",
                "here" if row["path"] else "[dim]not fetched[/]",
                f"[dim]{escape(row['note'])}[/]",
            )
        self.console.print(table)
        chosen = conf.chosen_model()
        self.console.print(
            f"Used: {escape(store.show(chosen.path))}, because {escape(chosen.reason)}.",
            highlight=False,
        )

    # fetch

    def _fetch(
        self, store: ModelStore, *, name: str, yes: bool, force: bool, **options: Any
    ) -> None:
        entry = find_entry(name)
        here = store.find(entry)
        if here is not None and not force:
            store.checksums.verify(here, entry.sha256)
            self.console.print(f"{escape(store.show(here))} is here already, and whole.")
            return
        plan = plan_download(entry, store)
        self._show_plan(plan, store)
        if not yes:
            self._ask()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        with self._progress() as progress:
            bar = progress.add_task(entry.filename, total=entry.size_bytes)
            path = fetch(
                entry, store, lambda done, total: progress.update(bar, completed=done, total=total)
            )
        self.console.print(f"[green]Done.[/] {escape(store.show(path))} is whole and checked.")
        self._say_what_will_run(store, path)

    def _show_plan(self, plan: DownloadPlan, store: ModelStore) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_row("Model", f"{plan.entry.title} {plan.entry.quant}")
        grid.add_row("From", f"huggingface.co/{plan.entry.repo}")
        grid.add_row("Licence", plan.entry.license)
        grid.add_row("Size", f"{plan.needed_bytes / 1e6:,.0f} MB")
        grid.add_row("To", f"{store.show(plan.target)} ({plan.free_bytes / 1e6:,.0f} MB free)")
        known = "pinned" if plan.entry.sha256 else "not known yet: recorded now, binding from then"
        grid.add_row("SHA-256", known)
        self.console.print(grid)

    def _ask(self) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here; say --yes to download.", returncode=2)
        try:
            answer = input("Download it? [Y/n] ").strip().lower()
        except (EOFError, KeyboardInterrupt):
            answer = "n"
        if answer not in ("", "y", "yes"):
            raise CommandError("Nothing was downloaded.")

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    def _say_what_will_run(self, store: ModelStore, path: Path) -> None:
        chosen = conf.chosen_model()
        if chosen.path == path:
            self.console.print("Restart the server to use it.")
        else:
            self.console.print(
                f"The server will still use {escape(store.show(chosen.path))}, because "
                f"{escape(chosen.reason)}."
            )

    # verify

    def _verify(
        self, store: ModelStore, *, name: str | None, as_json: bool, **options: Any
    ) -> None:
        paths = [store.resolve(name)] if name else _present(store)
        if not paths:
            raise CommandError("There is no model file here. `model fetch` gets one.")
        results = []
        for path in paths:
            with self._progress() as progress:
                size = path.stat().st_size if path.is_file() else 0
                bar = progress.add_task(path.name, total=size)
                results.append(_verified(store, path, lambda n, p=progress, b=bar: p.advance(b, n)))
        if as_json:
            self.stdout.write(json.dumps(results, indent=1))
        else:
            for result in results:
                mark = "[green]good[/]" if result["is_good"] else "[red]bad[/]"
                self.console.print(f"{mark}  {escape(result['sentence'])}", highlight=False)
        if not all(result["is_good"] for result in results):
            raise CommandError("Not every model file is good.")

    # use

    def _use(self, store: ModelStore, *, name: str, **options: Any) -> None:
        if name.strip().lower() == "auto":
            store.clear_selection()
        else:
            path = store.resolve(name)
            inspect(path)
            store.select(path)
        chosen = conf.chosen_model()
        begin = "From the next start"
        if name.strip().lower() != "auto" and chosen.path != path:
            begin = "Noted, but as long as the settings say otherwise"
        self.console.print(
            f"{begin}: {escape(store.show(chosen.path))}, because {escape(chosen.reason)}.",
            highlight=False,
        )

    # inspect

    def _inspect(
        self, store: ModelStore, *, name: str | None, as_json: bool, **options: Any
    ) -> None:
        info = inspect(store.resolve(name) if name else conf.chosen_model().path)
        facts = _facts(info)
        if as_json:
            self.stdout.write(json.dumps(facts, indent=1))
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        for title, value in facts.items():
            shown = f"{value:,}" if type(value) is int else str(value)
            grid.add_row(title.replace("_", " "), escape(shown))
        self.console.print(grid)

    # synth

    def _synth(self, store: ModelStore, *, quant: str, vocab: Path | None, **options: Any) -> None:
        target = store.weights_dir / f"{SYNTHETIC_NAME}.{quant}.gguf"
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        ) as progress:
            bar = progress.add_task("fetching the tokenizer", total=1.0)
            write_synthetic(
                target,
                quant=quant,
                vocabulary=vocab,
                num_threads=num_usable_cpus(),
                on_progress=lambda share, what: progress.update(
                    bar, completed=share, description=what
                ),
            )
        size = target.stat().st_size / 1e6
        self.console.print(f"[green]Done.[/] {escape(store.show(target))}, {size:,.0f} MB.")
        self.console.print("It speaks word salad: for benchmarks, never for visitors.")


def _present(store: ModelStore) -> list[Path]:
    found = [store.find(entry) for entry in CATALOG]
    paths = [path for path in found if path is not None]
    for path in (store.demo_path, store.selection(), conf.chosen_model().path):
        if path is not None and path.is_file() and path not in paths:
            paths.append(path)
    return paths


def _rows(store: ModelStore) -> list[dict[str, Any]]:
    chosen = conf.chosen_model()
    rows: list[dict[str, Any]] = []
    for entry in CATALOG:
        path = store.find(entry)
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "quant": entry.quant,
                "size_bytes": entry.size_bytes,
                "license": entry.license,
                "path": store.show(path) if path else "",
                "is_used": path == chosen.path,
                "note": entry.note,
            }
        )
    demo = store.demo_path
    rows.append(
        {
            "name": DEMO_NAME,
            "title": DEMO_TITLE,
            "quant": "",
            "size_bytes": _size(demo),
            "license": "",
            "path": store.show(demo) if demo.is_file() else "",
            "is_used": demo == chosen.path,
            "note": "comes with Corral; for trying it out",
        }
    )
    if not any(row["is_used"] for row in rows):
        rows.append(
            {
                "name": chosen.path.name,
                "title": chosen.path.stem,
                "quant": "",
                "size_bytes": _size(chosen.path),
                "license": "",
                "path": store.show(chosen.path) if chosen.path.is_file() else "",
                "is_used": True,
                "note": "your own" if chosen.path.is_file() else "there is no such file",
            }
        )
    return rows


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _verified(store: ModelStore, path: Path, progress: Callable[[int], None]) -> dict[str, Any]:
    shown = store.show(path)
    expected = next((item.sha256 for item in CATALOG if item.filename == path.name), None)
    try:
        inspect(path)
        sha256 = store.checksums.verify(path, expected, progress)
    except (BadModelFile, ChecksumMismatch) as error:
        return {"path": shown, "is_good": False, "sha256": "", "sentence": str(error)}
    except OSError as error:
        sentence = f"{shown} cannot be read ({error.strerror})."
        return {"path": shown, "is_good": False, "sha256": "", "sentence": sentence}
    is_pinned = bool(expected or store.checksums.pinned(path.name))
    against = "as it should" if is_pinned else "nothing known to compare with"
    sentence = f"{shown}: a sound model, SHA-256 {sha256[:16]}... ({against})"
    return {"path": shown, "is_good": True, "sha256": sha256, "sentence": sentence}


def _facts(info: ModelFileInfo) -> dict[str, Any]:
    return {
        "path": os.fspath(info.path),
        "name": info.name,
        "title": info.title,
        "architecture": info.architecture,
        "quantisation": info.quant,
        "size_bytes": info.size_bytes,
        "parameters": info.num_parameters,
        "layers": info.num_layers,
        "vocabulary": info.num_vocab,
        "trained_context": info.n_ctx_train,
        "kv_bytes_per_token": info.kv_bytes_per_token,
        "chat_template": str(info.template),
        "is_demo": info.is_demo,
    }
