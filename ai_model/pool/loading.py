"""Bringing a pool's model in: when memory has room for it, and with how many instances."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ai_model.pool.capacity import Capacity
from ai_model.pool.config import PoolConfig
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.instance_choice import choose_num_instances
from ai_model.pool.memory_watch import MemoryWatch

logger = logging.getLogger(__name__)

MEMORY_RETRY_S = 1.0
"""So often a pool that has no room for its model looks whether there is some."""


class Loading:
    """The first load of one pool, and each one after a sleep. Lives on the pool's loop, its lock.

    ``is_size_given`` says that somebody has decided the number of instances already. ``use_limits``
    takes new values of the configuration.
    """

    def __init__(
        self,
        config: PoolConfig,
        *,
        memory: MemoryWatch,
        capacity: Capacity,
        engine: EngineLink,
        is_size_given: bool,
        use_limits: Callable[[Mapping[str, Any]], None],
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._memory = memory
        self._capacity = capacity
        self._engine = engine
        self._is_size_chosen = is_size_given or not config.curve_instances
        self._use_limits = use_limits
        self._clock = clock
        self._said = ""

    def why_waiting(self) -> str:
        """Return why the model is not being loaded although it is wanted, as a sentence, or ""."""
        is_out = not self._engine.is_begun or self._engine.is_asleep
        return self._memory.why_not_start() if is_out else ""

    async def run(self) -> None:
        """Begin to load the model as soon as memory has room for it."""
        while self._must_wait():
            await asyncio.sleep(MEMORY_RETRY_S)
        self._begin_with_room_for(_size_of(self._config.model_path))
        await self._engine.start(self._capacity.size)

    def wake(self) -> None:
        """Bring back a model that sleeps, if memory has room for it now; to be asked again."""
        if not self._engine.is_asleep or self._must_wait():
            return
        snapshot, size = self._engine.snapshot(), self._capacity.size
        model = None if snapshot is None else snapshot.model
        self._begin_with_room_for(0 if model is None else model.size_bytes)
        if self._capacity.size != size:
            self._engine.resize(self._capacity.size)
        self._engine.wake()

    def _must_wait(self) -> bool:
        why = self._memory.why_not_start()
        if why and not self._said:
            logger.warning("%s", why)
        self._said = why
        return bool(why)

    def _begin_with_room_for(self, num_bytes: int) -> None:
        """Have no more instances than memory has room for beside weights of so many bytes."""
        size = self._capacity.size
        room = self._memory.num_affordable(1, size, new_bytes=num_bytes)
        self._capacity.begin_with(min(size, room), self._clock())

    def choose_size(self) -> None:
        """Have as many instances as answer fastest together, once, as the profile wants it."""
        snapshot = self._engine.snapshot()
        if self._is_size_chosen or snapshot is None or snapshot.step_cost is None:
            return
        self._is_size_chosen = True
        num_instances = choose_num_instances(
            snapshot.step_cost.curve,
            at_most=self._config.curve_instances,
            target_itl_ms=self._config.target_itl_ms,
        )
        if num_instances > self._capacity.limit:
            logger.info("%d answers together are written faster than one alone.", num_instances)
            self._capacity.choose(num_instances)
            self._use_limits({"max_instances": num_instances, "hot_instances": 0})


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
