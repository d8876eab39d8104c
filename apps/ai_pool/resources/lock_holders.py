"""Which processes hold a lock on a file; the kernel tells everybody."""

from __future__ import annotations

import os
from pathlib import Path

LOCKS = Path("/proc/locks")


def lock_holders(path: Path, locks: Path = LOCKS) -> set[int]:
    """Return the ids of the processes that have locked ``path``; empty where that is not told."""
    try:
        inode = os.stat(path).st_ino
        lines = locks.read_text().splitlines()
    except OSError:
        return set()
    holders = set()
    for line in lines:
        # 1: FLOCK  ADVISORY  WRITE 708 08:01:1234 0 EOF; who waits has an arrow behind the number.
        fields = line.split()
        if len(fields) < 6 or fields[1] != "FLOCK" or not fields[4].isdigit():
            continue
        # The device is not compared: some file systems tell another one here than stat does.
        if fields[5].rpartition(":")[2] == str(inode):
            holders.add(int(fields[4]))
    holders.discard(0)  # in another container
    return holders
