"""How many instances a pool should have: at once more when somebody waits, slowly fewer again."""

from __future__ import annotations

from ai_model.engine.config import MAX_INSTANCES

SHRINK_AFTER_S = 5 * 60.0


class InstancePolicy:
    """Decides the number of instances between a hot number and a limit. Pure: it has no clock.

    It grows as soon as more requests run and wait than there are instances, and lets go of an
    instance when as many were not needed for ``shrink_after_s`` seconds: making and giving back an
    instance costs everybody a moment, so it should not happen with every question.
    """

    def __init__(self, shrink_after_s: float = SHRINK_AFTER_S) -> None:
        self._shrink_after_s = shrink_after_s
        self._needed_at = [float("-inf")] * (MAX_INSTANCES + 1)
        """When so many instances were last needed; it never rises with the number."""
        self._demand = 0

    def wanted(
        self, *, hot: int, limit: int, num_running: int, num_waiting: int, now: float
    ) -> int:
        """Return the number of instances to have now, 1 to ``limit``; call it regularly.

        ``hot`` instances are always there (0: all of ``limit``). What runs keeps its instances
        unless there are more than ``limit``. ``now`` is in monotonic seconds.
        """
        demand = min(num_running + num_waiting, MAX_INSTANCES)
        # What was needed at the last call was needed until now.
        for number in range(1, max(demand, self._demand) + 1):
            self._needed_at[number] = now
        self._demand = demand
        wanted = max(1, min(hot, limit) if hot else limit)
        while wanted < limit and now - self._needed_at[wanted + 1] < self._shrink_after_s:
            wanted += 1
        return wanted
