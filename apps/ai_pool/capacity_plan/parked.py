"""Which conversations the engine still holds: what is not there has to be read again."""

from __future__ import annotations

from collections import OrderedDict


class Parked:
    """Conversations without an instance, in memory up to a limit; the oldest are dropped."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._held: OrderedDict[int, int] = OrderedDict()
        self._num_tokens = 0

    def put(self, conversation: int, num_tokens: int) -> None:
        """Park ``num_tokens`` of a conversation."""
        self.take(conversation)
        if num_tokens > self._max_tokens:
            return
        self._held[conversation] = num_tokens
        self._num_tokens += num_tokens
        while self._num_tokens > self._max_tokens:
            _, dropped = self._held.popitem(last=False)
            self._num_tokens -= dropped

    def take(self, conversation: int) -> int:
        """Return how much of it is there, which is then parked no longer."""
        num_tokens = self._held.pop(conversation, 0)
        self._num_tokens -= num_tokens
        return num_tokens
