"""How long things took since the pool started, one histogram for each kind of time."""

from __future__ import annotations

from enum import StrEnum

from ai_model.pool.histogram import Histogram, HistogramFigures


class Latency(StrEnum):
    """What is measured; all of it in seconds."""

    QUEUE = "queue"
    """From a request until its instance, for requests that got one."""
    FIRST_TEXT = "first_text"
    """From a request until the first text of its answer."""
    INTER_TOKEN = "inter_token"
    """Between one token of an answer and the next."""
    PREFILL = "prefill"
    """Reading one prompt."""
    DECODE = "decode"
    """Writing one answer."""
    ANSWER = "answer"
    """From a request until its complete answer; only of those that became complete."""
    CANCEL = "cancel"
    """From a cancel until the instance is free."""
    ETA_ERROR = "eta_error"
    """Real wait minus the promised median, whichever is longer; of who gave up after the promised
    time, what is known of it."""


_ANSWERS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0)
BOUNDS: dict[Latency, tuple[float, ...]] = {
    Latency.QUEUE: (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0),
    Latency.FIRST_TEXT: (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0),
    Latency.INTER_TOKEN: (
        *(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5),
        *(1.0, 2.0, 5.0),
    ),
    Latency.PREFILL: (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0),
    Latency.DECODE: _ANSWERS,
    Latency.ANSWER: _ANSWERS,
    Latency.CANCEL: (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0),
    Latency.ETA_ERROR: (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0),
}
"""Made for a CPU, where a token takes 10 to 300 ms and a prompt seconds."""


class Latencies:
    """Sorts measured times into the buckets of their kind. Lives on the pool's event loop."""

    def __init__(self) -> None:
        self._histograms = {kind: Histogram(bounds) for kind, bounds in BOUNDS.items()}

    def add(self, kind: Latency, seconds: float, num: int = 1) -> None:
        """Add ``num`` measurements that were all ``seconds`` long."""
        self._histograms[kind].add(seconds, num)

    def figures(self) -> dict[str, HistogramFigures]:
        """Return what was measured so far, by kind."""
        return {str(kind): histogram.figures() for kind, histogram in self._histograms.items()}
