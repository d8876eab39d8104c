"""The control groups a process is in, versions 1 and 2 alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """One directory of the kernel's control groups."""

    directory: Path
    version: int


def own_groups(root: Path, membership: Path, controller: str) -> list[ControlGroup]:
    """Return the group of ``controller`` that ``membership`` names and all its ancestors,
    outermost last; empty when the file cannot be read."""
    groups: list[ControlGroup] = []
    for line in _read_lines(membership):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        version = 1 if controllers else 2
        base = root / controllers if controllers else root
        if controllers and not base.is_dir():
            base = root / controller
        directory = base / path.lstrip("/")
        # In a container this path may not exist below the mount: then the mount is the group.
        while directory != base and base in directory.parents:
            groups.append(ControlGroup(directory, version))
            directory = directory.parent
        groups.append(ControlGroup(base, version))
    return [group for group in groups if group.directory.is_dir()]


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
