"""Gives memory that Python and libc hold on to back to the kernel."""

from __future__ import annotations

import ctypes
import gc
import logging
from functools import lru_cache

logger = logging.getLogger(__name__)


def trim_heap(*, collects_garbage: bool = False) -> None:
    """Hand free memory back to the kernel; takes some milliseconds. Thread-safe.

    Collecting garbage first stops all Python of the process meanwhile, and was measured to free
    nothing here: see decision 0014.
    """
    if collects_garbage:
        gc.collect()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def _malloc_trim() -> ctypes._NamedFuncPointer | None:
    """Return the function of glibc; other libraries (musl) have none and need none."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        logger.debug("This libc has no malloc_trim.")
        return None
