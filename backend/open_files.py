"""How many files and connections this process may have open."""

from __future__ import annotations

import resource

ENOUGH = 65_536


def raise_limit() -> None:
    """Take what the system allows, up to a number nobody needs: the usual soft limit of 1,024 is
    reached with some hundred chats, and then connections are dropped."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
