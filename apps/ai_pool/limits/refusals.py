"""How often somebody was refused, by the limit they met."""

from __future__ import annotations

import threading
from collections.abc import Mapping

OTHER = "other"
MESSAGES, TOKENS, CONCURRENT, SIZE = "messages", "tokens", "concurrent", "message_size"
ADDRESS_MESSAGES, ADDRESS_TOKENS = "address_messages", "address_tokens"
SITE_MESSAGES, SITE_TOKENS = "site_messages", "site_tokens"
NEW_VISITORS, STORE_AWAY = "new_visitors", "store_away"
SOCKETS, ADDRESS_SOCKETS, ALL_SOCKETS = "sockets", "address_sockets", "all_sockets"
KEY_REQUESTS, KEY_TOKENS, KEY_RUNNING = "key_requests", "key_tokens", "key_running"
LIMITS = (
    *(MESSAGES, TOKENS, CONCURRENT, SIZE),
    *(ADDRESS_MESSAGES, ADDRESS_TOKENS, SITE_MESSAGES, SITE_TOKENS, NEW_VISITORS),
    *(SOCKETS, ADDRESS_SOCKETS, ALL_SOCKETS),
    *(KEY_REQUESTS, KEY_TOKENS, KEY_RUNNING),
    *(STORE_AWAY, OTHER),
)
"""Every limit that has a name in the metrics."""


class Refusals:
    """Counts refusals of this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(LIMITS, 0)

    def count(self, limit: str) -> None:
        """Note a refusal; a limit that has no name in the table is ``other``."""
        with self._lock:
            self._counts[limit if limit in self._counts else OTHER] += 1

    def counts(self) -> Mapping[str, float]:
        """Return how often each limit was met."""
        with self._lock:
            return dict(self._counts)


REFUSALS = Refusals()
"""Those of this process."""
