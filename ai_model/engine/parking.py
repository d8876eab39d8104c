"""Conversations that hold no instance: their KV states in memory, least recently used out first."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

State = ctypes.Array[ctypes.c_uint8]


@dataclass(frozen=True, slots=True)
class ParkedConversation:
    """The KV state of a conversation and the tokens it stands for."""

    conversation: str
    visitor: str
    tokens: tuple[int, ...]
    state: State

    @property
    def num_bytes(self) -> int:
        """Memory of the state."""
        return len(self.state)


class ParkingLot:
    """Keep up to ``max_bytes`` of KV states. Restoring one takes a millisecond, reading it again
    seconds.

    The limit is checked before a state is copied, since unlimited prompt caches are how model
    servers run out of memory. Used by the engine's thread only; ``num_bytes`` may be read from any.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self._parked: OrderedDict[str, ParkedConversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._parked)

    def limit(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` from now on; what is over it is forgotten."""
        self.max_bytes = max_bytes
        self._make_room(0)

    def park(
        self,
        *,
        conversation: str,
        visitor: str,
        tokens: tuple[int, ...],
        num_bytes: int,
        save: Callable[[], State],
    ) -> bool:
        """Keep the state that ``save`` returns, of ``num_bytes``; False when it is larger than the
        whole lot."""
        self.take(conversation)
        if num_bytes > self.max_bytes:
            return False
        self._make_room(num_bytes)
        parked = ParkedConversation(conversation, visitor, tokens, save())
        self._parked[conversation] = parked
        self.num_bytes += parked.num_bytes
        return True

    def take(self, conversation: str) -> ParkedConversation | None:
        """Return a conversation and forget it here, or None."""
        parked = self._parked.pop(conversation, None)
        if parked is not None:
            self.num_bytes -= parked.num_bytes
        return parked

    def _make_room(self, num_bytes: int) -> None:
        while self.num_bytes + num_bytes > self.max_bytes:
            _, forgotten = self._parked.popitem(last=False)
            self.num_bytes -= forgotten.num_bytes

    def clear(self) -> None:
        """Forget everything."""
        self._parked.clear()
        self.num_bytes = 0
