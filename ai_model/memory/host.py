"""Memory of the whole machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ai_model.kernel_file import UnreadableFile, read_table, read_value

_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """``/proc/meminfo`` at one moment, in bytes."""

    total_bytes: int
    available_bytes: int
    """What could be given without swapping, by the kernel's estimate: file cache counts."""
    swap_total_bytes: int
    swap_free_bytes: int

    @property
    def unreclaimable_bytes(self) -> int:
        """What the kernel cannot drop."""
        return max(0, self.total_bytes - self.available_bytes)


def read_host(proc: Path) -> HostMemory:
    """Read the machine's memory. Raises UnreadableFile.

    Not by psutil, which reads the same file but can neither be pointed at another directory for
    one call nor tell a torn file from a small machine.
    """
    path = proc / "meminfo"
    try:
        table = read_table(path)
    except FileNotFoundError:
        raise UnreadableFile(f"{path} is not there") from None
    if not table.get("MemTotal") or "MemAvailable" not in table:
        raise UnreadableFile(f"{path} does not tell MemTotal and MemAvailable")
    return HostMemory(
        total_bytes=table["MemTotal"] * _KIB,
        available_bytes=table["MemAvailable"] * _KIB,
        swap_total_bytes=table.get("SwapTotal", 0) * _KIB,
        swap_free_bytes=table.get("SwapFree", 0) * _KIB,
    )


def read_host_refaults(proc: Path) -> int | None:
    """Return the file pages of the machine that were dropped and read again, since its start."""
    try:
        return read_value(proc / "vmstat", "workingset_refault_file")
    except (FileNotFoundError, UnreadableFile):
        return None
