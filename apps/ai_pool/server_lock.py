"""Says that web processes are at work on a var directory, so that nobody restores under them.

The kernel lets go of the lock when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

NAME = "server.lock"
_held: list[int] = []


def hold_server_lock(var_dir: Path) -> None:
    """Hold the lock, together with other web processes, for the life of this one. Never raises."""
    with contextlib.suppress(OSError):
        descriptor = os.open(var_dir / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _held.append(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock of this file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
