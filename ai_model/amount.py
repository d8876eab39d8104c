"""Amounts of memory as people write them."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([KMGT]?)(i?B)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_LARGEST = 1 << 60


def parse_amount(text: str) -> int:
    """Return the bytes of ``2G``, ``1.65GiB``, ``512M`` or ``0``; units are powers of 1024.

    Raises ValueError with a sentence.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no amount of memory; write 2G, 1.65G or 512M")
    num_bytes = int(float(found[1]) * 1024 ** _POWERS[found[2].lower()])
    if num_bytes > _LARGEST:
        raise ValueError(f"{text!r} is more memory than any machine has")
    return num_bytes


def say_amount(num_bytes: int) -> str:
    """Return the bytes in MiB, or GiB from 1 GiB on."""
    if num_bytes >= 1 << 30:
        return f"{num_bytes / (1 << 30):.2f} GiB"
    return f"{num_bytes / (1 << 20):.0f} MiB"
