"""How many instances a pool has now and may have; the one who tells the engine to have others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from ai_model.pool.config import PoolConfig
from ai_model.pool.economy import NORMAL
from ai_model.pool.elastic import InstancePolicy
from ai_model.pool.instance_schedule import InstanceSchedule, ScheduleError

logger = logging.getLogger(__name__)

SHORTAGE_S = 60.0
"""So long nothing larger is tried after memory did not suffice for it."""
GROW_PAUSE_S = 60.0
"""So long the pool does not grow after it was made smaller to save memory."""


class Capacity:
    """The size of one pool. Times are monotonic seconds; only peak hours look at the time of day.

    ``resize`` is given every new size. Lives on the pool's loop.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        resize: Callable[[int], None],
        local_time: Callable[[], datetime] = datetime.now,
        policy: InstancePolicy | None = None,
    ) -> None:
        self.limit = config.max_instances
        """Instances there may be, as the owner or the operator says."""
        self.is_held = False
        """Nothing begins any more: this process makes way for another."""
        self.economy = NORMAL
        """What the pool does without for want of memory; fit() carries it out."""
        self.is_at_rest = True
        """Whether memory is as full as it is without pressure from outside, or less."""
        self.room: Callable[[int, int], int] = lambda size, wanted: wanted
        """Asked with the size and a larger one: how many memory has room for."""
        self._shrunk_at = float("-inf")
        self._hot = config.hot_instances
        self._schedule = _schedule(config.peak_hours)
        self._local_time = local_time
        self._policy = policy or InstancePolicy()
        self._resize = resize
        self._shortage: tuple[int, float] | None = None
        self.size = min(self.hot or self.limit, self.limit)
        """Instances there are, or will be in a moment."""

    @property
    def configured_hot(self) -> int:
        """Instances that the owner always wants to be there; 0 means all."""
        return self._hot

    @property
    def hot(self) -> int:
        """Instances that are there whatever the demand, at this time of day; 0 means all."""
        peak = self._schedule.hot_at(self._local_time()) if self._schedule.hours else None
        if not self._hot or peak is None:
            return self._hot
        return max(self._hot, peak)

    @property
    def num_always(self) -> int:
        """The same as a number."""
        return self.hot or self.limit

    @property
    def reachable(self) -> int:
        """Instances there could be now: the limit, or fewer when memory has not sufficed lately."""
        return self._reachable(self.size)

    def _reachable(self, num_needed: int) -> int:
        """Return the same, if elastic instances that are not needed have to go."""
        limit = self.limit if self._shortage is None else min(self.limit, self._shortage[0])
        if not self.economy.can_grow:
            # Where it is at rest the pool may have again what it always has; elsewhere it only
            # shrinks.
            most = self.num_always if self.is_at_rest else min(self.num_always, self.size)
            limit = min(limit, max(most, num_needed))
        if self.economy.max_instances is not None:
            limit = min(limit, self.economy.max_instances)
        return max(1, limit)

    def set_limit(self, num_instances: int) -> None:
        """Let the pool have ``num_instances`` at most from now on; fit() carries it out."""
        self.limit = num_instances
        self._shortage = None

    def begin_with(self, num_instances: int, now: float) -> None:
        """Begin with fewer, because memory has no room for more; later it is tried again."""
        if num_instances < self.size:
            self._shortage = num_instances, now
            self.size = num_instances

    def choose(self, num_instances: int) -> None:
        """Have ``num_instances``, all of them always: the measured cost of steps speaks for it."""
        self.limit = num_instances
        self._hot = 0
        self._shortage = None

    def fit(self, *, num_running: int, num_waiting: int, now: float) -> None:
        """Have as many instances as the demand, the hot number and the limit ask for."""
        if self._shortage is not None and now - self._shortage[1] >= SHORTAGE_S:
            self._shortage = None
        wanted = self._policy.wanted(
            hot=self.hot,
            limit=self._reachable(num_running),
            num_running=num_running,
            num_waiting=num_waiting,
            now=now,
        )
        if wanted > self.size:
            wanted = self._affordable(wanted, now)
        elif wanted < self.size and self.economy != NORMAL:
            self._shrunk_at = now
        if wanted != self.size:
            logger.info(
                "The pool goes from %d to %d instances (%d run, %d wait, %d at most).",
                self.size,
                wanted,
                num_running,
                num_waiting,
                self.limit,
            )
            self.size = wanted
            self._resize(wanted)

    def _affordable(self, wanted: int, now: float) -> int:
        """Return how many of ``wanted`` instances there may be at once, at least as many as now."""
        if now - self._shrunk_at < GROW_PAUSE_S:
            return self.size
        room = self.room(self.size, wanted)
        if room < wanted:
            logger.info("Memory has room for %d of %d instances.", room, wanted)
            self._shortage = room, now
        return room

    def note_refusal(self, num_real: int, now: float) -> None:
        """The engine has no free instance although it should: it has only ``num_real``."""
        if 0 < num_real < self.size:
            logger.warning(
                "Memory did not suffice for %d instances; the pool stays at %d.",
                self.size,
                num_real,
            )
            self._shortage = num_real, now


def _schedule(text: str) -> InstanceSchedule:
    try:
        return InstanceSchedule.parse(text)
    except ScheduleError as error:
        # The web process checks the setting; a pool without peak hours is better than none.
        logger.error("Peak hours are ignored. %s", error)
        return InstanceSchedule()
