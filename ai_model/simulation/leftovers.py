"""Ends the processes that a command has left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

TERM_S, KILL_S = 5.0, 5.0
_POLL_S = 0.05


def end_all(pids: Callable[[], list[int]]) -> bool:
    """Ask all processes to end, then make them; return whether all are gone.

    ``pids`` names those that are left, again and again: they may start others meanwhile. Takes 10 s
    at most.
    """
    for number, patience_s in ((signal.SIGTERM, TERM_S), (signal.SIGKILL, KILL_S)):
        until = time.monotonic() + patience_s
        asked: set[int] = set()
        while left := pids():
            for pid in left:
                # A process that was asked to end is not asked again: some take that as "now".
                if number == signal.SIGKILL or pid not in asked:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
            asked.update(left)
            if time.monotonic() >= until:
                break
            time.sleep(_POLL_S)
    return not pids()
