"""A process that takes memory when told and gives it back at its end.

``python -m ai_model.simulation.hog``: each line on standard input is a number of bytes to hold in
all, or the path of a file to read through; the answer is the same line. Ends with its input. The
kernel is asked to kill this process first.
"""

from __future__ import annotations

import contextlib
import mmap
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def main() -> None:
    """Take and give as the lines say."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    held: list[mmap.mmap] = []
    for line in sys.stdin:
        if not line.rstrip("\n").isdecimal():
            _read_through(Path(line.rstrip("\n")))
            print(line, end="", flush=True)
            continue
        num_chunks = int(line) // _CHUNK_BYTES
        while len(held) > num_chunks:
            held.pop().close()
        while len(held) < num_chunks:
            chunk = mmap.mmap(-1, _CHUNK_BYTES)
            # Written to, for the kernel gives pages only then; not zeros, for it may merge those.
            for offset in range(0, _CHUNK_BYTES, mmap.PAGESIZE):
                chunk[offset] = 1
            held.append(chunk)
        print(line, end="", flush=True)


def _read_through(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(_CHUNK_BYTES):
            pass


class Hog:
    """The process, seen from its owner. ``close`` ends it; also a context manager."""

    def __init__(self, *, enter: Callable[[], None] | None = None) -> None:
        """Start it; ``enter`` is called in the child before anything else."""
        self.num_bytes = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ai_model.simulation.hog"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=enter,
        )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def hold(self, num_bytes: int) -> bool:
        """Hold so many bytes in all; return False if the kernel has ended the process."""
        is_held = self._ask(str(num_bytes))
        self.num_bytes = num_bytes if is_held else 0
        return is_held

    def read(self, path: Path) -> bool:
        """Read a file through, so that it gets into the file cache; return as ``hold`` does."""
        return self._ask(str(path))

    def _ask(self, line: str) -> bool:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            return bool(self._process.stdout.readline())
        except OSError:
            return False

    def close(self) -> None:
        """End it; everything is given back. Idempotent."""
        self._process.kill()
        self._process.wait(timeout=10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Hog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


if __name__ == "__main__":
    main()
