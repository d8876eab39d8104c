"""The directory for everything the server writes."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from backend.setting import WRONG_VALUE_ID


def prepare_var_dir(path: Path) -> Path:
    """Make the directory and try to write in it; raises ImproperlyConfigured with the fix."""
    fix = "make it writable or set CORRAL_VAR_DIR to a directory that is"
    probe = path / f".probe-{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        # os.access says yes to root on a read-only mount, so the question is put by writing.
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or error
        raise ImproperlyConfigured(
            f"The directory {path} cannot be written ({reason}); {fix} ({WRONG_VALUE_ID})."
        ) from None
    return path
