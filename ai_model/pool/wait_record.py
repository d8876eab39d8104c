"""What was promised to those who wait and what came of it, so that the error can be shown."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from ai_model.pool.eta import Eta

MAX_OPEN = 10_000
MAX_WAITS = 1000


@dataclass(frozen=True, slots=True)
class Wait:
    """A promise and the seconds that really passed, at least if ``is_given_up``."""

    promised: Eta
    seconds: float
    is_given_up: bool = False
    """Left the line, but only after the promised p90: the promise was broken all the same."""

    @property
    def is_kept(self) -> bool:
        """Whether the wait was no longer than the promised p90."""
        return not self.is_given_up and self.seconds <= self.promised.p90


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFigures:
    """How true the promises were; None where nothing was measured yet."""

    num_waits: int = 0
    """Promises that were put to the test, those given up too late among them."""
    num_given_up: int = 0
    """Of these, how many left the line after their promised p90."""
    coverage: float | None = None
    """Share of the waits that were no longer than the promised p90; should be 0.85 to 0.97."""
    promised_to_real: float | None = None
    """Mean promised p90 divided by the mean real wait; should be at most 2."""
    spread: float | None = None
    """Median of p90 / p50 of the promises; should be at most 2.5."""
    mean_error_s: float | None = None
    """Mean of real wait minus promised p50, in seconds: above 0 when promises are too short."""
    error_p50_s: float | None = None
    """Half of the waits were no further than this from the promised p50, in seconds."""
    error_p90_s: float | None = None
    """And nine of ten no further than this."""
    num_promises: int = 0
    """All promises that were put to the test since the start; the ones below are sums over them."""
    num_promises_kept: int = 0
    promised_s: float = 0.0
    """Promised p50."""
    promised_p90_s: float = 0.0
    real_wait_s: float = 0.0
    """Real waits; of those who gave up, as long as they waited."""


class WaitRecord:
    """Keeps the *first* promise made to each waiting generation and what became of it.

    The first one counts because it is what a visitor decides by: whether to stay. It is made with
    the least knowledge and looks furthest ahead; promises corrected on the way are ever easier to
    keep, and judging by those would flatter the pool. The wait is measured from the moment of that
    promise, which is when the request came, unless nothing was known yet at that time.

    Who leaves the line is forgotten, for nobody knows how long the wait would have been; except
    that who leaves after the promised p90 has been promised too little, and counts as that. Both
    the open promises and the outcomes are bounded. All times are monotonic seconds; it has no clock
    and lives on one thread.
    """

    def __init__(self, max_open: int = MAX_OPEN, max_waits: int = MAX_WAITS) -> None:
        self._max_open = max_open
        self._open: OrderedDict[str, tuple[Eta, float]] = OrderedDict()
        self._waits: deque[Wait] = deque(maxlen=max_waits)
        self._num_promises, self._num_kept = 0, 0
        self._promised_s, self._promised_p90_s, self._real_wait_s = 0.0, 0.0, 0.0

    def __len__(self) -> int:
        """Return the number of promises whose outcome is open."""
        return len(self._open)

    def promise(self, generation: str, eta: Eta | None, now: float) -> None:
        """Note what ``generation`` is told; only the first thing it is told is kept."""
        if eta is None or generation in self._open:
            return
        if len(self._open) >= self._max_open:
            self._open.popitem(last=False)
        self._open[generation] = (eta, now)

    def arrive(self, generation: str, now: float) -> Wait | None:
        """Note that ``generation`` gets an instance; returns its wait if it was promised one."""
        promised, seconds = self._close(generation, now)
        return None if promised is None else self._keep(Wait(promised, seconds))

    def leave(self, generation: str, now: float) -> Wait | None:
        """Note that ``generation`` leaves the line without an instance; idempotent.

        Returns its wait so far if that was longer than the promised p90.
        """
        promised, seconds = self._close(generation, now)
        if promised is None or seconds <= promised.p90:
            return None
        return self._keep(Wait(promised, seconds, is_given_up=True))

    def coverage(self) -> float | None:
        """Return the share of promised p90 that were kept."""
        return _mean(wait.is_kept for wait in self._waits)

    def figures(self) -> WaitFigures:
        """Return how true the last promises were."""
        served = [wait for wait in self._waits if not wait.is_given_up]
        promised, real = (
            _mean(wait.promised.p90 for wait in served),
            _mean(wait.seconds for wait in served),
        )
        errors = [wait.seconds - wait.promised.p50 for wait in served]
        sizes = [abs(error) for error in errors]
        spreads = [
            wait.promised.p90 / wait.promised.p50 for wait in self._waits if wait.promised.p50 > 0
        ]
        return WaitFigures(
            num_waits=len(self._waits),
            num_given_up=len(self._waits) - len(served),
            coverage=self.coverage(),
            promised_to_real=promised / real if promised is not None and real else None,
            spread=_quantile(spreads, 0.5),
            mean_error_s=_mean(errors),
            error_p50_s=_quantile(sizes, 0.5),
            error_p90_s=_quantile(sizes, 0.9),
            num_promises=self._num_promises,
            num_promises_kept=self._num_kept,
            promised_s=round(self._promised_s, 3),
            promised_p90_s=round(self._promised_p90_s, 3),
            real_wait_s=round(self._real_wait_s, 3),
        )

    def _close(self, generation: str, now: float) -> tuple[Eta | None, float]:
        eta, since = self._open.pop(generation, (None, now))
        return eta, max(0.0, now - since)

    def _keep(self, wait: Wait) -> Wait:
        self._waits.append(wait)
        self._num_promises += 1
        self._num_kept += wait.is_kept
        self._promised_s += wait.promised.p50
        self._promised_p90_s += wait.promised.p90
        self._real_wait_s += wait.seconds
        return wait


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _quantile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
