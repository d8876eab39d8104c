"""How long a request will wait: a range from what runs and what past answers took, or an honest
nothing."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from math import exp, sqrt
from statistics import NormalDist, fmean, pvariance

from ai_model.pool.calibration import Calibration
from ai_model.pool.holding_times import (
    MIN_S,
    Hold,
    HoldingTimes,
    Running,
    remaining,
    remaining_unknown,
)

__all__ = ["Eta", "EtaEstimator", "Running"]

MIN_SAMPLES = 5
MAX_WANTED = 50
"""Samples needed at least, and at most: two for each instance."""
NUM_RUNS = 200
NUM_DRAWS = 128
NUM_PLACES = 64
"""Places that are simulated; waits further back are continued from there."""
Z90 = 1.2816
"""Standard deviations between the median and the ninth decile of a normal distribution."""
P50_SHARE, P90_SHARE = 0.5, 0.925
"""Shares of real waits that should be shorter than promised: a little more than nine of ten, since
a rush errs as a whole."""
AGE_STEPS = 16
"""Ages are rounded to this part of a usual answer, so that a crowd needs one simulation."""
MAX_DOUBT = 0.7
PRIOR_RUNS, PRIOR_VARIANCE = 20, 3.0
"""It is believed beforehand, as much as so many answers count, that lengths have this relative
variance, as heavy tails have."""
NORMAL = [NormalDist().inv_cdf((draw + 0.5) / NUM_DRAWS) for draw in range(NUM_DRAWS)]
MIN_TO_LEARN = 60
"""Answers to be seen before promises are learned from: the first to end are the short ones, so the
first promises are too small, and tell nothing about later ones."""
SEED = 2
DOUBT_ORDER = NUM_PLACES
DEFAULT_RETRY_S = 5.0
MAX_RETRY_S = 120.0


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds that half of the requests in this place wait at most, and nine of ten."""

    p50: float
    p90: float
    factor_p50: float = 1.0
    """What experience with earlier promises has multiplied ``p50`` with."""
    factor_p90: float = 1.0


@dataclass(frozen=True, slots=True)
class _Table:
    """Waits of the first places in order, and how they go on per place behind them."""

    places: list[tuple[float, float]]
    step: float
    variance: float
    doubt: float
    """Relative standard deviation of the waits that comes of knowing few answers."""

    def wait(self, position: int) -> tuple[float, float]:
        if position <= len(self.places):
            return self.places[position - 1]
        # A sum of many answers: its mean and its variance grow in proportion, doubt is common.
        behind = position - len(self.places)
        p50, p90 = self.places[-1]
        middle = p50 + behind * self.step
        more = behind * self.variance + self.doubt**2 * (middle**2 - p50**2)
        return middle, middle + sqrt((p90 - p50) ** 2 + Z90**2 * more)


class EtaEstimator:
    """Predicts waits by playing the next minutes through 128 times.

    Each play draws how long the running answers will go on, given how far they are, and how long
    those in line will take, from what the last 200 answers took (cancelled ones are among them, as
    they were); place n waits for the n-th instance that becomes free. The draws are fixed, so the
    same facts give the same range, places further back never wait less, and another instance never
    makes anybody wait longer. What comes out is multiplied by factors learned from the real waits
    of earlier promises (``record_wait``). It has no clock and lives on one thread.
    """

    def __init__(self) -> None:
        self._past = HoldingTimes(NUM_RUNS)
        self._calibration_p50 = Calibration(P50_SHARE)
        self._calibration_p90 = Calibration(P90_SHARE)
        self._orders: list[array[int]] = []
        self._random = random.Random(SEED)
        self._num_recorded = 0
        self._holds_key = (-1, -1)
        self._holds: list[Hold] = []
        self._table_key: object = None
        self._table = _Table([], 0.0, 0.0, 0.0)

    def record_run(
        self,
        seconds: float,
        num_tokens: int = 0,
        *,
        num_running: float = 0.0,
        prefill_s: float = 0.0,
    ) -> None:
        """Add how long an answer held its instance, whatever ended it.

        ``num_tokens`` were written (0: unknown or none) while ``num_running`` answers ran, this one
        among them (0: unknown), and ``prefill_s`` of the ``seconds`` went into reading its prompt.
        """
        if 0 <= seconds < float("inf"):
            self._past.record(seconds, max(0, num_tokens), max(0.0, num_running), prefill_s)
            self._num_recorded += 1

    def record_wait(self, promised: Eta, seconds: float) -> None:
        """Learn from a promise: the wait really took ``seconds``, or at least that if it was given
        up after more than ``promised.p90``."""
        if len(self._past) < MIN_TO_LEARN:
            return
        self._calibration_p50.add(promised.p50 / promised.factor_p50, seconds)
        self._calibration_p90.add(promised.p90 / promised.factor_p90, seconds)

    def estimate_all(
        self, num_waiting: int, num_instances: int, running: Sequence[Running] = ()
    ) -> list[Eta]:
        """Return the waits of places 1 to ``num_waiting``; empty with too few samples.

        ``running`` are all that hold an instance; without any, all instances are taken to be busy
        with answers of which nothing is known. If there are more than ``num_instances``, the first
        to end leave no instance behind.
        """
        if num_waiting < 1 or not self._can_tell(num_instances):
            return []
        table = self._simulated(num_waiting, num_instances, running)
        return [self._calibrated(*table.wait(place)) for place in range(1, num_waiting + 1)]

    def estimate(
        self, position: int, num_instances: int, running: Sequence[Running] = ()
    ) -> Eta | None:
        """Return the wait of place ``position`` (1 = next); None with too few samples."""
        if position < 1 or not self._can_tell(num_instances):
            return None
        table = self._simulated(position, num_instances, running)
        return self._calibrated(*table.wait(position))

    def retry_after_s(
        self, num_instances: int, num_waiting: int = 0, running: Sequence[Running] = ()
    ) -> float:
        """Return in how many seconds who is refused now should try again.

        That is when the first place should be free, or with ``num_waiting`` in line when a quarter
        of them should have been served: a refused crowd must not come back for one place.
        """
        eta = self.estimate(max(1, num_waiting // 4), num_instances, running)
        return DEFAULT_RETRY_S if eta is None else min(MAX_RETRY_S, max(1.0, round(eta.p50, 1)))

    def _can_tell(self, num_instances: int) -> bool:
        # While fewer have ended than run, those that ended are the short ones.
        wanted = min(MAX_WANTED, max(MIN_SAMPLES, 2 * num_instances))
        return num_instances >= 1 and len(self._past) >= wanted

    def _calibrated(self, p50: float, p90: float) -> Eta:
        middle, slow = self._calibration_p50.factor, self._calibration_p90.factor
        p50 *= middle
        p90 *= slow
        if p90 < p50:
            # The range must stay a range; the upper end is what people plan with.
            p50, middle = p90, middle * p90 / p50
        return Eta(p50, p90, middle, slow)

    def _simulated(self, position: int, num_instances: int, running: Sequence[Running]) -> _Table:
        """Return waits that reach at least to ``position`` or to the last simulated place."""
        key = (self._num_recorded, num_instances)
        if key != self._holds_key:
            self._holds_key, self._holds = key, self._past.holds(num_instances)
        usual_s = self._holds[len(self._holds) // 2].seconds
        rounded = tuple(_rounded(one, usual_s) for one in running)
        if (key, rounded) != self._table_key or position > len(self._table.places):
            # Doubling sizes: asking place by place costs two simulations, not one each.
            size = min(NUM_PLACES, max(8, 1 << (position - 1).bit_length()))
            if (key, rounded) != self._table_key or size > len(self._table.places):
                self._table_key = (key, rounded)
                self._table = self._simulate(size, num_instances, rounded)
        return self._table

    def _simulate(self, num_places: int, num_instances: int, running: Sequence[Running]) -> _Table:
        holds = self._holds
        tok_s = self._past.tok_s(num_instances)
        if running:
            rests = [_stretched(remaining(one, holds, tok_s)) for one in running]
        else:
            rests = [remaining_unknown(holds, NUM_DRAWS)] * num_instances
        seconds = [hold.seconds for hold in holds]
        if len(holds) < MIN_TO_LEARN:
            # Those still running count as what they will probably be: long.
            totals = (
                one.age_s + rest[NUM_DRAWS // 2] for one, rest in zip(running, rests, strict=False)
            )
            seconds = sorted([*seconds, *totals])
        lengths = _stretched(seconds)
        num_spare = max(0, num_instances - len(rests))
        num_closing = max(0, len(rests) - num_instances)
        orders = [self._order(place) for place in range(num_places)]
        rest_orders = [self._order(DOUBT_ORDER + 1 + index) for index in range(len(rests))]
        mean_s, variance = fmean(lengths), pvariance(lengths)
        # The mean of a few answers may be far off, for the whole line alike; and a few that happen
        # to be of one length are no proof that all are.
        doubt = 0.0
        if mean_s > MIN_S:
            known = len(seconds)
            relative = known * variance / mean_s**2 + PRIOR_RUNS * PRIOR_VARIANCE
            relative /= known + PRIOR_RUNS
            doubt = min(MAX_DOUBT, sqrt(relative / known))
        doubts = self._order(DOUBT_ORDER)
        waits: list[list[float]] = [[] for _ in range(num_places)]
        for draw in range(NUM_DRAWS):
            stretch = exp(doubt * NORMAL[doubts[draw]])
            free_at = [0.0] * num_spare
            free_at += [rest[order[draw]] for rest, order in zip(rests, rest_orders, strict=True)]
            heapify(free_at)
            for _ in range(num_closing):
                heappop(free_at)
            for order, place_waits in zip(orders, waits, strict=True):
                wait = free_at[0]
                place_waits.append(wait * stretch)
                heapreplace(free_at, wait + lengths[order[draw]])
        places = []
        for place_waits in waits:
            place_waits.sort()
            middle = (place_waits[NUM_DRAWS // 2 - 1] + place_waits[NUM_DRAWS // 2]) / 2
            places.append((middle, place_waits[NUM_DRAWS * 9 // 10]))
        return _Table(places, mean_s / num_instances, variance / num_instances**2, doubt)

    def _order(self, index: int) -> array[int]:
        """Return the fixed order in which draw number ``index`` goes through the quantiles.

        All quantiles come once in every place (a Latin hypercube), which needs far fewer draws.
        """
        while len(self._orders) <= index:
            order = list(range(NUM_DRAWS))
            self._random.shuffle(order)
            self._orders.append(array("B", order))
        return self._orders[index]


def _stretched(values: Sequence[float]) -> list[float]:
    """Return ``NUM_DRAWS`` evenly spaced quantiles of ``values``, which are in order."""
    return [values[(2 * draw + 1) * len(values) // (2 * NUM_DRAWS)] for draw in range(NUM_DRAWS)]


def _rounded(running: Running, usual_s: float) -> Running:
    step_s = usual_s / AGE_STEPS
    age_s = int(running.age_s / step_s) * step_s if step_s > MIN_S else running.age_s
    written = running.num_generated
    # Steps of about an eighth, so that a long answer is not simulated anew for every token.
    width = 1 << max(0, written.bit_length() - 4)
    return Running(
        age_s=age_s,
        num_generated=written // width * width,
        num_prompt_left=min(1, running.num_prompt_left),
    )
