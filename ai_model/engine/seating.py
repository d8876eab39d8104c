"""Bringing a request to an instance with as little reading as possible, and keeping what it leaves
behind."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ai_model.engine.context import Context
from ai_model.engine.instance import Instance, common_prefix
from ai_model.engine.parking import ParkingLot
from ai_model.engine.placement import place
from ai_model.engine.prefix_cache import PrefixCache
from ai_model.engine.request import EngineRequest

_WORTH_PARKING = 32
"""Fewer tokens than this are read again as fast as they are restored."""


class Seating:
    """The KV cells of all instances, the shared system prompts and the parked conversations.

    What a request can begin with, from cheapest to dearest: what its instance still holds; its
    parked state; the beginning of another conversation of the same visitor; the system prompt. Used
    by the engine's thread only.
    """

    def __init__(
        self,
        context: Context,
        instances: Sequence[Instance],
        prefixes: PrefixCache,
        parking: ParkingLot,
    ) -> None:
        self._context = context
        self._instances = instances
        self._prefixes = prefixes
        self._parking = parking

    def seat(self, request: EngineRequest) -> tuple[Instance, int]:
        """Give ``request`` an idle instance, of which there must be one.

        Returns it with the number of prompt tokens its sequence holds already.
        """
        idle = [instance for instance in self._instances if instance.answer is None]
        placement = place(request, idle)
        instance, num_cached = placement.instance, placement.num_cached
        if instance.conversation != request.conversation:
            self._park(instance)
            if placement.source is not instance and num_cached:
                self._share(instance, placement.source.index, placement.source.tokens[:num_cached])
            num_cached = max(num_cached, self._unpark(instance, request, at_least=num_cached + 1))
        system = request.prompt.tokens[: request.prompt.num_system_tokens]
        prefix = self._prefixes.find(system) if num_cached < len(system) else None
        if prefix is not None:
            self._share(instance, prefix, system)
            num_cached = len(system)
        self._context.remove(instance.index, num_cached)
        del instance.tokens[num_cached:]
        instance.conversation = request.conversation
        instance.visitor = request.visitor
        instance.since = time.monotonic()
        return instance, num_cached

    def keep_system_prompt(self, instance: Instance, request: EngineRequest) -> None:
        """Remember the system prompt that ``instance`` has just read for ``request``."""
        system = request.prompt.tokens[: request.prompt.num_system_tokens]
        self._prefixes.keep(system, instance.index, self._context)

    def _share(self, instance: Instance, sequence: int, tokens: Sequence[int]) -> None:
        """Let ``instance`` begin with the cells that ``sequence`` holds for ``tokens``."""
        self._context.remove(instance.index)
        self._context.copy(sequence, instance.index, len(tokens))
        instance.tokens = list(tokens)

    def _park(self, instance: Instance) -> None:
        """Keep what an instance holds of its conversation before somebody else takes the place."""
        if len(instance.tokens) < _WORTH_PARKING:
            return
        self._parking.park(
            conversation=instance.conversation,
            visitor=instance.visitor,
            tokens=tuple(instance.tokens),
            num_bytes=self._context.state_size(instance.index),
            save=lambda: self._context.save(instance.index),
        )

    def _unpark(self, instance: Instance, request: EngineRequest, *, at_least: int) -> int:
        """Restore the parked state of the request's conversation if it saves ``at_least`` tokens.

        Returns the tokens it saves, 0 when it was not used.
        """
        parked = self._parking.take(request.conversation)
        if parked is None or parked.visitor != request.visitor:
            return 0
        wanted = request.prompt.tokens + request.produced
        num_cached = min(common_prefix(parked.tokens, wanted), len(wanted) - 1)
        if num_cached < at_least or not self._context.restore(instance.index, parked.state):
            return 0
        instance.tokens = list(parked.tokens)
        return num_cached
