"""The limits that an operator changed for a while, each of which goes back by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ai_model.pool.config import PoolConfig
from ai_model.pool.orders import LimitOrder
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit

MIN_SECONDS = 1.0
MAX_SECONDS = 24 * 3600.0
"""What should last longer is a setting."""


@dataclass(frozen=True, slots=True)
class _Change:
    value: int
    ends_at: float
    """In monotonic seconds, so that nobody who sets the clock of the machine moves it."""


class TemporaryLimits:
    """The changed limits of one pool. Lives on the pool's loop.

    ``usual`` has the values they go back to. ``clock`` is monotonic; ``unix_time`` is used only
    for what outlives the process (see Orders).
    """

    def __init__(
        self, usual: PoolConfig, *, clock: Callable[[], float], unix_time: Callable[[], float]
    ) -> None:
        self._usual = usual
        self._clock = clock
        self._unix_time = unix_time
        self._changes: dict[LimitName, _Change] = {}

    def change(self, name: LimitName, value: int, seconds: float) -> None:
        """Have ``value`` for so many seconds. Raises ValueError with a sentence."""
        low, high = name.bounds
        if not low <= value <= high:
            raise ValueError(f"{name} can be {low} to {high}, not {value}.")
        if not MIN_SECONDS <= seconds <= MAX_SECONDS:
            raise ValueError(
                f"A limit can be changed for {MIN_SECONDS:.0f} s to {MAX_SECONDS / 3600:.0f} hours."
            )
        self._changes[name] = _Change(value, self._clock() + seconds)

    def undo(self, name: LimitName) -> bool:
        """Go back now; returns whether there was anything to undo."""
        return self._changes.pop(name, None) is not None

    def expire(self) -> list[LimitName]:
        """Let those go whose time is over, and return them."""
        now = self._clock()
        over = [name for name, change in self._changes.items() if change.ends_at <= now]
        for name in over:
            del self._changes[name]
        return over

    def values(self) -> dict[LimitName, int]:
        """Return what every limit is now, changed or not."""
        return {name: self._value(name) for name in LimitName}

    def listed(self) -> tuple[TemporaryLimit, ...]:
        """Return the changed ones, as they are shown."""
        now = self._clock()
        return tuple(
            TemporaryLimit(
                name=name,
                value=change.value,
                usual=self.usual(name),
                left_s=round(max(0.0, change.ends_at - now), 1),
            )
            for name, change in sorted(self._changes.items())
        )

    def orders(self) -> tuple[LimitOrder, ...]:
        """Return the changed ones, as they outlive the process."""
        now, unix_now = self._clock(), self._unix_time()
        return tuple(
            LimitOrder(
                name=name,
                value=change.value,
                ends_unix_s=unix_now + change.ends_at - now,
                max_left_s=change.ends_at - now,
            )
            for name, change in sorted(self._changes.items())
        )

    def take_over(self, orders: Iterable[LimitOrder]) -> None:
        """Go on with what an earlier process had been told; what is over by now is left out."""
        now, unix_now = self._clock(), self._unix_time()
        for order in orders:
            # A clock that was set back must not make them last longer than was asked for.
            left_s = min(order.ends_unix_s - unix_now, order.max_left_s)
            if left_s > 0:
                self._changes[order.name] = _Change(order.value, now + left_s)

    def _value(self, name: LimitName) -> int:
        change = self._changes.get(name)
        return self.usual(name) if change is None else change.value

    def usual(self, name: LimitName) -> int:
        """Return what a limit is when nobody changes it."""
        value: int = getattr(self._usual, name)
        return value
