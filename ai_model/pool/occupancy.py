"""How busy the instances have been: instances running, summed up over time."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

SHORT_WINDOW_S = 15 * 60.0
LONG_WINDOW_S = 24 * 3600.0
NUM_STEPS = 96
"""Each window is kept in so many steps, within which utilisation counts as even."""
MAX_MARKS = 2 * NUM_STEPS + 4
MIN_COVERED_S = 1.0
"""A share of less time than this says nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The sums at one moment: instance-seconds taken, and instance-seconds there were."""

    at: float
    running_s: float
    instance_s: float


class Occupancy:
    """Sums up instances running and instances, and tells their ratio over two windows.

    All times are monotonic seconds given by the caller. Bounded memory. Lives on one event loop.
    """

    def __init__(self) -> None:
        self._now = Mark(0.0, 0.0, 0.0)
        self._num_running = 0
        self._num_instances = 0
        self._is_begun = False
        self._windows = {
            window_s: deque[Mark](maxlen=MAX_MARKS) for window_s in (SHORT_WINDOW_S, LONG_WINDOW_S)
        }

    @property
    def running_s(self) -> float:
        """Instance-seconds taken so far."""
        return self._now.running_s

    @property
    def instance_s(self) -> float:
        """Instance-seconds there were so far."""
        return self._now.instance_s

    def set(self, num_running: int, num_instances: int, now: float) -> None:
        """Say how many instances run from now on; call it whenever that changes, or more often."""
        if self._is_begun:
            self._advance(now)
        else:
            self._now = Mark(now, 0.0, 0.0)
            self._is_begun = True
        self._num_running, self._num_instances = num_running, num_instances

    def utilisation(self, window_s: float, now: float) -> float | None:
        """Return mean instances running / instances over the last ``window_s`` seconds.

        ``window_s`` is SHORT_WINDOW_S or LONG_WINDOW_S. A pool that is younger tells about its
        whole life. None when there is nothing to tell.
        """
        if not self._is_begun:
            return None
        self._advance(now)
        start = self._at(now - window_s, self._windows[window_s])
        covered_s = self._now.at - start.at
        instance_s = self._now.instance_s - start.instance_s
        if covered_s < MIN_COVERED_S or instance_s <= 0:
            return None
        return min(1.0, (self._now.running_s - start.running_s) / instance_s)

    def _advance(self, now: float) -> None:
        elapsed_s = now - self._now.at
        if elapsed_s <= 0:
            return
        for window_s, marks in self._windows.items():
            step_s = window_s / NUM_STEPS
            # A long time without a change needs a mark at its beginning: it is even, but what was
            # before it need not be the same.
            if not marks or self._now.at - marks[-1].at >= step_s or elapsed_s >= step_s:
                marks.append(self._now)
        self._now = Mark(
            now,
            self._now.running_s + elapsed_s * self._num_running,
            self._now.instance_s + elapsed_s * self._num_instances,
        )

    def _at(self, moment: float, marks: deque[Mark]) -> Mark:
        """Return the sums at an earlier moment, at the earliest those of the oldest mark."""
        index = bisect_right(marks, moment, key=lambda mark: mark.at)
        if index == 0:
            return marks[0] if marks else self._now
        before = marks[index - 1]
        after = marks[index] if index < len(marks) else self._now
        if after.at <= before.at:
            return before
        share = (moment - before.at) / (after.at - before.at)
        return Mark(
            moment,
            before.running_s + share * (after.running_s - before.running_s),
            before.instance_s + share * (after.instance_s - before.instance_s),
        )
