"""How sign-ins have ended, for the metrics."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from enum import StrEnum


class SignInOutcome(StrEnum):
    """How one attempt ended."""

    DONE = "done"
    FAILED = "failed"
    """Wrong name or password, or nobody of the staff."""
    ADDRESS = "address_limit"
    """Too many attempts from a block of addresses; the password was not looked at."""
    ACCOUNT = "account_limit"
    """Too many attempts at one account; the password was not looked at."""


class SignInCounts:
    """Counts of this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(SignInOutcome, 0)

    def count(self, outcome: SignInOutcome) -> None:
        """Note one."""
        with self._lock:
            self._counts[outcome] += 1

    def values(self) -> Mapping[str, float]:
        """Return how often each was."""
        with self._lock:
            return {str(outcome): float(number) for outcome, number in self._counts.items()}


SIGN_INS = SignInCounts()
"""Those of this process."""
