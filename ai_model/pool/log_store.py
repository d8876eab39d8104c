"""The event logs of all generations a pool remembers, bounded in bytes and in time."""

from __future__ import annotations

from collections import OrderedDict

from ai_model.pool.event_log import EventLog

DEFAULT_TTL_S = 15 * 60.0
DEFAULT_MAX_BYTES = 32 * 1024 * 1024
DEFAULT_MAX_LOGS = 4096


class LogStore:
    """Logs by generation id. Running ones always stay; ended ones stay until they are too old.

    When ``max_bytes`` or ``max_logs`` is exceeded, ended logs go early: acknowledged ones first,
    then the oldest. Times are monotonic seconds. Lives on one event loop.
    """

    def __init__(
        self,
        *,
        ttl_s: float = DEFAULT_TTL_S,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_logs: int = DEFAULT_MAX_LOGS,
    ) -> None:
        self._ttl_s = ttl_s
        self._max_bytes = max_bytes
        self._max_logs = max_logs
        self._live: dict[str, EventLog] = {}
        self._ended: OrderedDict[str, tuple[EventLog, float]] = OrderedDict()
        self._num_ended_bytes = 0

    def __len__(self) -> int:
        return len(self._live) + len(self._ended)

    @property
    def num_ended_bytes(self) -> int:
        """Estimated memory of the logs that have ended."""
        return self._num_ended_bytes

    def open(self, generation: str) -> EventLog:
        """Return a new log. The generation must be unknown."""
        if generation in self:
            raise KeyError(f"generation {generation} has a log already")
        log = self._live[generation] = EventLog(generation)
        return log

    def __contains__(self, generation: str) -> bool:
        return generation in self._live or generation in self._ended

    def find(self, generation: str) -> EventLog | None:
        """Return the log of ``generation``, or None."""
        if generation in self._live:
            return self._live[generation]
        ended = self._ended.get(generation)
        return None if ended is None else ended[0]

    def end(self, generation: str, now: float) -> None:
        """Note that the log has got its terminal frame; from now on it can be forgotten."""
        log = self._live.pop(generation)
        self._ended[generation] = (log, now)
        self._num_ended_bytes += log.num_bytes
        self.sweep(now)

    def acknowledge(self, generation: str) -> None:
        """Note that the answer is stored elsewhere. It can still be read, but goes first."""
        log = self.find(generation)
        if log is not None:
            log.is_acknowledged = True

    def sweep(self, now: float) -> None:
        """Forget what is too old, then what is too much."""
        while self._ended:
            oldest, (_, ended_at) = next(iter(self._ended.items()))
            if now - ended_at < self._ttl_s:
                break
            self._forget(oldest)
        if self._is_too_much():
            for generation in [key for key, (log, _) in self._ended.items() if log.is_acknowledged]:
                if not self._is_too_much():
                    return
                self._forget(generation)
        while self._is_too_much() and self._ended:
            self._forget(next(iter(self._ended)))

    def _is_too_much(self) -> bool:
        return self._num_ended_bytes > self._max_bytes or len(self) > self._max_logs

    def _forget(self, generation: str) -> None:
        log, _ = self._ended.pop(generation)
        self._num_ended_bytes -= log.num_bytes
