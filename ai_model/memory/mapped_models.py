"""Which model files live processes map."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_DELETED = " (deleted)"


def mapped_models(pids: Iterable[int], *, proc: Path = Path("/proc")) -> list[Path]:
    """Return the GGUF files mapped by any of the processes; those that cannot be asked map none.

    For watching from outside: a pool knows its own file.
    """
    found: set[str] = set()
    for pid in pids:
        try:
            text = (proc / str(pid) / "maps").read_text(errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
            # address, rights, offset, device, inode, path
            words = line.split(None, 5)
            if len(words) == 6 and words[5].removesuffix(_DELETED).endswith(".gguf"):
                found.add(words[5])
    return [Path(path) for path in sorted(found) if not path.endswith(_DELETED)]
