"""How long a request will wait: a range from what the last answers took, or an honest nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ai_model.pool.samples import Samples

MIN_SAMPLES = 5
NUM_RUNS = 50
DEFAULT_RETRY_S = 5.0
MAX_RETRY_S = 120.0


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds that half of the requests in this place wait at most, and nine of ten."""

    p50: float
    p90: float


class EtaEstimator:
    """Predicts waits from how long the last answers held their instance, in seconds."""

    def __init__(self) -> None:
        self._runs = Samples(NUM_RUNS)

    def record_run(self, seconds: float) -> None:
        """Add how long an answer held its instance."""
        self._runs.add(seconds)

    def estimate(self, position: int, num_instances: int) -> Eta | None:
        """Return the wait of place ``position`` (1 = next); None with too few samples."""
        median, slow = self._runs.quantile(0.5), self._runs.quantile(0.9)
        if median is None or slow is None or len(self._runs) < MIN_SAMPLES or num_instances < 1:
            return None
        share = position / num_instances
        return Eta(p50=share * median, p90=max(share, 1.0) * slow)

    def retry_after_s(self, num_instances: int) -> float:
        """Return in how many seconds a place should be free that is taken now."""
        eta = self.estimate(1, num_instances)
        return DEFAULT_RETRY_S if eta is None else min(MAX_RETRY_S, max(1.0, round(eta.p50, 1)))
