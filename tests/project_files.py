"""Finds the files that are part of the project: no environments, caches, data or models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED_DIRECTORIES = {"var", "staticfiles", "node_modules", "weights", "build", "__pycache__"}
KEPT_DOT_DIRECTORIES = {".ci"}


def project_files(*suffixes: str, below: str = ".") -> Iterator[Path]:
    """Yield the project's files with one of these suffixes (all of them when none is given)."""
    for directory, names, files in os.walk(ROOT / below):
        names[:] = sorted(
            name
            for name in names
            if name not in SKIPPED_DIRECTORIES
            and (not name.startswith(".") or name in KEPT_DOT_DIRECTORIES)
        )
        for file in sorted(files):
            if not suffixes or file.endswith(suffixes):
                yield Path(directory, file)


def relative(path: Path) -> str:
    """Return the path as it is written in this project, with slashes."""
    return path.relative_to(ROOT).as_posix()
