"""Tells the service manager (systemd) how a service is doing, by its notify protocol."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

MICROSECONDS = 1_000_000


class NotifySocket:
    """The socket that the variable NOTIFY_SOCKET names; without the variable nothing is told.

    Never raises and never waits: a service must not suffer from who watches it.
    """

    def __init__(self, environ: Mapping[str, str], pid: int | None = None) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        # An abstract name is written with an @ in the place of the leading zero byte.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self.watchdog_s = _watchdog_s(environ, os.getpid() if pid is None else pid)
        """Seconds after which the manager gives a silent service up; 0 means never."""

    def ready(self) -> None:
        """The service can be used."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The service is going down in order."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """A sign of life for the watchdog."""
        if self.watchdog_s:
            self._send("WATCHDOG=1")

    def say(self, sentence: str) -> None:
        """Show a sentence in the manager's status."""
        self._send("STATUS=" + " ".join(sentence.split()))

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError, ValueError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line,
        ):
            line.setblocking(False)
            line.sendto(message.encode(), self._address)


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float:
    """Return the watchdog's limit if it is meant for this process."""
    try:
        is_ours = int(environ.get("WATCHDOG_PID", pid)) == pid
        limit_us = int(environ.get("WATCHDOG_USEC", 0))
    except ValueError:
        return 0.0
    return limit_us / MICROSECONDS if is_ours and limit_us > 0 else 0.0
