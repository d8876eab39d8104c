"""System prompts read once and shared: a small cache of KV prefixes, oldest use out first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol


class _Cells(Protocol):
    def copy(self, source: int, target: int, end: int) -> None: ...

    def remove(self, sequence: int, start: int = 0) -> None: ...


class PrefixCache:
    """Keep system prompts in reserved sequences, to be copied into an instance instead of read
    again.

    Only system prompts are shared between visitors, never anything a visitor wrote. ``sequences``
    are the reserved sequence ids and ``max_tokens`` the cells they may hold together. Used by the
    engine's thread only.
    """

    def __init__(self, sequences: range, max_tokens: int) -> None:
        self._free = list(sequences)
        self._max_tokens = max_tokens
        self._entries: OrderedDict[tuple[int, ...], int] = OrderedDict()

    @property
    def num_tokens(self) -> int:
        """Cells in use."""
        return sum(map(len, self._entries))

    def find(self, prefix: tuple[int, ...]) -> int | None:
        """Return the sequence that holds ``prefix``, or None."""
        sequence = self._entries.get(prefix)
        if sequence is not None:
            self._entries.move_to_end(prefix)
        return sequence

    def can_hold(self, prefix: tuple[int, ...]) -> bool:
        """Whether ``prefix`` could be kept if everything else made room."""
        return 0 < len(prefix) <= self._max_tokens

    def entries(self) -> list[tuple[tuple[int, ...], int]]:
        """Return the prefixes and the sequences that hold them, least recently used first."""
        return list(self._entries.items())

    def keep(self, prefix: tuple[int, ...], source: int, cells: _Cells) -> None:
        """Keep the beginning of sequence ``source``, which holds ``prefix``."""
        if prefix not in self._entries:
            sequence = self.reserve(prefix, cells)
            if sequence is not None:
                cells.copy(source, sequence, len(prefix))

    def reserve(self, prefix: tuple[int, ...], cells: _Cells) -> int | None:
        """Return an empty sequence for ``prefix``, making room if there must be; None when it
        cannot fit."""
        if not self.can_hold(prefix):
            return None
        while self._entries and (
            not self._free or self.num_tokens + len(prefix) > self._max_tokens
        ):
            self.drop(next(iter(self._entries)), cells)
        if not self._free:
            return None
        sequence = self._free.pop()
        self._entries[prefix] = sequence
        return sequence

    def drop(self, prefix: tuple[int, ...], cells: _Cells) -> None:
        """Forget ``prefix``."""
        sequence = self._entries.pop(prefix)
        cells.remove(sequence)
        self._free.append(sequence)
