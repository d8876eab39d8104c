"""What a pool looks after by the clock: deadlines, size, history, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Callable

from ai_model.pool.config import PoolConfig
from ai_model.pool.controls import Controls
from ai_model.pool.endings import Endings
from ai_model.pool.history import INTERVAL_S
from ai_model.pool.register import Register
from ai_model.pool.timers import Timers
from ai_model.pool.watch import Watch

TICK_S = 0.1
SIZE_S = 5.0
"""So often an idle pool looks whether it has too many instances, or too few for the hour."""
SWEEP_S = 60.0


class Rounds:
    """Lives on the pool's loop, and ends with its ``timers``.

    ``dispatch`` gives instances to those who wait; ``observe`` notes how the pool is doing.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        register: Register,
        endings: Endings,
        watch: Watch,
        controls: Controls,
        timers: Timers,
        dispatch: Callable[[], None],
        observe: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._register = register
        self._endings = endings
        self._watch = watch
        self._controls = controls
        self._timers = timers
        self._dispatch = dispatch
        self._note = observe
        self._clock = clock

    def begin(self) -> None:
        """Look from now on."""
        self._timers.arm("sweep", SWEEP_S, self._sweep)
        self._timers.arm("size", SIZE_S, self._check_size)
        self._observe()

    def wake(self) -> None:
        """There is a request: look after deadlines until there is none any more. Idempotent."""
        self._timers.arm("tick", TICK_S, self._tick)

    def _tick(self) -> None:
        now = self._clock()
        for late in self._register.expire(now):
            text = f"No instance became free within {self._config.timeout_s:.0f} s."
            self._endings.expire(late, text)
        self._watch.check(now)
        self._controls.look()
        self._dispatch()
        if self._register.live or self._register.held:
            self.wake()

    def _check_size(self) -> None:
        self._controls.look()
        self._dispatch()
        self._timers.arm("size", SIZE_S, self._check_size)

    def _observe(self) -> None:
        self._note()
        self._timers.arm("history", INTERVAL_S, self._observe)

    def _sweep(self) -> None:
        self._register.logs.sweep(self._clock())
        self._timers.arm("sweep", SWEEP_S, self._sweep)
