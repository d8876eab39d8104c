"""Lets the machine forget a file, so that a control group has to read and hold it itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def forget(files: Iterable[Path]) -> None:
    """Drop files from the cache of the machine; one that cannot be opened is left alone.

    The kernel charges a cached page to the group that read it first, so a model that is cached
    already would cost the small machine nothing. What another process maps stays.
    """
    for path in files:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            pass
        finally:
            os.close(descriptor)
