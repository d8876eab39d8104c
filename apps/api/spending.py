"""What one request takes of its key's limits, from before it is asked until it has ended."""

from __future__ import annotations

import threading
from collections import Counter

from apps.api.allowance import Allowance, OverLimit, Taken
from apps.api.models import ApiKey

BUSY_RETRY_S = 1.0
_lock = threading.Lock()
_running: Counter[int] = Counter()
"""Open requests by key, of this process: what ends with it needs no shared store."""


class TooManyRunning(Exception):
    """The key has as many requests open as it may have."""


class Spending:
    """One request's share. ``begin`` may block for as long as the cache does; ``settle`` too.

    Thread-safe. Whoever has one must settle it.
    """

    def __init__(self, key: ApiKey, requests: Taken, tokens: Taken, num_tokens: int) -> None:
        self._key = key
        self._requests = requests
        self._tokens = tokens
        self._num_tokens = num_tokens
        self._is_settled = False

    @classmethod
    def begin(cls, key: ApiKey, num_tokens: int) -> Spending:
        """Count a request that may write ``num_tokens``. Raises OverLimit and TooManyRunning."""
        with _lock:
            if key.max_running and _running[key.pk] >= key.max_running:
                raise TooManyRunning
            _running[key.pk] += 1
        try:
            requests = _requests(key).take(str(key.pk))
            try:
                # As much as it may have; what it does not need comes back.
                tokens = _tokens(key).take(str(key.pk), num_tokens)
            except OverLimit:
                _requests(key).give_back(requests, 1)
                raise
        except BaseException:
            _leave(key)
            raise
        return cls(key, requests, tokens, num_tokens)

    def settle(self, num_written: int) -> None:
        """Give back what was not needed. Idempotent."""
        with _lock:
            if self._is_settled:
                return
            self._is_settled = True
        _tokens(self._key).give_back(self._tokens, self._num_tokens - num_written)
        _leave(self._key)

    def headers(self) -> dict[str, str]:
        """What is left, as clients of OpenAI's API read it."""
        return rate_headers("requests", self._requests) | rate_headers("tokens", self._tokens)


def rate_headers(kind: str, taken: Taken) -> dict[str, str]:
    """Headers about one limit; none where there is no limit."""
    if not taken.limit:
        return {}
    return {
        f"x-ratelimit-limit-{kind}": str(taken.limit),
        f"x-ratelimit-remaining-{kind}": str(taken.remaining),
        f"x-ratelimit-reset-{kind}": f"{taken.reset_s:.0f}s",
    }


def _requests(key: ApiKey) -> Allowance:
    return Allowance("requests", key.requests_per_minute, 60)


def _tokens(key: ApiKey) -> Allowance:
    return Allowance("tokens", key.tokens_per_hour, 3600)


def _leave(key: ApiKey) -> None:
    with _lock:
        _running[key.pk] -= 1
        if _running[key.pk] <= 0:
            del _running[key.pk]
