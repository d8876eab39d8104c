"""System checks of the directories that are written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from apps.ai_pool.backup.shelf import own_shelf


@register("corral")
def check_published(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E060: data where everybody can fetch it."""
    if not settings.STATIC_ROOT:
        return []
    published = Path(settings.STATIC_ROOT).resolve()
    places = {
        "CORRAL_VAR_DIR": Path(settings.CORRAL_VAR_DIR),
        "CORRAL_BACKUP_DIR": own_shelf().directory,
    }
    return [
        Error(
            f"{name} is {path}, inside the directory of files that everybody may fetch.",
            hint="Choose a directory elsewhere.",
            id="corral.E060",
        )
        for name, path in places.items()
        if path.resolve().is_relative_to(published)
    ]


@register("corral")
def check_backup_dir(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E061: a place for backups that cannot be written."""
    if not settings.CORRAL_BACKUP_DIR:
        return []
    directory = own_shelf().directory
    # It is made with the first backup.
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        # os.access says yes to root on a read-only disk, so the question is put by writing.
        with TemporaryFile(dir=nearest):
            return []
    except OSError:
        pass
    return [
        Error(
            f"CORRAL_BACKUP_DIR is {directory}, which this user cannot write to.",
            hint="Give it to the user of the server, or choose another directory.",
            id="corral.E061",
        )
    ]
