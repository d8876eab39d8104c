"""What answers were generated as: the text of an answer does not always tokenise back to its own
tokens."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence


class TokenMemo:
    """Remember the token ids of generated answers, newest first, up to a number of tokens in all.

    When an answer comes back as history, its remembered ids keep the prompt equal to what the
    engine has already read. Only a digest of the text is kept. Thread-safe.
    """

    def __init__(self, max_tokens: int = 200_000) -> None:
        self._max_tokens = max_tokens
        self._num_tokens = 0
        self._entries: OrderedDict[bytes, tuple[int, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, text: str, tokens: Sequence[int]) -> None:
        """Keep ``tokens`` as the ids of ``text``, forgetting the oldest answers when there are too
        many."""
        key = _digest(text)
        with self._lock:
            self._num_tokens -= len(self._entries.pop(key, ()))
            self._entries[key] = tuple(tokens)
            self._num_tokens += len(tokens)
            while self._num_tokens > self._max_tokens:
                _, forgotten = self._entries.popitem(last=False)
                self._num_tokens -= len(forgotten)

    def recall(self, text: str) -> tuple[int, ...] | None:
        """Return the ids that ``text`` was generated as, or None."""
        key = _digest(text)
        with self._lock:
            tokens = self._entries.get(key)
            if tokens is not None:
                self._entries.move_to_end(key)
            return tokens


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
