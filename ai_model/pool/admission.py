"""Who may come in: the one place where a request is taken or refused, before any tokenising."""

from __future__ import annotations

from collections import Counter

from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import InflightLimit, NoModel, PoolUnavailable, QueueFull
from ai_model.pool.eta import EtaEstimator

DRAIN_RETRY_S = 5.0


class Admission:
    """Keeps the limits of one pool. Lives on the pool's event loop, which is its lock."""

    def __init__(self, config: PoolConfig, estimator: EtaEstimator) -> None:
        self._config = config
        self._estimator = estimator
        self._inflight: Counter[str] = Counter()
        self.failure = ""
        """Why there is no model, as a sentence; empty while there is one or it is loading."""
        self.is_closed = False
        """The pool is shutting down."""

    def check(self, visitor: str, *, num_waiting: int, num_free: int) -> None:
        """Raise the reason for which a request of ``visitor`` is refused, or return.

        ``num_free`` counts instances that could take a request now.
        """
        if self.is_closed:
            raise PoolUnavailable("The pool is shutting down.", retry_after_s=DRAIN_RETRY_S)
        if self.failure:
            raise NoModel(self.failure)
        limit = self._config.max_inflight_per_visitor
        if self._inflight[visitor] >= limit:
            raise InflightLimit(f"This visitor has {limit} questions open already.")
        if num_free > num_waiting:
            return
        instances = self._config.max_instances
        if num_waiting - num_free >= self._config.queue_size:
            raise QueueFull(
                f"{num_waiting} requests wait already.",
                retry_after_s=self._estimator.retry_after_s(instances),
            )
        eta = self._estimator.estimate(num_waiting + 1, instances)
        if eta is not None and eta.p50 > self._config.timeout_s:
            raise QueueFull(
                f"The wait would be about {eta.p50:.0f} s.",
                retry_after_s=self._estimator.retry_after_s(instances),
            )

    def enter(self, visitor: str) -> None:
        """Count a request of ``visitor`` that was taken."""
        self._inflight[visitor] += 1

    def leave(self, visitor: str) -> None:
        """Count the end of a request of ``visitor``."""
        self._inflight[visitor] -= 1
        if self._inflight[visitor] <= 0:
            del self._inflight[visitor]
