"""The pool's listening Unix socket: it appears at its path complete, and only its own goes away."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from pathlib import Path

from ai_model.pool.errors import PoolStartError

BACKLOG = 128
PROBE_S = 0.5
TAKEOVER_PAUSE_S = 0.05


class ListeningSocket:
    """A socket that listens at a path. ``close`` it, or give its ``socket`` to who does."""

    def __init__(self, path: Path) -> None:
        """Raises PoolStartError when it cannot be made, with the reason."""
        self.path = path
        try:
            self.socket = self._bind()
        except OSError as error:
            raise PoolStartError(
                f"The socket {path} cannot be made: {error.strerror or error}. "
                "Its directory must exist and be writable."
            ) from None

    @classmethod
    def taken_over(cls, path: Path, *, takeover_s: float) -> ListeningSocket:
        """Wait ``takeover_s`` seconds at most for an earlier pool to leave the path, then listen.

        Raises PoolStartError, also when that pool stays.
        """
        deadline = time.monotonic() + takeover_s
        while is_answering(path):
            if time.monotonic() >= deadline:
                raise occupied(path)
            time.sleep(TAKEOVER_PAUSE_S)
        return cls(path)

    def _bind(self) -> socket.socket:
        """Return a listening socket that appears at its path complete: private and answering."""
        born_at = self.path.with_name(f".{secrets.token_hex(3)}")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(born_at))
            os.chmod(born_at, 0o600)
            listener.listen(BACKLOG)
            listener.setblocking(False)
            found = os.stat(born_at)
            self._inode = (found.st_dev, found.st_ino)
            os.rename(born_at, self.path)
        except OSError:
            listener.close()
            with contextlib.suppress(OSError):
                os.unlink(born_at)
            raise
        return listener

    def remove(self) -> None:
        """Remove the path, but never one that another pool has put there since. Idempotent.

        A sandbox may forbid it; then it is left to who has started this process.
        """
        with contextlib.suppress(OSError):
            found = os.stat(self.path)
            if (found.st_dev, found.st_ino) == self._inode:
                os.unlink(self.path)

    def close(self) -> None:
        """Listen no longer and remove the path."""
        self.socket.close()
        self.remove()


def is_answering(path: Path) -> bool:
    """Return whether somebody listens at a path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def occupied(path: Path) -> PoolStartError:
    """Return what to raise when another pool does not leave."""
    return PoolStartError(f"Another pool answers at {path} already.")
