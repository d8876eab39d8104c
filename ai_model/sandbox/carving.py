"""Everything but some places: Landlock only knows what is allowed, so the rest is put together."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def all_but(private: Iterable[Path]) -> list[Path]:
    """Return paths that cover the whole file system except for ``private`` and what is below it.

    What is made later beside a private place, or in a directory above it, is not covered. Links are
    left out: where they lead to is covered by its own name, or it is private.
    """
    closed = {Path(os.path.realpath(path)) for path in private}
    if not closed:
        return [Path("/")]
    passed = {parent for path in closed for parent in path.parents}
    opened = {path for path in passed if closed.isdisjoint((path, *path.parents))}
    return [
        Path(entry.path)
        for directory in sorted(opened)
        for entry in _entries(directory)
        if Path(entry.path) not in closed | passed and not entry.is_symlink()
    ]


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError:
        return []  # nothing in it can be reached by name then
