"""Keeps the files of earlier releases, for pages that began with one and for pinned tags.

A page opened before a deploy fetches the rest of the chat after it, and a tag with an integrity
keeps asking for its version; both must get exactly what belongs to it.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from apps.widget.release import Release

MAX_RELEASES = 12
_PACKED = ".gz"
_NAME = re.compile(r"[0-9A-Za-z.]{1,32}-[0-9a-f]{12}\Z")


def keep_release(release: Release) -> None:
    """Store a release unless it is there; the oldest beyond `MAX_RELEASES` go."""
    path = _path(release.version)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
            for name, body in release.files.items():
                z.writestr(name, body)
            for name, body in release.packed.items():
                z.writestr(name + _PACKED, body, zipfile.ZIP_STORED)
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
    _drop_oldest(path.parent)


@lru_cache(maxsize=MAX_RELEASES)
def find_release(version: str) -> Release | None:
    """An earlier release, or None; read once."""
    return stored_release(version)


def stored_release(version: str) -> Release | None:
    """A release as it was kept, or None."""
    if not _NAME.match(version):
        return None
    try:
        with zipfile.ZipFile(_path(version)) as stored:
            bodies = {name: stored.read(name) for name in stored.namelist()}
    except (OSError, zipfile.BadZipFile):
        return None
    files = {name: body for name, body in bodies.items() if not name.endswith(_PACKED)}
    packed = {name: bodies[name + _PACKED] for name in files if name + _PACKED in bodies}
    return Release(version, files, packed)


def _path(version: str) -> Path:
    folder: Path = settings.CORRAL_VAR_DIR / "widget"
    return folder / f"{version}.zip"


def _drop_oldest(folder: Path) -> None:
    stored = sorted(folder.glob("*.zip"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in stored[MAX_RELEASES:]:
        path.unlink(missing_ok=True)
