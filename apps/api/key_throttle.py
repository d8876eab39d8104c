"""How many requests a program may make over REST."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.ai_pool.limits.allowance import Allowance, OverLimit
from apps.ai_pool.limits.refusals import KEY_REQUESTS, REFUSALS, STORE_AWAY
from apps.ai_pool.limits.store import StoreAway
from apps.api.models import ApiKey

WINDOW_S = 60


class KeyThrottle(BaseThrottle):
    """A key's ``requests_per_minute``, counted for all of REST together. Visitors and staff are
    counted where they ask something of the model.

    What a key asks of the model is counted there too: so it never costs less than reading.
    """

    def __init__(self) -> None:
        self._wait_s: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count this one; False when there were enough in this minute."""
        key = request.auth
        if not isinstance(key, ApiKey):
            return True
        try:
            Allowance(KEY_REQUESTS, key.requests_per_minute, WINDOW_S).take(f"rest:{key.pk}")
        except StoreAway:
            # Reading goes on; what is asked of the model is counted by itself.
            REFUSALS.count(STORE_AWAY)
            return True
        except OverLimit as error:
            self._wait_s = error.retry_after_s
            return False
        return True

    def wait(self) -> float | None:
        """Seconds until there is room again."""
        return self._wait_s
