"""Turns readings into levels that neither flap nor linger."""

from __future__ import annotations

from ai_model.amount import say_amount
from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading
from ai_model.memory.rung import FULL_SWAP, REFAULT_AFTER_S, REFAULT_SHARE_S, RUNGS, Rung

CALM_INTERVAL_S, TIGHT_INTERVAL_S = 1.0, 0.1
_HIGHEST_REST = MemoryLevel.MEDIUM


class Ladder:
    """The level by the readings so far; one owner, no clock of its own, not thread-safe.

    Up it jumps straight to the level, down it goes one step at a time and back at most to the level
    of rest.
    """

    def __init__(self) -> None:
        self.measured = MemoryLevel.LOW
        """The level by the readings, whatever is forced."""
        self.forced: MemoryLevel | None = None
        """Set by the operator, None for automatic; counts at once."""
        self.resting = MemoryLevel.LOW
        """Where the loaded pool is without pressure from outside, medium at most: a neighbour that
        was greedy while the model was loaded must not make for short answers ever after."""
        self.resting_pressure: float | None = None
        """``p`` at that moment."""
        self.since = 0.0
        """When ``level`` began as far as ``update`` has seen, on its clock."""
        self.reason = "Memory has not been read yet."
        """Why the level is as it is: a sentence with what was measured."""
        self._measured_reason = self.reason
        self._seen = MemoryLevel.LOW
        self._previous: MemoryReading | None = None
        self._num_in_row: dict[MemoryLevel, int] = {}
        self._calm_since: float | None = None
        self._refaults_since: float | None = None

    @property
    def level(self) -> MemoryLevel:
        """The level to act by: the forced one, else the measured one."""
        return self.measured if self.forced is None else self.forced

    @property
    def sample_interval_s(self) -> float:
        """How long to wait before the next reading."""
        return TIGHT_INTERVAL_S if self.measured >= MemoryLevel.HIGH else CALM_INTERVAL_S

    def learn_rest(self, reading: MemoryReading) -> None:
        """Take this as the state of rest.

        To be called once the model is loaded and nobody is served yet, and again when the model or
        the number of hot instances has changed.
        """
        if reading.p is None:
            return
        self.resting_pressure = reading.p
        # From there on medium would not end by itself once it has begun.
        is_medium = reading.p >= RUNGS[0].leave
        self.resting = _HIGHEST_REST if is_medium else MemoryLevel.LOW

    def update(self, reading: MemoryReading, *, now: float) -> MemoryLevel:
        """Take a reading made at ``now`` (seconds, never going back); return the level to act by.

        A reading that only repeats the last one changes nothing; without any the level is medium at
        least.
        """
        if reading.p is None:
            self._be_careful(reading)
        elif reading.is_fresh:
            self._take(reading, now)
        if self.level is not self._seen:
            self._seen, self.since = self.level, now
        self.reason = self._measured_reason
        if self.forced is not None:
            self.reason = f"Set to {self.forced} by the operator. {self.reason}"
        return self.level

    def _be_careful(self, reading: MemoryReading) -> None:
        self._calm_since = self._refaults_since = None
        self._num_in_row.clear()
        if self.measured < MemoryLevel.MEDIUM:
            self.measured = MemoryLevel.MEDIUM
        self._measured_reason = f"How full memory is cannot be told. {reading.alarm}".strip()

    def _take(self, reading: MemoryReading, now: float) -> None:
        causes = self._causes(reading, now)
        self._previous = reading
        highest = next((rung.level for rung in reversed(RUNGS) if rung.level in causes), None)
        if highest is not None and highest > self.measured:
            self.measured, self._calm_since = highest, None
            self._measured_reason = f"{causes[highest]}. {_figures(reading)}"
        elif self.measured > self.resting:
            self._step_down(
                reading, now, is_caused=highest is not None and highest >= self.measured
            )
        elif self.measured is MemoryLevel.LOW:
            self._measured_reason = _figures(reading)

    def _step_down(self, reading: MemoryReading, now: float, *, is_caused: bool) -> None:
        rung = RUNGS[self.measured.rank - 1]
        if is_caused or _share(rung, reading) >= rung.leave:
            self._calm_since = None
            return
        if self._calm_since is None:
            self._calm_since = now
        if now - self._calm_since < rung.leave_after_s:
            return
        self.measured, self._calm_since = self.measured.below, now
        self._measured_reason = (
            f"Nothing that makes the level {rung.level} was seen for {rung.leave_after_s:.0f} s. "
            f"{_figures(reading)}"
        )

    def _causes(self, reading: MemoryReading, now: float) -> dict[MemoryLevel, str]:
        found: dict[MemoryLevel, str] = {}
        signs = self._signs(reading, now)
        for rung in RUNGS:
            cause = self._fullness(rung, reading) or _stall(rung, reading)
            if not cause and _share(rung, reading) >= rung.signs_from:
                cause = signs.get(rung.level, "")
            if cause:
                found[rung.level] = cause
        if self._has_grown(reading, "num_oom_kills"):
            # Counts however much is free: the kill has just made it free.
            found[MemoryLevel.CRITICAL] = "The kernel has killed a process for memory"
        return found

    def _fullness(self, rung: Rung, reading: MemoryReading) -> str:
        share = _share(rung, reading)
        is_full = share >= rung.enter
        num = self._num_in_row.get(rung.level, 0) + 1 if is_full else 0
        self._num_in_row[rung.level] = num
        if num < rung.num_readings:
            return ""
        what = "Memory that cannot be dropped" if rung.is_by_kill else "Memory that is needed"
        return f"{what} reached {rung.enter:.0%} of the limit"

    def _signs(self, reading: MemoryReading, now: float) -> dict[MemoryLevel, str]:
        signs = {}
        if self._is_thrashing(reading, now):
            signs[MemoryLevel.HIGH] = "The model is read again from disk all the time"
        if self._has_grown(reading, "num_high_events"):
            signs[MemoryLevel.HIGH] = "The kernel slows this control group down (memory.high)"
        if (reading.swap_used_share or 0.0) >= FULL_SWAP:
            signs[MemoryLevel.CRITICAL] = "Swap is full"
        if self._has_grown(reading, "num_max_events"):
            signs[MemoryLevel.CRITICAL] = "The control group met its limit"
        return signs

    def _has_grown(self, reading: MemoryReading, counter: str) -> bool:
        before = self._previous
        if before is None:
            return False
        # Another limit is another group, whose counters cannot be compared.
        is_same = (before.source, before.limit_bytes) == (reading.source, reading.limit_bytes)
        return is_same and getattr(reading, counter) > getattr(before, counter)

    def _is_thrashing(self, reading: MemoryReading, now: float) -> bool:
        weights = reading.weights_bytes
        if not weights or reading.refault_bytes_s <= REFAULT_SHARE_S * weights:
            self._refaults_since = None
            return False
        if self._refaults_since is None:
            self._refaults_since = now
        return now - self._refaults_since >= REFAULT_AFTER_S


def _share(rung: Rung, reading: MemoryReading) -> float:
    share = reading.p_kill if rung.is_by_kill else reading.p
    return share or 0.0


def _stall(rung: Rung, reading: MemoryReading) -> str:
    for limit, percent, who in (
        (rung.psi_some, reading.psi_some_avg10, "some"),
        (rung.psi_full, reading.psi_full_avg10, "all"),
    ):
        if limit is not None and percent is not None and percent >= limit:
            return f"In {percent:.0f} % of the last 10 s {who} work waited for memory"
    return ""


def _figures(reading: MemoryReading) -> str:
    shares = (
        ("needed", reading.p_need),
        ("cannot be dropped", reading.p_kill),
        ("whole machine", reading.p_host),
    )
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares if share is not None)
    return f"Of {say_amount(reading.limit_bytes)}: {told}. {reading.alarm}".strip()
