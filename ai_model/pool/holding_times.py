"""How long the last answers held their instance, and what that says about those running now."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ai_model.pool.pace import Pace

MIN_S = 1e-6
"""Shorter times are none: nothing can be computed from them."""
MIN_TOKENS = 8
"""Shorter answers say too little about the speed they were written at."""
MIN_SURVIVORS = 8
"""With fewer past answers that got this far, the tail is drawn from its shape instead."""
TAIL_SHARE = 0.2
MIN_LEFT, MAX_LEFT = 0.1, 10.0
"""Share of its age that is left at least, and at most, to an answer older than nearly all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An answer that holds an instance: seconds since it got it, tokens written, and tokens of its
    prompt that are still to be read."""

    age_s: float
    num_generated: int = 0
    num_prompt_left: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a past answer would hold an instance at today's speed, and how long it was."""

    seconds: float
    num_tokens: int


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    num_tokens: int
    num_running: float
    pace: float | None
    """Seconds per token, where the answer was long enough to tell."""


class HoldingTimes:
    """A bounded window of what answers took; older ones fall out. Lives on one thread."""

    def __init__(self, max_size: int) -> None:
        self._runs: deque[_Run] = deque(maxlen=max_size)
        self._pace = Pace()

    def __len__(self) -> int:
        return len(self._runs)

    def record(self, seconds: float, num_tokens: int, num_running: float, prefill_s: float) -> None:
        """Add an answer; ``prefill_s`` of its ``seconds`` went into reading its prompt."""
        seconds = seconds if seconds >= MIN_S else 0.0
        decode_s = seconds - min(max(prefill_s, 0.0), seconds)
        pace = None
        if num_tokens > 0 and decode_s > MIN_S:
            self._pace.record(decode_s, num_tokens, num_running)
            if num_tokens >= MIN_TOKENS:
                pace = decode_s / num_tokens
        self._runs.append(_Run(seconds, num_tokens, num_running, pace))

    def tok_s(self, num_running: int) -> float | None:
        """Return the seconds a token takes with so many answers at once; None when unknown."""
        return self._pace.at(num_running)

    def holds(self, num_running: int) -> list[Hold]:
        """Return what the past answers would take with ``num_running`` at once, shortest first."""
        now = self._pace.at(num_running)
        holds = []
        for run in self._runs:
            then = run.pace or self._pace.at(run.num_running)
            factor = now / then if now and then else 1.0
            holds.append(Hold(run.seconds * factor, run.num_tokens))
        return sorted(holds, key=lambda hold: hold.seconds)


def remaining(running: Running, holds: Sequence[Hold], tok_s: float | None) -> list[float]:
    """Return in seconds, shortest first, what those past answers had left that got so far.

    That is the distribution of the rest given what is known: the tokens already written where
    speed is known (``tok_s`` seconds per token), else the age.
    """
    written = running.num_generated
    if tok_s is not None and written > 0:
        return _rest(float(written), sorted(float(hold.num_tokens) for hold in holds), tok_s)
    if tok_s is not None:
        # Not a token is out, so the answer itself is wholly ahead, however long reading took.
        left = (max(hold.seconds - running.age_s, hold.num_tokens * tok_s) for hold in holds)
        return sorted(rest for rest in left if rest > 0) or [0.0]
    return _rest(running.age_s, [hold.seconds for hold in holds], 1.0)


def remaining_unknown(holds: Sequence[Hold], num_draws: int) -> list[float]:
    """Return ``num_draws`` remaining times of an answer of which only is known that it runs.

    Somebody who looks in meets a long answer more likely than a short one, anywhere in it.
    """
    ends = list(accumulate(hold.seconds for hold in holds))
    step = ends[-1] / num_draws
    rest, at = [], 0
    for draw in range(num_draws):
        moment = (draw + 0.5) * step
        while at < len(ends) - 1 and ends[at] < moment:
            at += 1
        rest.append(max(0.0, ends[at] - moment))
    return sorted(rest)


def _rest(reached: float, sizes: Sequence[float], unit_s: float) -> list[float]:
    """Return what is left behind ``reached`` of ``sizes`` (in order), times ``unit_s``."""
    left = [size - reached for size in sizes if size > reached]
    first = max(0, int(len(sizes) * (1 - TAIL_SHARE)) - 1)
    threshold = sizes[first]
    if len(left) < MIN_SURVIVORS and reached > threshold:
        # Too few got so far. Beyond what was seen, a heavy tail looks the same at every scale: the
        # longer it has taken, the longer it will.
        tail = sizes[first + 1 :] or sizes[first:]
        left = [reached * max(MIN_LEFT, _excess(size, threshold)) for size in tail]
    return sorted(rest * unit_s for rest in left) or [0.0]


def _excess(size: float, threshold: float) -> float:
    """Return by which share of ``threshold`` a size is above it, bounded for tiny thresholds."""
    return min(MAX_LEFT, size / threshold - 1) if threshold > 0 else MAX_LEFT
