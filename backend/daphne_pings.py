"""Bounds the pings of a socket under Daphne, which answers each one at once and for ever.

No browser sends pings, and programs send one every some seconds. Whoever sends thousands wants to
keep the server busy; whoever does not read the answers wants to fill its memory.
"""

from __future__ import annotations

import sys
import time
from typing import Any

MAX_PINGS = 60
WINDOW_S = 10.0
_WINDOW = "corral_pings"


def bound_pings() -> None:
    """Break the line of whoever sends more than MAX_PINGS in WINDOW_S seconds, if this process is a
    Daphne. Idempotent; elsewhere nothing is done."""
    module: Any = sys.modules.get("daphne.ws_protocol")
    if module is None or hasattr(module.WebSocketProtocol, _WINDOW):
        return
    protocol = module.WebSocketProtocol
    answer = protocol.onPing
    setattr(protocol, _WINDOW, (0.0, 0))

    def on_ping(self: Any, payload: bytes) -> None:
        began_at, number = getattr(self, _WINDOW)
        now = time.monotonic()
        if now - began_at >= WINDOW_S:
            began_at, number = now, 0
        setattr(self, _WINDOW, (began_at, number + 1))
        if number < MAX_PINGS:
            answer(self, payload)
        elif self.transport is not None:
            self.transport.abortConnection()

    protocol.onPing = on_ping
