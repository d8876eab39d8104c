"""Small text files that the kernel writes: one number, or a table of names and numbers."""

from __future__ import annotations

import os
from pathlib import Path

NO_LIMIT = 1 << 60
"""What ``max`` reads as; version 1 writes larger numbers when it means no limit."""
_CHUNK = 1 << 16
_MAX_CHARS = 1 << 20


class UnreadableFile(Exception):
    """A file of the kernel that is there cannot be read, or holds something else than expected."""


def read_text(path: Path) -> str:
    """Return the whole text. Raises FileNotFoundError, and UnreadableFile for all else.

    A text that does not end with a line break was cut off, and is as good as unreadable.
    """
    try:
        text = _read(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read ({error.strerror or error})") from None
    if not text.endswith("\n"):
        raise UnreadableFile(f"{path} was cut off")
    return text


def read_amount(path: Path) -> int:
    """Return the one number in a file, ``NO_LIMIT`` for ``max``. Raises like ``read_text``."""
    text = read_text(path).strip()
    if text == "max":
        return NO_LIMIT
    try:
        return max(0, int(text))
    except ValueError:
        raise UnreadableFile(f"{path} does not hold a number") from None


def read_table(path: Path) -> dict[str, int]:
    """Return ``name number`` lines as a mapping; lines of another form are left out.

    Units after the number and a colon after the name are dropped (``MemTotal: 2048 kB``).
    Raises like ``read_text``.
    """
    table = {}
    for line in read_text(path).splitlines():
        words = line.split(None, 2)
        if len(words) >= 2 and words[1].isdecimal():
            table[words[0].rstrip(":")] = int(words[1])
    return table


def read_value(path: Path, name: str) -> int | None:
    """Return the number of one name in a long table, None without it. Raises like ``read_text``."""
    _, _, rest = f"\n{read_text(path)}".partition(f"\n{name} ")
    value = rest.partition("\n")[0]
    return int(value) if value.isdecimal() else None


def _read(path: Path) -> str:
    # os.read and not Path.read_text: a third of the time, and this happens ten times a second.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        chunks: list[bytes] = []
        num_read = 0
        while num_read < _MAX_CHARS and (chunk := os.read(descriptor, _CHUNK)):
            chunks.append(chunk)
            num_read += len(chunk)
    finally:
        os.close(descriptor)
    return b"".join(chunks).decode("ascii", "replace")
