"""A factor on promises, learned from promised and real, so that the right share is kept."""

from __future__ import annotations

from collections import deque
from math import exp, log

NUM_RATIOS = 300
PRIOR = 100
"""The factor is half believed after so many waits."""
MAX_FACTOR = 3.0


class Calibration:
    """Learns by what a prediction must be multiplied so that ``share`` of the waits are shorter."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._ratios: deque[float] = deque(maxlen=NUM_RATIOS)
        self.factor = 1.0
        """What to multiply the next prediction with."""

    def add(self, predicted: float, real: float) -> None:
        """Note a prediction without the factor and what came, in the same unit."""
        if predicted <= 0 or real < 0:
            return
        self._ratios.append(real / predicted)
        ordered = sorted(self._ratios)
        size = len(ordered)
        wanted = ordered[min(size - 1, int(self._share * (size + 1)))]
        wanted = min(MAX_FACTOR, max(1 / MAX_FACTOR, wanted))
        # Waits of one rush err together: a few of them are little evidence.
        self.factor = exp(size / (size + PRIOR) * log(wanted))
