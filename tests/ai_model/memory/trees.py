"""Control groups and /proc as directories of files, as the kernel would show them."""

from __future__ import annotations

from pathlib import Path

MIB = 1 << 20


class Tree:
    """``root`` is the mount of the control groups, ``proc`` the other directory."""

    def __init__(self, base: Path) -> None:
        self.root = base / "cgroup"
        self.proc = base / "proc"
        self.root.mkdir()
        self.machine(total=16_000 * MIB, available=12_000 * MIB)

    def write(self, path: Path, text: str) -> Path:
        """Write a file, with the directories above it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def machine(self, *, total: int, available: int, swap: int = 0, swap_free: int = 0) -> None:
        """Set the memory of the machine, in bytes."""
        sizes = {
            "MemTotal": total,
            "MemFree": available // 2,
            "MemAvailable": available,
            "SwapTotal": swap,
            "SwapFree": swap_free,
        }
        lines = [f"{name}:  {size // 1024} kB\n" for name, size in sizes.items()]
        self.write(self.proc / "meminfo", "".join([*lines, "HugePages_Total:  0\n"]))

    def stall(self, path: Path, some: float, full: float) -> None:
        """Write a pressure file."""
        lines = [
            f"{name} avg10={percent:.2f} avg60=0.00 avg300=0.00 total=1\n"
            for name, percent in (("some", some), ("full", full))
        ]
        self.write(path, "".join(lines))

    def join(self, line: str) -> None:
        """Say which group this process is in."""
        self.write(self.proc / "self/cgroup", line + "\n")

    def v2(self, name: str, *, current: int, limit: int | None = None, **stat: int) -> Path:
        """Make a group of version 2; sizes in bytes, ``stat`` the lines of memory.stat."""
        group = self.root / name
        self.write(group / "memory.current", f"{current}\n")
        self.write(group / "memory.max", f"{'max' if limit is None else limit}\n")
        self.write(group / "memory.high", "max\n")
        self.write(group / "memory.stat", _table({"inactive_file": 0, "active_file": 0, **stat}))
        return group

    def v1(self, name: str, *, usage: int, limit: int | None = None, **stat: int) -> Path:
        """Make a group of version 1."""
        group = self.root / "memory" / name
        self.write(group / "memory.usage_in_bytes", f"{usage}\n")
        shown = 9223372036854771712 if limit is None else limit
        self.write(group / "memory.limit_in_bytes", f"{shown}\n")
        lists = {"total_inactive_file": 0, "total_active_file": 0, **stat}
        # Version 1 tells the group alone first, which is not what its limit counts.
        own = {"inactive_file": 1, "active_file": 1}
        self.write(group / "memory.stat", _table({**own, **lists}))
        return group


def _table(values: dict[str, int]) -> str:
    return "".join(f"{name} {value}\n" for name, value in values.items())
