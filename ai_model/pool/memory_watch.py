"""Looks at memory every second and lets the pool do without what there is no room for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ai_model.memory import Ladder, MemoryLevel, MemoryReading
from ai_model.memory.ladder import TIGHT_INTERVAL_S
from ai_model.memory.rung import DYING_P_KILL
from ai_model.model_file import ModelFileInfo
from ai_model.pool.capacity import Capacity
from ai_model.pool.config import PoolConfig
from ai_model.pool.economy import ECONOMIES, NORMAL, Economy
from ai_model.pool.endings import Endings
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.generation import DoneReason
from ai_model.pool.heap import trim_heap
from ai_model.pool.memory_room import num_affordable, why_not_start, why_not_switch
from ai_model.pool.register import Register
from ai_model.pool.status import MemoryStatus
from ai_model.pool.tasks import Tasks

logger = logging.getLogger(__name__)

ANSWERS_PER_TRIM = 2
DYING_PATIENCE_S = 1.0
"""Answers that are ended early may take so long to reach their readers before the process ends."""
HURRY_S = 2.0
"""So long memory is read more often after the kernel has said that work waits for it."""
FORCED_LEVELS = {"auto": None, "on": MemoryLevel.CRITICAL, "off": MemoryLevel.LOW}


class Sensor(Protocol):
    """What reads memory; a MemorySensor, or a script in tests."""

    stall_file: Path | None
    """Where the kernel tells how much work waits for memory, if it does."""

    def read(self) -> MemoryReading:
        """Return the state of memory now; never raises, never waits."""


class MemoryWatch:
    """The level of memory pressure of one pool, and what it switches. Lives on the pool's loop.

    Without a sensor nothing is read, and only the operator's switch counts. ``on_change`` is called
    when something was given back or taken away; ``on_dying`` with a sentence when this process must
    end before the kernel kills something (None: it must not). ``trim`` runs in another thread.
    """

    def __init__(
        self,
        config: PoolConfig,
        sensor: Sensor | None,
        *,
        register: Register,
        endings: Endings,
        engine: EngineLink,
        capacity: Capacity,
        tasks: Tasks,
        on_change: Callable[[], None],
        on_dying: Callable[[str], None] | None,
        clock: Callable[[], float],
        trim: Callable[..., None] = trim_heap,
    ) -> None:
        self.economy = NORMAL
        """What the pool does without now."""
        self.mode = "auto"
        """The operator's switch: auto, on or off."""
        self._config = config
        self._sensor = sensor
        self._register = register
        self._endings = endings
        self._engine = engine
        self._capacity = capacity
        self._tasks = tasks
        self._on_change = on_change
        self._on_dying = on_dying
        self._clock = clock
        self._trim = trim
        self._ladder = Ladder()
        self._reading: MemoryReading | None = None
        self._must_learn_rest = False
        self._rest_size = capacity.size
        self._is_trim_due = False
        self._num_answers = 0
        self._dying_since: float | None = None
        self._hurries_until = float("-inf")
        capacity.room = self.num_affordable
        engine.why_not_switch = self.why_not_switch
        self.switch(config.emergency)

    @property
    def level(self) -> MemoryLevel:
        """The level to act by."""
        return self._ladder.level

    @property
    def interval_s(self) -> float | None:
        """Seconds until the next look; None when there is nothing to look with."""
        if self._sensor is None:
            return None
        if self._clock() < self._hurries_until:
            return TIGHT_INTERVAL_S
        return self._ladder.sample_interval_s

    @property
    def stall_file(self) -> Path | None:
        """The kernel's file that can wake a watch; None when there is nothing to look with."""
        return None if self._sensor is None else self._sensor.stall_file

    def hurry(self) -> None:
        """Work waits for memory: look more often for a while than its level asks for."""
        self._hurries_until = self._clock() + HURRY_S

    def look(self) -> None:
        """Read memory, climb or descend, and act."""
        now = self._clock()
        if self._sensor is not None:
            self._reading = self._sensor.read()
            has_grown = self._rest_size < self._capacity.size <= self._capacity.num_always
            if has_grown and self._ladder.measured is MemoryLevel.LOW:
                self._must_learn_rest = True
            if self._must_learn_rest and self._is_at_rest() and self._reading.is_fresh:
                self._must_learn_rest, self._rest_size = False, self._capacity.size
                self._ladder.learn_rest(self._reading)
            self._ladder.update(self._reading, now=now)
        self._act(now)
        self._give_way(now)

    def switch(self, mode: str) -> None:
        """Let the operator decide: ``on`` is emergency mode now, ``off`` never, else ``auto``.

        Raises ValueError.
        """
        if mode not in FORCED_LEVELS:
            raise ValueError(f"the switch is auto, on or off, not {mode!r}")
        if mode != self.mode:
            logger.info("The switch of the emergency mode is set to %s.", mode)
        self.mode = mode
        self._ladder.forced = FORCED_LEVELS[mode]
        self._act(self._clock())

    def note_ready(self) -> None:
        """A model was loaded: what memory looks like soon is its state of rest."""
        self._must_learn_rest = True
        self.look()

    def note_answer(self) -> None:
        """An answer has ended."""
        self._num_answers += 1
        if self._num_answers % ANSWERS_PER_TRIM == 0 and self.economy.trims_heap:
            self._tasks.spawn(asyncio.to_thread(self._trim))

    def why_not_start(self) -> str:
        """Return why the model cannot be loaded now, as a sentence for the operator, or ""."""
        if self._reading is None or self.mode == "off":
            return ""
        return why_not_start(self._reading, self._instance_bytes)

    def why_not_switch(self, info: ModelFileInfo, num_instances: int) -> str:
        """Return why another model cannot be loaded beside this one, as a sentence, or ""."""
        if self._reading is None or self.mode == "off":
            return ""
        n_ctx = min(self._config.n_ctx, info.n_ctx_train)
        return why_not_switch(
            self._reading,
            instances_bytes=num_instances * n_ctx * info.kv_bytes_per_token,
            old_bytes=self._reading.weights_bytes,
            new_bytes=info.size_bytes,
        )

    def num_affordable(self, num_now: int, num_wanted: int, new_bytes: int = 0) -> int:
        """Return how many of ``num_wanted`` instances memory has room for, at least ``num_now``.

        ``new_bytes`` of weights come with them.
        """
        if self._reading is None or self.mode == "off":
            return num_wanted
        return num_affordable(
            self._reading,
            num_now=num_now,
            num_wanted=num_wanted,
            instance_bytes=self._instance_bytes,
            new_bytes=new_bytes,
        )

    def fill(self, status: MemoryStatus) -> MemoryStatus:
        """Return ``status`` with how tight memory is."""
        status = replace(status, switch=self.mode)
        if self._reading is None and self.mode == "auto":
            return status
        ladder, reading = self._ladder, self._reading or MemoryReading()
        words = ladder.reason if self._sensor is not None else "Nothing reads memory here."
        return replace(
            status,
            limit_bytes=reading.limit_bytes,
            unreclaimable_bytes=reading.unreclaimable_bytes,
            pressure=_rounded(reading.p),
            kill_pressure=_rounded(reading.p_kill),
            resting_pressure=_rounded(ladder.resting_pressure),
            level=str(ladder.level),
            level_s=round(max(0.0, self._clock() - ladder.since), 1),
            reason=words,
            stall_some=_share_of_percent(reading.psi_some_avg10),
            stall_full=_share_of_percent(reading.psi_full_avg10),
        )

    @property
    def _instance_bytes(self) -> int:
        snapshot = self._engine.snapshot()
        model = None if snapshot is None else snapshot.model
        per_token = self._config.kv_bytes_per_token if model is None else model.kv_bytes_per_token
        return self._engine.n_ctx * per_token

    def _is_at_rest(self) -> bool:
        """Whether the engine has the instances it should have, and nobody is answered."""
        snapshot = self._engine.snapshot()
        return (
            self._engine.is_ready
            and not self._register.held
            and snapshot is not None
            and len(snapshot.instances) == self._capacity.size
        )

    def _act(self, now: float) -> None:
        """Take away or give back what the level asks for, if anything has changed."""
        economy = ECONOMIES[self.level]
        self._capacity.is_at_rest = self.level <= self._ladder.resting
        if self._is_trim_due and economy.trims_heap:
            self._is_trim_due = False
            self._tasks.spawn(asyncio.to_thread(self._trim, collects_garbage=True))
        if economy == self.economy:
            return
        has_more = economy.trims_heap and not self.economy.trims_heap
        self.economy = economy
        log = logger.warning if economy.max_tokens is not None else logger.info
        log("Memory pressure is %s. %s", self.level, self._ladder.reason)
        self._register.admission.economy = economy
        self._capacity.economy = economy
        self._engine.economy = economy
        self._engine.limit_parking(self._parked_bytes(economy))
        # The engine lets parked conversations go between two steps, so this comes a moment later.
        self._is_trim_due = has_more
        self._on_change()

    def _parked_bytes(self, economy: Economy) -> int:
        if not economy.has_parking:
            return 0
        usual = self._config.parked_bytes
        return min(usual, self._config.calm_parked_bytes) if economy.has_calm_parking else usual

    def _give_way(self, now: float) -> None:
        """End answers early, then this process, when the kernel is about to kill something."""
        reading = self._reading
        is_dying = (
            self.mode != "off"
            and self._ladder.measured is MemoryLevel.CRITICAL
            and reading is not None
            and reading.p_kill is not None
            and reading.p_kill >= DYING_P_KILL
            and self._engine.is_ready
        )
        if not is_dying:
            self._dying_since = None
            return
        if self._dying_since is None:
            self._dying_since = now
            logger.error("Answers are ended to save memory. %s", self._ladder.reason)
            for generation in list(self._register.held.values()):
                self._endings.end_early(generation, DoneReason.MEMORY)
        elif now - self._dying_since >= DYING_PATIENCE_S and self._on_dying is not None:
            self._on_dying("Memory was about to run out, so the pool began anew.")


def _share_of_percent(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 4)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)
