"""Something that keeps a command and all its children within the limits of a small machine."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class NoCage(Exception):
    """This kind of limit cannot be set here; the text says why."""


class Cage(Protocol):
    """Limits that were set up and wait for a command. Has one owner, who calls ``close``."""

    @property
    def kept(self) -> tuple[str, ...]:
        """What is limited, and by what: a line each."""
        ...

    @property
    def not_kept(self) -> tuple[str, ...]:
        """What was asked for and is not limited: a sentence each."""
        ...

    @property
    def has_group(self) -> bool:
        """Whether the command gets a control group of its own, whose memory can be read."""
        ...

    def command(self, command: list[str]) -> list[str]:
        """Return the command line to start."""
        ...

    def enter(self) -> None:
        """Called in the child between fork and exec: go under the limits. Raises OSError."""
        ...

    def settle(self, pid: int) -> None:
        """Called once the child runs: wait, a few seconds at most, until it is under the limits."""
        ...

    def pids(self) -> list[int]:
        """Return the processes inside."""
        ...

    def close(self) -> None:
        """End what still runs inside and remove what was set up; takes seconds at most.

        Idempotent.
        """
        ...


def membership(pid: int) -> Path:
    """Return the file that says in which control groups a process is."""
    return Path(f"/proc/{pid}/cgroup")
