"""llama.cpp's own log, led into Python's logging instead of standard error."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections import deque

from ai_model.engine.llama_library import lib

logger = logging.getLogger("ai_model.llama_cpp")

_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.DEBUG, 4: logging.ERROR}
"""ggml's INFO and WARN are what a Python programmer calls DEBUG: pages of it at every load."""
_ABORTED = ("failed with error 1", "compute status: 1", "failed to decode, ret = 2")
"""How llama.cpp complains about an aborted step, which is no error: somebody pressed Stop."""
_lock = threading.Lock()
_is_installed = False
recent_errors: deque[str] = deque(maxlen=4)
"""The last error lines, newest last, so that a failed load can say why."""


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _forward(level: int, text: bytes, user_data: ctypes.c_void_p) -> None:
    line = text.decode("utf-8", "replace").strip()
    if line.endswith(_ABORTED):
        level = 1
    if level == 4 and line:
        recent_errors.append(line)
    if line and level in _LEVELS:
        logger.log(_LEVELS[level], "%s", line)


def install() -> None:
    """Start llama.cpp's backend once per process and take over its log. Thread-safe, idempotent."""
    global _is_installed
    with _lock:
        if not _is_installed:
            lib.llama_log_set(_forward, ctypes.c_void_p(0))
            lib.llama_backend_init()
            _is_installed = True
