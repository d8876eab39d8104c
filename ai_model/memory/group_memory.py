"""Memory of one control group, version 2 or 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ai_model.control_group import ControlGroup
from ai_model.kernel_file import NO_LIMIT, UnreadableFile, read_amount, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMemory:
    """A control group at one moment, everything below it included."""

    unreclaimable_bytes: int
    num_high_events: int = 0
    num_max_events: int = 0
    num_oom_kills: int = 0
    refault_pages: int | None = None
    """File pages that were dropped and read again, since the group was made."""
    swap_bytes: int = 0
    swap_limit_bytes: int = NO_LIMIT


def read_limit(group: ControlGroup) -> int:
    """Return the limit of this group alone, in bytes; ``NO_LIMIT`` if it has none.

    Raises UnreadableFile when the group is gone, or has a limit that cannot be read.
    """
    names = ("memory.max", "memory.high") if group.version == 2 else ("memory.limit_in_bytes",)
    limits = [_amount(group.directory / name, NO_LIMIT) for name in names]
    # The outermost group of version 2 has no such files. One that has vanished has none either.
    if min(limits) >= NO_LIMIT and not group.directory.is_dir():
        raise UnreadableFile(f"{group.directory} is gone")
    return min(limits)


def read_group(group: ControlGroup) -> GroupMemory:
    """Read what the group holds. Raises UnreadableFile."""
    try:
        return _read_v2(group.directory) if group.version == 2 else _read_v1(group.directory)
    except FileNotFoundError as error:
        raise UnreadableFile(f"{error.filename} is not there") from None


def _read_v2(directory: Path) -> GroupMemory:
    current = read_amount(directory / "memory.current")
    stat = read_table(directory / "memory.stat")
    events = _table(directory / "memory.events")
    droppable = _cache(stat, directory, "") + stat.get("slab_reclaimable", 0)
    return GroupMemory(
        unreclaimable_bytes=max(0, current - droppable),
        num_high_events=events.get("high", 0),
        num_max_events=events.get("max", 0),
        num_oom_kills=max(events.get("oom", 0), events.get("oom_kill", 0)),
        refault_pages=stat.get("workingset_refault_file", stat.get("workingset_refault")),
        swap_bytes=_amount(directory / "memory.swap.current", 0),
        swap_limit_bytes=_amount(directory / "memory.swap.max", NO_LIMIT),
    )


def _read_v1(directory: Path) -> GroupMemory:
    current = read_amount(directory / "memory.usage_in_bytes")
    stat = read_table(directory / "memory.stat")
    both = _amount(directory / "memory.memsw.limit_in_bytes", NO_LIMIT)
    limit = _amount(directory / "memory.limit_in_bytes", NO_LIMIT)
    return GroupMemory(
        unreclaimable_bytes=max(0, current - _cache(stat, directory, "total_")),
        # Which of the two limits is met first depends on whether there is one for swap.
        num_max_events=_amount(directory / "memory.failcnt", 0)
        + _amount(directory / "memory.memsw.failcnt", 0),
        num_oom_kills=_table(directory / "memory.oom_control").get("oom_kill", 0),
        refault_pages=stat.get("total_workingset_refault_file"),
        swap_bytes=stat.get("total_swap", 0),
        # Version 1 limits memory and swap together.
        swap_limit_bytes=max(0, both - limit) if both < NO_LIMIT else NO_LIMIT,
    )


def _cache(stat: Mapping[str, int], directory: Path, prefix: str) -> int:
    """Return the bytes of file pages that can be dropped.

    The lists and not ``file``, which counts shared memory; active pages too, because active only
    means touched twice.
    """
    lists = [stat.get(prefix + name) for name in ("inactive_file", "active_file")]
    if None in lists:
        # Taken as 0, a full cache would look like a full memory.
        raise UnreadableFile(f"{directory}/memory.stat does not tell its file pages")
    return sum(size or 0 for size in lists)


def _amount(path: Path, missing: int) -> int:
    try:
        return read_amount(path)
    except FileNotFoundError:
        return missing


def _table(path: Path) -> dict[str, int]:
    try:
        return read_table(path)
    except FileNotFoundError:
        return {}
