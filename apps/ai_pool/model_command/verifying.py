"""``model verify``: reads files whole, compares them, and has them answer if asked to."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ai_model.catalog import CATALOG
from ai_model.checksums import ChecksumMismatch
from ai_model.hardware import num_usable_cpus
from ai_model.model_file import BadModelFile, inspect
from ai_model.profiles import choose_threads
from ai_model.store import ModelStore
from ai_model.trial import QUESTION, TrialFailed, ask
from apps.ai_pool import conf
from apps.ai_pool.model_command.progress import download_progress
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.pool_command.screen import Screen


class VerifyCommand(Subcommand):
    """Every file that is here, or one."""

    name = "verify"
    help = "read files whole and compare checksums; with --ask, let them answer too"
    has_json = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which ones, how far."""
        parser.add_argument("name", nargs="?", help="default: every file that is here")
        parser.add_argument(
            "--ask",
            action="store_true",
            help="load each one and ask it a question too; takes the memory of the model",
        )

    def run(
        self, screen: Screen, store: ModelStore, *, name: str | None, ask: bool, **options: Any
    ) -> None:
        """Look at each one. Raises CommandError unless all are good."""
        paths = [store.resolve(name)] if name else _present(store)
        if not paths:
            raise CommandError("There is no model file here. `model fetch` gets one.")
        results = []
        for path in paths:
            with download_progress(screen.console) as progress:
                size = path.stat().st_size if path.is_file() else 0
                bar = progress.add_task(path.name, total=size)
                result = _verified(store, path, lambda n, p=progress, b=bar: p.advance(b, n))
            if ask and result["is_good"]:
                with screen.waiting(f"Asking {path.name} ..."):
                    result |= _answer(path)
            results.append(result)
            if not screen.as_json:
                _show(screen, result)
        if screen.as_json:
            screen.write_json(results)
        if not all(result["is_good"] for result in results):
            raise CommandError("Not every model file is good.")


def _present(store: ModelStore) -> list[Path]:
    found = [store.find(entry) for entry in CATALOG]
    paths = [path for path in found if path is not None]
    for path in (store.demo_path, store.selection(), conf.chosen_model().path):
        if path is not None and path.is_file() and path not in paths:
            paths.append(path)
    return paths


def _verified(store: ModelStore, path: Path, progress: Callable[[int], None]) -> dict[str, Any]:
    shown = store.show(path)
    bad = {"path": shown, "is_good": False, "sha256": ""}
    expected = next((item.sha256 for item in CATALOG if item.filename == path.name), None)
    try:
        inspect(path)
        sha256 = store.checksums.verify(path, expected, progress)
    except (BadModelFile, ChecksumMismatch) as error:
        return bad | {"sentence": str(error)}
    except OSError as error:
        return bad | {"sentence": f"{shown} cannot be read ({error.strerror})."}
    is_pinned = bool(expected or store.checksums.pinned(path.name))
    against = "as it should" if is_pinned else "nothing known to compare with"
    sentence = f"{shown}: a sound model, SHA-256 {sha256[:16]}... ({against})"
    return {"path": shown, "is_good": True, "sha256": sha256, "sentence": sentence}


def _answer(path: Path) -> dict[str, Any]:
    """Let it answer, in a process of its own."""
    threads = choose_threads(num_cpus=num_usable_cpus(), model_bytes=path.stat().st_size)
    try:
        trial = ask(path, num_threads=threads)
    except TrialFailed as error:
        return {"is_good": False, "sentence": str(error)}
    return {"question": QUESTION, "answer": trial.text, "seconds": round(trial.seconds, 1)}


def _show(screen: Screen, result: dict[str, Any]) -> None:
    mark, style = ("good", "green") if result["is_good"] else ("bad ", "red")
    screen.say(f"{mark}  {result['sentence']}", style)
    if "answer" in result:
        screen.say(f"      {result['question']}  ({result['seconds']} s)", "dim")
        screen.say(f"      {result['answer']}", "")
