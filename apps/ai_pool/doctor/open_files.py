"""How many files and sockets a process may have open."""

from __future__ import annotations

import resource

from apps.ai_pool.doctor.finding import Finding, Level, good

MIN_FILES = 1024
OWN_FILES = 100
"""What the server needs besides its visitors."""


def check_open_files(limit: int | None = None) -> list[Finding]:
    """``limit``: soft limit; by default this process's, which a server started here would have."""
    if limit is None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return [good("open-files", "No limit of open files.")]
    num_visitors = max(0, limit - OWN_FILES)
    if limit < MIN_FILES:
        return [
            Finding(
                "open-files-few",
                Level.WARNING,
                f"A process may have {limit} files open, which is enough for about {num_visitors} "
                "open chats.",
                "Put LimitNOFILE=65536 into the [Service] part of the unit, or run `ulimit -n "
                "65536` before starting by hand.",
            )
        ]
    return [good("open-files", f"{limit:,} open files: about {num_visitors:,} open chats.")]
