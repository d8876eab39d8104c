"""How many may knock at once: connections the system holds until the server has taken them.

Twisted asks for 50. When more come while the server is busy for a moment, the system drops the
rest: over TCP they knock again a second later, and on a Unix socket nginx answers 502.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

log = logging.getLogger(__name__)

BACKLOG = 1024
"""The system's own limit (net.core.somaxconn) may be lower, and wins."""


def raise_backlog() -> None:
    """Lengthen the line before every socket that Daphne listens on; call it once it does."""
    if "twisted.internet.reactor" not in sys.modules:
        return
    from twisted.internet import reactor, tcp

    readers: list[Any] = reactor.getReaders()  # type: ignore[attr-defined]
    for port in readers:
        # Sockets of the Unix kind are of this class as well.
        if not isinstance(port, tcp.Port):
            continue
        try:
            # Listening again changes nothing but the length.
            port.socket.listen(BACKLOG)
        except OSError as error:
            log.warning("Only %d connections may wait to be taken: %s.", port.backlog, error)
