"""Where model files are and which of them is used, with the reason in words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_model.catalog import (
    CATALOG,
    DEMO_FILENAME,
    DEMO_NAME,
    PREFERENCE,
    CatalogEntry,
    UnknownModel,
    find_entry,
    normal_quant,
)
from ai_model.checksums import ChecksumBook, write_json
from ai_model.model_file import FETCH_HINT, BadModelFile

PROJECT_ROOT = Path(__file__).resolve().parent.parent
WEIGHTS_DIR = PROJECT_ROOT / "ai_model" / "weights"
DEMO_PATH = WEIGHTS_DIR / DEMO_FILENAME
SEARCH_DIRS = (WEIGHTS_DIR, PROJECT_ROOT / "ai_model", PROJECT_ROOT / "backend" / "ai_model")
SELECTION_NAME = "model.json"
"""The file in the var directory that `model use` writes."""


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The model file to run; ``reason`` is a clause: "it was found in ai_model/weights"."""

    path: Path
    reason: str
    is_demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStore:
    """The model files of one installation. Immutable; thread-safe."""

    search_dirs: Sequence[Path] = SEARCH_DIRS
    demo_path: Path = DEMO_PATH
    selection_path: Path | None = None
    """Where `model use` records its choice; None: nowhere."""

    @property
    def weights_dir(self) -> Path:
        """Where downloads go."""
        return self.search_dirs[0]

    @property
    def checksums(self) -> ChecksumBook:
        """What is known about the checksums of the files."""
        return ChecksumBook(self.weights_dir / "checksums.json")

    def find(self, entry: CatalogEntry) -> Path | None:
        """Return where the file of a catalog entry lies, or None."""
        for directory in self.search_dirs:
            path = directory / entry.filename
            # A broken or unreadable file counts as found: it must be reported, not skipped.
            with contextlib.suppress(OSError):
                if path.is_file():
                    return path
        return None

    def choose(self, *, model_path: str = "", quant: str = "") -> ChosenModel:
        """Choose the model: the setting, `model use`, what was found on disk, else the demo.

        model_path: value of CORRAL_MODEL_PATH; relative to the project. quant: CORRAL_QUANT.
        Raises UnknownModel for a quantisation that does not exist and BadModelFile when there is no
        model at all. Does not look into the file.
        """
        wanted = normal_quant(quant)
        if model_path.strip():
            path = (PROJECT_ROOT / Path(model_path.strip()).expanduser()).absolute()
            return ChosenModel(path, "CORRAL_MODEL_PATH names it", self._is_demo(path))
        if wanted:
            return self._choose_quant(wanted)
        selected = self.selection()
        if selected is not None:
            return ChosenModel(selected, "`model use` chose it", self._is_demo(selected))
        return self._choose_found()

    def _choose_quant(self, quant: str) -> ChosenModel:
        path = self.find(find_entry(quant))
        if path is not None:
            return ChosenModel(path, f"CORRAL_QUANT asks for {quant}", False)
        other = self._choose_found()
        missing = f"CORRAL_QUANT asks for {quant}, which is not here"
        return ChosenModel(other.path, f"{missing}, and {other.reason}", other.is_demo)

    def _choose_found(self) -> ChosenModel:
        for preferred in PREFERENCE:
            path = self.find(find_entry(preferred))
            if path is not None:
                reason = f"it was found in {self.show(path.parent)}"
                others = self._others_found(preferred)
                if others:
                    reason += f" and {preferred} goes before {' and '.join(others)}"
                return ChosenModel(path, reason, False)
        reason = "no TinyLlama file was found"
        if self.demo_path.is_file():
            return ChosenModel(self.demo_path, reason, True)
        raise BadModelFile(
            f"There is no model: {reason}, and the demo model {self.show(self.demo_path)} is "
            f"missing as well. {FETCH_HINT}"
        )

    def _others_found(self, quant: str) -> list[str]:
        return [
            entry.quant
            for entry in CATALOG
            if entry.quant != quant and self.find(entry) is not None
        ]

    def _is_demo(self, path: Path) -> bool:
        try:
            return path.resolve() == self.demo_path.resolve()
        except OSError:
            return False

    def resolve(self, name: str) -> Path:
        """Return the file that ``name`` means: a catalog name, a quantisation, "demo" or a path.

        Raises UnknownModel when it is none of these and BadModelFile when it is not downloaded.
        """
        if name.strip().lower() == DEMO_NAME:
            return self.demo_path
        try:
            entry = find_entry(name)
        except UnknownModel:
            path = Path(name).expanduser().absolute()
            if path.suffix == ".gguf" or "/" in name:
                return path
            raise
        found = self.find(entry)
        if found is None:
            raise BadModelFile(
                f"{entry.filename} is not here yet. Fetch it with "
                f"`python manage.py model fetch {entry.name}`."
            )
        return found

    def selection(self) -> Path | None:
        """Return the file that `model use` chose, or None; a broken record counts as none."""
        if self.selection_path is None:
            return None
        try:
            record = json.loads(self.selection_path.read_text(encoding="utf-8"))
            path = Path(record["path"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return path if path.is_absolute() else None

    def select(self, path: Path) -> None:
        """Record ``path`` as the model to use. Raises OSError."""
        if self.selection_path is None:
            raise OSError("this installation has nowhere to record a choice")
        write_json(self.selection_path, {"path": str(path.absolute())})

    def clear_selection(self) -> None:
        """Forget what `model use` chose. Raises OSError."""
        if self.selection_path is not None:
            self.selection_path.unlink(missing_ok=True)

    @staticmethod
    def show(path: Path) -> str:
        """Return ``path`` as people want to read it: relative to the project when inside it."""
        with contextlib.suppress(ValueError):
            return str(path.relative_to(PROJECT_ROOT))
        return str(path)


def choose_model(
    model_path: str = "",
    quant: str = "",
    search_dirs: Sequence[Path] = SEARCH_DIRS,
    *,
    selection_path: Path | None = None,
    demo_path: Path = DEMO_PATH,
) -> ChosenModel:
    """Choose the model file; see ModelStore.choose."""
    store = ModelStore(search_dirs=search_dirs, demo_path=demo_path, selection_path=selection_path)
    return store.choose(model_path=model_path, quant=quant)
